"""What the first bytes of a program say: an ELF header and the interpreter it asks for, or a ``#!`` line.

Sources: System V ABI, chapter 4 ("Object Files"), the machine numbers of its registry; Linux ``fs/binfmt_elf.c`` (which
reads the program headers) and ``fs/binfmt_script.c`` (which reads 256 bytes and at most one argument).
"""

from __future__ import annotations

from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lucid_audit.container.linkage import Linkage

HEAD = 4096  # bytes of a file that are looked at: linkers place PT_INTERP right behind the headers
LINE = 256  # BINPRM_BUF_SIZE
_PT_DYNAMIC, _PT_INTERP = 2, 3
_MACHINES = {3: "386", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv64",
             258: "loong64"}  # fmt: skip
_TYPES = {1: "relocatable", 2: "executable", 3: "shared", 4: "core"}
_HEADERS_LIMIT = 64  # program headers; linkers write about a dozen


class Program(NamedTuple):
    """A file that the kernel can start, or a library.

    ``kind`` is ``elf`` or ``script``. ``architecture`` is Go's name, with ``le`` where the byte order is part of it; ""
    for a script, ``machine N`` for one without a name. ``type`` is ``executable``, ``shared``, ``relocatable`` or ``core``.
    ``interpreter`` is PT_INTERP or the first word after ``#!``, ``argument`` the rest of that line. ``dynamic``: it has
    a dynamic section. ``known_as``: the shell or toolbox that its content shows it to be. ``linkage``: what it wants from
    the dynamic linker, None where nobody read that far.
    """

    kind: str
    interpreter: str = ""
    argument: str = ""
    architecture: str = ""
    type: str = ""
    dynamic: bool = False
    known_as: str = ""
    linkage: Linkage | None = None


def read_program(head: bytes) -> Program | None:
    """Return what the first ``HEAD`` bytes of a file say, or None when it is no program."""
    if head.startswith(b"\x7fELF"):
        return _elf(head)
    if head.startswith(b"#!"):
        return _script(head)
    return None


def _script(head: bytes) -> Program | None:
    line = head[2:LINE].split(b"\n", 1)[0].strip(b" \t")
    if not line or b"\0" in line:
        return None
    interpreter, _, argument = line.replace(b"\t", b" ").partition(b" ")
    return Program("script", _text(interpreter), _text(argument.strip()))


def _elf(head: bytes) -> Program | None:
    if len(head) < 52 or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    order = "<" if head[5] == 1 else ">"
    wide = head[4] == 2
    type_, machine = _number(head, 16, 2, order), _number(head, 18, 2, order)
    if wide and len(head) < 64:
        return None
    offset = _number(head, 32, 8, order) if wide else _number(head, 28, 4, order)
    size, count = (_number(head, at, 2, order) for at in ((54, 56) if wide else (42, 44)))
    interpreter, dynamic = "", False
    for number in range(min(count, _HEADERS_LIMIT)):
        at = offset + number * size
        if size < (56 if wide else 32) or at + size > len(head):
            break
        kind, start, length = _segment(head, at, order, wide)
        dynamic = dynamic or kind == _PT_DYNAMIC
        if kind == _PT_INTERP and start + length <= len(head):
            interpreter = _text(head[start : start + length].split(b"\0", 1)[0])
    return Program("elf", interpreter, "", _architecture(machine, order, wide), _TYPES.get(type_, ""), dynamic)


def _segment(head: bytes, at: int, order: str, wide: bool) -> tuple[int, int, int]:
    """Return kind, file offset and file size of a program header."""
    size, start, length = (8, 8, 32) if wide else (4, 4, 16)
    return (
        _number(head, at, 4, order),
        _number(head, at + start, size, order),
        _number(head, at + length, size, order),
    )


def _number(head: bytes, at: int, size: int, order: str) -> int:
    """Read a number; ``struct`` would be one more module where a Dockerfile is linted."""
    return int.from_bytes(head[at : at + size], "little" if order == "<" else "big")


def _architecture(machine: int, order: str, wide: bool) -> str:
    name = _MACHINES.get(machine, f"machine {machine}")
    if name == "mips":
        return ("mips64" if wide else "mips") + ("le" if order == "<" else "")
    if name == "ppc64" and order == "<":
        return "ppc64le"
    if name == "riscv64" and not wide:
        return "riscv32"
    return name


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
