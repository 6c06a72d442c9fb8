"""Hypothesis strategies for Dockerfiles that try a parser's patience: valid more often than not, odd nearly always."""

from __future__ import annotations

from hypothesis import strategies as st

KEYWORDS = [
    "FROM", "RUN", "CMD", "ENTRYPOINT", "SHELL", "COPY", "ADD", "ENV", "LABEL", "ARG", "USER", "WORKDIR", "VOLUME",
    "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ONBUILD", "MAINTAINER",
]  # fmt: skip
BLANKS = [" "] * 8 + ["  ", "\t", " \t", "\v", "\f", "\u2003", "\u00a0 "]
WORDS = [
    "a", "b=c", "x", "/app/", "--", "-x", "--x", "--x=y", "$A", "${A}", "${A:-b c}", "${A:-$B}", "$$", "a\\ b", "\\", "`",
    "a`", "`a", "#", "#a", "=", "=b", "a=", "é", "日本", "a\u00a0b", '"', "'", '"a b"', "'a b'", '"a\'b"', "'a\"b'",
    '"a\\"b"', "'a\\'", '"a`"b"', "[", "]", ",", "{}", "<<", "<<<a", "a<<b", "AS", "as", "aS", "CMD", "NONE", "none",
    "k=\"v w\"", "k='v w'", "k=v\\ w", "80", "80/tcp", "&&", "\\\\", "\\n", "\x1c", "\x7f", "\ufeff", "${", "${A", "${}",
    "$(x)", "|", ";", "!", "~", "*",
]  # fmt: skip
JSON = [
    '["a"]', '["a", "b"]', "[]", "[ ]", '[ "a" , "b" ]', '["a",]', "[a]", '["a\\n"]', '["\\u00e9"]', '["é"]', "['a']",
    '["a" "b"]', "[1]", '["a", null]', '["a", ["b"]]', "[NaN]", "[1e400]", '["\\x"]', '["\t"]', '["a"', '[{"a": 1}]',
    '["<<EOF"]', '["\\ud83d\\ude00"]', '["\\ud800"]', "[-f a ]", "[ -f a ]", "[true]", "[01]", '["a\\\\"]', '["\x1f"]',
]  # fmt: skip
FLAGS = [
    "--from=a", "--link", "--link=false", "--chown=1:2", "--platform=$P", "--mount=type=cache,target=/x", "--x='a b'",
    '--x="a b"', "--x=a\\ b", "--interval=5s", "--retries=3", "--", "--=", "--x=", "--é=ü", "---", "--x=\"", "--x\\", "-x",
]  # fmt: skip
NAMES = ["EOF", "A", "E-F", "E.txt", "$X", "${X}", "E\\'F", "é"]
BODIES = ["", "x\n", "\tx\n\ty\n", "# c\n", "RUN x\n", "EOF \n", "\tEOF\n", " EOF\n", "a\\\n", "\n", "x\r\n", "<<EOF\n"]
TOPS = [
    "", "", "", "", "", "", "", "", "", "", "", "", "# escape=`\n", "# escape=\\\n", "#escape = ` \n", "# ESCAPE=`\n", " # escape=`\n", "# syntax=a/b:1\n",
    "# syntax=a\n# escape=`\n", "# escape=`\n# syntax=a\n", "# a\n# escape=`\n", "\n# escape=`\n", "# escape=x\n",
    "# escape=`\n# escape=`\n", "# escape= \n", "# escape=\n", "# foo=bar\n# escape=`\n", "#!/bin/x\n# escape=`\n",
    "#\tescape\t=\t`\t\n", "# escape=``\n", "# syntax=a = b\n",
]  # fmt: skip


def _cased(word: str) -> st.SearchStrategy[str]:
    return st.sampled_from([word] * 6 + [word.lower()] * 3 + [word.title()] * 2 + [word[:-1], word + "x"])


keywords = st.sampled_from(KEYWORDS).flatmap(_cased)
blanks = st.sampled_from(BLANKS)
words = st.one_of(st.sampled_from(WORDS), st.sampled_from(WORDS), st.text("ab='\"\\`$ \t{}<#", max_size=8))


PAIRS = [
    "a=b",
    'a="b c"',
    "a='b c'",
    "a=b\\ c",
    "a=",
    "=a",
    "é=ü",
    "a=b=c",
    "$A=$B",
    'a="b"c',
    "a='",
    'a="\\"b"',
    "a=`",
    "`a=b",
]


@st.composite
def arguments(draw: st.DrawFn, keyword: str) -> str:
    """Return what follows a keyword: flags now and then; then a JSON array, pairs or words."""
    flags = draw(st.lists(st.sampled_from(FLAGS), max_size=2)) if draw(st.integers(0, 3)) == 0 else []
    kind = draw(st.integers(0, 9))
    if kind < 3:
        # Arrays of strings first: others are refused, and a refused file shows nothing more.
        rest = [draw(st.sampled_from(JSON[: len(JSON) if kind == 0 else 8]))]
    elif keyword.upper() in ("ENV", "LABEL", "ARG") and kind < 9:
        rest = draw(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=3))
    elif keyword.upper() == "HEALTHCHECK" and kind < 9:
        rest = [draw(st.sampled_from(["CMD", "cmd", "NONE", "CMD", "CMDX"])), draw(words | st.sampled_from(JSON[:8]))]
    elif keyword.upper() == "FROM" and kind < 9:
        rest = draw(st.sampled_from([["a"], ["a", "AS", "b"], ["a:1@sha256:0", "as", "B-1"], ["$A"], ["${A:-x}"]]))
    else:
        rest = draw(st.lists(words, min_size=kind > 4, max_size=4))
    parts = [part for word in (*flags, *rest) for part in (draw(blanks), word)]
    return "".join(parts[1:])


@st.composite
def heredoc(draw: st.DrawFn) -> tuple[str, str]:
    """Return a heredoc's word and its lines with the terminator, which is now and then not quite right."""
    name = draw(st.sampled_from(NAMES))
    dash = draw(st.sampled_from(["", "", "-"]))
    quote = draw(st.sampled_from(["", "", '"', "'"]))
    fd = draw(st.sampled_from(["", "", "", "3", "a"]))
    end = name.replace("\\'", "'") if quote != "'" else name
    end += draw(st.sampled_from(["\n", "\n", "\n", "\r\n", " \n"]))
    tab = "\t" if dash and draw(st.booleans()) else ""
    body = "".join(draw(st.lists(st.sampled_from(BODIES), max_size=3)))
    return f"{fd}<<{dash}{quote}{name}{quote}", body + tab + end


@st.composite
def instruction(draw: st.DrawFn, escape: str) -> str:
    """Return one instruction with its line end, its continuations and its here-documents."""
    kind = draw(st.integers(0, 9))
    prefix = draw(st.sampled_from(["", "", "", "ONBUILD ", "onbuild\t"])) if kind > 1 else ""
    bodies = ""
    if kind <= 2:
        docs = draw(st.lists(heredoc(), min_size=1, max_size=2))
        keyword = draw(st.sampled_from(["RUN", "COPY", "ADD", "run", "USER", "CMD"]))
        found = [word for word, _ in docs]
        line = " ".join([keyword, *draw(st.permutations([*found, draw(words)])), draw(st.sampled_from(["", "/x"]))])
        bodies = "".join(lines for _, lines in docs)
    else:
        keyword = draw(keywords)
        line = keyword + draw(blanks) + draw(arguments(keyword))
    line = _broken(draw, prefix + line, escape)
    return draw(st.sampled_from(["", "", "", " ", "\t", "\u2003"])) + line + draw(ends) + bodies


ends = st.sampled_from(["\n"] * 6 + ["\r\n", "\n\n", " \n", "\t\r\n"])
inserts = st.lists(st.sampled_from(["# c\n", "\t# c\n", "\n", "  \n", "#\n", "\u00a0\n", "# c \\\n"]), max_size=2)


def _broken(draw: st.DrawFn, line: str, escape: str) -> str:
    """Break a line at up to three places with a continuation."""
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 2, 3]))):
        at = draw(st.integers(0, len(line)))
        mark = draw(st.sampled_from([escape, escape, escape, escape * 2, escape + " \t", "`", "\\"]))
        gap = draw(st.sampled_from(["\n", "\n", "\r\n"])) + "".join(draw(inserts))
        line = line[:at] + mark + gap + draw(st.sampled_from(["", "  ", "\t"])) + line[at:]
    return line


@st.composite
def dockerfiles(draw: st.DrawFn) -> str:
    """Return a whole file; every tenth or so is a soup of characters."""
    if draw(st.integers(0, 11)) == 0:
        return draw(st.text("FROMUNa \t\n\r\\`#='\"[]<$-E\u00a0é", max_size=60))
    top = draw(st.sampled_from(TOPS))
    escape = "`" if "`" in top and draw(st.booleans()) else "\\"
    first = draw(st.sampled_from(["FROM a\n", "FROM a AS b\n", "from a\n", ""]))
    lines = draw(
        st.lists(st.one_of(instruction(escape), instruction(escape), inserts.map("".join)), min_size=1, max_size=7)
    )
    text = top + first + "".join(lines)
    return text[: draw(st.integers(0, len(text)))] if draw(st.integers(0, 9)) == 0 else text
