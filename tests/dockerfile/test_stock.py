"""The properties of ``dockerfile_parse`` over our grammar, on files that mislead the stock class."""

from __future__ import annotations

import io
import json

import dockerfile_parse
import pytest

from lucid_audit.dockerfile.stock import DockerfileParser

HEREDOC = """\
# syntax=docker/dockerfile:1
ARG TAG=3.13
FROM python:${TAG} AS build
RUN <<EOF
FROM evil
LABEL stolen=yes
CMD evil
EOF
FROM gcr.io/distroless/python3:nonroot
COPY <<A <<-B /etc/
ENV x=1
A
\tENV y=2
\tB
LABEL a=1 \\

      # why
      b="two words"
ENV PATH=/app:$PATH
CMD ["python", "-m", "app"]
"""


def parser(text: str) -> DockerfileParser:
    return DockerfileParser(fileobj=io.BytesIO(text.encode()), parent_env={"PATH": "/bin"})


def test_bodies_of_heredocs_are_no_instructions() -> None:
    found = parser(HEREDOC)
    assert found.parent_images == ["python:3.13", "gcr.io/distroless/python3:nonroot"]
    assert found.baseimage == "gcr.io/distroless/python3:nonroot"
    assert found.is_multistage
    assert found.labels == {"a": "1", "b": "two words"}
    assert found.envs == {"PATH": "/app:/bin"}
    assert found.cmd == '["python", "-m", "app"]'
    stock = dockerfile_parse.DockerfileParser(fileobj=io.BytesIO(HEREDOC.encode()))
    assert "evil" in stock.parent_images  # the reason for this class


def test_structure_covers_every_line() -> None:
    structure = parser(HEREDOC).structure
    assert [(e["instruction"], e["startline"], e["endline"]) for e in structure] == [
        ("COMMENT", 0, 0), ("ARG", 1, 1), ("FROM", 2, 2), ("RUN", 3, 7), ("FROM", 8, 8), ("COPY", 9, 13),
        ("COMMENT", 16, 16), ("LABEL", 14, 17), ("ENV", 18, 18), ("CMD", 19, 19),
    ]  # fmt: skip
    by_name = {entry["instruction"]: entry for entry in structure}
    assert by_name["RUN"]["content"] == "RUN <<EOF\nFROM evil\nLABEL stolen=yes\nCMD evil\nEOF\n"
    assert by_name["RUN"]["value"] == "<<EOF"
    assert by_name["LABEL"]["content"] == 'LABEL a=1 \\\n\n      b="two words"\n'
    assert by_name["COMMENT"]["value"] == "why"
    assert json.loads(parser(HEREDOC).json)[0] == {"COMMENT": "syntax=docker/dockerfile:1"}


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nRUN b && \\\n    c\nCMD d\n",
        "# c\nFROM a AS b\nENV x=1 y='2 3'\nLABEL k v w\nARG z\n",
        "FROM a\n\nENTRYPOINT [\"x\"]",
    ],
)  # fmt: skip
def test_plain_files_read_as_the_stock_class_reads_them(text: str) -> None:
    stock = dockerfile_parse.DockerfileParser(fileobj=io.BytesIO(text.encode()))
    assert parser(text).structure == stock.structure


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a=C:\\x", "C:\\x"),
        ("a=b` c", "b c"),
        ('a="b`"c"', 'b"c'),
        ('a="C:\\"', "C:\\"),
        ('a="b`c``d"', "b`c`d"),
        ("a='b`c\\d'", "b`c\\d"),
        ("a=b`\n c=d", "b"),
    ],
)
def test_the_backtick_escapes_when_the_directive_says_so(value: str, expected: str) -> None:
    found = parser(f"# escape=`\nFROM a\nLABEL {value}\n")
    assert found.labels["a"] == expected


def test_editing_leaves_heredocs_alone() -> None:
    file = io.BytesIO(HEREDOC.encode())
    found = DockerfileParser(fileobj=file)
    found.baseimage = "scratch"
    found.labels["a"] = "new value"
    found.cmd = '["x"]'
    text = file.getvalue().decode()
    assert "FROM scratch\nCOPY <<A <<-B /etc/\nENV x=1\nA\n\tENV y=2\n\tB\n" in text
    assert found.labels == {"a": "new value", "b": "two words"}
    assert found.cmd == '["x"]'


@pytest.mark.parametrize("text", ["", "ENV", "\\", "RUN <<EOF\n", "FROM a\nLABEL\nENV\n", "\ufeffFROM a\n"])
def test_broken_files_do_not_raise(text: str) -> None:
    found = parser(text)
    assert found.labels == {}
    assert found.baseimage == ("a" if "FROM" in text else None)
