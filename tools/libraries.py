"""Writes ``rules/libraries``: which package of a Debian release has a library, from its index of contents.

``python -m tools.libraries 12 Contents-amd64.gz``; an archive of Debian has the index as ``dists/RELEASE/main/Contents-amd64.gz``.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections import defaultdict
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "rules" / "libraries"
# Libraries by the name that programs ask for (Debian policy 8.1), where the linker of that release looks.
_LINE = re.compile(r"(?:usr/)?lib/(?:x86_64-linux-gnu/)?(lib[^/\s]+\.so\.\d+(?:\.\d+)?|ld-[^/\s]+\.so\.\d)\s+(\S+)")


def main(release: str, index: str) -> None:
    """Write the table of one release."""
    packages: dict[str, set[str]] = defaultdict(set)
    with gzip.open(index, "rt", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = _LINE.fullmatch(line.strip())
            if match is not None:
                places = (place.rpartition("/") for place in match[2].split(","))
                packages[match[1]] |= {
                    name for section, _, name in places if not name.endswith(("-dev", "-dbg", "-udeb"))
                }
    known = {library: min(names) for library, names in packages.items() if len(names) == 1}
    by_package: dict[str, list[str]] = defaultdict(list)
    for library, package in sorted(known.items()):
        if not _longer(library, known):
            by_package[package].append(library)
    text = "".join(f"{package}: {' '.join(libraries)}\n" for package, libraries in sorted(by_package.items()))
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"debian{release}.txt").write_text(text, encoding="utf-8")


def _longer(library: str, known: dict[str, str]) -> bool:
    """Whether this is the file behind a name that is asked for: ``libz.so.1.2`` beside ``libz.so.1``."""
    short, _, last = library.rpartition(".")
    return last.isdigit() and known.get(short) == known[library]


if __name__ == "__main__":
    main(*sys.argv[1:])
