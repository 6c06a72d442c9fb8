"""A predicted container against a measured one."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from lucid_audit.container.config import Container
from lucid_audit.fleet.drift import drift
from lucid_audit.fleet.service import written
from tests.image_sketch import publication
from tests.sketch import sketch

FILE = """\
FROM gcr.io/distroless/python3-debian13:nonroot
ARG VERSION=dev
WORKDIR /app
COPY app.py /app/
ENV MODE=fast
LABEL team=core version=$VERSION
EXPOSE 8080
USER 65532:65532
HEALTHCHECK CMD ["/usr/bin/python3", "/app/app.py"]
ENTRYPOINT []
CMD ["python3", "app.py"]
"""
CONFIG: dict[str, Any] = {
    "User": "65532:65532", "WorkingDir": "/app", "Cmd": ["python3", "app.py"], "ExposedPorts": {"8080/tcp": {}},
    "Env": ["PATH=/usr/bin", "MODE=fast"], "Labels": {"team": "core", "version": "1.2"},
    "Healthcheck": {"Test": ["CMD", "/usr/bin/python3", "/app/app.py"]},
}  # fmt: skip
FILES = {"/app/app.py": "print()"}


def compared(text: str = FILE, files: dict[str, Any] | None = None, **config: Any) -> dict[str, tuple[str, str]]:
    build = sketch(text, {"context": {"app.py": "print()"}})
    measured: Container = (
        publication({"config": {**CONFIG, **config}, "layers": [{"files": FILES if files is None else files}]})
        .images[0]
        .container
    )

    assert build.container is not None
    return {one.what: (one.dockerfile, one.image) for one in drift(build.container, measured, partial(written, build))}


def test_the_same() -> None:
    assert compared() == {}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"User": "root"}, {"user": ("65532:65532", "root")}),
        ({"WorkingDir": "/srv"}, {"working directory": ("/app", "/srv")}),
        ({"Cmd": ["python3", "main.py"]}, {"command": ("[python3, app.py]", "[python3, main.py]")}),
        ({"Cmd": ["/bin/sh", "-c", "python3 app.py"]}, {"command": ("[python3, app.py]", "shell: python3 app.py")}),
        ({"Entrypoint": ["tini"]}, {"entry point": ("none", "[tini]")}),
        ({"Healthcheck": None}, {"health check": ("[/usr/bin/python3, /app/app.py]", "none")}),
        ({"Env": ["PATH=/usr/bin"]}, {"variable MODE": ("fast", "not set")}),
        ({"Labels": {"team": "other", "version": "1"}}, {"label team": ("core", "other")}),
        (
            {"Healthcheck": {"Test": ["CMD", "/usr/bin/python3", "/app/app.py"], "Interval": 5_000_000_000}},
            {"health check": ("[/usr/bin/python3, /app/app.py]", "[/usr/bin/python3, /app/app.py] interval 5s")},
        ),
        ({"Env": ["PATH=/usr/bin", "MODE=fast", "TRACE=1"]}, {"variable TRACE": ("not set", "1")}),
        (
            {"Env": ["PATH=/usr/bin", "MODE=fast", "DB_PASSWORD=correct horse"]},
            {"variable DB_PASSWORD": ("not set", "…")},
        ),
        ({"ExposedPorts": {"9090/tcp": {}}}, {"ports": ("8080/tcp", "9090/tcp")}),
        ({"files": {"/app/other.py": "print()"}}, {"file /app/app.py": ("copied", "not there")}),
        ({"files": {"/app/app.py": "print(1)"}}, {"file /app/app.py": ("7 bytes", "8 bytes, another content")}),
    ],
)
def test_what_differs(config: dict[str, Any], expected: dict[str, tuple[str, str]]) -> None:
    assert compared(**config) == expected


def test_spellings_of_the_same() -> None:
    assert compared(FILE.replace("65532:65532", "0"), User="root") == {}
    assert compared(FILE.replace("WORKDIR /app", "WORKDIR /app/"), WorkingDir="/app") == {}
    assert (
        compared(FILE.replace('["python3", "app.py"]', "python3   app.py"), Cmd=["/bin/sh", "-c", "python3 app.py"])
        == {}
    )


def test_what_a_build_argument_gives_is_not_compared() -> None:
    assert compared(Labels={"team": "core"}) == {}
    assert compared(FILE.replace("USER 65532:65532", "ARG WHO\nUSER $WHO"), User="1000") == {}


def test_the_digest_of_the_base() -> None:
    ours, theirs = (f"sha256:{char * 64}" for char in "ab")
    pinned = FILE.replace(":nonroot\n", f":nonroot@{ours}\n", 1)
    label = "org.opencontainers.image.base.digest"
    assert compared(pinned, Labels={**CONFIG["Labels"], label: ours}) == {}
    assert compared(pinned, Labels={**CONFIG["Labels"], label: theirs}) == {"base's digest": (ours, theirs)}
    assert compared(FILE, Labels={**CONFIG["Labels"], label: theirs}) == {}
