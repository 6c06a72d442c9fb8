"""What the first bytes of a program say: an ELF header and the interpreter it asks for, or a ``#!`` line.

Sources: System V ABI, chapter 4 ("Object Files"), the machine numbers of its registry; Linux ``fs/binfmt_elf.c`` (which
reads the program headers) and ``fs/binfmt_script.c`` (which reads 256 bytes and at most one argument).
"""

from __future__ import annotations

import struct

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
    type_, machine = struct.unpack_from(f"{order}HH", head, 16)
    if wide:
        if len(head) < 64:
            return None
        (offset,) = struct.unpack_from(f"{order}Q", head, 32)
        size, count = struct.unpack_from(f"{order}HH", head, 54)
    else:
        (offset,) = struct.unpack_from(f"{order}I", head, 28)
        size, count = struct.unpack_from(f"{order}HH", head, 42)
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
    if wide:
        kind, _flags, start, _v, _p, length = struct.unpack_from(f"{order}IIQQQQ", head, at)
    else:
        kind, start, _v, _p, length = struct.unpack_from(f"{order}IIIII", head, at)
    return kind, start, length


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
