"""Images of the start bench that serve a Python application, or are installed as packages are.

The application tells that it is ready when the server has taken it, and ends the server: uvicorn's is asked for its start, gunicorn loads it
to check itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from start_case import Case, Put, link
from start_python import PY, READY, SITE, VERSION, packed

ASGI = """import os


async def app(scope, receive, send):
    print("ready", flush=True)
    os._exit(0)
"""
WSGI = f"{READY}\ndef app(environ, start):\n    return []\n"
INFO = "Metadata-Version: 2.1\nName: svc\nVersion: 1.0\n"


def servers(arch: str) -> Iterator[Case]:
    def case(
        name: str,
        files: Mapping[str, Put | str],
        words: str,
        broken: str = "",
        *rules: str,
        base: str = "servers",
        lines: tuple[str, ...] = (),
    ) -> Case:
        rules = rules or (("import-missing", "module-missing") if broken else ())
        more = ("WORKDIR /app", *lines, "ENTRYPOINT []", f"CMD [{words}]")
        return Case(name, arch, base, files, more, broken, rules)

    uvicorn, gunicorn = f'"{PY}", "-m", "uvicorn"', f'"{PY}", "-m", "gunicorn", "--check-config"'
    asgi, wsgi = {"/app/main.py": ASGI}, {"/app/wsgi.py": WSGI}
    shop = {"/app/shop/__init__.py": "", "/app/shop/main.py": ASGI}
    yield case("uvicorn", asgi, f'{uvicorn}, "main:app", "--port", "8000"')
    yield case("uvicorn-program", asgi, '"/usr/bin/uvicorn", "main:app"')
    yield case("uvicorn-package", shop, f'{uvicorn}, "shop.main:app"')
    yield case("uvicorn-folder", {"/app/src/main.py": ASGI}, f'{uvicorn}, "--app-dir", "src", "main:app"')
    yield case("uvicorn-port-80", asgi, f'{uvicorn}, "main:app", "--port", "80"', lines=("EXPOSE 80",))
    yield case("gunicorn", wsgi, f'{gunicorn}, "wsgi:app"')
    yield case("gunicorn-program", wsgi, '"/usr/bin/gunicorn", "--check-config", "wsgi:app"')
    yield case("gunicorn-folder", {"/app/src/wsgi.py": WSGI}, f'{gunicorn}, "--chdir", "src", "wsgi:app"')
    yield case("gunicorn-configuration", {**wsgi, "/app/gunicorn.conf.py": "workers = 2\n"}, f'{gunicorn}, "wsgi:app"')
    yield case("uvicorn-module-missing", asgi, f'{uvicorn}, "server:app"', "no such module is served")
    yield case(
        "uvicorn-name-missing", asgi, f'{uvicorn}, "main:application"', "no such name in the module that is served"
    )
    yield case("uvicorn-in-folder", {"/app/src/main.py": ASGI}, f'{uvicorn}, "main:app"', "the application lies in src")
    yield case(
        "uvicorn-workdir", {"/srv/main.py": ASGI}, f'{uvicorn}, "main:app"', "the application lies in another folder"
    )
    yield case("uvicorn-package-lost", asgi, f'{uvicorn}, "shop.main:app"', "the package's folder was lost when copied")
    yield case(
        "uvicorn-import-missing",
        {"/app/main.py": f"import fastapi\n{ASGI}"},
        f'{uvicorn}, "main:app"',
        "the application's package is missing",
    )
    yield case(
        "uvicorn-missing", asgi, f'{uvicorn}, "main:app"', "uvicorn is not installed", "module-missing", base="python3"
    )
    yield case(
        "uvicorn-not-on-path",
        asgi,
        '"uvicorn", "main:app"',
        "uvicorn's program is missing",
        "command-program-missing",
        base="python3",
    )
    yield case("uvicorn-as-one-word", asgi, '"uvicorn main:app"', "the command is one word", "command-program-missing")
    yield case("gunicorn-module-missing", wsgi, f'{gunicorn}, "app:app"', "no such module is served, by gunicorn")
    yield case("gunicorn-name-missing", wsgi, f'{gunicorn}, "wsgi:application"', "no such name in gunicorn's module")
    yield case(
        "gunicorn-import-missing",
        {"/app/wsgi.py": f"import flask\n{WSGI}"},
        f'{gunicorn}, "wsgi:app"',
        "gunicorn's application's package is missing",
    )
    yield case(
        "gunicorn-unreadable",
        {"/app/wsgi.py": Put(WSGI, 0o600)},
        f'{gunicorn}, "wsgi:app"',
        "only root may read the application",
    )
    yield case(
        "gunicorn-missing",
        wsgi,
        f'{gunicorn}, "wsgi:app"',
        "gunicorn is not installed",
        "module-missing",
        base="python3",
    )


def installed(arch: str) -> Iterator[Case]:
    def case(
        name: str,
        files: Mapping[str, Put | str],
        words: str,
        broken: str = "",
        *rules: str,
        lines: tuple[str, ...] = (),
    ) -> Case:
        rules = rules or (("import-missing",) if broken else ())
        return Case(name, arch, "python3", files, ("WORKDIR /app", *lines, f"ENTRYPOINT [{words}]"), broken, rules)

    console = Put(f"#!{PY}\nimport sys\nfrom svc.cli import main\nif __name__ == '__main__':\n    sys.exit(main())\n")
    code = {f"{SITE}/svc/__init__.py": "", f"{SITE}/svc/cli.py": 'def main():\n    print("ready")\n'}
    about = {
        f"{SITE}/svc-1.0.dist-info/METADATA": INFO,
        f"{SITE}/svc-1.0.dist-info/entry_points.txt": "[console_scripts]\nsvc = svc.cli:main\n",
    }
    there = {"/usr/local/bin/svc": console}
    yield case("console", {**there, **code, **about}, '"svc"')
    yield case(
        "console-not-copied", {**code, **about}, '"svc"', "the console script was not copied", "command-program-missing"
    )
    yield case("console-package-not-copied", there, '"svc"', "the console script's package was not copied")
    yield case(
        "console-user-site",
        {**there, f"/root/.local/lib/python{VERSION}/site-packages/svc/cli.py": "def main(): pass\n"},
        '"svc"',
        "installed for root alone",
    )
    yield case(
        "console-name-missing",
        {**there, **code, f"{SITE}/svc/cli.py": "def run(): pass\n"},
        '"svc"',
        "the console script imports another name",
    )
    yield case(
        "console-other-version",
        {**there, "/usr/local/lib/python3.10/site-packages/svc/cli.py": ""},
        '"svc"',
        "installed for the builder's Python",
    )
    yield case(
        "console-not-executable",
        {**code, "/usr/local/bin/svc": console._replace(mode=0o644)},
        '"/usr/local/bin/svc"',
        "no execute bit on the console script",
        "program-not-executable",
    )
    yield case(
        "console-crlf",
        {**code, "/usr/local/bin/svc": Put(str(console.content).replace("\n", "\r\n"))},
        '"svc"',
        "a console script with CRLF",
        "program-interpreter-missing",
    )
    target = {"/opt/deps/svc/__init__.py": "", "/opt/deps/svc/cli.py": 'def main():\n    print("ready")\n'}
    main = {"/app/main.py": "from svc.cli import main\nmain()\n"}
    yield case("target", {**target, **main}, f'"{PY}", "main.py"', lines=("ENV PYTHONPATH=/opt/deps",))
    yield case(
        "target-not-on-path", {**target, **main}, f'"{PY}", "main.py"', "a folder of packages that no PYTHONPATH names"
    )
    yield case(
        "target-one-too-deep",
        {**target, **main},
        f'"{PY}", "main.py"',
        "PYTHONPATH names the folder of a package",
        lines=("ENV PYTHONPATH=/opt/deps/svc",),
    )
    zipped = {
        "__main__.py": "from svc.cli import main\nmain()\n",
        "svc/__init__.py": "",
        "svc/cli.py": 'def main():\n    print("ready")\n',
    }
    yield case("zip-app", {"/app/app.pyz": Put(packed(zipped), 0o644)}, f'"{PY}", "app.pyz"')
    head = f"#!{PY}\n".encode()
    yield case("zip-app-executable", {"/app/app.pyz": Put(head + packed(zipped))}, '"/app/app.pyz"')
    yield case(
        "zip-app-import-missing",
        {"/app/app.pyz": Put(packed({**zipped, "svc/cli.py": "import yaml\n"}), 0o644)},
        f'"{PY}", "app.pyz"',
        "a zip application without a package",
    )
    yield case(
        "zip-app-builder",
        {"/app/app.pyz": Put(b"#!/usr/local/bin/python3\n" + packed(zipped))},
        '"/app/app.pyz"',
        "a zip application for the builder's Python",
        "program-interpreter-missing",
    )
    yield case(
        "zip-app-unreadable",
        {"/app/app.pyz": Put(packed(zipped), 0o600)},
        f'"{PY}", "app.pyz"',
        "only root may read the zip application",
        "script-missing",
        "program-not-executable",
    )
    venv: dict[str, Put | str] = {
        "/app/.venv/bin/python": link(PY),
        "/app/.venv/pyvenv.cfg": f"home = /usr/bin\nversion = {VERSION}\n",
    }
    yield case(
        "venv-not-copied",
        {"/app/main.py": READY},
        '"/app/.venv/bin/python", "main.py"',
        "the environment was not copied",
        "command-program-missing",
    )
    yield case(
        "venv-wrong-path",
        {**venv, "/app/main.py": READY},
        '"/opt/venv/bin/python", "main.py"',
        "the environment lies elsewhere",
        "command-program-missing",
    )
    yield case(
        "venv-not-on-path",
        {**venv, f"/app/.venv/lib/python{VERSION}/site-packages/lib.py": "", "/app/main.py": f"import lib\n{READY}"},
        f'"{PY}", "main.py"',
        "the environment is not used",
    )
    yield case(
        "venv-without-cfg",
        {
            **venv,
            "/app/.venv/pyvenv.cfg": "",
            f"/app/.venv/lib/python{VERSION}/site-packages/lib.py": "",
            "/app/main.py": f"import lib\n{READY}",
        },
        '"/app/.venv/bin/python", "main.py"',
    )
