"""What a JavaScript source loads whenever it runs: ``require`` and ``import`` in statements that nothing decides about.

Blocks, functions, conditions and ``try`` may not run, so what stands in them is nobody's need here; an object that is
assigned is looked into. A source that cannot be followed to its end, brace by brace, says nothing.

Facts: ECMA-262, "Imports" (static imports are loaded before the module runs) and "Lexical Grammar" (comments, strings, templates,
regular expressions); Node.js, "Modules: CommonJS modules".
"""

from __future__ import annotations

import re

from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

_TOKEN = regex(
    r"""//[^\n]*|/\*[\s\S]*?\*/|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'|[`/{}()\[\];?\n]|=>|&&|\|\|"""
    r"""|(?<![\w$.])(?:require|import|export|if|else|for|while|do|switch|case|with)(?![\w$])"""
)
_REGEX = regex(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/\w*")
_CALL = regex(r"""require\s*\(\s*(?:"([^"\\\n]+)"|'([^'\\\n]+)')\s*\)""")
_IMPORT = regex(r"""import\s*(?:[\w$*{][\w$\s,*{}]*?(?:\bfrom|(?<=\})\s*from)\s*)?(?:"([^"\\\n]+)"|'([^'\\\n]+)')""")
_EXPORT = regex(r"""export\s*(?:\*(?:\s*as\s+[\w$]+)?|\{[^{}]*\})\s*from\s*(?:"([^"\\\n]+)"|'([^'\\\n]+)')""")
_TEMPLATE = regex(r"\\[\s\S]|`|\$\{")
_OWN = regex(r"\b(?:function|var|let|const)\s+require\b|^[;\s]*require\s*=[^=]", re.MULTILINE)
_OWN_OF_NODE = regex(r"\brequire\s*=\s*(?:[\w$.]+\.)?createRequire\s*\(")
_BEFORE_VALUE = regex(r"(?:^|[^\w$.])(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield)$")
_WORDS = ("require", "import", "export")


class Need(NamedTuple):
    """A module that is loaded, as written; ``line`` from 1; ``static``: by an import or export statement."""

    specifier: str
    line: int
    static: bool


def needs(source: str) -> tuple[Need, ...]:
    """Return what a source loads whenever it runs, nothing where that cannot be told. Never raises."""
    if not any(word in source for word in _WORDS):
        return ()
    reader = _Reader(source)
    return tuple(reader.found) if reader.read() else ()


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.found: list[Need] = []
        self.open: list[str] = []  # brackets: "o" of an object, "b" of a block, "t" of a template's value, "(" and "["
        self.blocks = 0
        self.decided = False  # something before in this statement says whether the rest of it runs
        self.line, self.counted = 1, 0
        own = _OWN.search(source)
        self.foreign = own is not None and _OWN_OF_NODE.search(source) is None  # a bundle brings a require of its own

    def read(self) -> bool:
        """Read to the end; False where brackets do not match."""
        at, source = 0, self.source
        while True:
            token = _TOKEN.search(source, at)
            if token is None:
                return not self.open
            at = self._token(token[0], token.start(), token.end())
            if at < 0:
                return False

    def _token(self, token: str, start: int, end: int) -> int:
        """Take one token and return where to go on, -1 where nothing can be told any more."""
        if token == "`":
            return self._template(end)
        if token == "/":
            return self._slash(start)
        if token in ("(", "["):
            self.open.append(token)
        elif token == "{":
            self._brace(start)
        elif token in (")", "]", "}"):
            return self._close(token, end)
        elif token == ";":
            self.decided = self.decided and bool(self.open)
        elif token == "\n":
            if not self.open and self.source[end : end + 1].strip(" \t\r\n})]/.,?:&|+-*="):
                self.decided = False  # a line that begins at the margin begins a statement
        elif token in _WORDS:
            return self._load(token, start, end)
        elif token[0] not in "\"'/":
            self.decided = True
        return end

    def _load(self, word: str, start: int, end: int) -> int:
        if self.blocks or self.decided or (word == "require" and self.foreign) or (word != "require" and self.open):
            return end
        pattern = _CALL if word == "require" else _IMPORT if word == "import" else _EXPORT
        match = pattern.match(self.source, start)
        if match is None:
            return end
        self.line += self.source.count("\n", self.counted, start)
        self.counted = start
        self.found.append(Need(match[1] or match[2], self.line, word != "require"))
        return match.end()

    def _brace(self, start: int) -> None:
        """Tell an object from a block by what stands before it."""
        before = self.source[max(0, start - 200) : start].rstrip()[-1:]
        literal = before in ("=", "(", ",", ":", "[")
        self.open.append("o" if literal else "b")
        self.blocks += not literal

    def _close(self, token: str, end: int) -> int:
        kind = self.open.pop() if self.open else ""
        if kind == "t" and token == "}":
            self.blocks -= 1
            return self._template(end)
        if kind == "" or {")": "(", "]": "[", "}": kind if kind in ("o", "b") else ""}[token] != kind:
            return -1
        self.blocks -= kind == "b"
        if kind == "b" and not self.open:
            self.decided = False
        return end

    def _template(self, at: int) -> int:
        """Pass over a template to its end, or to a value in it."""
        while True:
            match = _TEMPLATE.search(self.source, at)
            if match is None:
                return -1
            at = match.end()
            if match[0] == "`":
                return at
            if match[0] == "${":
                self.open.append("t")
                self.blocks += 1
                return at

    def _slash(self, start: int) -> int:
        """Pass over a regular expression; after a value it is a division."""
        before = self.source[max(0, start - 40) : start].rstrip()
        value = re.match(r"[\w$)\]}\"'`]", before[-1:]) is not None and _BEFORE_VALUE.search(before) is None
        match = None if value else _REGEX.match(self.source, start)
        return match.end() if match is not None else start + 1
