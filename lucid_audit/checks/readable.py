"""Files that the command or a variable names: whether the configured user may read them."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import join, normpath

from lucid_audit.checks import Answers, check
from lucid_audit.checks.start import chain_of
from lucid_audit.container.access import READ, WRITE, Who, who
from lucid_audit.container.config import Container, Place
from lucid_audit.container.execute import effective, unwrapped
from lucid_audit.container.launch import Chain
from lucid_audit.container.tree import Walk
from lucid_audit.finding import Hit, Skip


@check("named-files-readable")
def named_files_readable(container: Container) -> Answers:
    """Judge files that are there: one that the user may neither read nor write is of no use to who names it.

    What is not in the image may be mounted, so it is no finding; programs and scripts are other rules' matter.
    """
    user = who(container)
    if user.uid == 0:
        return
    told = _followed(container)
    for by, path, place in dict.fromkeys(_named(container)):
        walk = container.files.walk(path)
        if walk.node is None or walk.path in told:
            continue
        shut = user.enters(walk.through)
        if shut is not None:
            mode = f"mode {shut[1].mode:04o}" if shut[1].mode is not None else "mode unknown"
            yield Hit(place, by=by, path=path, user=str(user.uid), why=f"{shut[0]} is closed to it ({mode})")
        elif walk.node.kind == "f":
            yield from _file(user, walk, by, path, place)


def _file(user: Who, walk: Walk, by: str, path: str, place: Place) -> Answers:
    node = walk.node
    if node is None:
        return
    rights = user.may(node, READ), user.may(node, WRITE)
    if rights == (False, False):
        mode = f"mode {node.mode:04o}" if node.mode is not None else "mode unknown"
        owner = "root" if node.uid == 0 else node.uid
        yield Hit(place, by=by, path=path, user=str(user.uid), why=f"it belongs to {owner} ({mode})")
    elif None in rights and True not in rights:
        yield Skip(place, f"whether user {user.uid} may read {path} is not known")


def _followed(container: Container) -> frozenset[str]:
    """Return what the proof of the start looks at itself."""
    chain, _ = chain_of(container, "command")
    if not isinstance(chain, Chain):
        return frozenset()
    broken = (chain.end.path,) if chain.end is not None else ()
    return frozenset((*(link.path for link in chain.links), *broken))


def _named(container: Container) -> Iterator[tuple[str, str, Place]]:
    """Yield who names a file, its path and the place: words of the command, and values of variables."""
    traced, workdir = effective(container), container.workdir.known()
    argv = traced.known()
    words = unwrapped(argv.known() or ()) if argv is not None and not argv.shell else ()
    place = container.cmd.place if container.cmd.known() is not None else traced.place
    for word in words[1:]:
        value = word.partition("=")[2] if word.startswith("-") else word
        if value.startswith("/"):
            yield "the command", normpath(value), place
        elif workdir is not None and "/" in value and ":" not in value:
            yield "the command", normpath(join(workdir, value)), place
    for name, variable in container.env.items():
        value = variable.known() or ""
        if value.startswith("/") and ":" not in value and not variable.inherited:
            yield name, normpath(value), variable.place
