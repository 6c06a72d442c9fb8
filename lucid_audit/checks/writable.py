"""Folders that a service is likely to write to: whether the configured user may."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.container.access import WRITE, who
from lucid_audit.container.config import Container, Traced
from lucid_audit.container.tree import Walk
from lucid_audit.container.writes import unmounted, writes
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.values import Unknown


@check("workdir-writable")
def workdir_writable(container: Container) -> Answers:
    """Judge the working directory: WORKDIR and COPY make it root's, unless USER or --chown say otherwise."""
    folder = container.workdir.known()
    if folder is None or folder == "/" or container.workdir.inherited:
        return
    yield from _writable(container, container.workdir, container.files.walk(folder), folder)


@check("volumes-writable")
def volumes_writable(container: Container) -> Answers:
    """Judge declared volumes: a new one gets owner and mode of the image's folder, and is root's where there is none."""
    for volume in container.volumes:
        path = volume.value
        if isinstance(path, Unknown):
            yield Skip(volume.place, path.reason)
            continue
        for one in _paths(path):
            walk = container.files.walk(one)
            user = who(container)
            if walk.state == "absent" and user.uid not in (0, None):
                yield Hit(
                    volume.place, path=one, user=str(user.uid), owner="does not exist, so the engine makes it root's"
                )
            else:
                yield from _writable(container, volume, walk, one)


@record
class Folders:
    """Folders that programs write to: ``paths``, and those that variables called one of ``variables`` name."""

    paths: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


@check("folders-writable")
def folders_writable(container: Container, params: Folders) -> Answers:
    """Judge folders for data: whether they are there and the user may write to them. What lies in a declared volume is another rule's."""
    if who(container).uid == 0:
        return
    volumes = [volume.known() or "" for volume in container.volumes]
    for path in params.paths:
        yield from _data(container, container.workdir, path, "", volumes)
    for name in params.variables:
        traced = container.env.get(name)
        value = traced.known() if traced is not None else None
        if traced is not None and value is not None and value.startswith("/") and not traced.inherited:
            yield from _data(container, traced, value, name, volumes)


@record
class Written:
    """``variables``: those whose value is a folder that the service writes to."""

    variables: tuple[str, ...] = ()


@check("writes-in-volumes")
def writes_in_volumes(container: Container, params: Written) -> Answers:
    """List where a service is known to write outside its volumes: with a read-only root file system it then fails."""
    found = unmounted(container, writes(container, params.variables))
    if found:
        folders = ", ".join(f"{folder} ({one.why})" for folder, one in sorted(found.items()))
        yield Hit(next(iter(found.values())).place, folders=folders)


def _data(container: Container, traced: Traced[str], path: str, by: str, volumes: list[str]) -> Answers:
    if any(path == one or path.startswith(f"{one.rstrip('/')}/") for text in volumes for one in _paths(text)):
        return
    walk = container.files.walk(path)
    uid = who(container).uid
    names = {"by": f", which {by} names" if by else "", "user": f"user {uid}" if uid is not None else "the user"}
    if walk.state == "absent":
        yield Hit(traced.place, path=path, owner="is not in the image", **names)
        return
    for one in _writable(container, traced, walk, path):
        yield Hit(one.at, **{**one.values, **names}) if isinstance(one, Hit) else one


def _paths(text: str) -> list[str]:
    """Return the paths of a VOLUME, which may be a JSON array."""
    return [part.strip(" \"'") for part in text.strip("[] ").split(",") if part.strip(" \"'")]


def _writable(container: Container, traced: Traced[str], walk: Walk, path: str) -> Answers:
    user = who(container)
    if walk.state == "unknown":
        yield Skip(traced.place, walk.reason)
    elif walk.node is not None and walk.node.kind == "d":
        granted = user.may(walk.node, WRITE)
        node = walk.node
        if granted is False:
            mode = f"mode {node.mode:04o}" if node.mode is not None else "mode unknown"
            owner = f"belongs to {'root' if node.uid == 0 else node.uid} ({mode})"
            yield Hit(traced.place, path=path, user=str(user.uid), owner=owner)
        elif granted is None:
            yield Skip(traced.place, f"whether user {user.uid} may write to {path} is not known")
