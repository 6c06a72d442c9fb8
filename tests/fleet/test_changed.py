"""Which services a change concerns."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid_audit.bases import Bases
from lucid_audit.catalogue import compiled
from lucid_audit.dockerfile.stages import Settings
from lucid_audit.fleet.changed import concerned
from lucid_audit.fleet.plan_file import read
from tests.sketch import AS_OF

PLAN = """\
version: 1
services:
  - {name: base, image: team/base, dockerfile: base/Dockerfile}
  - {name: middle, image: 'team/middle:1', dockerfile: middle/Dockerfile, args: {TAG: latest}}
  - {name: top, image: 'team/top:1', dockerfile: top/Dockerfile, context: .}
  - {name: other, image: 'team/other:1', dockerfile: other/Dockerfile, context: .}
  - {name: bought, image: 'team/bought:1'}
"""
FILES = {
    "base/Dockerfile": "FROM gcr.io/distroless/static-debian13\nCOPY . /\n",
    "base/.dockerignore": "*.md\n",
    "middle/Dockerfile": "ARG TAG=old\nFROM team/base:$TAG\n",
    "top/Dockerfile": "FROM scratch\nCOPY --from=team/middle:1 /x /x\n",
    "other/Dockerfile": "FROM scratch\nCOPY other/src/*.py other/one.txt /\nRUN --mount=type=bind,source=tools,target=/t x\n",
    "notes.md": "",
}


def names(folder: Path, *changed: str, everything: tuple[str, ...] = ()) -> set[str]:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "lucid-plan.yaml").write_text(PLAN)
    settings = Settings(Bases(compiled()["bases"], {}), AS_OF)
    paths = frozenset(str(folder / name) for name in changed)
    return set(
        concerned(
            read(str(folder / "lucid-plan.yaml")), paths, settings, frozenset(str(folder / e) for e in everything)
        )
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("base/Dockerfile", {"base", "middle", "top"}),  # what stands on it, and what copies from that
        ("base/server", {"base", "middle", "top"}),  # it need not be there any more
        ("base/notes.md", set()),  # is not sent
        ("base/.dockerignore", {"base", "middle", "top"}),
        ("middle/anything", set()),  # nothing of that context is copied
        ("middle/Dockerfile", {"middle", "top"}),
        ("other/src/a/b.py", {"other"}),
        ("other/one.txt", {"other"}),
        ("other/two.txt", set()),
        ("tools/x", {"other"}),  # mounted
        ("notes.md", set()),
        ("other/Dockerfile.dockerignore", {"other"}),
        ("lucid-plan.yaml", {"base", "middle", "top", "other", "bought"}),
    ],
)
def test_one_file(tmp_path: Path, changed: str, expected: set[str]) -> None:
    assert names(tmp_path, changed) == expected


def test_the_policy_concerns_all(tmp_path: Path) -> None:
    assert len(names(tmp_path, "lucid-audit.yaml", everything=("lucid-audit.yaml",))) == 5


def test_nothing(tmp_path: Path) -> None:
    assert names(tmp_path) == set()
