"""Comments in YAML and HCL that silence findings: what they cover, and what is said of the comments themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.__main__ import main
from lucid_audit.around.comments import block, comments
from lucid_audit.text import SourceText
from tests.builders.tree import plant
from tests.fleet.test_around import BASE, SHOP

TEXT = """\
# lucid: ignore[a] the next entry
services:
  api:  # lucid: ignore[b] this entry
    user: root
    # a word between
    # lucid: ignore[c, d] the next key

    build: .
  web:
    build:
      dockerfile_inline: |
        # lucid: ignore[inner] of another file
        FROM scratch

      # lucid: ignore[e] after it
      context: .
    image: "a # lucid: ignore[f] x"  #lucid: ignore[g] of the image
# lucid: ignore-file[h] everything
# lucid: ignore-stage[i] there are none
# lucid: ignore[j]
"""


def covered(text: str, path: str = "compose.yaml") -> dict[str, str]:
    return {
        " ".join(one.names): text[one.scope.start : one.scope.end].strip() for one in comments(SourceText(path, text))
    }


def test_what_each_covers() -> None:
    found = covered(TEXT)
    assert found["a"].startswith("services:")
    assert found["a"].endswith("of the image")
    assert (found["b"].startswith("api:"), found["b"].endswith("build: .")) == (True, True)
    assert found["c d"] == "build: ."
    assert found["e"] == "context: ."
    assert found["g"].startswith("image:")
    assert found["h"] == TEXT.strip()
    assert found["j"] == ""
    assert "inner" not in found


def test_what_is_wrong_with_them() -> None:
    said = {" ".join(one.names): one.problem for one in comments(SourceText("a.yml", TEXT)) if one.problem}
    assert said["i"] == "there is no ignore-stage; there are ignore, ignore-file"
    assert said["j"].startswith("it gives no reason")


def test_bake_files_and_no_other_kind() -> None:
    bake = 'target "a" {\n  # lucid: ignore[x] y\n  context = "gone"\n}\n'
    assert covered(bake, "docker-bake.hcl") == {"x": 'context = "gone"'}
    assert covered(bake, "build.sh") == {}
    inline = 'target "a" {\n  dockerfile-inline = <<EOT\n# lucid: ignore[x] y\nFROM a\nEOT\n  # lucid: ignore[z] y\n  tags = []\n}\n'
    assert list(covered(inline, "docker-bake.hcl")) == ["z"]


@given(
    st.recursive(
        st.sampled_from(["x", "y"]), lambda inner: st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, min_size=1)
    )
)
def test_an_entry_is_what_yaml_says(tree: object) -> None:
    """PyYAML's own marks are the oracle: of every key, the entry ends where the next key at its depth or above begins."""
    text = yaml.safe_dump({"top": tree}, default_flow_style=False)
    lines = text.split("\n")
    pending = [yaml.compose(text, yaml.SafeLoader)]
    while pending:
        node = pending.pop()
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            pending.append(value)
            inside = [other for other in _nodes(value) if isinstance(other, yaml.ScalarNode)]
            last = max(one.start_mark.line for one in (key, *inside))
            span = block(SourceText("a.yaml", text), lines, key.start_mark.line + 1)
            assert text[span.start : span.end] == "".join(f"{line}\n" for line in lines[key.start_mark.line : last + 1])


def _nodes(node: yaml.Node) -> list[yaml.Node]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return [node, *(found for pair in pairs for one in pair for found in _nodes(one))]


COMPOSE = """\
services:
  api:
    build: api
    # lucid: ignore[compose-health-needs-shell] a shell is mounted
    healthcheck: {test: curl -f http://localhost:8090/}
    # lucid: ignore[compose-user-root, no-such-rule] nothing of the kind
    image: shop/api:1
  bought:
    # lucid: ignore[compose-user-root] of an image that nobody here knows
    user: root
    image: postgres:17
# lucid: ignore[compose-health-off]
"""
EXPECTED = [("suppression-unknown", 6), ("suppression-unused", 6), ("suppression-malformed", 12)]
SAID = [(rule, line) for rule, line in sorted(EXPECTED, key=lambda one: (one[1], one[0]))]


def counted(subject: dict[str, object]) -> tuple[list[tuple[str, int]], list[tuple[str, str]]]:
    findings = subject["findings"]
    assert isinstance(findings, list)
    return (
        [(one["rule"], one["location"]["line"]) for one in findings if one["suppressed"] is None],
        [(one["rule"], one["suppressed"]["reason"]) for one in findings if one["suppressed"] is not None],
    )


def test_in_lint_and_in_a_fleet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path, {**SHOP, "compose.yaml": COMPOSE, "build.sh": "", "api/Dockerfile": BASE})
    silenced = [("compose-health-needs-shell", "a shell is mounted")]
    main(["lint", "--format", "json", str(tmp_path / "compose.yaml")])
    (subject,) = json.loads(capsys.readouterr().out)["subjects"]
    assert counted(subject) == (SAID, silenced)
    fleet = ["fleet", str(tmp_path / "lucid-plan.yaml"), "--no-images", "--as-of", "2026-11-23", "--format", "json"]
    main(fleet)
    (subject,) = json.loads(capsys.readouterr().out)["around"]["subjects"]
    assert counted(subject) == (SAID, silenced)
    main(["lint", "--no-suppressions", "--format", "json", str(tmp_path / "compose.yaml")])
    (subject,) = json.loads(capsys.readouterr().out)["subjects"]
    assert counted(subject) == ([("compose-health-needs-shell", 5), ("suppression-malformed", 12)][:1], [])
    (tmp_path / "lucid-audit.yaml").write_text("suppressions: false\n")
    main(fleet)
    (subject,) = json.loads(capsys.readouterr().out)["around"]["subjects"]
    assert counted(subject) == ([("compose-health-needs-shell", 5)], [])


def test_of_a_workflow_and_of_what_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workflow = """\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      # lucid: ignore[build-not-found] the folder comes with the release
      - run: |
          docker build gone
      - run: docker build lost
"""
    compose = "services:\n  api:\n    # lucid: ignore[compose-build-not-found] it is fetched\n    build: gone\n"
    plant(tmp_path, {**SHOP, "compose.yaml": compose, "build.sh": "", ".github/workflows/ci.yml": workflow})
    main(["fleet", str(tmp_path / "lucid-plan.yaml"), "--no-images", "--as-of", "2026-11-23", "--format", "json"])
    found = {Path(one["name"]).name: counted(one) for one in json.loads(capsys.readouterr().out)["around"]["subjects"]}
    assert found["ci.yml"] == ([("build-not-found", 9)], [("build-not-found", "the folder comes with the release")])
    assert found["compose.yaml"] == ([], [("compose-build-not-found", "it is fetched")])
    main(["lint", "--format", "json", str(tmp_path)])
    (subject,) = [one for one in json.loads(capsys.readouterr().out)["subjects"] if one["kind"] == "compose"]
    assert counted(subject) == ([], [("compose-build-not-found", "it is fetched")])
