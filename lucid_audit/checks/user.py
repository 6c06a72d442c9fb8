"""Which user the container runs as."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
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
    return name in ("", "root") or (name.isdigit() and int(name) == 0)


@check("final-user-not-root")
def final_user_not_root(container: Container) -> Answers:
    """Judge the effective user, whether a USER or the base image sets it."""
    user = container.user.value
    if isinstance(user, Unknown):
        yield Skip(container.user.place, user.reason)
    elif is_root(user):
        if container.user.inherited:
            name = container.base.ref.familiar if container.base is not None else "the base image"
            how = f"nothing sets USER, and {name} runs as root"
        else:
            how = f"USER {user}" if user else "USER is empty"
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
    """Judge a uid that the file sets against a list; root, names and the base's own choice are other checks' business."""
    user = container.user.value
    if isinstance(user, Unknown):
        yield Skip(container.user.place, user.reason)
    elif container.user.inherited or is_root(user) or not user.partition(":")[0].isdigit():
        return
    elif user not in params.allowed:
        yield Hit(container.user.place, user=user, allowed=" or ".join(params.allowed[:2]))


@check("final-user-numeric")
def final_user_numeric(container: Container) -> Answers:
    """Judge whether the uid is a number: Kubernetes' ``runAsNonRoot`` cannot verify a name."""
    user = container.user.value
    if isinstance(user, Unknown) or container.user.inherited or is_root(user):
        return
    if not user.partition(":")[0].isdigit():
        yield Hit(container.user.place, user=user)


@check("final-user-exists")
def final_user_exists(container: Container) -> Answers:
    """Judge whether a user's name is in the image's passwd file; the runtime refuses to start the container if not."""
    user, base = container.user.value, container.base
    if isinstance(user, Unknown) or container.user.inherited:
        return
    name = user.partition(":")[0]
    if not name or name.isdigit() or name == "root":
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
        yield Hit(container.user.place, user=name, image=base.ref.familiar)
