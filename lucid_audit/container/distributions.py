"""What the distributions that a program imports say that they need: others, a version of Python, a platform; and what the image has.

Facts: "Core metadata specifications" (Requires-Dist, Requires-Python), "Dependency specifiers" (markers), "Recording installed
projects" (RECORD), "Binary distribution format" and "Platform compatibility tags" (WHEEL). Versions, specifiers and markers are read
by ``packaging``, the library of those specifications.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from posixpath import join
from zlib import crc32

from lucid_audit.container.closure import Closure
from lucid_audit.container.config import Container
from lucid_audit.container.files import Files
from lucid_audit.container.python_path import Search
from lucid_audit.container.python_release import release_of
from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

_APART = regex(r"[-_.]+")
_HEADER = regex(rb"(Requires-Dist|Requires-Python|Tag):[ \t]*([^\r\n]{1,1000})")
_LINES = 5000  # of one file that are read
_MACHINES = {
    "amd64": "x86_64",
    "arm64": "aarch64",
    "386": "i686",
    "ppc64le": "ppc64le",
    "s390x": "s390x",
    "riscv64": "riscv64",
}
_DEBIAN = "/usr/lib/python3/dist-packages"  # what is there fits by the word of Debian's packages
_PATCHES = (".0", ".99")  # where the third number of the version is not known: what both say holds


class Installed(NamedTuple):
    """A distribution: its normal name, its version, the folder of its modules and that of its records."""

    name: str
    version: str
    site: str
    records: str


class Unfit(NamedTuple):
    """A distribution that is reached, and what it needs that is not so, in words."""

    who: Installed
    words: str


def unfit(container: Container, files: Files, search: Search, real: str, found: Closure) -> tuple[Unfit, ...]:
    """Return what the distributions that the interpreter at ``real`` reaches need and the image does not give. Never raises."""
    installed = dict(_installed(files, search.folders))
    machine = _machine(container)
    if not installed or "." not in search.version or not machine:
        return ()
    have = " ".join(sorted(f"{name}=={one.version}" for name, one in installed.items()))
    version = ".".join(map(str, release_of(container, real, search.version)))
    of = f"{version} {machine} {crc32(have.encode())}"
    libc = _libc(files)
    result: list[Unfit] = []
    for one in _reached(files, installed, found):
        if one.site == _DEBIAN:
            continue
        metadata, wheel = files.walk(join(one.records, "METADATA")), files.walk(join(one.records, "WHEEL"))
        needs = files.learned(metadata, "needs", lambda data: _needs(files, installed, data, version, machine), of)
        result += [Unfit(one, words) for words in needs or ()]
        tags = files.learned(wheel, "tags", lambda data: [text for _, text in _headers(data)])
        words = _misfit(tags, search.version, machine, libc) if tags else ""
        if words:
            result.append(Unfit(one, words))
    return tuple(result)


def _installed(files: Files, folders: Sequence[str]) -> Iterator[tuple[str, Installed]]:
    """Yield distributions by their names, those that come first on the path last."""
    for folder in reversed(folders):
        node = files.walk(folder).node
        for name in node.children if node is not None and node.kind == "d" else ():
            stem, dot, kind = name.rpartition(".")
            if dot and kind in ("dist-info", "egg-info") and "-" in stem:
                called, version, *_ = stem.split("-")
                yield normal(called), Installed(normal(called), version, folder, f"{folder}/{name}")


def normal(name: str) -> str:
    """Return a distribution's name as all spellings of it are compared (PEP 503)."""
    return _APART.sub("-", name).lower()


def tops(record: bytes) -> list[str]:
    """Return the first parts of all paths in a RECORD, or in what was kept of one."""
    firsts = {line.partition(b",")[0].partition(b"/")[0] for line in record.splitlines()}
    return sorted(one.decode("utf-8", "replace") for one in firsts if one and not one.endswith((b".dist-info", b"..")))


def _reached(files: Files, installed: Mapping[str, Installed], found: Closure) -> Iterator[Installed]:
    """Yield the distributions that have a module which is reached; a folder that several have says nothing."""
    owners: dict[tuple[str, str], list[Installed]] = {}
    for one in installed.values():
        record = files.walk(join(one.records, "RECORD"))
        for top in files.learned(record, "tops", tops) or ():
            owners.setdefault((one.site, top), []).append(one)
    sites = sorted({one.site for one in installed.values()}, key=len, reverse=True)
    told: set[str] = set()
    for module in found.modules:
        site = next((site for site in sites if module.path.startswith(f"{site}/")), "")
        who = owners.get((site, module.path[len(site) + 1 :].partition("/")[0]), []) if site else []
        if len(who) == 1 and who[0].name not in told:
            told.add(who[0].name)
            yield who[0]


def _headers(data: bytes) -> list[tuple[str, str]]:
    """Return the headers that count, up to the description."""
    found = []
    for line in data.partition(b"\n\n")[0].split(b"\n", _LINES)[:_LINES]:
        match = _HEADER.match(line)
        if match is not None:
            found.append((match[1].decode(), match[2].decode("utf-8", "replace").strip()))
    return found


def _needs(files: Files, installed: Mapping[str, Installed], data: bytes, version: str, machine: str) -> list[str]:
    """Return in words what is wanted and not there; what cannot be read is not wanted."""
    words = []
    wanted = [(data, frozenset[str]())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        source, extras = wanted.pop()
        for key, text in _headers(source):
            if key == "Requires-Python" and not extras and _lacks_python(text, version):
                words.append(f"requires Python {text}, and this is Python {version}")
            if key != "Requires-Dist":
                continue
            name, more, lack = _requirement(installed, text, extras, version, machine)
            if lack:
                words.append(lack)
            if more and (name, more) not in seen and len(seen) < _LINES:
                seen.add((name, more))
                of_it = files.walk(join(installed[name].records, "METADATA")).load(1 << 20)
                wanted += [(of_it, more)] if of_it is not None else []
    return list(dict.fromkeys(words))


def _requirement(
    installed: Mapping[str, Installed], text: str, extras: frozenset[str], version: str, machine: str
) -> tuple[str, frozenset[str], str]:
    """Read one requirement: the name, the extras of it that are wanted where it is there, and what is wrong in words."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415  (only where packages are reached)
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415  (as above)

    try:
        wanted = Requirement(text)
        if not _applies(wanted, extras, version, machine):
            return "", frozenset(), ""
        name = normal(wanted.name)
        there = installed.get(name)
        plain = f"{wanted.name}{wanted.specifier}"
        if there is None:
            return name, frozenset(), f"requires {plain}, which is not installed"
        if not wanted.specifier.contains(Version(there.version.replace("_", "+")), prereleases=True):
            return name, frozenset(wanted.extras), f"requires {plain}, and {there.version} is installed"
        return name, frozenset(wanted.extras), ""
    except (InvalidRequirement, InvalidVersion, ValueError, KeyError, RecursionError):
        return "", frozenset(), ""


def _applies(wanted: object, extras: frozenset[str], version: str, machine: str) -> bool:
    """Whether a requirement's marker surely holds here; of those with extras, only those that an extra asks for."""
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName  # noqa: PLC0415  (as above)

    marker = getattr(wanted, "marker", None)
    if marker is None:
        return not extras
    text = str(marker)
    if "platform_release" in text or "platform_version" in text or ("extra" in text) != bool(extras):
        return False
    base = {
        "python_version": ".".join(version.split(".")[:2]), "sys_platform": "linux", "os_name": "posix", "platform_system": "Linux", "platform_machine": machine,
        "implementation_name": "cpython", "platform_python_implementation": "CPython",
    }  # fmt: skip
    try:
        return all(
            any(
                marker.evaluate({**base, "extra": extra, "python_full_version": full, "implementation_version": full})
                for extra in extras or ("",)
            )
            for full in _releases(version)
        )
    except (UndefinedComparison, UndefinedEnvironmentName):
        return False


def _releases(version: str) -> tuple[str, ...]:
    """Return the releases that a version may stand for: itself, or the first and the last that it may have."""
    return (version,) if version.count(".") > 1 else tuple(version + patch for patch in _PATCHES)


def _lacks_python(text: str, version: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415  (as above)

    try:
        wanted = SpecifierSet(text)
    except InvalidSpecifier:
        return False
    return not any(wanted.contains(full, prereleases=True) for full in _releases(version))


def _machine(container: Container) -> str:
    platform = str(container.platform.known() or "") if container.platform is not None else ""
    architecture = platform.split("/")[1] if platform.count("/") else ""
    return _MACHINES.get(architecture, "")


def _libc(files: Files) -> str:
    """Return the loader's C library: ``musl``, ``manylinux`` for glibc, "" when it is not known."""
    for folder in ("/lib", "/lib64"):
        node = files.walk(folder).node
        for name in node.children if node is not None else ():
            if name.startswith("ld-musl-"):
                return "musl"
            if name.startswith("ld-linux"):
                return "manylinux"
    return ""


def _misfit(tags: Sequence[str], version: str, machine: str, libc: str) -> str:
    """Say for what a wheel was made when that is none of what runs it."""
    every = [parts for tag in tags if len(parts := tag.split("-")) == 3]
    if not every or any(_python_fits(parts, version) and _platform_fits(parts[2], machine, libc) for parts in every):
        return ""
    more = f" and {len(tags) - 1} more" if len(tags) > 1 else ""
    return f"is of a wheel for {tags[0]}{more}, and this is Python {version} on {machine}{' with musl' if libc == 'musl' else ''}"


def _python_fits(parts: Sequence[str], version: str) -> bool:
    major, minor = (int(part) for part in version.split("."))
    for python in parts[0].split("."):
        digits = python[2:]
        if not digits.isdigit():
            return True  # another implementation's: not ours to judge
        made = (int(digits[0]), int(digits[1:] or -1))
        for abi in parts[1].split("."):
            exact = abi.startswith("cp")
            if made[0] == major and (made[1] == minor or (made[1] <= minor and not exact)):
                return True
    return False


def _platform_fits(platforms: str, machine: str, libc: str) -> bool:
    for platform in platforms.split("."):
        if platform == "any":
            return True
        if platform.endswith(f"_{machine}") and (not libc or platform.startswith(("linux_", libc))):
            return True
    return False
