"""What a class file is compiled for, and which classes the runtime loads before it: its superclass and its interfaces.

Facts: The Java Virtual Machine Specification, section 4.1 (``ClassFile``), table 4.4-A (sizes of constants) and section 5.3.5 (deriving a
class resolves its direct superclass and superinterfaces at once; all other references may be resolved as late as they are used).
"""

from __future__ import annotations

from lucid_audit.tuples import NamedTuple

LIMIT = 1 << 20  # bytes of a class file that are read
_UTF8, _CLASS = 1, 7
# Bytes behind the tag, by the tag.
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
_WIDE = (5, 6)  # they count for two


class ClassFile(NamedTuple):
    """``major`` is 44 more than the release that it needs; ``above`` are superclass and interfaces, names with dots."""

    major: int
    above: tuple[str, ...]


def read_class(data: bytes) -> ClassFile | None:
    """Return what a class file says, None when it is none, is damaged or was cut. Never raises."""
    if len(data) < 10 or data[:4] != b"\xca\xfe\xba\xbe":
        return None
    try:
        return _read(data)
    except (IndexError, KeyError):
        return None


def _read(data: bytes) -> ClassFile | None:
    names: dict[int, bytes] = {}
    classes: dict[int, int] = {}
    at, number, count = 10, 1, _number(data, 8)
    while number < count:
        tag = data[at]
        if tag == _UTF8:
            length = _number(data, at + 1)
            names[number] = data[at + 3 : at + 3 + length]
            at += 3 + length
        else:
            if tag == _CLASS:
                classes[number] = _number(data, at + 1)
            at += 1 + _SIZES[tag]
        number += 2 if tag in _WIDE else 1
    above = [_number(data, at + 4)] + [_number(data, at + 8 + 2 * one) for one in range(_number(data, at + 6))]
    found = [names[classes[one]].decode("utf-8", "replace").replace("/", ".") for one in above if one]
    return ClassFile(_number(data, 6), tuple(found))


def _number(data: bytes, at: int) -> int:
    if at + 2 > len(data):
        raise IndexError
    return int.from_bytes(data[at : at + 2], "big")
