from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lucid_audit import policy_file
from lucid_audit.errors import UsageError
from lucid_audit.policy import Policy
from tests.rulebook import CHECKS, book, raw

GOOD = """\
profile: strict
fail_on: warning
ignore: [first-word]
rules:
  word-allowed:
    severity: note
    params: {allowed: [FROM, RUN]}
  base-not-allowed: "off"
contexts: {"services/*/Dockerfile": .}
build_args: {TAG: "1.10"}
"""


def read(folder: Path, text: str, name: str = "lucid-audit.yaml") -> Policy:
    file = folder / name
    file.write_text(text, "utf-8")
    return policy_file.read(file, book(), lambda: CHECKS)[0]


def refusal(folder: Path, text: str, name: str = "lucid-audit.yaml") -> str:
    with pytest.raises(UsageError) as caught:
        read(folder, text, name)
    return str(caught.value).removeprefix(f"{folder}/")


def test_a_policy_in_yaml(tmp_path: Path) -> None:
    policy = read(tmp_path, GOOD)
    assert (policy.profile, policy.fail_on, policy.ignore) == ("strict", "warning", ("first-word",))
    assert policy.rules["word-allowed"] == {"severity": "note", "params": {"allowed": ["FROM", "RUN"]}}
    assert policy.build_args == {"TAG": "1.10"}
    assert policy.folder == str(tmp_path)


def test_a_policy_in_pyproject(tmp_path: Path) -> None:
    text = (
        '[project]\nname = "x"\n[tool.lucid-audit]\nprofile = "strict"\n[tool.lucid-audit.rules]\nfirst-word = "off"\n'
    )
    policy = read(tmp_path, text, "pyproject.toml")
    assert (policy.profile, policy.rules) == ("strict", {"first-word": "off"})


@pytest.mark.parametrize("text", ["", "# nothing\n", "\ufeff# nothing\n"])
def test_an_empty_policy_decides_nothing(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).rules == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profile: strict\nrules:\n  frist-word: off\n", "lucid-audit.yaml:3: rules: there is no rule 'frist-word'; did you mean first-word?"),
        ("fail_on: error\nprofil: strict\n", "lucid-audit.yaml:2: profil: there is no such key; did you mean profile?"),
        ("rules:\n  first-word: fatal\n", "lucid-audit.yaml:2: rules.first-word: 'fatal' is not one of ['on', 'off', 'error', 'warning', 'note', True, False]"),
        ("rules:\n  first-word:\n    severity: bad\n", "lucid-audit.yaml:3: rules.first-word.severity: 'bad' is not one of ['error', 'warning', 'note']"),
        ("rules:\n  word-allowed:\n    params:\n      allowed: []\n      limit: many\n", "lucid-audit.yaml:5: rules.word-allowed.params.limit: 'many' is not of type 'integer'"),
        ("rules:\n  word-allowed:\n    params:\n      limt: 3\n", "lucid-audit.yaml:4: rules.word-allowed.params.limt: there is no such key; did you mean limit?"),
        ("rules:\n  first-word:\n    params: {limit: 3}\n", "lucid-audit.yaml:3: rules.first-word.params.limit: there is no such key"),
        ("ignore: first-word\n", "lucid-audit.yaml:1: ignore: 'first-word' is not of type 'array'"),
        ("build_args: {A: 1}\n", "lucid-audit.yaml:1: build_args.A: 1 is not of type 'string'"),
        ("- a\n", "lucid-audit.yaml:1: the policy: ['a'] is not of type 'object'"),
        ("profile: a\nprofile: b\n", "lucid-audit.yaml:2: profile is given twice"),
        ("profile: [a\nrules: x\n", "lucid-audit.yaml:2:6: not valid YAML: did not find expected ',' or ']'"),
        ("rule_folders: [none]\n", "lucid-audit.yaml: rule_folders: {folder}/none is not a folder"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, text) == message.replace("{folder}", str(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[tool.lucid-audit]\nfail_on = "error"\nprofil = "x"\n', "pyproject.toml:3: profil: there is no such key; did you mean profile?"),
        ('[tool.lucid-audit.rules]\nfirst-word = "fatal"\n', "pyproject.toml:2: rules.first-word: 'fatal' is not one of "),
        ("[tool]\nlucid-audit = 3\n", "pyproject.toml:1: the policy: 3 is not of type 'object'"),
        ("[tool.lucid-audit\n", "pyproject.toml: not valid TOML: "),
    ],
)  # fmt: skip
def test_a_mistake_in_pyproject_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, text, "pyproject.toml").startswith(message)


def test_a_policy_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        policy_file.read(tmp_path / "none.yaml", book(), lambda: CHECKS)
    (tmp_path / "latin.yaml").write_bytes(b"profile: \xff\n")
    with pytest.raises(UsageError, match="not UTF-8"):
        policy_file.read(tmp_path / "latin.yaml", book(), lambda: CHECKS)
    (tmp_path / "big.yaml").write_bytes(b"#" * (policy_file.LIMIT + 1))
    with pytest.raises(UsageError, match="larger than"):
        policy_file.read(tmp_path / "big.yaml", book(), lambda: CHECKS)


def test_a_policy_brings_rules_and_configures_them(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/our-word.yaml").write_text(json.dumps(raw("our-word", "first")), "utf-8")
    file = tmp_path / "lucid-audit.yaml"
    file.write_text("rule_folders: [own]\nrules: {our-word: note}\n", "utf-8")
    policy, rules = policy_file.read(file, book(), lambda: CHECKS)
    assert set(rules) == {*book(), "our-word"}
    assert policy.rules == {"our-word": "note"}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("other", {}, r"other.yaml:1: id 'our-word' is not the file's name 'other'"),
        ("our-word", {"check": "none"}, r"our-word.yaml:1: there is no check 'none'; known: .*first"),
        ("our-word", {"titel": "x"}, r"our-word.yaml:1: titel: there is no such key; did you mean title\?"),
        ("our-word", {"params": {"x": 1}}, r"our-word.yaml:1: params.x: there is no such key"),
        ("our-word", {"check": "words"}, r"our-word.yaml:1: params: 'allowed' is a required property"),
        ("our-word", {"examples": [{"good": "FROM a"}]}, r"our-word.yaml:1: examples: "),
    ],
)  # fmt: skip
def test_a_rule_of_ones_own_is_validated(tmp_path: Path, name: str, change: dict[str, object], message: str) -> None:
    file = tmp_path / f"{name}.yaml"
    file.write_text(json.dumps({**raw("our-word", "first"), **change}), "utf-8")
    with pytest.raises(UsageError) as caught:
        policy_file.read_rule(file, CHECKS)
    assert re.search(message, str(caught.value))


def test_the_nearest_policy_up_to_the_repository_is_found(tmp_path: Path) -> None:
    (tmp_path / "lucid-audit.yaml").touch()
    inner = tmp_path / "repository" / "a" / "b"
    inner.mkdir(parents=True)
    assert policy_file.find(str(inner)) == f"{tmp_path}/lucid-audit.yaml"
    (tmp_path / "repository/.git").mkdir()
    assert policy_file.find(str(inner)) is None
    project = tmp_path / "repository/pyproject.toml"
    project.write_text("[project]\n", "utf-8")
    assert policy_file.find(str(inner)) is None
    project.write_text("[tool.lucid-audit]\n", "utf-8")
    assert policy_file.find(str(inner)) == str(project)
    (inner / ".lucid-audit.yaml").touch()
    assert policy_file.find(str(inner)) == f"{inner}/.lucid-audit.yaml"
