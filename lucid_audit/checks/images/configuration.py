"""The configuration of an image against its files and its history."""

from __future__ import annotations

from posixpath import normpath

from lucid_audit.checks import Answers, check
from lucid_audit.checks.secret import is_value, token_in
from lucid_audit.container.accounts import account
from lucid_audit.container.config import Field, Traced
from lucid_audit.container.files import State
from lucid_audit.finding import Hit, Skip
from lucid_audit.image.history import above, instruction, last
from lucid_audit.image.image import Image
from lucid_audit.image.manifest import OCI_MANIFEST
from lucid_audit.record import record
from lucid_audit.values import Unknown

_SYSTEM = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


@check("health-kept")
def health_kept(image: Image) -> Answers:
    """Judge a HEALTHCHECK of the history that the configuration does not have: the OCI specification has no field for it."""
    if image.config.health is not None:
        return
    step = last(above(image.config, image.identity.layers), "HEALTHCHECK")
    if step is None or instruction(step)[1].strip().upper() == "NONE":
        return
    oci = image.manifest.media_type == OCI_MANIFEST
    why = "the OCI format has no field for it" if oci else "the tool that wrote the image left it out"
    yield Hit(Field("config.Healthcheck", step.created_by), why=why)


@check("triggers-left")
def triggers_left(image: Image) -> Answers:
    """Judge ONBUILD triggers in an image that runs: they do nothing in it and surprise who builds on it."""
    if image.config.on_build:
        count = len(image.config.on_build)
        yield Hit(Field("config.OnBuild"), count=f"{count} ONBUILD trigger{'s' * (count > 1)}")


@check("secret-in-environment")
def secret_in_environment(image: Image) -> Answers:
    """Judge ENV by names and values, and labels and commands by the shapes of tokens. Places quote no history line."""
    config = image.config
    for name, value in config.env.items():
        token = token_in(value)
        if token or is_value(name, value):
            yield Hit(Field(f"config.Env.{name}"), what=f"ENV {name}", kind=token or "a secret by its name")
    texts = [(f"config.Labels.{key}", f"LABEL {key}", value) for key, value in config.labels.items()]
    health = config.health.test if config.health is not None else ()
    for field, what, words in (
        ("config.Entrypoint", "ENTRYPOINT", config.entrypoint or ()),
        ("config.Cmd", "CMD", config.cmd or ()),
        ("config.Healthcheck", "the health check", health),
    ):
        texts.append((field, what, " ".join(words)))
    for field, what, text in texts:
        token = token_in(text)
        if token:
            yield Hit(Field(field), what=what, kind=token)


@check("secret-in-history")
def secret_in_history(image: Image) -> Answers:
    """Judge what the history keeps of a build: the values of ARGs that a RUN saw, and tokens in commands."""
    seen = set()
    for number, step in enumerate(image.config.history, 1):
        if instruction(step)[0] == "ENV":
            continue  # the environment is judged where it is
        found = [f"ARG {name}" for name, value in _arguments(step.created_by) if is_value(name, value)]
        token = token_in(step.created_by)
        for what in found or ([token] if token else []):
            if what not in seen:
                seen.add(what)
                yield Hit(Field(f"history[{number}]"), number=number, what=what)


def _arguments(created_by: str) -> list[tuple[str, str]]:
    """Return the ARGs before a command: ``|2 NAME=value OTHER=value /bin/sh -c …``, BuildKit's with RUN."""
    head = created_by.removeprefix("RUN ").partition(" /bin/sh -c ")[0]
    if not head.startswith("|"):
        name, equals, value = head.removeprefix("ARG ").partition("=")
        return [(name, value.strip("\"'"))] if head.startswith("ARG ") and equals else []
    words = head[1:].split(" ")
    count = int(words[0]) if words[0].isdigit() else 0
    pairs = [word.partition("=") for word in words[1 : count + 1]]
    return [(name, value) for name, equals, value in pairs if equals]


@record
class Folder:
    """``ask``: "missing" or "kind" (something that is no folder, or no absolute path)."""

    ask: str


@check("workdir-there")
def workdir_there(image: Image, params: Folder) -> Answers:
    """Judge whether the working directory is a folder of the image; engines make a missing one, owned by root."""
    path = image.config.workdir
    if not path:
        return
    place = image.container.workdir.place
    if not path.startswith("/"):
        if params.ask == "kind":
            yield Hit(place, path=path, what="is not an absolute path")
        return
    found = image.rootfs.resolve(path)
    if found.node is not None:
        if params.ask == "kind" and found.node.entry.kind != "d":
            yield Hit(place, path=path, what="is not a folder")
        return
    parent = image.rootfs.resolve(found.broken.rpartition("/")[0] or "/")
    blocked = parent.node is not None and parent.node.entry.kind != "d"
    if params.ask == "kind" and (blocked or found.loop):
        yield Hit(place, path=path, what="leads through something that is not a folder")
    elif (
        params.ask == "missing"
        and not blocked
        and not found.loop
        and image.container.files.find(path).state is State.ABSENT
    ):
        yield Hit(place, path=path, missing=found.broken)


@check("path-writable")
def path_writable(image: Image) -> Answers:
    """Judge folders of PATH before a system folder that the user can write to: a program put there is taken instead."""
    traced = image.container.env.get("PATH")
    user = image.container.user
    if traced is None or isinstance(traced.value, Unknown) or isinstance(user.value, Unknown):
        return
    folders = traced.value.split(":")
    end = max((at for at, folder in enumerate(folders) if folder in _SYSTEM), default=0)
    if not end:
        return
    who = account(image.container)
    if isinstance(who, Unknown):
        yield Skip(traced.place, who.reason)
    elif who is not None and who.uid != 0:
        yield from _writable(image, folders[:end], who.uid, who.gid, traced)


def _writable(image: Image, folders: list[str], uid: int, gid: int, traced: Traced[str]) -> Answers:
    for folder in dict.fromkeys(folders):
        node = image.rootfs.resolve(normpath(folder)).node if folder.startswith("/") else None
        if node is None or node.entry.kind != "d" or node.implied:
            continue
        entry = node.entry
        bits = 0o200 if entry.uid == uid else 0o020 if entry.gid == gid else 0o002
        if entry.mode & bits:
            yield Hit(traced.place, folder=folder, uid=uid)
