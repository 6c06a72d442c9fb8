"""Instructions with the exact place of every part, and totality: no input raises, no input is slow."""

from __future__ import annotations

import gc
import time

import pytest

from lucid_audit.dockerfile import model
from lucid_audit.dockerfile.parser import parse
from lucid_audit.text import SourceText, Span


def read(text: str) -> model.Dockerfile:
    return parse(SourceText("Dockerfile", text))


def only(text: str) -> model.Instruction:
    """Return the only instruction after FROM of a file that is in order."""
    found = read(f"FROM a\n{text}")
    assert not found.problems
    return found.instructions[1]


def written(text: str, *spans: Span | None) -> list[str]:
    return [f"FROM a\n{text}"[slice(*span)] for span in spans if span is not None]


def test_from() -> None:
    text = "from --platform=$BUILDPLATFORM  a:1 \\\n AS\tb"
    found = read(text).instructions[0]
    assert isinstance(found, model.From)
    assert found.platform is not None
    assert found.name is not None
    assert found.keyword == "FROM"
    parts = (
        found.keyword_span,
        found.flags[0].span,
        found.platform.span,
        found.image.span,
        found.as_span,
        found.name.span,
    )
    expected = ["from", "--platform=$BUILDPLATFORM", "$BUILDPLATFORM", "a:1", "AS", "b"]
    assert [text[slice(*span)] for span in parts if span] == expected
    assert text[slice(*found.span)] == text


def test_shell_form_keeps_its_text_and_its_places() -> None:
    text = 'RUN --network=none  echo "a" \\\n  # c\n  && echo b  '
    found = only(text)
    assert isinstance(found, model.Command)
    assert not found.command.exec_form
    assert found.command.args == ()
    assert found.command.text == 'echo "a"   && echo b'
    at = found.command.text.index("&&")
    assert written(text, found.command.source.span(at, at + 2)) == ["&&"]
    assert written(text, found.command.span) == ['echo "a" \\\n  # c\n  && echo b']
    assert found.flag("network") is found.flags[0]
    assert found.flag("mount") is None


def test_exec_form_is_decoded_and_every_string_has_its_place() -> None:
    text = 'CMD [ "a\\tb" ,\\\n "\\u00e9" , "\\ud83d\\ude00\\ud800"]'
    found = only(text)
    assert isinstance(found, model.Command)
    assert found.command.exec_form
    assert [word.raw for word in found.command.args] == ["a\tb", "é", "😀\ufffd"]
    assert written(text, *(w.span for w in found.command.args)) == ['"a\\tb"', '"\\u00e9"', '"\\ud83d\\ude00\\ud800"']


@pytest.mark.parametrize(
    "argument",
    ["['a']", '["a",]', '["a"', '["a"] b', "[ -f x ] && y", "[a]", '["a\tb"]', '["\\x"]', "[NaN]", "[1e999]", '["a" "b"]', "[-Infinity]"],
)  # fmt: skip
def test_what_go_does_not_read_as_json_is_shell_form(argument: str) -> None:
    found = only(f"CMD {argument}")
    assert isinstance(found, model.Command)
    assert not found.command.exec_form
    assert found.command.text == argument


@pytest.mark.parametrize("argument", ["[]", "[ ]", '["\x7f"]', '["a\\/b"]', '["<<EOF"]'])
def test_what_go_reads_as_json_is_exec_form(argument: str) -> None:
    found = only(f"CMD {argument}")
    assert isinstance(found, model.Command)
    assert found.command.exec_form


def test_pairs() -> None:
    text = "ENV a=1 \"b c\"='d e' f=\\\n g=x\\ y h="
    found = only(text)
    assert isinstance(found, model.Pairs)
    pairs = [(pair.key.raw, pair.value.raw if pair.value else None) for pair in found.pairs]
    assert pairs == [("a", "1"), ('"b c"', "'d e'"), ("f", ""), ("g", "x\\ y"), ("h", "")]
    assert written(text, *(p.key.span for p in found.pairs)) == ["a", '"b c"', "f", "g", "h"]
    assert written(text, *(p.value.span for p in found.pairs if p.value)) == ["1", "'d e'", "", "x\\ y", ""]


def test_legacy_pairs() -> None:
    text = "LABEL  a \t b  c=d "
    found = only(text)
    assert isinstance(found, model.Pairs)
    assert found.pairs == (model.Pair(model.Word("a", Span(14, 15)), model.Word("b  c=d", Span(18, 24)), legacy=True),)


def test_arg() -> None:
    found = only('ARG a b= c="d e"')
    assert isinstance(found, model.Pairs)
    assert [(p.key.raw, p.value.raw if p.value else None) for p in found.pairs] == [
        ("a", None),
        ("b", ""),
        ("c", '"d e"'),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("USER  a b ", ["a b"]),
        ("WORKDIR /a b", ["/a b"]),
        ("STOPSIGNAL SIGTERM", ["SIGTERM"]),
        ("MAINTAINER A <a@b>", ["A <a@b>"]),
        ("EXPOSE 80\t443/tcp", ["80", "443/tcp"]),
        ("VOLUME /a /b", ["/a", "/b"]),
        ('VOLUME ["/a b"]', ["/a b"]),
    ],
)
def test_plain(text: str, expected: list[str]) -> None:
    found = only(text)
    assert isinstance(found, model.Plain)
    assert [word.raw for word in found.words] == expected
    assert found.word.raw == expected[0]
    assert [w.strip('"') for w in written(text, *(word.span for word in found.words))] == expected


def test_healthcheck() -> None:
    text = 'HEALTHCHECK --interval=5s --retries=3 cmd ["/h", "x"]'
    found = only(text)
    assert isinstance(found, model.Healthcheck)
    assert found.command is not None
    assert [word.raw for word in found.command.args] == ["/h", "x"]
    assert written(text, found.command.span) == ['["/h", "x"]']
    assert only("HEALTHCHECK NONE") == model.Healthcheck("HEALTHCHECK", Span(7, 23), Span(7, 18), (), (), None)


def test_copy() -> None:
    text = 'COPY --from="b" --chown=1:2 --link --exclude=x --exclude=y ["a b", "c"]'
    found = only(text)
    assert isinstance(found, model.Transfer)
    assert found.json
    assert found.from_ == model.Word("b", Span(19, 22))  # quotes of flags are gone, their place is not
    assert found.destination.raw == "c"
    assert [word.raw for word in found.sources] == ["a b"]
    assert [(f.name, f.value.raw if f.value else None) for f in found.flags] == [
        ("from", "b"), ("chown", "1:2"), ("link", None), ("exclude", "x"), ("exclude", "y"),
    ]  # fmt: skip


def test_heredocs() -> None:
    text = "COPY <<'a.txt' 3<<-B \\\n# no\n /x/\n$A\na.txt\n\t\tone\n\tB\n"
    found = only(text)
    assert isinstance(found, model.Transfer)
    first, second = found.heredocs
    assert (first.name, first.body, first.expand, first.chomp, first.fd) == ("a.txt", "$A\n", False, False, 0)
    assert (second.name, second.body, second.expand, second.chomp, second.fd) == ("B", "one\n", True, True, 3)
    assert written(text, first.word, first.span, second.word, second.span) == [
        "<<'a.txt'",
        "$A\n",
        "3<<-B",
        "\t\tone\n",
    ]
    assert [word.span for word in found.sources] == [first.word, second.word]
    assert written(text, found.span) == [text.rstrip("\n")]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("RUN <<A cat <<B", ["A", "B"]),
        ("RUN cat <<A>x", ["A>x"]),
        ("RUN << A", []),
        ("RUN <<<A", []),
        ("RUN a<<A", []),
        ('RUN "<<A"', []),
        ("RUN \\<<A", []),
        ("RUN <<A 'open", []),
        ('RUN <<A "open', []),
        ("RUN <<A ${x^^}", []),
        ("RUN <<A ${x#y} ${x/y/z} ${x:-'}'} $$ $", ["A"]),
        ("RUN <<A ${x", []),
        ("RUN <<A ${}", []),
        ('RUN <<"A B"', ["A B"]),
        ("RUN <<A\\ B", ["A B"]),
        ("RUN <<''", []),
        ("RUN <<-A", ["A"]),
        ("RUN <<$A", ["$A"]),
        ("RUN ${x:-y <<A}", ["A}"]),
        ('RUN "${x:-"a <<B c"}" <<A', ["A"]),
        ('RUN ["<<A"]', []),
        ("USER <<A", []),
        ("CMD <<A", []),
        ("ONBUILD RUN <<A", ["A"]),
        ("ONBUILD USER <<A", []),
    ],
)
def test_which_words_announce_a_heredoc(line: str, names: list[str]) -> None:
    found = read("FROM a\n" + line + "\n" + "".join(f"{name}\n" for name in names)).instructions[1]
    found = found.trigger if isinstance(found, model.Onbuild) else found
    assert [heredoc.name for heredoc in found.heredocs] == names
    assert not names or found.span.end == len("FROM a\n" + line + "\n" + "".join(f"{name}\n" for name in names)) - 1


def test_onbuild() -> None:
    text = "ONBUILD COPY --from=x <<A /b\nc\nA\n"
    found = only(text)
    assert isinstance(found, model.Onbuild)
    assert isinstance(found.trigger, model.Transfer)
    assert found.trigger.from_ is not None
    assert found.trigger.from_.raw == "x"
    assert [heredoc.body for heredoc in found.trigger.heredocs] == ["c\n"]
    assert written(text, found.span, found.trigger.span) == [text[:-1], text[len("ONBUILD ") : -1]]


def test_the_escape_directive_reaches_words_but_not_flags() -> None:
    found = read("# escape=`\nFROM a\nENV a=b` c d=C:\\\nRUN --network=no\\ne x` y\n")
    pairs, run = found.instructions[1:]
    assert isinstance(pairs, model.Pairs)
    assert isinstance(run, model.Command)
    assert [pair.value.raw for pair in pairs.pairs if pair.value] == ["b` c", "C:\\"]
    assert run.flags[0].value == model.Word("none", Span(49, 54))
    assert found.escape == "`"


def test_what_surrounds_instructions_is_kept() -> None:
    found = read("# syntax=a\n# one\nFROM a\nRUN b \\\n  # two\n\n  c\n#three")
    assert [d.name for d in found.directives] == ["syntax"]
    assert [c.text for c in found.comments] == ["one", "two", "three"]
    assert [found.source.position(span.start).line for span in found.empty_continuations] == [6]


def test_reading_goes_on_after_errors() -> None:
    found = read("FROM a b\nENV\nRUN x\nFOO y\nCOPY z\nUSER 65532\n")
    assert [i.keyword for i in found.instructions] == ["FROM", "RUN", "USER"]
    assert [found.source.position(p.span.start).line for p in found.problems] == [1, 2, 4, 5]


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\x00b\nRUN \x00\n", "\x00", "\udcff", "FROM \udcff\nRUN <<\udcff\n\udcff\n", "RUN " + "[" * 5000, "RUN [" + "1" * 6000,
        "ONBUILD " * 3000, "RUN " + "${a:-" * 3000 + " <<A", "HEALTHCHECK --interval=" + "9" * 6000 + "s CMD a", "EXPOSE " + "9" * 6000,
        "RUN " + "9" * 6000 + "<<A\nA", "STOPSIGNAL " + "9" * 6000, "HEALTHCHECK --retries=" + "9" * 6000 + " CMD a", "RUN --mount=,,,",
        "RUN --mount=type=cache,uid=" + "9" * 6000 + " a", "FROM a\nRUN --mount", "FROM a\nCOPY --\n", "SHELL\n", "ONBUILD\n",
    ],
)  # fmt: skip
def test_nothing_raises(text: str) -> None:
    found = read(text)
    for problem in found.problems:
        assert "\n" not in problem.message
        assert 0 <= problem.span.start <= problem.span.end <= len(text)


@pytest.mark.parametrize(
    "line",
    [
        "RUN " + "a" * 1_000_000,
        "ENV " + 'a="' * 300_000,
        "ENV " + "a\\" * 500_000,
        "ENV " + '"' + "\\" * 999_999,
        "ENV a=" + " " * 1_000_000 + "b",
        "# escape=" + " " * 1_000_000 + "x",
        "RUN " + "$" * 1_000_000 + " <<A",
        "RUN " + "<<A " * 100_000,
        "RUN " + "'" * 1_000_001 + " <<A",
        "RUN [" + '"a",' * 250_000,
        "RUN [" + "1," * 400_000 + "1]",
        "RUN --" + "'" * 1_000_000,
        "COPY " + "a " * 300_000,
        "RUN --mount=" + '"' * 1_000_001,
        "RUN a\\\n" * 100_000,
        "RUN a \\\n" + "\n" * 300_000,
        "RUN <<A\n" + "\tx\n" * 200_000,
        "HEALTHCHECK --interval=" + "1" * 1_000_000 + " CMD a",
        "FROM a\n" + "ONBUILD " * 100_000,
        "#" * 1_000_000,
    ],
    ids=lambda line: line[:12],
)
def test_time_is_linear(line: str) -> None:
    gc.disable()  # as the program does; with it the time counts what other tests have left in memory
    try:
        started = time.process_time()
        read(line)
        assert time.process_time() - started < 4
    finally:
        gc.enable()
