"""Which files of an image are kept while its layers are read: what the checks declare that they read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

# What every audit looks at, whichever rules are asked: users, the operating system, package records.
ALWAYS = (
    "/etc/passwd",
    "/etc/group",
    "/etc/os-release",
    "/usr/lib/os-release",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d/*.conf",
    "/etc/ld-musl-*.path",
    "/var/lib/dpkg/status",
    "/var/lib/dpkg/status.d/*",
    "/etc/apko.json",
    "/usr/lib/jvm/*/release",
    "/opt/java/*/release",
    "/usr/local/include/node/node_version.h",
    "/usr/include/node/node_version.h",
    "/nodejs/include/node/node_version.h",
    "/opt/*/release",
    "/usr/local/*/release",
)


class Wanted(NamedTuple):
    """Absolute paths, and patterns in which ``*`` stands for anything but a slash and ``**`` for anything.

    ``/**/name`` is a name in any folder, the root's too.
    """

    exact: frozenset[str]
    endings: tuple[str, ...]  # of the patterns that say nothing but how a path ends
    patterns: re.Pattern[str] | None
    key: str  # the same for the same set of paths

    def __contains__(self, path: object) -> bool:
        """Whether a path's content is to be kept."""
        if path in self.exact:
            return True
        if not isinstance(path, str):
            return False
        return path.endswith(self.endings) or (self.patterns is not None and self.patterns.fullmatch(path) is not None)


def wanted(paths: Iterable[str]) -> Wanted:
    """Return the union of paths and patterns."""
    every = sorted(set(paths))
    endings = [ending for path in every if (ending := _ending(path))]
    joined = "|".join(_regex(path) for path in every if "*" in path and not _ending(path))
    return Wanted(
        frozenset(path for path in every if "*" not in path),
        tuple(endings),
        re.compile(joined, re.DOTALL) if joined else None,
        "\n".join(every),
    )


def _ending(pattern: str) -> str:
    """Return how a path must end for ``/**/name`` and ``/**/*.name``, in any folder; "" for other patterns."""
    if not pattern.startswith("/**/") or "*" in pattern[5:]:
        return ""
    return pattern[5:] if pattern[4] == "*" else pattern[3:]


def _regex(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
