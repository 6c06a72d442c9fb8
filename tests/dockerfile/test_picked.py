"""``COPY --exclude`` and ``COPY --parents``: the tree that they leave."""

from __future__ import annotations

import pytest

from tests.sketch import sketch

CONTEXT = dict.fromkeys(
    (
        "src/a.py",
        "src/a.md",
        "src/sub/b.py",
        "src/sub/b.md",
        "src/docs/deep/c.md",
        "packages/one/package.json",
        "packages/one/index.js",
        "packages/two/package.json",
        "apps/web/package.json",
    ),
    "",
)


def files(copy: str, *more: str) -> tuple[list[str], list[str]]:
    """Return what is in the image, and the folders that may have more."""
    build = sketch("\n".join(("FROM scratch", *more, copy, "")), {"context": CONTEXT})
    assert build.target is not None
    tree = build.trees.end(build.target)
    below = list(tree.below("/", tree.root))
    return [path for path, node in below if node.kind == "f"], [path for path, node in below if node.open]


@pytest.mark.parametrize(
    ("copy", "there"),
    [
        ("COPY --exclude=*.md src /x", ["/x/a.py", "/x/docs/deep/c.md", "/x/sub/b.md", "/x/sub/b.py"]),
        ("COPY --exclude=**/*.md src /x", ["/x/a.py", "/x/sub/b.py"]),
        ("COPY --exclude=sub --exclude=docs src /x/", ["/x/a.md", "/x/a.py"]),
        (
            "COPY --exclude=docs --exclude=!docs/deep --exclude=*.md --exclude=sub src /x",
            ["/x/a.py", "/x/docs/deep/c.md"],
        ),
        ("COPY --parents src/a.py /x", ["/x/src/a.py"]),
        ("COPY --parents ./src/sub /x/", ["/x/src/sub/b.md", "/x/src/sub/b.py"]),
        ("COPY --parents src/./sub/b.py /x/", ["/x/sub/b.py"]),
        ("COPY --parents ./src/./sub/*.md /x/", ["/x/sub/b.md"]),
        ("COPY --parents src/**/*.md /x/", ["/x/src/a.md", "/x/src/docs/deep/c.md", "/x/src/sub/b.md"]),
        (
            "COPY --parents packages/*/package.json apps/*/package.json /x/",
            ["/x/apps/web/package.json", "/x/packages/one/package.json", "/x/packages/two/package.json"],
        ),
        ("COPY --parents --exclude=**/index.js packages/one /x/", ["/x/packages/one/package.json"]),
        ("COPY --parents=false src/a.py /x/", ["/x/a.py"]),
    ],
)
def test_what_is_left(copy: str, there: list[str]) -> None:
    found, unsure = files(copy)
    assert sorted(found) == there
    assert unsure == []


@pytest.mark.parametrize(
    "copy",
    [
        "COPY --exclude=*.md src/*.md /x/",  # which releases leave a source itself out differs
        "COPY --exclude=/a.py src /x",
        "COPY --exclude=[ src /x",
        "COPY --parents src/./ /x/",
        "COPY --parents s*/./sub /x/",
        "COPY --parents none/there /x/",
        "COPY --parents --from=alpine:3.22 etc/passwd-of-none /x/",
    ],
)
def test_what_cannot_be_told(copy: str) -> None:
    assert files(copy) == ([], ["/x"])


def test_a_stage_is_a_source_too() -> None:
    build = sketch(
        "FROM scratch AS one\nCOPY src /src\nFROM scratch\nCOPY --from=one --parents /src/./sub/*.py /x/\n",
        {"context": CONTEXT},
    )
    assert build.target is not None
    tree = build.trees.end(build.target)
    assert [path for path, _ in tree.below("/", tree.root)] == ["/x", "/x/sub", "/x/sub/b.py"]
