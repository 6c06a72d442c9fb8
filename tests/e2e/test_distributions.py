"""What distributions require, against ``pip check``: real packages, whole, with each of them left out, and with each of another version."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lucid_audit.container.distributions import normal, tops
from tests.e2e import cache
from tests.image_sketch import image

pytestmark = pytest.mark.e2e
PACKAGES = ("fastapi", "flask", "requests[socks]", "sqlalchemy", "httpx[http2]", "celery", "django", "boto3", "rich", "uvicorn[standard]",
            "pydantic[email]", "pandas", "jsonschema")  # fmt: skip
VERSION = f"3.{sys.version_info[1]}"
PYTHON = f"/usr/bin/python{VERSION}"
SITE = f"/usr/lib/python{VERSION}/site-packages"
SAYS = re.compile(
    r"(\S+) \S+ (?:requires (?P<absent>\S+), which is not|has requirement (?P<other>[\w.-]+).*, but you have)"
)


def _install(place: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(place / "bare")], check=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--target", str(place / "site"), *PACKAGES], check=True
    )


@pytest.fixture(scope="module")
def site() -> Path:
    return cache.kept("pip-check", cache.key(VERSION, *PACKAGES), _install) / "site"


def _pip(site: Path, bare: Path) -> set[tuple[str, str]]:
    """Return who lacks what, of the packages of this folder, as pip sees it."""
    done = subprocess.run(
        [bare / "bin/python", "-m", "pip", "check"], env={**os.environ, "PYTHONPATH": str(site)}, capture_output=True, text=True, check=False
    )  # fmt: skip
    own = {normal(path.name.partition("-")[0]) for path in site.glob("*.dist-info")}
    own = {
        name for name in own if not name.startswith("opentelemetry-")
    }  # of a folder that several share nobody is told
    found = filter(None, map(SAYS.match, done.stdout.splitlines()))
    return {(normal(one[1]), normal(one["absent"] or one["other"])) for one in found if normal(one[1]) in own}


def _ours(site: Path) -> set[tuple[str, str]]:
    """Return the same as the audit sees it, of an image that imports all of them."""
    from lucid_audit.checks.requirements import distributions_fit
    from lucid_audit.checks.start import Imports
    from lucid_audit.finding import Hit

    files: dict[str, object] = {PYTHON: {"elf": "amd64"}, f"/usr/lib/python{VERSION}/os.py": "import sys\n",
                                f"/usr/lib/python{VERSION}/site.py": ""}  # fmt: skip
    imports = []
    for records in site.glob("*.dist-info"):
        for name in ("METADATA", "RECORD", "WHEEL"):
            files[f"{SITE}/{records.name}/{name}"] = {"bytes": (records / name).read_bytes()}
        for top in tops((records / "RECORD").read_bytes()):
            begin = site / top / "__init__.py"
            if begin.is_file() or (site / top).suffix == ".py":
                files[f"{SITE}/{top}{'/__init__.py' if begin.is_file() else ''}"] = "x = 1\n"
                imports.append(top.removesuffix(".py"))
    files["/app/main.py"] = "".join(f"import {name}\n" for name in imports if name.isidentifier())
    config = {"Entrypoint": [PYTHON], "Cmd": ["/app/main.py"], "WorkingDir": "/app"}
    found = image({"platform": "linux/amd64", "config": config, "layers": [{"files": files}]})
    hits = list(distributions_fit(found.container, Imports("command")))
    said = set()
    for hit in hits:
        assert isinstance(hit, Hit), hit
        wanted = re.match(
            r"requires ([\w.-]+?)(?:[<>=!~].*)?, (?:which is not|and \S+ is) installed", str(hit.values["what"])
        )
        assert wanted is not None, hit.values
        said.add((normal(str(hit.values["who"]).split()[0]), normal(wanted[1])))
    return said


def test_what_is_whole_has_no_finding(site: Path) -> None:
    assert _pip(site, site.parent / "bare") == set()
    assert _ours(site) == set()


@pytest.mark.parametrize("name", ["werkzeug", "idna", "starlette", "pydantic_core", "kombu", "botocore", "numpy", "h11", "sqlparse", "six",
                                  "typing_extensions", "pysocks", "h2", "email_validator", "uvloop", "attrs"])  # fmt: skip
def test_pip_sees_the_same(site: Path, tmp_path: Path, name: str) -> None:
    there = tmp_path / "site"
    shutil.copytree(site, there, symlinks=True, ignore=lambda folder, names: [
        one for one in names if not (folder == str(site) or ".dist-info" in folder or one == "__init__.py")])  # fmt: skip
    (records,) = (one for one in there.glob("*.dist-info") if normal(one.name.partition("-")[0]) == normal(name))
    metadata = (records / "METADATA").read_text("utf-8")
    (records / "METADATA").write_text(
        re.sub(r"^Version: .*$", "Version: 0.0.1", metadata, count=1, flags=re.MULTILINE), "utf-8"
    )
    old = records.rename(records.with_name(f"{records.name.partition('-')[0]}-0.0.1.dist-info"))
    assert _ours(there) == _pip(there, site.parent / "bare")
    shutil.rmtree(old)
    lacks = _pip(there, site.parent / "bare")
    assert lacks or name in (
        "pysocks",
        "email_validator",
        "uvloop",
        "h2",
    )  # which extras brought that nobody else asks for
    extras = {
        pair for pair in _ours(there) - lacks if pair[1] == normal(name)
    }  # of extras that are asked for, which pip passes over
    assert _ours(there) - extras == lacks
