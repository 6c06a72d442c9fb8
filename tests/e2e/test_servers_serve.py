"""What servers import, against the servers themselves: each is started with an application that tells where it was found."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import venv
from pathlib import Path
from threading import Timer

import pytest

from lucid_audit.container.import_closure import imported
from lucid_audit.container.launch import launch
from tests.container.test_python_start import PYTHON, made
from tests.e2e import cache

pytestmark = pytest.mark.e2e
PACKAGES = ("uvicorn", "gunicorn", "hypercorn", "daphne", "waitress", "granian", "celery", "flask", "gevent")
TELL = "import os\napp = application = create = os\nos.write(1, f'\\nFOUND {__file__}\\n'.encode())\nos._exit(0)\n"
FILES = {"main.py": TELL, "wsgi.py": TELL, "shop/__init__.py": "", "shop/main.py": TELL, "src/inner.py": TELL, "src/conf.py": "import helper\n",
         "helper.py": ""}  # fmt: skip
COMMANDS = (
    "uvicorn main:app", "uvicorn shop.main:app", "uvicorn --app-dir src inner:app", "uvicorn nothing:app",
    "uvicorn inner:app", "python -m uvicorn shop.main:app",
    "gunicorn wsgi", "gunicorn -w 1 shop.main:app", "gunicorn --chdir src inner", "gunicorn -w 1 nothing", "python -m gunicorn wsgi:app",
    "gunicorn --reload wsgi", "gunicorn -c src/conf.py wsgi", "GUNICORN_CMD_ARGS=--chdir=src gunicorn inner:app",
    "hypercorn main:app", "hypercorn asgi:shop.main:app", "hypercorn wsgi:main:app", "hypercorn src/inner.py:app",
    "hypercorn src/inner:app", "hypercorn main.py:app", "hypercorn nothing:app", "python -m hypercorn main:app",
    "daphne main:app", "daphne -p 8000 shop.main:app", "daphne nothing:app", "python -m daphne main:app",
    "waitress-serve main:app", "waitress-serve --port=8000 --call shop.main:create", "waitress-serve nothing:app",
    "python -m waitress main:app",
    "granian --interface wsgi main:app", "granian --interface asgi shop.main:app", "granian --interface asgi nothing:app",
    "celery -A main worker", "celery --app=shop.main:app worker", "celery -A shop.main worker", "celery -A nothing worker",
    "celery --workdir src -A inner worker", "python -m celery -A main worker",
    "flask --app main run", "flask --app shop.main run", "flask --app src/inner run", "flask --app src/inner.py:app run",
    "flask -A nothing run", "FLASK_APP=main flask run", "python -m flask --app shop.main run",
)  # fmt: skip


def _install(place: Path) -> None:
    venv.create(place / "venv", with_pip=True)
    subprocess.run([place / "venv/bin/python", "-m", "pip", "install", "-q", *PACKAGES], check=True)


@pytest.fixture(scope="module")
def programs() -> Path:
    return cache.kept("servers", cache.key(sys.version, *PACKAGES), _install) / "venv/bin"


def _said(words: list[str], place: Path, env: dict[str, str]) -> str:
    """Return the path that the application tells, "" when the server ends without it."""
    started = subprocess.Popen(
        words, cwd=place, env={"HOME": str(place), "PYTHONUNBUFFERED": "1", **env}, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    timer = Timer(60, os.killpg, (started.pid, signal.SIGKILL))
    timer.start()
    try:
        assert started.stdout is not None
        return next((line.split()[1] for line in started.stdout if line.startswith("FOUND")), "")
    finally:
        timer.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)  # its workers, too, and nothing else: the group is its own
        started.wait()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_server_finds_the_same(command: str, programs: Path, tmp_path: Path) -> None:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    words = command.split()
    env = dict(pair.split("=", 1) for pair in words[:-1] if "=" in pair and pair.isascii() and pair[0].isupper())
    program, *arguments = words[len(env) :]
    said = _said(
        [str(programs / "python"), *([] if program == "python" else [str(programs / program)]), *arguments],
        tmp_path,
        env,
    )
    real = str(Path(said).resolve().relative_to(tmp_path.resolve())) if said else ""
    files: dict[str, str | bytes] = {f"/app/{path}": text for path, text in FILES.items()}
    scripts = {f"/usr/bin/{name}": "#!/usr/bin/python3.13\n" for name in {program} - {"python"}}
    modules = ("uvicorn", "gunicorn", "hypercorn", "daphne", "waitress", "granian", "celery", "flask")
    packages = {
        f"/usr/local/lib/python3.13/dist-packages/{name}/{file}.py": ""
        for name in modules
        for file in ("__init__", "__main__")
    }
    there = made({**files, **scripts, **packages}, env=tuple(f"{k}={v}" for k, v in env.items()))
    chain = launch(there, (PYTHON if program == "python" else program, *arguments))
    if not real:
        assert chain.end is not None
        assert chain.end.kind == "module", chain.end
        return
    assert chain.end is None, (chain.end, real)
    found = imported(there, chain.interpreter) if chain.interpreter is not None else None
    assert found is not None
    assert f"/app/{real}" in {module.path for module in found.modules}
    assert found.missing == ()
