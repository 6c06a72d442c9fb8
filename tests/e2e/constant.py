"""The seven layers that distroless makes of constants, byte for byte: their diff_ids are those of published images.

The archives are the GNU format as libarchive writes it: two blocks of zeros at the end, no padding to a record.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.e2e.debs import content
from tests.e2e.tars import Layer, Member, directory, file, layer, pack_at

DIFF_IDS = {
    "rootfs": "sha256:4d049f83d9cf21d1f5cc0e11deaf36df02790d0e60c1a3829538fb4b61685368",
    "passwd": "sha256:af5aa97ebe6ce1604747ec1e21af7136ded391bcabe4acef882e718a87c86bcc",
    "home": "sha256:6f1cdceb6a3146f0ccb986521156bef8a422cdbb0863396f7f751f575ba308f4",
    "group": "sha256:bd3cdfae1d3fdd83a2231d608969b38b82349777c2fff9a7c12d54f8ac5c9b38",
    "tmp": "sha256:4cde6b0bb6f50a5f255eef7b2a42162c661cf776b803225dcac9a659e396bb6b",
    "nsswitch": "sha256:ad51d0769d16ba578106a177987dfe3d2e02c1668c852b795b2f6b024068242a",
    "os_release_debian12": "sha256:6e7fbcf090d09b73a4aa85f9dce690d0ace73877c150b7c56955487b6e7a822a",
    "os_release_debian13": "sha256:187cfc6d1e3e8a40a5e64653bcd3239c140807dcf1c09e48021178705a5a6139",
}
CODENAMES = {"12": "bookworm", "13": "trixie"}
HOME = "https://github.com/GoogleContainerTools/distroless"


class User(NamedTuple):
    name: str
    number: int
    home: str


USERS = (User("root", 0, "/root"), User("nobody", 65534, "/nonexistent"), User("nonroot", 65532, "/home/nonroot"))
GROUPS = {"root": 0, "nobody": 65534, "tty": 5, "staff": 50, "nonroot": 65532}


def passwd() -> str:
    return "".join(f"{u.name}:x:{u.number}:{u.number}:{u.name}:{u.home}:/sbin/nologin\n" for u in USERS)


def group() -> str:
    return "".join(f"{name}:x:{number}:\n" for name, number in GROUPS.items())


def nsswitch(architecture: str = "amd64") -> bytes:
    """The file as older Debian releases had it: made of the one in the package, which no longer says compat."""
    text = content("libc-bin", architecture, "usr/share/libc-bin/nsswitch.conf").decode()
    return "".join(
        line.replace("files", "compat") if line.startswith(("passwd:", "group:", "shadow:")) else line
        for line in text.splitlines(keepends=True)
    ).encode()


def os_release(number: str) -> str:
    name = "Debian GNU/Linux"
    facts = {
        "PRETTY_NAME": "Distroless",
        "NAME": name,
        "ID": "debian",
        "VERSION_ID": number,
        "VERSION": f"{name} {number} ({CODENAMES[number]})",
        "HOME_URL": HOME,
        "SUPPORT_URL": f"{HOME}/blob/master/README.md",
        "BUG_REPORT_URL": f"{HOME}/issues/new",
    }
    return "".join(f'{key}="{value}"\n' for key, value in facts.items())


def archive(name: str) -> bytes:
    """Return the uncompressed archive of one of the layers in ``DIFF_IDS``."""
    if name == "nsswitch":
        return pack_at([file("etc/nsswitch.conf", nsswitch())], time=1514722362, user="root")
    if name == "tmp":
        return pack_at([directory("./tmp", 0o1777)], user="root")
    if name.startswith("os_release"):
        text = os_release(name.removeprefix("os_release_debian"))
        return pack_at([directory("./usr"), directory("./usr/lib"), file("./usr/lib/os-release", text, 0o555)])
    members: dict[str, list[Member]] = {
        "rootfs": [directory(".")],
        "passwd": [directory("./etc"), file("./etc/passwd", passwd())],
        "home": [directory("./root", 0o700), directory("./home"), directory("./home/nonroot", 0o700, 65532)],
        "group": [directory("./etc"), file("./etc/group", group())],
    }
    return pack_at(members[name])


def names(number: str) -> list[str]:
    """The layers of a Debian release in their order, the lowest first."""
    return [name for name in DIFF_IDS if not name.startswith("os_release")] + [f"os_release_debian{number}"]


def layers(number: str) -> list[Layer]:
    place = {"nsswitch": "static"}
    return [layer(archive(name), f"bazel build //{place.get(name, 'common')}:{name}") for name in names(number)]
