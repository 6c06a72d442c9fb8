"""Arrays in single quotes to JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lucid_audit.fixes import Edit, Fault, fix
from lucid_audit.fixes.strings import array

_STRING = re.compile(r"""'([^'\\\n]*)'|"((?:[^"\\\n]|\\["\\/])*)\"""")
_ARRAY = re.compile(rf"""\[\s*(?:{_STRING.pattern})(?:\s*,\s*(?:{_STRING.pattern}))*\s*,?\s*\]""")


@fix("json-single-quotes")
def single_quotes(fault: Fault) -> Sequence[Edit]:
    """Write the same strings in double quotes; an array over several lines is left to a person."""
    text = fault.text[fault.span.start : fault.span.end].strip()
    if _ARRAY.fullmatch(text) is None:
        return ()
    words = [
        match[1] if match[1] is not None else re.sub(r"\\(.)", r"\1", match[2]) for match in _STRING.finditer(text)
    ]
    start = fault.text.index(text, fault.span.start)
    return (Edit(start, start + len(text), array(words)),)
