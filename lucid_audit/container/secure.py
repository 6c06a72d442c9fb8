"""Programs that run with other rights than their caller's: what the linker is told in the environment does not count for them.

Facts: ld.so(8), "Secure-execution mode"; getauxval(3), AT_SECURE; Linux ``security/commoncap.c`` (``cap_bprm_creds_from_file``); glibc
``elf/dl-load.c`` (``is_trusted_path_normalize``: $ORIGIN counts below the system's folders only); the capabilities that
engines leave to a container (Docker's and Podman's documentation of ``--cap-add``).
"""

from __future__ import annotations

from lucid_audit.container.access import EXECUTE, who
from lucid_audit.container.config import Container
from lucid_audit.container.tree import Walk

_SET_UID, _SET_GID = 0o4000, 0o2000
# chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot, mknod, audit_write,
# setfcap, by their numbers in Linux include/uapi/linux/capability.h
_LEFT = sum(1 << bit for bit in (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31))


def secure(container: Container, walk: Walk) -> str:
    """Say why the kernel starts a program in secure-execution mode, "" when it does not, or when that is not known.

    With ``no-new-privileges`` nothing gains rights; an image cannot ask for that.
    """
    user, node = who(container), walk.node
    if node is None or node.mode is None or user.uid is None:
        return ""
    if node.mode & _SET_UID and node.uid is not None and node.uid != user.uid:
        return f"{walk.path} is set-user-ID"
    if node.mode & _SET_GID and node.mode & 0o010 and None not in (node.gid, user.gid) and node.gid != user.gid:
        return f"{walk.path} is set-group-ID"
    if user.uid and user.may(node, EXECUTE) and _granted(container.files.capability(walk)):
        return f"{walk.path} has capabilities of its own"
    return ""


def _granted(raw: str) -> bool:
    """Whether ``security.capability`` in hex permits something that engines leave to a container, and it alone."""
    data = bytes.fromhex(raw)
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(4, min(len(data), 20), 8)]
    permitted = sum(word << 32 * number for number, word in enumerate(words))
    return bool(permitted) and not permitted & ~_LEFT
