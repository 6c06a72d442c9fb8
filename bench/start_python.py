"""Images of the start bench that run scripts and Python programs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping

from start_case import Case, Put, link

from tests.e2e import distroless

PY = "/usr/bin/python3"
VERSION = distroless.release().python
SITE = f"/usr/local/lib/python{VERSION}/dist-packages"
READY = 'print("ready")\n'


def scripts(arch: str) -> Iterator[Case]:
    def case(
        name: str,
        text: str,
        broken: str = "",
        *rules: str,
        mode: int = 0o755,
        base: str = "python3",
        user: str = "65532:65532",
    ) -> Case:
        lines = (f"USER {user}", 'ENTRYPOINT ["/app/run"]')
        return Case(name, arch, base, {"/app/run": Put(text, mode)}, lines, broken, rules)

    gone = "program-interpreter-missing"
    yield case("script", f"#!{PY}\n{READY}")
    yield case("script-option", f"#!{PY} -u\n{READY}")
    yield case("script-blank", f"#! {PY}\n{READY}")
    yield case("script-crlf", f"#!{PY}\r\n{READY}", "the first line ends in a carriage return", gone)
    yield case("script-env", f"#!/usr/bin/env python3\n{READY}", "there is no env", gone)
    yield case("script-builder", f"#!/usr/local/bin/python{VERSION}\n{READY}", "the builder's python", gone)
    yield case("script-shell", "#!/bin/sh\necho ready\n", "there is no shell", gone, "script-needs-shell")
    yield case("script-bom", f"\ufeff#!{PY}\n{READY}", "a byte order mark before #!", "program-format-wrong")
    yield case(
        "script-unreadable",
        f"#!{PY}\n{READY}",
        "only root may read it",
        "program-not-executable",
        "script-missing",
        "script-unreadable",
        mode=0o711,
    )
    yield case("user-unknown", f"#!{PY}\n{READY}", "no such user", "final-user-not-in-passwd", user="app")
    yield case("user-nonroot", f"#!{PY}\n{READY}", user="nonroot")


def python(arch: str) -> Iterator[Case]:
    def case(
        name: str, files: Mapping[str, Put | str], cmd: str, broken: str = "", *rules: str, lines: tuple[str, ...] = ()
    ) -> Case:
        return Case(name, arch, "python3", files, ("WORKDIR /app", *lines, f"CMD [{cmd}]"), broken, rules)

    venv: dict[str, Put | str] = {
        "/venv/bin/python": link(PY),
        "/venv/bin/python3": link("python"),
        "/venv/pyvenv.cfg": f"home = /usr/bin\nversion = {VERSION}\n",
    }
    inside = f"/venv/lib/python{VERSION}/site-packages"
    start = ("ENTRYPOINT []",)
    yield case("python-script", {"/app/main.py": READY}, '"main.py"')
    yield case("python-module", {"/app/service/__init__.py": "", "/app/service/main.py": READY}, '"-m", "service.main"')
    yield case("python-package", {"/app/service/__init__.py": "", "/app/service/__main__.py": READY}, '"-m", "service"')
    yield case("python-namespace", {"/app/service/main.py": READY}, '"-m", "service.main"')
    yield case("python-zip", {"/app/app.pyz": Put(packed({"__main__.py": READY}), 0o644)}, '"app.pyz"')
    yield case("python-folder", {"/app/svc/__main__.py": READY}, '"/app/svc"')
    yield case("python-dist", {f"{SITE}/lib.py": "", "/app/main.py": f"import lib\n{READY}"}, '"main.py"')
    yield case(
        "python-pth",
        {f"{SITE}/x.pth": "/opt/more\n", "/opt/more/lib.py": "", "/app/main.py": f"import lib\n{READY}"},
        '"main.py"',
    )
    yield case(
        "python-path",
        {"/opt/lib/lib.py": "", "/app/main.py": f"import lib\n{READY}"},
        '"main.py"',
        lines=("ENV PYTHONPATH=/opt/lib",),
    )
    yield case(
        "venv",
        {**venv, f"{inside}/lib.py": "", "/app/main.py": f"import lib\n{READY}"},
        '"/venv/bin/python", "main.py"',
        lines=start,
    )
    console = "#!/venv/bin/python\nfrom lib import main\nmain()\n"
    yield case(
        "venv-console",
        {**venv, f"{inside}/lib.py": f"def main(): {READY}", "/venv/bin/svc": Put(console)},
        '"svc"',
        lines=(*start, "ENV PATH=/venv/bin:$PATH"),
    )
    yield case(
        "standard-library",
        {"/app/main.py": f"import ssl, sqlite3, json, ctypes, asyncio, zoneinfo\n{READY}"},
        '"main.py"',
    )
    yield case("python-missing-script", {"/app/main.py": READY}, '"server.py"', "no such script", "script-missing")
    yield case(
        "python-workdir", {"/src/main.py": READY}, '"main.py"', "the script lies in another folder", "script-missing"
    )
    yield case("python-missing-module", {"/app/main.py": READY}, '"-m", "service"', "no such module", "module-missing")
    yield case(
        "python-no-main",
        {"/app/service/__init__.py": ""},
        '"-m", "service"',
        "a package without __main__",
        "module-missing",
    )
    yield case(
        "python-zip-no-main",
        {"/app/app.pyz": Put(packed({"main.py": READY}), 0o644)},
        '"app.pyz"',
        "an archive without __main__",
        "script-missing",
        "module-missing",
    )
    yield case(
        "python-folder-no-main",
        {"/app/svc/main.py": READY},
        '"/app/svc"',
        "a folder without __main__",
        "script-missing",
        "module-missing",
    )
    yield case(
        "python-unreadable",
        {"/app/main.py": Put(READY, 0o600)},
        '"main.py"',
        "only root may read it",
        "script-missing",
        "script-unreadable",
        "program-not-executable",
    )
    yield case(
        "python-doubled",
        {"/app/main.py": READY},
        '"python3", "main.py"',
        "the interpreter doubles",
        "interpreter-doubled",
    )
    yield case(
        "python-version",
        {"/app/main.py": READY},
        '"/usr/bin/python3.12", "main.py"',
        "another version of Python",
        "command-program-missing",
        lines=start,
    )
    yield case(
        "python-home",
        {"/app/main.py": READY},
        '"main.py"',
        "PYTHONHOME leads nowhere",
        "python-home-missing",
        lines=("ENV PYTHONHOME=/opt/python",),
    )
    yield case(
        "python-shell-form", {"/app/main.py": READY}, "", "there is no shell", "command-needs-shell", lines=start
    )._replace(lines=("WORKDIR /app", "ENTRYPOINT []", "CMD python3 main.py"))
    builder: dict[str, Put | str] = {**venv, "/venv/bin/python": link(f"/usr/local/bin/python{VERSION}")}
    yield case(
        "venv-dangling",
        {**builder, "/app/main.py": READY},
        '"/venv/bin/python", "main.py"',
        "the environment's python is the builder's",
        "program-link-broken",
        lines=start,
    )
    yield case(
        "venv-other-version",
        {**venv, "/venv/lib/python3.12/site-packages/lib.py": "", "/app/main.py": f"import lib\n{READY}"},
        '"/venv/bin/python", "main.py"',
        "packages for another version",
        "import-missing",
        lines=start,
    )
    yield case(
        "venv-console-dangling",
        {**builder, f"{inside}/lib.py": f"def main(): {READY}", "/venv/bin/svc": Put(console)},
        '"svc"',
        "its first line leads to nothing",
        "program-interpreter-missing",
        lines=(*start, "ENV PATH=/venv/bin:$PATH"),
    )
    yield case(
        "venv-moved",
        {f"/opt{path}": put for path, put in venv.items()} | {"/opt/venv/bin/svc": Put(console)},
        '"/opt/venv/bin/svc"',
        "the environment was moved",
        "program-interpreter-missing",
        lines=start,
    )


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """Return a zip archive of files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()
