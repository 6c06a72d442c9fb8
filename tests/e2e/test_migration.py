"""hadolint with its configuration, and lucid-audit with the policy that is written from it, say the same."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lucid_audit import lint, ruleset
from lucid_audit.hadolint import migrate
from tests.e2e.test_parity import hadolint
from tests.sketch import AS_OF

pytestmark = pytest.mark.e2e
RULES = ruleset.load("", "/").rules
IMAGES = (
    "debian:13", "library/debian:13", "docker.io/debian:13", "docker.io/library/debian:13", "team/app:1", "quay.io/team/app:1", "my-company.com:5000/app:1",
    "my-company.com/app:1", "eu.gcr.io/team/app:1", "gcr.io/team/app:1", "scratch", "example.org/a/b/c:1", "index.example.org/x:1",
)  # fmt: skip
REGISTRIES = (
    ["docker.io"], ["hub.docker.com"], ["quay.io", "docker.io"], ["my-company.com:5000"], ["*.gcr.io"], ["example.org"], ["*"], ["*example.org"], ["quay*"], ["gcr.io", "eu.gcr.io"],
)  # fmt: skip
VALUES = {
    "text": ("x", "two words"),
    "url": ("https://example.org/x", "example.org", "ftp://example.org", "no url", "https://"),
    "semver": ("1.2.3", "1.2", "v1.2.3", "1.2.3-rc.1+5", "01.2.3", "1.2.3-01", "1.2.3-"),
    "hash": ("0123456", "0123456789abcdef0123456789abcdef01234567", "012345", "ABCDEF0", "0123456g"),
    "rfc3339": ("2026-11-28T04:00:00Z", "2026-11-28", "2026-11-28T04:00:00+01:00", "2026-02-30T04:00:00Z", "2026-11-28 04:00"),
    "spdx": ("MIT", "Apache-2.0", "apache", "NOT-A-LICENCE", "GPL-3.0-or-later"),
    "email": ("me@example.org", "me", "me@", "@example.org", "a.b+c@example.org"),
}  # fmt: skip
CODES = ("DL3048", "DL3049", "DL3050", "DL3051", "DL3052", "DL3053", "DL3054", "DL3055", "DL3056", "DL3058")
# An address without a host is none; numbers of a version have no leading zeros (Semantic Versioning 2.0.0, section 2).
DIFFERENT = {("url", "https://"), ("semver", "01.2.3"), ("semver", "1.2.3-01"), ("semver", "1.2.3-")}


def both(folder: Path, config: str, files: list[str]) -> tuple[list[set[str]], list[set[str]]]:
    """Return what each finds in every file: hadolint's codes, and those that our rules are the equals of."""
    (folder / ".hadolint.yaml").write_text(config)
    (folder / "lucid-audit.yaml").write_text(migrate(str(folder / ".hadolint.yaml"), RULES).text)
    paths = []
    for number, text in enumerate(files):
        path = folder / f"Dockerfile.{number}"
        path.write_text(text)
        paths.append(str(path))
    command = [hadolint(), "--no-fail", "-f", "json", "-c", str(folder / ".hadolint.yaml"), *paths]
    theirs = {path: set[str]() for path in paths}
    for one in json.loads(subprocess.run(command, capture_output=True, check=True, timeout=120).stdout):
        theirs[one["file"]].add(one["code"])
    ours = {path: set[str]() for path in paths}
    request = lint.Request(paths, AS_OF, policy=str(folder / "lucid-audit.yaml"), shellcheck=False)
    for subject in lint.run(request).report.subjects:
        for finding in subject.findings if subject.name in ours else ():
            ours[subject.name].update((finding.rule,))
    return [theirs[path] for path in paths], [ours[path] for path in paths]


@pytest.mark.parametrize("registries", REGISTRIES, ids=",".join)
def test_trusted_registries(registries: list[str], tmp_path: Path) -> None:
    files = [f"FROM {image}\n" for image in IMAGES]
    files += [f"FROM scratch\nCOPY --from={image} /a /b\n" for image in IMAGES if image != "scratch"]
    theirs, ours = both(tmp_path, f"trustedRegistries: {json.dumps(registries)}\n", files)
    for text, one, other in zip(files, theirs, ours, strict=True):
        if registries == ["hub.docker.com"] and "docker.io/" in text:
            continue  # both are names of one registry
        assert ("DL3026" in one) == ("base-not-allowed" in other), (registries, text)


@pytest.mark.parametrize("kind", VALUES)
def test_types_of_labels(kind: str, tmp_path: Path) -> None:
    files = [f'FROM scratch\nLABEL org.example.x="{value}"\n' for value in VALUES[kind]]
    theirs, ours = both(tmp_path, f"label-schema: {{org.example.x: {kind}}}\n", files)
    for value, one, other in zip(VALUES[kind], theirs, ours, strict=True):
        same = bool(one & set(CODES[4:])) == ("label-malformed" in other)
        assert same is ((kind, value) not in DIFFERENT), (kind, value, one, other)


def test_labels_that_are_missing_empty_or_too_many(tmp_path: Path) -> None:
    files = [
        "FROM scratch\nLABEL a=x\n",
        'FROM scratch\nLABEL a=""\n',
        "FROM scratch\nLABEL b=x\n",
        "FROM scratch\nLABEL a=x b=y\n",
        "FROM scratch\n",
        "FROM scratch AS one\nLABEL a=x\nFROM one\n",
    ]
    theirs, ours = both(tmp_path, "label-schema: {a: text}\nstrict-labels: true\n", files)
    for text, one, other in zip(files, theirs, ours, strict=True):
        assert bool(one & {"DL3049", "DL3051"}) == ("labels-missing" in other), text
        assert ("DL3050" in one) == ("label-unexpected" in other), text
