"""The use case "fix": lint's files, mended; what would change as a diff, or written."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator
from functools import partial
from tempfile import NamedTemporaryFile

from lucid_audit import lint
from lucid_audit.errors import InputError
from lucid_audit.finding import Finding
from lucid_audit.items import content, deploys
from lucid_audit.mend import mend
from lucid_audit.text import SourceText
from lucid_audit.tuples import NamedTuple


class Repair(NamedTuple):
    """One file that fixes change."""

    name: str
    before: bytes
    after: bytes
    fixed: tuple[Finding, ...]


def run(request: lint.Request, *, unsafe: bool) -> Iterator[Repair]:
    """Yield every file that fixes change; nothing is written. What cannot be read is linting's to say.

    Raises:
        UsageError: an option, a rule or the policy is not valid.
        InternalError: a check crashed; the message names the rule and the file.

    """
    prepared = lint.prepare(request)
    wanted = {active.rule.id for active in prepared.rules}
    if request.select:  # the others watch: a fix of one rule's finding must not bring another's
        every = request._replace(paths=(), select=(), policy=prepared.policy.path)
        prepared = prepared._replace(rules=lint.prepare(every).rules)
    for item in prepared.items:
        if deploys(item):
            continue  # nobody repairs compose files yet
        problem, data = content(item)
        if problem:
            continue
        source = SourceText.decode(item.name, data)
        look = partial(lint.look, on_disk=not item.piped, prepared=prepared, request=request)
        mended = mend(source, look, unsafe=unsafe, rules=wanted)
        after = mended.source.encode()
        if after != data:
            yield Repair(item.name, data, after, mended.fixed)


def diff(repair: Repair) -> Iterator[str]:
    """Yield the lines of a unified diff, as ``patch -p1`` and ``git apply`` read it."""
    before, after = (_lines(data) for data in (repair.before, repair.after))
    for line in difflib.unified_diff(before, after, f"a/{repair.name}", f"b/{repair.name}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(data: bytes) -> list[str]:
    parts = data.decode("utf-8", "surrogateescape").split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def write(repairs: Iterable[Repair]) -> Iterator[Repair]:
    """Write each file in one step, with the permissions that it has, and yield it when that is done.

    Raises:
        InputError: a file cannot be written, is a symbolic link, or has been changed since it was read.

    """
    for repair in repairs:
        _write(repair)
        yield repair


def _write(repair: Repair) -> None:
    name = repair.name
    if os.path.islink(name):
        raise InputError(f"{name}: a symbolic link is not fixed; name the file that it leads to")
    try:
        with open(name, "rb") as stream:
            if stream.read() != repair.before:
                raise InputError(f"{name}: changed while it was being fixed")
            mode = os.fstat(stream.fileno()).st_mode & 0o7777
        with NamedTemporaryFile("wb", dir=os.path.dirname(os.path.abspath(name)), delete=False) as new:
            try:
                new.write(repair.after)
                new.flush()
                os.fchmod(new.fileno(), mode)
                os.fsync(new.fileno())
                os.replace(new.name, name)
            except BaseException:
                os.unlink(new.name)
                raise
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}") from None
