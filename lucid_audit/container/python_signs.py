"""Signs of newer syntax in a Python source: patterns that say which of thousands of sources a parser has to look at.

A source with a very long line is one of them: time of patterns grows with the square of it.

Facts: "What's New in Python" 3.8 to 3.14. Each pattern begins with a plain letter, which is found twenty times faster than a class of
them. A construct that is spread over several lines may show none of these signs.
"""

from __future__ import annotations

import re

from lucid_audit.regex import regex

_LINE = 2000  # bytes of a line
_SIGNS = (
    (8, (rb":=", rb"/[ \t]*[,):]", rb"=[ \t]*(?:![rsa][ \t]*)?[:}]", rb"return[ \t][^\n]*\*", rb"yield[ \t][^\n]*\*")),
    (9, (rb"@(?![ \t]*[\w.]+[ \t]*(?:\(|\r?$|#))", rb"@[ \t]*[\w.]+[ \t]*\([^\n]*\)[ \t]*[.(\[]", rb"with[ \t]*\(",
         rb"for[ \t][^\n]*[ \t]in[ \t][^\n]*\*", rb"\{[^\n]*:=")),
    (10, (rb"match\b[^\n]*:[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]+case\b", rb"\[[^\n]*:=")),
    (11, (rb"except[ \t]*\*", rb"\[(?:[^\]\n]*,)?[ \t]*\*[^*]", rb"\*\w+[ \t]*:[ \t]*\*")),
    (14, (rb"templatelib",)),
)  # fmt: skip
_BEGIN = (  # a statement, so nothing but blanks and async is before it
    (12, (rb"type[ \t]+\w+[ \t]*(?:=[^=]|\[)", rb"def[ \t]+\w+[ \t]*\[", rb"class[ \t]+\w+[ \t]*\[")),
    (13, (rb"type[ \t]+\w+[ \t]*\[[^\]\n]*=", rb"def[ \t]+\w+[ \t]*\[[^\]\n]*=", rb"class[ \t]+\w+[ \t]*\[[^\]\n]*=")),
    (14, (rb"except[ \t]+[\w.]+[ \t]*,",)),
)  # fmt: skip
_PATTERNS = tuple((minor, tuple(regex(sign, re.MULTILINE) for sign in signs)) for minor, signs in _SIGNS)
_STATEMENTS = tuple((minor, tuple(regex(sign) for sign in signs)) for minor, signs in _BEGIN)
_TEMPLATE = regex(rb"\b(?:[tT][rR]?|[rR][tT])[\"']")
# f-strings of 3.12 (PEP 701): braces with a quote of the text's own, a backslash or a comment in them.
_PREFIXES = (b"f", b"F", b"fr")  # of those with an r, rf" ends like f"; other spellings are not in use
_DOUBLE = rb'"(?:[^"\n{\\]|\\.|\{[^"}\n\\#]*\})*+[^"\n]'
_SINGLE = rb"'(?:[^'\n{\\]|\\.|\{[^'}\n\\#]*\})*+[^'\n]"
_LONG_DOUBLE = rb'"""(?:[^"{\\]|"(?!"")|\\[\s\S]|\{(?:[^{}"\\#]|"(?!""))*\})*+(?!""")'
_LONG_SINGLE = rb"'''(?:[^'{\\]|'(?!'')|\\[\s\S]|\{(?:[^{}'\\#]|'(?!''))*\})*+(?!''')"
_FIELDS = tuple(
    (prefix + quote, regex(prefix + short), prefix + quote * 3, regex(prefix + long))
    for prefix in _PREFIXES
    for quote, short, long in ((b'"', _DOUBLE, _LONG_DOUBLE), (b"'", _SINGLE, _LONG_SINGLE))
)


def suspect(source: bytes, minor: int, *, wholly: bool = False) -> bool:
    """Whether a source may have syntax that is newer than Python 3.``minor``.

    ``wholly``: template strings are looked for everywhere, which is slow; else only where their library is named.
    """
    if _has_long_line(source):
        return True
    if any(sign.search(source) is not None for at, signs in _PATTERNS if at > minor for sign in signs):
        return True
    first = True  # what 3.13 added to type parameters shows the signs of these as well
    for at, signs in _STATEMENTS:
        if at > minor and (first or at != 13) and any(_begins(source, sign) for sign in signs):
            return True
        first = first and at <= minor
    return (minor < 12 and fields(source)) or (wholly and minor < 14 and _TEMPLATE.search(source) is not None)


def _has_long_line(source: bytes) -> bool:
    """Whether a line is so long that patterns, whose time grows with its square, are not for it."""
    at = 0
    while at + _LINE < len(source):
        end = source.rfind(b"\n", at, at + _LINE)
        if end < at:
            return True
        at = end + 1
    return False


def _begins(source: bytes, sign: re.Pattern[bytes]) -> bool:
    """Whether a sign is found at the beginning of a statement."""
    found = (source[source.rfind(b"\n", 0, match.start()) + 1 : match.start()] for match in sign.finditer(source))
    return any(before.strip() in (b"", b"async") or before.rstrip().endswith((b";", b":")) for before in found)


def fields(source: bytes) -> bool:
    """Whether a source has signs of the f-strings of 3.12."""
    return any(
        begin in source and (short.search(source) is not None or (three in source and long.search(source) is not None))
        for begin, short, three, long in _FIELDS
    )
