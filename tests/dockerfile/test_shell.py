"""RUN text as simple commands: by table, against shlex, and against a real shell."""

from __future__ import annotations

import shlex
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid_audit.dockerfile.execform import exec_form
from lucid_audit.dockerfile.shell import DEPTH_LIMIT, parse_script
from lucid_audit.dockerfile.shell_calls import plain_command

CALLS = [
    ("apt-get update && apt-get install -y \\\n  gcc", [("apt-get", "update"), ("apt-get", "install", "-y", "gcc")]),
    ("a; b | c & d", [("a",), ("b",), ("c",), ("d",)]),
    ("if [ -f x ]; then a; else b; fi", [("[", "-f", "x", "]"), ("a",), ("b",)]),
    ("for f in x y; do echo $f; done", [("echo", None)]),
    ("while read -r l; do echo hi; done < f", [("read", "-r", "l"), ("echo", "hi"), ()]),
    ('case "$X" in amd64|x86) a ;; *) b;; esac; c', [("a",), ("b",), ("c",)]),
    ("(cd /x && make)", [("cd", "/x"), ("make",)]),
    ("f() { echo hi; }; f", [("echo", "hi"), ("f",)]),
    ("cat <<'EOF' >x\n$(not called)\nEOF\nls", [("cat",), ("ls",)]),
    ("cat <<EOF >x\n$(is called) \\$(not)\nEOF\nls", [("cat",), ("is", "called"), ("ls",)]),
    ("cat <<-A && b <<B\n\t'\n\tA\n2\nB\nz", [("cat",), ("b",), ("z",)]),
    ("function f { a; }; f () ( b ); f", [("a",), ("b",), ("f",)]),
    ("for ((i=0; i<3; i++)); do a; done; ((x++)); b", [("a",), ("b",)]),
    ("echo `a \\`b\\``", [("b",), ("a", None), ("echo", None)]),
    ("echo ${X:-$(a)} $((1 + $(b)))", [("a",), ("b",), ("echo", None, None)]),
    (
        "[[ $a =~ ^(x|y)$ && b < c ]]; d",
        [("[[", None, "=~", "^", "(", "x", "|", "y", ")", "$", "&&", "b", "<", "c", "]]"), ("d",)],
    ),
    ("echo $(a # it's\n) b", [("a",), ("echo", None, "b")]),
    ("echo $'\\x41\\u00e9\\101\\'' $'\\xff'", [("echo", "AéA'", None)]),
    ("a &&\n # why\n\n b", [("a",), ("b",)]),
    ("a\u00a0b c\rd", [("a\u00a0b", "c\rd")]),
    ("echo é$é x", [("echo", "é$é", "x")]),
    ("[[ a == b && -f c ]] && d", [("[[", "a", "==", "b", "&&", "-f", "c", "]]"), ("d",)]),
    ("echo $(uname -m) `date`", [("uname", "-m"), ("date",), ("echo", None, None)]),
    ("printf $'a\\n' \"b $Y\" 'c $Y'", [("printf", "a\n", None, "c $Y")]),
    ("diff <(a) b", [("a",), ("diff", None, "b")]),
    ("echo a # no\necho b", [("echo", "a"), ("echo", "b")]),
    ("x=(1 2); echo $((1 + 2))", [(), ("echo", None)]),
    ("A=$(case $(b) in x86_64) c;; (arm*|y) d \\\n case;; esac) && e", [("b",), ("c",), ("d", "case"), (), ("e",)]),
    ("a $(case x in y) (case z in esac);; esac # )\n) b", [("a", None, "b")]),
    ("a $(b <<E; c <<-'F'\n')\nE\n\t\"`\n\tF\nd) e", [("b",), ("c",), ("d",), ("a", None, "e")]),
    ('a "$(b "\'$(c \')\' "(")")" d', [("c", ")", "("), ("b", None), ("a", None, "d")]),
    (
        "a \"${X:-it's}\" ${X:-'}'} \"$$(b\" $'\\'' $((1 << 2)) $(((1 << 2))) c",
        [("a", None, None, None, "'", None, None, "c")],
    ),
    ("a $X\\\nY", [("a", None)]),
]


@pytest.mark.parametrize(("text", "expected"), CALLS, ids=[text for text, _ in CALLS])
def test_calls(text: str, expected: list[tuple[str | None, ...]]) -> None:
    script = parse_script(text)
    assert [command.argv for command in script.commands] == expected
    assert script.complete, script.reason


@pytest.mark.parametrize(
    ("text", "certain"),
    [
        ("a && b", [True, True]),
        ("a || b", [True, False]),
        ("a || b && c; d", [True, False, False, True]),
        ("if a; then b; fi; c", [True, False, True]),
        ("a | b", [True, True]),
        ("a ||\nb; c", [True, False, True]),
        ("a || { b; c; }; d", [True, False, False, True]),
        ("a || (b; c) && d; e", [True, False, False, False, True]),
        ("f() { a; b; }; c", [False, False, True]),
        ("{ a; b; }; c", [True, True, True]),
    ],
)
def test_certain(text: str, certain: list[bool]) -> None:
    assert [command.certain for command in parse_script(text).commands] == certain


def test_redirects_assignments_and_spans() -> None:
    text = "A=1 B=$X run 'a b' >>/tmp/log 2>&1"
    command = parse_script(text, {"X": "y"}.get).commands[0]
    assert command.assignments == (("A", "1"), ("B", "y"))
    assert [(redirect.op, redirect.target) for redirect in command.redirects] == [(">>", "/tmp/log"), ("2>&", "1")]
    assert [text[start:end] for start, end in command.spans] == list(command.raw) == ["run", "'a b'"]


def test_spans_of_inner_commands_are_of_the_whole_text() -> None:
    text = "a \"$(b 'c d' $(e f))\" `g h` `i \\`j\\``"
    for command in parse_script(text).commands:
        if command.argv[0] not in ("i", "j"):
            assert [text[start:end] for start, end in command.spans] == list(command.raw)
        else:  # escapes were taken off: the whole substitution
            assert {text[start:end] for start, end in command.spans} == {"i \\`j\\`"}


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ("e $X", ("e", "v")),
        ('e "$S" $S', ("e", "a b", None)),
        ("e $E a$E", ("e", None, None)),
        ("X=2; e $X", ("e", None)),
        ("read -r X; e $X", ("e", None)),
        (". ./env; e $X", ("e", None)),
    ],
)
def test_what_is_known_of_a_variable(text: str, argv: tuple[str | None, ...]) -> None:
    assert parse_script(text, {"X": "v", "S": "a b", "E": ""}.get).commands[-1].argv == argv


def test_hostile_input_takes_linear_time() -> None:
    for piece in ("if ", "case x in\n", "f()(", "`a ", "[[ ((", "cat <<A\n", "{ a || ", "${x:-", '"$(', "a=("):
        start = time.process_time()
        parse_script(piece * 20_000)
        assert time.process_time() - start < 3, piece


@pytest.mark.parametrize(
    "text",
    ["a &&", "a >", "a (b)", "echo 'x", 'echo "x', "echo $(x", "if a; then b", "cat <<EOF\nx", "a )", "echo ${x"],
)
def test_what_cannot_be_read_is_said(text: str) -> None:
    script = parse_script(text)
    assert not script.complete
    assert script.reason


def test_hostile_nesting_is_bounded() -> None:
    script = parse_script("$(" * (DEPTH_LIMIT * 3) + "x" + ")" * (DEPTH_LIMIT * 3))
    assert not script.complete
    parse_script("(" * 100_000)


@given(st.text(alphabet="ab '\"\\$`|&;()<>{}\n#=![]-", max_size=60))
@settings(max_examples=400)
def test_never_raises(text: str) -> None:
    for command in parse_script(text).commands:
        assert len(command.argv) == len(command.raw) == len(command.spans)


words = st.text(alphabet="abcxyz/.-_=é\t '\"\\$*", min_size=1, max_size=8)
argvs = st.lists(words, min_size=1, max_size=5).map(lambda argv: ["run", *argv])


@given(st.lists(argvs, min_size=1, max_size=4), st.sampled_from([" && ", "; ", " | ", "\n"]))
@settings(max_examples=200)
def test_quoted_words_come_back(calls: list[list[str]], joint: str) -> None:
    script = parse_script(joint.join(shlex.join(call) for call in calls))
    assert script.complete
    assert [list(command.argv) for command in script.commands] == calls


RAW = [
    "a\\ b",
    '"a  b"c',
    "'a'\\''b'",
    '"\\$x \\a \\""',
    "a''b",
    '""',
    "\\\\",
    '"a\\\nb"',
    "x\\\ny",
    "'a\\b'",
    "a=b",
    "é",
]


def test_words_are_what_a_real_shell_passes() -> None:
    show = 'show() { for word; do printf "%s\\0" "$word"; done; }; '
    got = subprocess.run(["/bin/sh", "-c", show + "show " + " ".join(RAW)], capture_output=True, check=True)
    expected = got.stdout.decode().split("\0")[:-1]
    assert list(parse_script("show " + " ".join(RAW)).commands[0].argv[1:]) == expected


@given(
    st.lists(
        st.lists(st.sampled_from([*RAW, "a", " ", "'#'", "x#y"]), min_size=1, max_size=6), min_size=20, max_size=40
    )
)
@settings(max_examples=10, deadline=None)
def test_generated_words_are_what_a_real_shell_passes(lines: list[list[str]]) -> None:
    calls = ["show " + "".join(line) for line in lines]
    show = 'show() { for word; do printf "%s\\0" "$word"; done; printf "END\\0"; }\n'
    got = subprocess.run(["/bin/sh", "-c", show + "\n".join(calls)], capture_output=True, check=True)
    expected = [part.split("\0")[:-1] for part in got.stdout.decode().split("END\0")[:-1]]
    assert [list(command.argv[1:]) for command in parse_script("\n".join(calls)).commands] == expected


def test_exec_form() -> None:
    assert exec_form("python3 main.py --name \"a b\" '*'") == ("python3", "main.py", "--name", "a b", "*")
    for text in (
        "a && b",
        "a $X",
        "cd /x",
        "A=1 b",
        "a > b",
        "a *.txt",
        "a ~/x",
        "a &",
        "a {1,2}",
        "exec a",
        "(a)",
        "",
    ):
        assert exec_form(text) is None, text


WORDS = st.sampled_from(
    ["a", "if", "done", "in", "for", "case", "function", "select", "[", "1", "2", "-c", "x=1", ".", "./a", "a:b", "%1"]
)


@given(st.lists(st.one_of(WORDS, st.text("ab=+-./:@%,~*{}é\n#!", max_size=3)), max_size=4).map(" ".join))
def test_a_plain_command_is_what_the_parser_reads(text: str) -> None:
    plain = plain_command(text)
    if plain is not None:
        (command,) = parse_script(text).commands
        assert command.argv == plain
        assert not command.assignments
        assert not command.redirects
        assert not command.depth
        assert parse_script(text).complete


@pytest.mark.parametrize("text", ["", " ", "if a", "a=1 b", "a\nb", "a | b", "a 'b'", "$a", "a*", "~/a", "a #b"])
def test_what_a_shell_has_to_read_is_no_plain_command(text: str) -> None:
    assert plain_command(text) is None
    assert plain_command("a b=1\t-c ./d ") == ("a", "b=1", "-c", "./d")
