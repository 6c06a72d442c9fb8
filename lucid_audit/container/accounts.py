"""Users as the runtime reads them: numbers in any spelling, names by the image's own /etc/passwd and /etc/group.

Source: moby and runc, ``user.GetExecUser`` (package ``libcontainer/user``): what ``strconv.Atoi`` takes is a number, so
``+0`` and ``00`` are uid 0, and anything else is looked up by name. Without a group the passwd line's is taken, or 0, and
with it the groups whose line in /etc/group lists the user's name; a group that is spelt out comes alone.
"""

from __future__ import annotations

from lucid_audit.container.config import Container, Field
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown


class Account(NamedTuple):
    """Who runs. ``listed``: the uid has a line in the image's /etc/passwd; None when there is no such file.

    ``groups`` are the supplementary ones, None when the image's /etc/group is not read.
    """

    uid: int
    gid: int
    listed: bool | None
    groups: tuple[int, ...] | None = ()


def number(text: str) -> int | None:
    """Return the id that a word means, None for a name."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    return int(text) if digits.isdigit() and digits.isascii() else None


def measured(container: Container) -> bool:
    """Whether a container was read from an image, and not predicted from a Dockerfile."""
    return isinstance(container.stage_place, Field)


def lines(container: Container, path: str) -> tuple[tuple[str, ...], ...] | Unknown | None:
    """Return the fields of each line of passwd or group; None when there is no file, Unknown when it is not read."""
    content = container.files.read(path)
    if not isinstance(content, bytes):
        return content
    return tuple(tuple(line.split(":")) for line in content.decode("utf-8", "replace").splitlines() if line.strip())


def account(container: Container) -> Account | Unknown | None:
    """Return who runs, as the image's files say; None for a name that they lack."""
    user = container.user.value
    if isinstance(user, Unknown):
        return user
    name, _, group = user.partition(":")
    passwd = lines(container, "/etc/passwd")
    uid = number(name) if name else 0
    if isinstance(passwd, Unknown) and (uid is None or not group):
        return passwd
    known = not isinstance(passwd, Unknown) and passwd is not None
    listed = () if isinstance(passwd, Unknown) or passwd is None else passwd
    line = next((one for one in listed if _is(one, name, uid)), None)
    if uid is None:
        uid = number(line[2]) if line is not None else None
    if uid is None:
        return None
    gid = _group(container, group) if group else (number(line[3]) if line is not None and len(line) > 3 else 0)
    if isinstance(gid, Unknown):
        return gid
    if gid is None:
        return None
    groups = _member(container, line[0]) if line is not None and not group else ()
    return Account(uid, gid, line is not None if known else None, groups)


def _is(line: tuple[str, ...], name: str, uid: int | None) -> bool:
    return len(line) > 2 and (number(line[2]) == uid if uid is not None else line[0] == name)


def _member(container: Container, name: str) -> tuple[int, ...] | None:
    """Return the groups that list a user's name."""
    found = lines(container, "/etc/group")
    if isinstance(found, Unknown):
        return None
    having = (line for line in found or () if len(line) > 3 and name in line[3].split(","))
    return tuple(gid for line in having if (gid := number(line[2])) is not None)


def _group(container: Container, group: str) -> int | Unknown | None:
    gid = number(group)
    if gid is not None:
        return gid
    found = lines(container, "/etc/group")
    if isinstance(found, Unknown):
        return found
    return next((number(line[2]) for line in found or () if len(line) > 2 and line[0] == group), None)
