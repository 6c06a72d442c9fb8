"""Files that give more rights than the container's user has, or let anybody change them."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.checks.images.programs import exempt
from lucid_audit.finding import Hit
from lucid_audit.image.image import Image

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
    """Judge programs that run as their owner or group, above a confirmed base. On folders the bit only hands a group down."""
    for path, node in image.rootfs.nodes.items():
        entry = node.entry
        if entry.kind == "f" and entry.mode & 0o6000 and entry.mode & 0o111 and not exempt(image, node.layer):
            which = [f"uid {entry.uid}"] if entry.mode & 0o4000 else []
            which += [f"gid {entry.gid}"] if entry.mode & 0o2000 else []
            yield Hit(image.place(path, node.layer), path=path, rights=" and ".join(which), mode=f"{entry.mode:04o}")


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
    """Judge what everybody may write; folders with the sticky bit are made for that. One finding for each highest path."""
    reported: list[str] = []
    for path in sorted(path for path, node in image.rootfs.nodes.items() if _open_to_all(image, path)):
        node = image.rootfs.nodes[path]
        if any(path.startswith(f"{above}/") for above in reported[-1:]):
            continue
        reported.append(path)
        what = "folder" if node.entry.kind == "d" else "file"
        yield Hit(image.place(path, node.layer), path=path, what=what, mode=f"{node.entry.mode:04o}")


def _open_to_all(image: Image, path: str) -> bool:
    node = image.rootfs.nodes[path]
    entry = node.entry
    sticky = entry.kind == "d" and entry.mode & _STICKY
    return entry.kind in "fd" and bool(entry.mode & 0o002) and not sticky and not exempt(image, node.layer)


@check("devices-absent")
def devices_absent(image: Image) -> Answers:
    """Judge device nodes: the runtime makes those that a container may have. One finding for each layer that brings some."""
    found: dict[int, list[str]] = {}
    for path, node in image.rootfs.nodes.items():
        if node.entry.kind in "cb" and not exempt(image, node.layer):
            found.setdefault(node.layer, []).append(path)
    for layer, paths in sorted(found.items()):
        first, *others = sorted(paths)
        what = f"{first} and {len(others)} more are device nodes" if others else f"{first} is a device node"
        yield Hit(image.place(first, layer), what=what)
