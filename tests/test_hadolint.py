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
no-fail: true
verbose: true
format: sarif
disable-ignore-pragma: true
ignored: [DL3008, DL3059, SC2086, DL3052, DL9999]
override:
  error: [DL3015, SC2164]
  style: [DL3006, DL3057, SC2164]
  loud: [DL3007]
trustedRegistries: [docker.io, "my-company.com:5000", "*.gcr.io", hub.docker.com, "*"]
label-schema: {author: text, contact: email, created: rfc3339, version: semver, home: url, x: odd}
strict-labels: true
colour: blue
"""


def test_everything(tmp_path: Path) -> None:
    found, known = written(tmp_path, FULL)
    policy = known.policy
    assert policy.profile == "strict"
    assert policy.fail_on == "note"
    assert not policy.suppressions
    assert policy.ignore == ("os-packages-unpinned", "runs-apart")
    labels = ["author", "contact", "created", "home", "version", "x"]
    assert policy.rules == {
        "base-untagged": {"severity": "note"},
        "health-check-missing": {"severity": "note"},
        "recommended-packages-installed": {"severity": "error"},
        "shell-error": {"params": {"also": ["SC2164"], "ignore": ["SC2086"]}},
        "shell-note": {"params": {"ignore": ["SC2164", "SC2086"]}},
        "shell-warning": {"params": {"ignore": ["SC2164", "SC2086"]}},
        "label-malformed": {"params": {"forms": ["author=text", "contact=email", "created=rfc3339", "version=semver"]}},
        "labels-missing": {"params": {"required": labels}},
        "label-unexpected": {"params": {"allowed": labels}},
    }
    assert policy.allowed_bases == ("docker.io/*", "my-company.com:5000/*", "*.gcr.io/*", "*")
    assert sorted(found.left_out) == [
        "colour: lucid-audit has no such setting",
        "failure-threshold: info: style is a note here, as info is, and fails as well",
        "format: sarif: call lucid-audit with --format sarif",
        "ignored: DL9999: there is no such rule here",
        "ignored: os-packages-unpinned also says DL3018, DL3037, which are not told any more either",
        "label-schema: x: there is no type odd",
        "no-color: call it with --no-color, or set NO_COLOR",
        "no-fail: call lucid-audit with || true",
        "override: there is no loud",
        "verbose: there is nothing more to tell",
    ]


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        ("error", "error"),
        ("warning", "warning"),
        ("info", "note"),
        ("style", "note"),
        ("ignore", "note"),
        ("none", "note"),
    ],
)
def test_thresholds(tmp_path: Path, threshold: str, expected: str) -> None:
    assert written(tmp_path, f"failure-threshold: {threshold}\n")[1].policy.fail_on == expected
    assert written(tmp_path, "{}")[1].policy.fail_on == "note"  # hadolint's default is info


def test_a_rule_that_hadolint_does_not_report_is_off_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert written(tmp_path, "{}")[1].policy.ignore == ("health-check-missing",)
    found, known = written(tmp_path, "override: {warning: [DL3057, DL1001]}\n")
    assert not known.policy.ignore
    assert known.policy.rules == {
        "health-check-missing": {"severity": "warning"},
        "suppression-present": {"severity": "warning"},
    }
    assert [line for line in found.left_out if "override" in line] == []


def test_disabled_pragmas_silence_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Dockerfile").write_text("# hadolint ignore=DL3006\nFROM debian\n")
    for text, found in (("{}", False), ("disable-ignore-pragma: true\n", True)):
        written(tmp_path, text)
        main(["lint", "-q", str(tmp_path / "Dockerfile")])
        assert ("[base-untagged]" in capsys.readouterr().out) is found


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
