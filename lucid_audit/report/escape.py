"""Makes hostile text harmless: what a terminal would obey or hide is written as a visible escape.

Paths, values and source lines come from files that nobody trusts. A terminal escape, a line break or a bidirectional
control in them must not colour, forge or reorder a report.
"""

from __future__ import annotations

import re

# What runners of continuous integration obey in a program's output: GitHub's "::name::" at the start of a line, and
# "##[name]" (GitHub, Azure), "##vso[" (Azure) and "##teamcity[" anywhere in one.
_ORDERS = r"(?m)^(\s*):(?=:)|#(?=#(?:\[|vso\[|teamcity\[))"


def visible(text: str) -> str:
    r"""Return ``text`` with every character that is not plainly visible as ``\xNN``, ``\uNNNN`` or ``\UNNNNNNNN``.

    These are control and format characters (bidirectional ones among them), line and paragraph separators, every space
    but U+0020, surrogates, private and unassigned code points: all that ``str.isprintable`` denies. A surrogate that
    stands for an undecodable byte is shown as that byte. A backslash stays one backslash.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else escaped(char) for char in text)


def escaped(char: str) -> str:
    """Return one character as an escape."""
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # how Python's surrogateescape carries the byte code - 0xDC00
        return f"\\x{code - 0xDC00:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def unobeyed(text: str) -> str:
    """Return a text for people without lines that a runner would take for its commands: their first sign is escaped."""
    if "::" not in text and "##" not in text:
        return text
    return re.sub(_ORDERS, lambda found: f"{found[1]}\\x3a" if found[1] is not None else "\\x23", text)


def well_formed(text: str) -> str:
    """Return ``text`` with surrogates as visible escapes: what strict JSON and XML readers accept."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(escaped(char) if "\ud800" <= char <= "\udfff" else char for char in text)
    return text
