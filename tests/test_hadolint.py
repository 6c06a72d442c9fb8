"""hadolint's configuration, said as a policy: what it gives is read by ours, and does the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid_audit import ruleset
from lucid_audit.__main__ import main
from lucid_audit.errors import UsageError
from lucid_audit.hadolint import Migrated, migrate
from lucid_audit.ruleset import RuleSet


def written(folder: Path, text: str) -> tuple[Migrated, RuleSet]:
    (folder / ".hadolint.yaml").write_text(text)
    found = migrate(str(folder / ".hadolint.yaml"), ruleset.load("", "/").rules)
    (folder / "lucid-audit.yaml").write_text(found.text)
    return found, ruleset.load(str(folder / "lucid-audit.yaml"), str(folder))


FULL = """\
failure-threshold: info
no-color: true
format: tty
ignored: [DL3008, DL3059, SC2086]
override:
  error: [DL3015]
  style: [DL3006]
trustedRegistries: [docker.io, "my-company.com:5000", "*.gcr.io"]
label-schema: {author: text, contact: email, created: rfc3339, version: semver}
strict-labels: true
"""


def test_everything(tmp_path: Path) -> None:
    found, known = written(tmp_path, FULL)
    policy = known.policy
    assert policy.profile == "strict"
    assert policy.fail_on == "note"
    assert policy.ignore == ("os-packages-unpinned",)
    assert policy.rules["recommended-packages-installed"] == {"severity": "error"}
    assert policy.rules["base-untagged"] == {"severity": "note"}
    assert policy.rules["label-malformed"]["params"]["forms"] == [
        "author=text",
        "contact=email",
        "created=rfc3339",
        "version=semver",
    ]
    assert policy.rules["labels-missing"]["params"]["required"] == ["author", "contact", "created", "version"]
    assert policy.rules["label-unexpected"]["params"]["allowed"] == ["author", "contact", "created", "version"]
    assert policy.allowed_bases == ("docker.io/*", "my-company.com:5000/*", "*.gcr.io/*")
    assert [line.split(": ")[1] for line in found.left_out] == ["DL3059", "SC2086"]


def test_the_policy_does_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".hadolint.yaml").write_text("ignored: [DL3008]\ntrustedRegistries: [docker.io]\n")
    (tmp_path / "Dockerfile").write_text(
        "FROM debian:13\nRUN apt-get install -y curl\nCOPY --from=quay.io/x/y:1 /a /b\n"
    )
    assert main(["init", "--from", "hadolint", str(tmp_path)]) == 0
    capsys.readouterr()
    main(["lint", "-q", str(tmp_path / "Dockerfile")])
    said = capsys.readouterr().out
    assert "recommended-packages-installed" in said
    assert "os-packages-unpinned" not in said
    (refused,) = [line for line in said.splitlines() if "[base-not-allowed]" in line]
    assert "quay.io/x/y:1" in refused


@pytest.mark.parametrize(
    "text", ["", "{}", "ignored: 3\n", "override: []\n", "label-schema: [x]\n", "unknown-key: 1\n"]
)
def test_odd_ones(tmp_path: Path, text: str) -> None:
    _, known = written(tmp_path, text)
    assert known.policy.profile == "strict"


@pytest.mark.parametrize("data", [b"- a\n", b"\xff", b"a: [\n"])
def test_no_configuration(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / ".hadolint.yaml"
    path.write_bytes(data)
    with pytest.raises(UsageError):
        migrate(str(path), {})
