"""The use case "image" on images that lie on disk."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lucid_audit.audit import Request, run
from lucid_audit.finding import SubjectReport
from tests.sources import builder


def audited(folder: Path, policy: str, *images: str) -> tuple[SubjectReport, ...]:
    (folder / "lucid-audit.yaml").write_text(policy, "utf-8")
    return run(Request(images, date(2026, 11, 23), policy="lucid-audit.yaml", cache=False)).report.subjects


@pytest.mark.parametrize(
    ("policy", "dockerfile"),
    [
        ("", ""),
        ("dockerfiles: {'docker.io/*': a/Dockerfile}", ""),
        ("dockerfiles: {'oci:im*': a/Dockerfile, '*': b/Dockerfile}", "a/Dockerfile"),
        ("dockerfiles: {'oci:other*': a/Dockerfile, '*': b/Dockerfile}", "b/Dockerfile"),
    ],
)
def test_the_policy_says_which_dockerfile_an_image_is_built_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, dockerfile: str
) -> None:
    monkeypatch.chdir(tmp_path)
    builder.write(tmp_path / "images", builder.layout({builder.TAG: builder.image(size=1000)}))
    found = audited(tmp_path, policy, "oci:images", "oci:imaginary")
    assert [subject.dockerfile for subject in found] == [dockerfile] * 2
    assert not found[0].problems
    assert found[1].problems
