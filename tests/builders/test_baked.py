"""Calls of bake: the files and targets that they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid_audit.builders.baked import Lacks, lacks
from lucid_audit.builders.written import written
from lucid_audit.values import Unknown
from tests.builders.tree import plant

FILES = {
    "docker-bake.hcl": 'group "default" { targets = ["api"] }\ntarget "api" { context = "api" }\n',
    "ci/other.hcl": 'target "web" { context = "web" }\n',
    "ci/matrix.hcl": 'target "all" {\n  name = "x-${v}"\n  matrix = { v = ["1"] }\n}\n',
    "ci/one.json": '{"target": {"json": {"context": "."}}}',
    "shop/compose.yaml": "services: {db: {build: .}}\n",
    "api/Dockerfile": "FROM scratch\n",
}
SAID = {
    "docker buildx bake": (),
    "docker buildx bake api --push": (),
    "docker buildx bake default --set *.platform=linux/arm64 --set api.args.X=1": (),
    "sudo docker-buildx bake -f ci/other.hcl web": (),
    "docker buildx bake --file=ci/other.hcl -f docker-bake.hcl api web": (),
    "docker buildx bake -f ci/one.json json": (),
    "cd shop && docker buildx bake": (),
    "cd shop && docker buildx bake db": (),
    "docker buildx bake apis": (("bake target", "apis", "api"),),
    "docker buildx bake api one two": (("bake target", "one", ""), ("bake target", "two", "")),
    "docker buildx bake -f ci/other.hcl": (("bake target", "default", ""),),
    "docker buildx bake -f ci/others.hcl": (("bake file", "ci/others.hcl", ""),),
    "docker buildx bake -f docker-bakes.hcl api": (("bake file", "docker-bakes.hcl", "docker-bake.hcl"),),
    "cd api && docker buildx bake": (("bake file", "api/docker-bake.hcl", ""),),
    "cd shop && docker buildx bake api": (("bake target", "api", ""),),
    "docker buildx bake -f ci/matrix.hcl all": (),
    "docker buildx bake -f ci/matrix.hcl x-1": None,
    "docker buildx bake -f ci/matrix.hcl": None,
    "docker buildx bake 'ap*'": None,
    "docker buildx bake $1": None,
    "docker buildx bake -f - <<< x": None,
    "docker buildx bake https://example.org/team/app.git": None,
    'docker buildx bake "https://example.org/team/app.git#v1" api': None,
    "curl -o docker-bake.ci.hcl https://example.org/Dockerfile\ndocker buildx bake -f docker-bake.ci.hcl": None,
}


@pytest.mark.parametrize("text", SAID)
def test_in_scripts(tmp_path: Path, text: str) -> None:
    plant(tmp_path, {**FILES, "build.sh": f"{text}\n"})
    (command,) = written(["build.sh"], str(tmp_path)).commands
    expected = SAID[text]
    found = lacks(command, str(tmp_path))
    if expected is None:
        assert isinstance(found, Unknown)
    else:
        assert not isinstance(found, Unknown), found
        assert [told(one, tmp_path) for one in found] == list(expected)


def told(one: Lacks, root: Path) -> tuple[str, str, str]:
    return one.what, one.name.removeprefix(f"{root}/"), "".join(one.near).removeprefix(f"{root}/")


STEPS = {
    "{}": (),
    "{targets: 'api,default'}": (),
    "{files: ci/other.hcl, targets: web, source: .}": (),
    "{workdir: ci, files: other.hcl, targets: webs}": (("bake target", "webs", "web"),),
    '{files: "docker-bake.hcl\\nci/gone.hcl"}': (("bake file", "ci/gone.hcl", ""),),
    "{targets: '${{ inputs.target }}'}": None,
    "{source: 'https://example.org/x.git', targets: y}": None,
}


@pytest.mark.parametrize("given", STEPS)
def test_in_workflows(tmp_path: Path, given: str) -> None:
    text = f"jobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n      - uses: docker/bake-action@v6\n        with: {given}\n"
    plant(tmp_path, {**FILES, ".github/workflows/ci.yml": text})
    (command,) = written([".github/workflows/ci.yml"], str(tmp_path)).commands
    expected = STEPS[given]
    found = lacks(command, str(tmp_path))
    if expected is None:
        assert isinstance(found, Unknown)
    else:
        assert not isinstance(found, Unknown), found
        assert [told(one, tmp_path) for one in found] == list(expected)
