"""Variable expansion: every form by table, and properties."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.dockerfile.patterns import replace, trim_prefix, trim_suffix
from lucid_audit.dockerfile.words import expand, expand_words
from lucid_audit.values import Unknown, Value

WHY = Unknown("nobody said")
ENV: dict[str, Value] = {
    "NAME": "tron", "EMPTY": "", "PATHS": "srv/lib/app.tar.gz", "LATER": WHY, "_x1": "under", "STAR": "a*b*c",
}  # fmt: skip

CASES = [
    ("plain", "plain"),
    ("$NAME", "tron"),
    ("${NAME}", "tron"),
    ("pre-${NAME}-post", "pre-tron-post"),
    ("$NAME/$NAME", "tron/tron"),
    ("$_x1", "under"),
    ("$NAMEX", ""),
    ("${NAME}X", "tronX"),
    ("${MISSING:-d}", "d"),
    ("${MISSING-d}", "d"),
    ("${EMPTY:-d}", "d"),
    ("${EMPTY-d}", ""),
    ("${NAME:-d}", "tron"),
    ("${MISSING:+d}", ""),
    ("${EMPTY:+d}", ""),
    ("${EMPTY+d}", "d"),
    ("${NAME:+d}", "d"),
    ("${NAME:?no}", "tron"),
    ("${EMPTY?no}", ""),
    ("${MISSING:-${NAME}}", "tron"),
    ("${MISSING:-${ALSO:-deep}}", "deep"),
    ("${MISSING:-a b}", "a b"),
    ("${MISSING:-'$NAME'}", "$NAME"),
    ("${PATHS#*/}", "lib/app.tar.gz"),
    ("${PATHS##*/}", "app.tar.gz"),
    ("${PATHS%.*}", "srv/lib/app.tar"),
    ("${PATHS%%.*}", "srv/lib/app"),
    ("${PATHS#nothing}", "srv/lib/app.tar.gz"),
    ("${PATHS%?z}", "srv/lib/app.tar."),
    ("${PATHS/a/A}", "srv/lib/App.tar.gz"),
    ("${PATHS//a/A}", "srv/lib/App.tAr.gz"),
    ("${PATHS//\\//-}", "srv-lib-app.tar.gz"),
    ("${STAR//\\*/x}", "axbxc"),
    ("${PATHS/.*/}", "srv/lib/app"),
    ("'$NAME'", "$NAME"),
    ('"$NAME"', "tron"),
    ('"a \'$NAME\'"', "a 'tron'"),
    ("\\$NAME", "$NAME"),
    ("a\\b", "ab"),
    ('"a\\b"', "a\\b"),
    ('"\\$NAME \\" \\\\"', '$NAME " \\'),
    ("end\\", "end"),
    ("$", "$"),
    ("a$/b", "a$/b"),
    ("$1", ""),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "text"), CASES, ids=[raw for raw, _ in CASES])
def test_expands(raw: str, text: str) -> None:
    found = expand(raw, ENV.get)
    assert (found.text, found.error) == (text, None)


@pytest.mark.parametrize(
    "raw", ["$LATER", "x${LATER}", "${LATER:-d}", "${LATER+x}", "${LATER#a}", "${LATER/a/b}", "${MISSING:-$LATER}"]
)
def test_unknown_never_becomes_text(raw: str) -> None:
    found = expand(raw, ENV.get)
    assert found.text is None
    assert found.unknown == (WHY,)


def test_an_unknown_that_is_not_used_does_not_matter() -> None:
    assert expand("${NAME:-$LATER}", ENV.get).text == "tron"
    assert expand("${MISSING:+$LATER}", ENV.get).text == ""


def test_names_are_reported() -> None:
    found = expand("$NAME ${GONE} ${ALSO_GONE:-x}", ENV.get)
    assert found.used == ("NAME", "GONE", "ALSO_GONE")
    assert found.undefined == ("GONE",)


@pytest.mark.parametrize(
    "raw",
    [
        "${",
        "${}",
        "${NAME",
        "${:x}",
        "${NAME~}",
        "${NAME:~x}",
        "${MISSING:?say why}",
        "${EMPTY:?}",
        "'a",
        '"a',
        "${NAME:-",
        "${PATHS/a}",
        "${PATHS#\\q}",
    ],
)
def test_refused(raw: str) -> None:
    found = expand(raw, ENV.get)
    assert found.text is None
    assert found.error


def test_a_wrong_pattern_is_refused_whatever_the_value() -> None:
    assert expand("${MISSING#\\q}", ENV.get).error
    assert expand("${LATER%\\q}", ENV.get).error
    assert expand("${NAME%$LATER\\q}", ENV.get).error is None  # the unknown part may make it a right one


@pytest.mark.parametrize(("raw", "text"), [("${MISSING/*/x}", "x"), ("${MISSING##*}", ""), ("${NAME%?\\}", "tron")])
def test_patterns_at_their_edges(raw: str, text: str) -> None:
    # The last: with ` as the escape a pattern may end with a backslash; turned around it escapes the question mark.
    assert expand(raw, ENV.get, "`").text == text


def test_names_are_in_the_order_they_stand() -> None:
    assert expand("${A:-${B/$C/x}}$D", lambda _: None).used == ("A", "B", "C", "D")


WORDS = [
    ("", []),
    (" a\t b ", ["a", "b"]),
    ("a\u00a0b\x1cc", ["a", "b\x1cc"]),  # what Go calls a blank, which is less than Python does
    ("x$LIST-", ["x80", "443/udp", "-"]),
    ('"x $LIST" y', ["x 80  443/udp ", "y"]),
    ("a\\ b 'c d'e", ["a b", "c de"]),
    ("'' $EMPTY \"\"", []),
    ("80 $LATER/tcp '$LATER'", ["80", None, "$LATER"]),
]


@pytest.mark.parametrize(("raw", "texts"), WORDS, ids=[raw for raw, _ in WORDS])
def test_words_are_split_after_expansion(raw: str, texts: list[str | None]) -> None:
    found = expand_words(raw, {**ENV, "LIST": "80  443/udp "}.get)
    assert [word.text for word in found] == texts


def test_words_know_their_own_variables() -> None:
    first, second = expand_words("$NAME $GONE x$LATER", ENV.get)
    assert (first.used, first.undefined) == (("NAME",), ())
    assert (second.used, second.undefined, second.unknown) == (("GONE", "LATER"), ("GONE",), (WHY,))


def test_words_that_are_refused() -> None:
    (found,) = expand_words("a '", ENV.get)
    assert found.error


@given(st.text(alphabet="aN{}$:-+?#%/'\"\\ ", max_size=40))
def test_words_join_to_the_expansion(raw: str) -> None:
    whole, parts = expand(raw, {"N": "n m"}.get), expand_words(raw, {"N": "n m"}.get)
    if whole.text is not None:
        assert "".join("".join(part.text or "" for part in parts).split()) == "".join(whole.text.split())
    else:
        assert [part.error for part in parts] == [whole.error]


def test_the_message_of_a_required_variable_is_kept() -> None:
    assert expand("${MISSING:?say why}", ENV.get).error == "MISSING: say why"


def test_the_escape_character_is_the_directives() -> None:
    assert expand("`$NAME", ENV.get, "`").text == "$NAME"
    assert expand("C:\\$NAME", ENV.get, "`").text == "C:\\tron"


def test_quotes_stay_in_a_heredoc() -> None:
    assert expand("say '$NAME' \"x\"", ENV.get, quotes=False).text == "say 'tron' \"x\""


@given(st.text(alphabet="aN{}$:-+?#%/'\"\\ ", max_size=40))
def test_never_raises(raw: str) -> None:
    some: dict[str, Value] = {"N": "n", "a": WHY}
    found = expand(raw, some.get)
    assert found.text is None or (not found.unknown and found.error is None)


@given(st.text(alphabet=st.characters(exclude_characters="$'\"\\"), max_size=40))
def test_a_word_without_specials_is_itself(raw: str) -> None:
    assert expand(raw, ENV.get).text == raw


def test_deep_nesting_is_refused() -> None:
    assert expand("${A:-" * 5000 + "}" * 5000, ENV.get).error


def test_patterns_take_bounded_time() -> None:
    pattern, value = "*a" * 12 + "b", "a" * 400
    start = time.perf_counter()
    assert trim_prefix(pattern, value, greedy=True) == value
    assert trim_suffix(pattern, value, greedy=False) == value
    assert replace(pattern, "x", value, everywhere=True) == value
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("pattern", "replacement", "value", "result"),
    [
        ("*", "y", "abc", "y"),  # the empty match at the end touches the first
        ("", "-", "ab", "-a-b-"),
        ("b", "[$0$$$1]", "abc", "a[b$]c"),
        ("b*", "x", "ab\nb", "ax\nx"),
    ],
)
def test_every_match_is_replaced_as_go_does(pattern: str, replacement: str, value: str, result: str) -> None:
    assert replace(pattern, replacement, value, everywhere=True) == result


def _backtracking(pattern: str, greedy: bool) -> str:
    return "".join({"*": ".*" if greedy else ".*?", "?": "."}.get(char, char) for char in pattern)


@given(st.text(alphabet="ab*?\n", max_size=6), st.text(alphabet="ab\n", max_size=10), st.booleans())
def test_matches_are_those_of_a_regular_expression(pattern: str, value: str, greedy: bool) -> None:
    prefix = re.match(_backtracking(pattern, greedy), value)
    assert trim_prefix(pattern, value, greedy) == (value[prefix.end() :] if prefix else value)
    suffix = re.match(_backtracking(pattern[::-1], greedy), value[::-1])
    assert trim_suffix(pattern, value, greedy) == (value[: len(value) - suffix.end()] if suffix else value)
    first = re.sub(_backtracking(pattern, True), "x", value, count=1)
    assert replace(pattern, "x", value, everywhere=False) == first
