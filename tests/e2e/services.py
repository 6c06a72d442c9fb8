"""Service images on the language base, for both architectures: a sound one, and ones with one fault each.

services.sound("arm64")                          an Image
services.layout(folder, "buried-secret")         a layout: an index with the image for each architecture
services.layout(folder, attestations="artifact", media_type=ZSTD)
services.single(folder, "amd64")                 a layout with one manifest
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.e2e import app, distroless
from tests.e2e import layout as layouts
from tests.e2e.debs import content
from tests.e2e.layout import Attestations, Image
from tests.e2e.tars import GZIP, Layer, Member, directory, file, of, recompressed, whiteout

CREATED = "2026-09-01T12:00:00Z"
HEALTH = ["CMD", "/usr/bin/python3", "/app/probe.py"]
SECRET = "AKIA" + "Q7XK2MZB4TNW9RLD"  # in the form of an access key, made up


def sound(architecture: str) -> Image:
    """Return the service without faults."""
    base = distroless.base("python3", architecture, "nonroot")
    folder = of([directory("app", owner=app.OWNER)], "WORKDIR /app")
    files = of(
        [directory("app", owner=app.OWNER), *(file(path, text, owner=app.OWNER) for path, text in app.FILES.items())],
        "COPY --chown=65532:65532 server.py probe.py ./ # buildkit",
    )
    probe = {"Test": HEALTH, "Interval": 30 * app.SECOND, "Timeout": 3 * app.SECOND, "Retries": 3}
    config = {
        **base.config,
        "User": "65532:65532",
        "WorkingDir": "/app",
        "ExposedPorts": {f"{app.PORT}/tcp": {}},
        "Cmd": ["/app/server.py"],
        "ArgsEscaped": True,
        "Healthcheck": probe,
        "Labels": app.LABELS,
        "StopSignal": "SIGTERM",
    }
    lines = (
        f"EXPOSE [{app.PORT}/tcp]",
        "USER 65532:65532",
        'HEALTHCHECK {"Test":["CMD","/usr/bin/python3","/app/probe.py"]}',
        'CMD ["/app/server.py"]',
    )
    return Image(architecture, config, (*base.layers, folder, files), lines, CREATED)


def _copied(path: str, data: bytes | str = "", mode: int = 0o644, owner: int = 0) -> list[Member]:
    """A file below the folders that a build records with it."""
    parts = path.strip("/").split("/")[:-1]
    above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    folders = [directory(folder, owner=app.OWNER if folder == "app" else 0) for folder in above]
    return [*folders, file(path, data, mode, owner)]


def _with(image: Image, *layers: Layer, **config: object) -> Image:
    return image._replace(layers=(*image.layers, *layers), config={**image.config, **config})


def _root(image: Image) -> Image:
    return _with(image, User="0")._replace(lines=(*image.lines, "USER 0"))


def _busybox(image: Image) -> Image:
    program = content("busybox-static", image.architecture, "bin/busybox")
    return _with(image, of(_copied("app/helper", program, 0o755), "COPY helper /app/helper # buildkit"))


def _bash(image: Image) -> Image:
    program = content("bash", image.architecture, "bin/bash")
    place = "bin/bash" if distroless.release().number == "12" else "usr/bin/bash"  # where /bin is a link
    return _with(image, of(_copied(place, program, 0o755), "COPY /bin/bash /bin/bash # buildkit"))


def _secret(image: Image) -> Image:
    text = f"AWS_ACCESS_KEY_ID={SECRET}\nAWS_SECRET_ACCESS_KEY=" + "wZ8q" * 10 + "\n"
    below = of(_copied("app/.env", text, 0o600, app.OWNER), "COPY . . # buildkit")
    return _with(
        image,
        below,
        of(
            [directory("app", owner=app.OWNER), whiteout("app/.env")],
            "RUN /usr/bin/python3 -c \"import os; os.remove('.env')\"",
        ),
    )


def _setuid(image: Image) -> Image:
    program = content("coreutils", image.architecture, "usr/bin/id")
    return _with(image, of(_copied("app/id", program, 0o4755), "COPY --chmod=4755 id /app/id # buildkit"))


def _architecture(image: Image) -> Image:
    return sound("amd64")._replace(platform=image.architecture)


def _replaced(image: Image) -> Image:
    path = f"{distroless.library()}/http/server.py"
    text = content(f"libpython{distroless.release().python}-stdlib", image.architecture, path).decode()
    return _with(image, of(_copied(path, text + "\n# changed by hand\n"), "COPY patched.py " + path + " # buildkit"))


def _same(image: Image) -> Image:
    path = f"{distroless.library()}/http/server.py"
    text = content(f"libpython{distroless.release().python}-stdlib", image.architecture, path)
    return _with(image, of(_copied(path, text), f"COPY server.py {path} # buildkit"))


def _certificates(image: Image) -> Image:
    return _with(image, of(_copied(distroless.BUNDLE), f"COPY empty.crt {distroless.BUNDLE} # buildkit"))


def _shell_form(image: Image) -> Image:
    return _with(image, Entrypoint=["/bin/sh", "-c", "python3 /app/server.py"], Cmd=None)


def _shell_probe(image: Image) -> Image:
    test = ["CMD-SHELL", f"curl -f http://127.0.0.1:{app.PORT}/health || exit 1"]
    return _with(image, Healthcheck={"Test": test})


def _flattened(image: Image) -> Image:
    one = flatten(image.layers)._replace(created_by="")
    return image._replace(layers=(one,), lines=())


def _debug(image: Image) -> Image:
    debug = distroless.base("python3", image.architecture, "debug-nonroot")
    own = image.layers[len(distroless.base("python3", image.architecture, "nonroot").layers) :]
    return image._replace(layers=(*debug.layers, *own), config={**image.config, "Env": debug.config["Env"]})


FAULTS: dict[str, Callable[[Image], Image]] = {
    "root-user": _root,
    "renamed-busybox": _busybox,  # /app/helper
    "copied-bash": _bash,
    "buried-secret": _secret,  # /app/.env, deleted one layer above
    "setuid-file": _setuid,  # /app/id
    "wrong-architecture": _architecture,  # the index says arm64, the configuration amd64
    "flattened": _flattened,
    "replaced-library": _replaced,  # http/server.py of the base's standard library
    "copied-library": _same,  # no fault: the very file of the base again
    "emptied-certificates": _certificates,
    "shell-form": _shell_form,  # does not start: there is no /bin/sh
    "shell-probe": _shell_probe,  # starts, never becomes healthy
    "debug-base": _debug,
}


def service(architecture: str, fault: str = "") -> Image:
    """Return the service, with one of ``FAULTS`` if asked for."""
    image = sound(architecture)
    return FAULTS[fault](image) if fault else image


def flatten(layers: Sequence[Layer]) -> Layer:
    """Return one layer with what the layers show together."""
    tree: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
    for one in layers:
        for info, data in one.members():
            path = info.name.removeprefix("./").strip("/")
            parent, _, name = path.rpartition("/")
            if name.startswith(".wh."):
                gone = f"{parent}/{name.removeprefix('.wh.')}"
                tree = {key: kept for key, kept in tree.items() if key != gone and not key.startswith(gone + "/")}
            else:
                tree.pop(path, None)
                tree[path] = (info, data)
    ordered = sorted(tree.items(), key=lambda item: (item[1][0].islnk(), item[0]))  # hard links after their targets
    return of(member for path, member in ordered if path)


def compressed(image: Image, media_type: str) -> Image:
    """Return the image with its layers under another compression."""
    return image._replace(layers=tuple(recompressed(one, media_type) for one in image.layers))


def single(folder: Path, architecture: str, fault: str = "", media_type: str = GZIP) -> Path:
    """Write a layout of one manifest, tagged ``latest``."""
    return layouts.single(folder, compressed(service(architecture, fault), media_type))


def layout(
    folder: Path,
    fault: str = "",
    attestations: Attestations = "",
    media_type: str = GZIP,
    architectures: Sequence[str] = distroless.ARCHITECTURES,
) -> Path:
    """Write a layout of an index of all architectures, tagged ``latest``."""
    images = [compressed(service(one, fault), media_type) for one in architectures]
    return layouts.several(folder, images, attestations)
