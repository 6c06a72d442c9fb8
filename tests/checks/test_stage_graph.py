"""What a mount needs: a number is no stage there, as it is in COPY."""

from __future__ import annotations

from tests.sketch import sketch


def test_mount_takes_no_index() -> None:
    text = "FROM a AS one\nFROM b\nCOPY --from=0 /x /x\nRUN --mount=from=0,target=/w true\nRUN --mount=from=one,target=/w true\n"
    edges = sketch(text).graph.edges[1]
    assert [(edge.kind, edge.stage) for edge in edges] == [("base", None), ("copy", 0), ("mount", None), ("mount", 0)]
