"""Programs and libraries that the start does not reach, and that could not be started or loaded by anybody."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from lucid_audit.checks import Answers, check
from lucid_audit.checks.images.started import started
from lucid_audit.checks.start import chain_of
from lucid_audit.container.config import LayerPath
from lucid_audit.container.debian import package_of
from lucid_audit.container.extensions import extensions
from lucid_audit.container.launch import Chain
from lucid_audit.container.linker import newest
from lucid_audit.finding import Hit, Skip
from lucid_audit.image.binaries import LIBC, Binaries, Old, binaries
from lucid_audit.image.image import Image
from lucid_audit.image.variants import group

_SHOWN = 4  # libraries of one finding
Key = TypeVar("Key", str, tuple[str, Old])


@check("binaries-fit")
def binaries_fit(image: Image) -> Answers:
    """Judge ELF files that are made for another machine: one finding for each package or folder."""
    machine = str(image.platform.normalised)
    for (folder, other), paths in _grouped(image, binaries(image).strange, lambda path, other: (group(path), other)):
        many = f"{len(paths)} files are" if len(paths) > 1 else "a file is"
        yield Hit(
            _place(image, paths), folder=folder, many=many, machine=other, files=_several(paths), platform=machine
        )


@check("binaries-have-loader")
def binaries_have_loader(image: Image) -> Answers:
    """Judge programs whose loader is not there: one finding for each loader."""
    for loader, paths in _grouped(image, binaries(image).loaders, lambda _, loader: loader):
        yield Hit(_place(image, paths), loader=loader, files=_several(paths))


@check("binaries-have-libraries")
def binaries_have_libraries(image: Image) -> Answers:
    """Judge libraries that nothing in the image answers to: one finding for each package or folder whose files need them."""
    found = binaries(image)
    for _, paths in _grouped(image, found.libraries, _with_libc):
        names = Counter(name for path in paths for name in found.libraries[path])
        yield Hit(
            _place(image, paths), files=_several(paths), verb="needs" if len(paths) == 1 else "need",
            libraries=_libraries(image, names), be="is" if len(names) == 1 else "are",
        )  # fmt: skip
    if found.unread:
        yield Skip(_place(image, found.unread), f"what {_several(found.unread)} want of the linker is not known")


@check("binaries-have-versions")
def binaries_have_versions(image: Image) -> Answers:
    """Judge versions of symbols that no library by that name defines: one finding for each package or folder and library."""
    wants = _wants(binaries(image))
    for (_, library), pairs in _grouped(image, wants, lambda pair, old: (group(pair[0]), old.path)):
        paths = sorted({path for path, _ in pairs})
        version = newest(wants[pair].version for pair in pairs)
        verb = "needs" if len(paths) == 1 else "need"
        name = wants[pairs[0]].library
        yield Hit(
            _place(image, paths),
            files=_several(paths),
            verb=verb,
            version=version,
            name=name,
            library=library,
        )


def _with_libc(path: str, names: tuple[str, ...]) -> str:
    """Return the group of a file; without a C library all are one."""
    return "" if LIBC in names else group(path)


def _wants(found: Binaries) -> dict[tuple[str, Old], Old]:
    return {(path, old): old for path, olds in found.old.items() for old in olds}


def _grouped(image: Image, found: Mapping[Key, Any], key: Callable[[Key, Any], Any]) -> list[tuple[Any, list[Key]]]:
    """Return what was found by its group, without what a start reaches: other rules judge that, as errors."""
    groups: dict[Any, list[Key]] = defaultdict(list)
    reached = _reached(image) if found else ()
    for one, value in found.items():
        path = one[0] if isinstance(one, tuple) else one
        if path not in reached:
            groups[key(one, value)].append(one)
    return sorted((key, sorted(ones)) for key, ones in groups.items())


def _reached(image: Image) -> Collection[str]:
    """Return the files of which rules over the start say what they lack."""
    paths = set(started(image)[0])
    for of in ("command", "health"):
        chain, _ = chain_of(image.container, of)
        if isinstance(chain, Chain):
            paths |= {link.path for link in chain.links}
            loaded = extensions(image.container, chain.interpreter) if chain.interpreter and not chain.end else None
            if loaded is not None:
                paths |= {module.path for module in loaded.modules} | {library.path for library in loaded.libraries}
    return {image.rootfs.resolve(path).path for path in paths}


def _libraries(image: Image, names: Counter[str]) -> str:
    told = []
    for name, _ in sorted(names.items(), key=lambda one: (-one[1], one[0]))[:_SHOWN]:
        package = package_of(image.container.files, name)
        told.append(f"{name} (in Debian, {package} has it)" if package else name)
    if len(names) > _SHOWN:
        told.append(f"{len(names) - _SHOWN} more")
    return " and ".join((", ".join(told[:-1]), told[-1])) if len(told) > 1 else told[0]


def _several(paths: Iterable[str]) -> str:
    """Name the first of some files, and how many they are."""
    first, *others = sorted(paths)
    if not others:
        return first
    if len(others) == 1:
        return f"{first} and {others[0]}"
    return f"{first}, {others[0]}" + (f" and {len(others) - 1} more files" if len(others) > 2 else f" and {others[1]}")


def _place(image: Image, paths: Iterable[str]) -> LayerPath:
    first = min(paths)
    return image.place(first, image.rootfs.nodes[first].layer)
