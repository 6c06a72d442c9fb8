"""The build trees of ``fixtures/starts``: what is true of each, and what the linter says of it.

``case.yaml``: ``starts``; ``error``, a regular expression for what the engine prints; ``cause``, a sentence; ``rules``,
of which one has to be reported; ``besides``, rules that rightly report something else; ``health``, whether the health check is what fails; ``prepare``, programs to make; ``level``, the severity when it is no error.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import yaml

from lucid_audit import discover, lint
from lucid_audit.finding import Severity

ROOT = Path(__file__).resolve().parent.parent / "fixtures" / "starts"
AS_OF = date(2026, 1, 15)  # a day on which the bases are supported
LOADERS = {"dynamic": "/lib64/ld-linux-x86-64.so.2", "musl": "/lib/ld-musl-x86_64.so.1"}


class Case(NamedTuple):
    name: str
    starts: bool
    cause: str
    error: str = ""
    rules: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    health: bool = False
    prepare: Mapping[str, str] = {}
    level: str = "error"


def read(folder: Path) -> Case:
    """Read a tree's truth."""
    facts = yaml.safe_load((folder / "case.yaml").read_text("utf-8"))
    return Case(folder.name, **{**facts, **{key: tuple(facts.get(key, ())) for key in ("rules", "besides")}})


def cases() -> list[Case]:
    return [read(folder) for folder in sorted(ROOT.iterdir()) if folder.is_dir()]


def prepared(case: Case, place: Path) -> Path:
    """Copy a tree to a place, with the programs that it needs."""
    tree = place / case.name
    shutil.copytree(ROOT / case.name, tree)
    for name, kind in case.prepare.items():
        (tree / name).write_bytes(program(kind))
        (tree / name).chmod(0o755)
    return tree


def errors(case: Case, place: Path) -> set[str]:
    """Return the rules that the linter reports at error level, or at the level of the case if that is lower."""
    tree = prepared(case, place)
    with (
        mock.patch.object(discover, "repository_root", return_value=str(tree)),
        mock.patch("lucid_audit.policy_file.find", return_value=None),
    ):
        request = lint.Request([str(tree / "Dockerfile")], AS_OF, jobs=1)._replace(
            context=str(tree), platform="linux/amd64", profile="" if case.level == "error" else "strict"
        )
        report = lint.run(request).report
    return {
        one.rule
        for subject in report.subjects
        for one in subject.findings
        if one.severity >= min(Severity.error, Severity[case.level])
    }


def right(case: Case, found: set[str]) -> bool:
    """Whether a broken tree is reported for its cause, and a working one not at all."""
    return found <= set(case.besides) if case.starts else bool(found & set(case.rules))


def program(kind: str) -> bytes:
    """Return a program of some hundred bytes that prints ``ready``: static, dynamic, musl or arm64."""
    base, size = 0x400000, 64 + 3 * 56
    loader = LOADERS[kind].encode().ljust(32, b"\0") if kind in LOADERS else b""
    symbols, table = size + len(loader), size + len(loader) + 24  # one empty symbol, then the dynamic section
    entries = ((5, base + symbols), (6, base + symbols), (10, 1), (11, 24), (0, 0))
    dynamic = b"".join(struct.pack("<QQ", *entry) for entry in entries)
    text = table + len(dynamic)
    code = b"\xb8\x01\0\0\0\xbf\x01\0\0\0\xbe" + struct.pack("<I", base + text)  # write(1, text, 6)
    code += b"\xba\x06\0\0\0\x0f\x05\xb8\x3c\0\0\0\x31\xff\x0f\x05"  # exit(0)
    body = loader + bytes(24) + dynamic + b"ready\n" + code
    machine = 183 if kind == "arm64" else 62
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, base + text + 6, 64, 0, 0, 64, 56, 3, 64, 0, 0)
    interpreter = _segment(3 if loader else 0, size, base, len(LOADERS.get(kind, "")) + 1)
    linking = _segment(2 if loader else 0, table, base, len(dynamic))
    return header + interpreter + _segment(1, 0, base, size + len(body)) + linking + body


def _segment(kind: int, offset: int, base: int, size: int) -> bytes:
    where, flags = base + offset, 7
    return struct.pack("<IIQQQQQQ", kind, flags, offset, where, where, size, size, 0x1000 if kind == 1 else 1)
