"""``sys.path`` against the image's own Python, in its own file system: .pth files, lists beside the program, variables, options."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest

from lucid_audit.container.interpret import task
from lucid_audit.container.launch import launch
from lucid_audit.container.python_begin import begin
from lucid_audit.container.python_path import Python
from lucid_audit.image.layer import Layer
from tests.containers import container
from tests.e2e import distroless, services
from tests.image_sketch import layer

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")]

VERSION = distroless.release().python
PYTHON = f"/usr/bin/python{VERSION}"
SITE = f"/usr/local/lib/python{VERSION}/dist-packages"
VENV = "/opt/venv"
VENV_SITE = f"{VENV}/lib/python{VERSION}/site-packages"
USER_SITE = f"/root/.local/lib/python{VERSION}/site-packages"
SHOW = "import sys\nprint(*sys.path, sep=chr(10))\n"
CONFIG = f"home = /usr/bin\ninclude-system-site-packages = %s\nversion = {VERSION}\n"


class Case(NamedTuple):
    """Files over the image's, variables, and the command."""

    files: Mapping[str, str]
    command: Sequence[str] = (PYTHON, "/app/show.py")
    env: Sequence[str] = ()
    workdir: str = "/work"


MORE = {"/opt/a/x.py": "", "/opt/b/x.py": "", "/opt/c/x.py": "", USER_SITE + "/u.py": ""}
LINES = "# no\n\n/opt/b\n../../../../../opt/a\n/opt/nowhere\n/opt/b\n  \n/opt/c  \n"
LINKED = {f"{VENV}/bin/python": f"-> {PYTHON}", f"{VENV}/pyvenv.cfg": CONFIG % "false", VENV_SITE + "/v.py": ""}
IN_VENV = (f"{VENV}/bin/python", "/app/show.py")
CASES = {
    "plain": Case({}),
    "lines": Case({**MORE, f"{SITE}/z.pth": LINES, f"{SITE}/a.pth": "/opt/c\n"}),
    "relative": Case({f"{SITE}/x.pth": "inner\nabsent\n", f"{SITE}/inner/x.py": ""}),
    "no-end": Case({**MORE, f"{SITE}/x.pth": "/opt/a\n/opt/b"}),
    "windows-lines": Case({**MORE, f"{SITE}/x.pth": "/opt/a\r\n/opt/b\r\n"}),
    "elsewhere": Case({**MORE, "/opt/a/x.pth": "/opt/b\n"}, env=("PYTHONPATH=/opt/a",)),
    "not-of-its-folders": Case({**MORE, f"{SITE}/x.pth": "/opt/a\n", "/opt/a/y.pth": "/opt/b\n"}),
    "a-file": Case({**MORE, f"{SITE}/x.pth": "/opt/a/x.py\n"}),
    "hidden": Case({**MORE, f"{SITE}/.x.pth": "/opt/a\n"}),
    "user-lines": Case({**MORE, f"{USER_SITE}/x.pth": "/opt/a\n"}),
    "-s": Case(MORE, (PYTHON, "-s", "/app/show.py")),
    "-S": Case({**MORE, f"{SITE}/x.pth": "/opt/a\n"}, (PYTHON, "-S", "/app/show.py")),
    "-E": Case(MORE, (PYTHON, "-E", "/app/show.py"), ("PYTHONPATH=/opt/a", "PYTHONNOUSERSITE=1")),
    "-I": Case(MORE, (PYTHON, "-I", "/app/show.py"), ("PYTHONPATH=/opt/a",)),
    "-P": Case(MORE, (PYTHON, "-P", "/app/show.py"), ("PYTHONPATH=/opt/a",)),
    "-sP": Case(MORE, (PYTHON, "-sP", "/app/show.py")),
    "-W": Case(MORE, (PYTHON, "-W", "ignore", "-X", "utf8", "-s", "/app/show.py", "-P")),
    "no-user": Case(MORE, env=("PYTHONNOUSERSITE=1",)),
    "user-base": Case({f"/opt/u/lib/python{VERSION}/site-packages/x.py": ""}, env=("PYTHONUSERBASE=/opt/u",)),
    "safe": Case(MORE, env=("PYTHONSAFEPATH=1",)),
    "empty-entry": Case(MORE, env=("PYTHONPATH=/opt/a:",)),
    "empty": Case(MORE, env=("PYTHONPATH=",)),
    "relative-entry": Case({**MORE, "/work/lib/x.py": ""}, env=("PYTHONPATH=lib:/opt/a/",)),
    "module": Case(MORE, (PYTHON, "-m", "show")),
    "module-safe": Case({**MORE, f"{SITE}/show.py": SHOW}, (PYTHON, "-P", "-m", "show")),
    "folder": Case({"/app/svc/__main__.py": SHOW}, (PYTHON, "/app/svc")),
    "folder-isolated": Case({"/app/svc/__main__.py": SHOW}, (PYTHON, "-I", "/app/svc")),
    "venv": Case({**LINKED, **MORE, f"{VENV_SITE}/x.pth": "/opt/a\n"}, IN_VENV),
    "venv-system": Case({**LINKED, **MORE, f"{VENV}/pyvenv.cfg": CONFIG % "true"}, IN_VENV),
    "venv-system-no-user": Case(
        {**LINKED, **MORE, f"{VENV}/pyvenv.cfg": CONFIG % "true"}, IN_VENV, ("PYTHONNOUSERSITE=1",)
    ),
    "home": Case(
        {f"/opt/home/lib/python{VERSION}/lib-dynload/x": "", f"/opt/home/lib/python{VERSION}": f"-> /usr/lib/python{VERSION}"},
        env=("PYTHONHOME=/opt/home",),
    ),
    "list": Case({**MORE, f"{PYTHON}._pth": f"../lib/python{VERSION}  # the library\n/opt/a\n\n"}, env=("PYTHONPATH=/opt/b",)),
    "list-with-site": Case({**MORE, f"{PYTHON}._pth": f"/usr/lib/python{VERSION}\nimport site\n"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def flat() -> bytes:
    """The archive of the image."""
    return services.flatten(distroless.base("python3", "amd64", "nonroot").layers).tar()


@pytest.fixture(scope="module")
def root(flat: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("root")
    with tarfile.open(fileobj=BytesIO(flat)) as archive:
        archive.extractall(place, filter="fully_trusted")
    return place


@pytest.fixture(scope="module")
def base(flat: bytes) -> Layer:
    return layer({}, tar=flat)[0]


def _put(root: Path, files: Mapping[str, str], there: Path) -> None:
    """Lay files over a copy of the image's own, which shares their bytes."""
    shutil.copytree(root, there, symlinks=True, copy_function=os.link)
    for path, text in files.items():
        place = there / path.strip("/")
        if text.startswith("-> ") and place.is_dir():
            shutil.rmtree(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            place.symlink_to(text[3:])
        else:
            place.unlink(missing_ok=True)
            place.write_text(text, "utf-8", newline="")


@pytest.mark.parametrize("name", CASES)
def test_the_path_is_pythons(name: str, root: Path, base: Layer, tmp_path: Path) -> None:
    case = CASES[name]
    files = {"/app/show.py": SHOW, "/work/show.py": SHOW, **case.files}
    if "home" in name:
        files.pop(f"/opt/home/lib/python{VERSION}/lib-dynload/x")
    _put(root, files, tmp_path / "root")

    def enter() -> None:
        os.chroot(tmp_path / "root")
        os.chdir(case.workdir)

    env = {"HOME": "/root", **dict(pair.split("=", 1) for pair in case.env)}
    done = subprocess.run([*case.command], capture_output=True, text=True, env=env, check=False, preexec_fn=enter)
    assert done.returncode == 0, done.stderr
    sketched = {path: ({"link": text[3:]} if text.startswith("-> ") else text) for path, text in files.items()}
    there = container(base, files=sketched, workdir=case.workdir, env=("HOME=/root", *case.env))
    chain = launch(there, tuple(case.command))
    assert chain.interpreter is not None
    assert chain.end is None, chain.end
    told = task(chain.interpreter.called, chain.interpreter.argv[1:])
    assert told is not None
    start = begin(there, Python(chain.interpreter.called, chain.interpreter.real, chain.interpreter.argv[1:]), told)
    assert start is not None
    assert start.search.doubt == ""
    assert start.search.exact
    real = [path.rstrip("/") for path in done.stdout.split("\n")[:-1] if (tmp_path / "root" / path.strip("/")).exists()]
    ours = [path for path in start.search.folders if (tmp_path / "root" / path.strip("/")).exists()]
    assert list(dict.fromkeys(ours)) == list(dict.fromkeys(real))
