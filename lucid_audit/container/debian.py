"""Which package of Debian has a library, for the release that a container is of."""

from __future__ import annotations

from functools import cache

from lucid_audit.catalogue import folder
from lucid_audit.container.files import Files
from lucid_audit.container.os_release import PATHS, read_os_release


def package_of(files: Files, library: str) -> str:
    """Return the package that has a library, "" when the release is not known or none or several have it."""
    for path in PATHS:
        content = files.read(path)
        if isinstance(content, bytes):
            told = read_os_release(content)
            return _package(told.get("VERSION_ID", ""), library) if told.get("ID") == "debian" else ""
    return ""


def _package(release: str, library: str) -> str:
    """Look a library up by its name, then by that name with fewer numbers, as the files of one library are called."""
    packages = _packages(release)
    while library not in packages:
        library, dot, number = library.rpartition(".")
        if not dot or not number.isdigit():
            return ""
    return packages[library]


@cache
def _packages(release: str) -> dict[str, str]:
    """Return the packages of a release's libraries; ``tools/libraries.py`` makes the tables of Debian's own indices."""
    table = folder() / "libraries" / f"debian{release}.txt"
    if not release.isdigit() or not table.is_file():
        return {}
    lines = (line.partition(": ") for line in table.read_text("utf-8").splitlines())
    return {library: package for package, _, libraries in lines for library in libraries.split()}
