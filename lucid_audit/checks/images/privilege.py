"""Files that give more rights than the container's user has, or let anybody change them."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.checks.images.programs import exempt, since
from lucid_audit.finding import Hit
from lucid_audit.image.image import Image
from lucid_audit.image.rootfs import Node

_STICKY = 0o1000
# Linux include/uapi/linux/capability.h: the number of each is its bit.
_CAPABILITIES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
    "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module",
    "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time",
    "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog",
    "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore",
)  # fmt: skip


def capabilities(raw: str) -> tuple[str, ...]:
    """Return the permitted capabilities of ``security.capability`` in hex: revision 1 has one word of bits, 2 and 3 two."""
    data = bytes.fromhex(raw)
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(4, min(len(data), 20), 8)]
    bits = sum(word << 32 * number for number, word in enumerate(words))
    return tuple(name for number, name in enumerate(_CAPABILITIES) if bits >> number & 1)


@check("set-id-absent")
def set_id_absent(image: Image) -> Answers:
    """Judge programs that run as their owner or group, above a confirmed base. On folders the bit only hands a group down.

    One finding for each layer and identity: a package brings several at once.
    """
    found: dict[tuple[int, str], list[str]] = {}
    for path, node in image.rootfs.nodes.items():
        entry = node.entry
        if entry.mode & 0o6000 and entry.kind == "f" and entry.mode & 0o111 and not exempt(image, node.layer):
            which = [f"uid {entry.uid}"] if entry.mode & 0o4000 else []
            which += [f"gid {entry.gid}"] if entry.mode & 0o2000 else []
            found.setdefault((node.layer, " and ".join(which)), []).append(path)
    for (layer, rights), paths in sorted(found.items()):
        paths.sort()
        verb, them = ("runs", "it") if len(paths) == 1 else ("run", "them")
        yield Hit(image.place(paths[0], layer), programs=_several(paths), verb=verb, rights=rights, them=them)


def _several(paths: list[str]) -> str:
    return ", ".join(paths) if len(paths) <= 3 else f"{', '.join(paths[:2])} and {len(paths) - 2} more programs"


@check("capabilities-absent")
def capabilities_absent(image: Image) -> Answers:
    """Judge programs that carry capabilities of their own."""
    for path, node in image.rootfs.nodes.items():
        raw = node.entry.capability
        if raw and not exempt(image, node.layer):
            names = capabilities(raw)
            yield Hit(image.place(path, node.layer), path=path, names=", ".join(names) or "none that is known")


@check("world-writable")
def world_writable(image: Image) -> Answers:
    """Judge what everybody may write; folders with the sticky bit are made for that.

    One finding for each highest folder, and one for the files of a folder that is none.
    """
    files: dict[tuple[str, int, int], list[str]] = {}
    nodes, above = image.rootfs.nodes, "//"
    paths = sorted((path for path, node in nodes.items() if _open_to_all(image, node)), key=_slashed)
    origins = since(image, frozenset(paths), lambda entry: entry.mode & 0o002)
    for path in paths:  # a folder comes right before all that lies in it
        node = nodes[path]
        layer = origins.get(path, node.layer)
        if path.startswith(above) or exempt(image, layer):
            continue
        mode = node.entry.mode
        if node.entry.kind == "d":
            above = f"{path}/"
            yield Hit(image.place(path, layer), what=f"the folder {path}", mode=f"{mode:04o}")
        else:
            files.setdefault((path.rpartition("/")[0], layer, mode), []).append(path)
    for (folder, layer, mode), found in files.items():
        what = (
            f"the file {found[0]}" if len(found) == 1 else f"{len(found)} files in {folder or '/'}, such as {found[0]}"
        )
        yield Hit(image.place(found[0], layer), what=what, mode=f"{mode:04o}")


def _slashed(path: str) -> str:
    return f"{path}/"


def _open_to_all(image: Image, node: Node) -> bool:
    mode, kind = node.entry.mode, node.entry.kind
    return (
        bool(mode & 0o002) and (kind == "f" or (kind == "d" and not mode & _STICKY)) and not exempt(image, node.layer)
    )


@check("devices-absent")
def devices_absent(image: Image) -> Answers:
    """Judge device nodes and pipes: the runtime makes those that a container may have. One finding for each layer and kind."""
    found: dict[tuple[int, str], list[str]] = {}
    for path, node in image.rootfs.nodes.items():
        if node.entry.kind in "cbp" and not exempt(image, node.layer):
            what = "named pipe" if node.entry.kind == "p" else "device node"
            found.setdefault((node.layer, what), []).append(path)
    for (layer, what), paths in sorted(found.items()):
        first, *others = sorted(paths)
        text = f"{first} and {len(others)} more are {what}s" if others else f"{first} is a {what}"
        yield Hit(image.place(first, layer), what=text)
