"""Which user the container runs as."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.container.accounts import Account, account, lines, measured, number
from lucid_audit.container.config import Container
from lucid_audit.container.files import State
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.values import Unknown

# /etc/passwd of every distroless image; anything else needs a passwd file of the image's own.
DISTROLESS_USERS = ("root", "nobody", "nonroot")


def is_root(user: str) -> bool:
    """Whether a ``USER`` value is uid 0: empty, ``root`` or any spelling of zero, with or without a group."""
    name = user.partition(":")[0]
    return name in ("", "root") or number(name) == 0


def runs_as_root(container: Container) -> bool:
    """Whether the effective user is known to be uid 0, by the image's own /etc/passwd where that is read."""
    user = container.user.value
    if isinstance(user, Unknown):
        return False
    if not measured(container):
        return is_root(user)
    who = account(container)
    return who.uid == 0 if isinstance(who, Account) else is_root(user)


@check("final-user-not-root")
def final_user_not_root(container: Container) -> Answers:
    """Judge the effective user, whether a USER or the base image sets it."""
    user = container.user.value
    if isinstance(user, Unknown):
        yield Skip(container.user.place, user.reason)
    elif runs_as_root(container):
        if container.user.inherited:
            name = container.base.ref.familiar if container.base is not None else "the base image"
            how = f"nothing sets USER, and {name} runs as root"
        elif not user and measured(container):
            how = "nothing sets USER"
        else:
            how = f"USER {user}" if user else "USER is empty"
            if not is_root(user):
                how += " is uid 0 in /etc/passwd"
            previous = container.previous_user.known() if container.previous_user is not None else None
            if previous and not is_root(previous):
                how += f" switches back from {previous}"
        yield Hit(container.user.place, how=how)


@record
class FinalUser:
    """``allowed``: the spellings that pass."""

    allowed: tuple[str, ...]


@check("final-user-is")
def final_user_is(container: Container, params: FinalUser) -> Answers:
    """Judge a uid against a list, in any spelling; root, names and the base's own choice are other checks' business.

    A name is judged by its uid where the image's own /etc/passwd is read.
    """
    user = container.user.value
    if isinstance(user, Unknown):
        yield Skip(container.user.place, user.reason)
        return
    if container.user.inherited or runs_as_root(container) or user in params.allowed:
        return
    shown = user
    if number(user.partition(":")[0]) is None:
        who = account(container) if measured(container) else None
        if not isinstance(who, Account):
            return
        shown = f"{user} ({who.uid}:{who.gid})"
        user = f"{who.uid}:{who.gid}"
    if _spelt(user) not in params.allowed:
        yield Hit(container.user.place, user=shown, allowed=" or ".join(params.allowed[:2]))


def _spelt(user: str) -> str:
    """Return a user with its numbers in their plain spelling."""
    return ":".join(word if number(word) is None else str(number(word)) for word in user.split(":"))


@check("final-user-numeric")
def final_user_numeric(container: Container) -> Answers:
    """Judge whether the uid is a number: Kubernetes' ``runAsNonRoot`` cannot verify a name."""
    user = container.user.value
    if isinstance(user, Unknown) or container.user.inherited or runs_as_root(container):
        return
    if number(user.partition(":")[0]) is None:
        yield Hit(container.user.place, user=user)


@check("final-user-exists")
def final_user_exists(container: Container) -> Answers:
    """Judge whether a user's name is in the image's passwd file; the runtime refuses to start the container if not."""
    user, base = container.user.value, container.base
    if isinstance(user, Unknown) or container.user.inherited:
        return
    if measured(container):
        yield from _looked_up(container, user)
        return
    name = user.partition(":")[0]
    if not name or number(name) is not None or name == "root":
        return
    if base is None or not base.closed:
        if base is not None and not base.distroless and not container.files.opaque:
            yield Skip(container.user.place, f"the users of {base.ref.familiar} are not listed")
        return
    if container.files.opaque:
        return
    passwd = container.files.find("/etc/passwd")
    if passwd.placed is not None:
        yield Skip(container.user.place, "an /etc/passwd of the image's own is not read")
    elif passwd.state is State.ABSENT or name not in DISTROLESS_USERS:
        yield Hit(container.user.place, what=f"user {name}", image=base.ref.familiar)


def _looked_up(container: Container, user: str) -> Answers:
    """Look user and group up as the runtime does; a number needs no line, and no user at all is uid 0."""
    name, _, group = user.partition(":")
    for word, path in ((name, "/etc/passwd"), (group, "/etc/group")):
        if not word or number(word) is not None:
            continue
        found = lines(container, path)
        if isinstance(found, Unknown):
            yield Skip(container.user.place, found.reason)
        elif not any(line[0] == word for line in found or ()):
            yield Hit(
                container.user.place,
                what=f"user {word}" if path == "/etc/passwd" else f"group {word}",
                image="the image",
            )


@check("final-user-listed")
def final_user_listed(container: Container) -> Answers:
    """Tell a uid that the image's /etc/passwd has no line for; an image without that file says nothing."""
    user = container.user.known()
    who = account(container) if user and measured(container) else None
    if isinstance(who, Account) and who.listed is False and who.uid != 0:
        group = ", and its group is 0" if who.gid == 0 else ""
        yield Hit(container.user.place, uid=who.uid, group=group)
