"""Files of one package that are made for different platforms, as packages of Node.js and Python bring them side by side.

Facts: the names by which npm packages, wheels and Debian's multiarch folders tell platforms apart (Node.js ``process.arch`` and
``process.platform``, PEP 425 platform tags, GNU triplets).
"""

from __future__ import annotations

from lucid_audit.regex import regex

_PLATFORM = regex(
    r"[-_.+]*(?<![a-z0-9])(?:x86_64|x86-64|amd64|x64|aarch64|aarch_64|arm64|armv[5-8][a-z]*|armhf|armel|arm|ia32|i[3-6]86|x86|386|x32|powerpc64le"
    r"|ppc64le|ppcle_64|ppc64el|ppc64|s390x|riscv64|loong64|loongarch64|mips64el|mipsel|mips"
    r"|linuxmusl|linux|windows|osx|macos|darwin|win32|linux32|linux64|musl|musleabihf|gnu|gnueabihf|gnueabi|glibc|android|freebsd|openbsd|netbsd|sunos|illumos|v[78])(?![a-z0-9])",
)
_PACKAGE = regex(r"(.*/(?:node_modules/(?:@[^/]+/)?|(?:site|dist)-packages/)[^/]+)(?:/.*)?")


def plain(path: str) -> str:
    """Return a path without the words that name a platform: variants of one file have the same."""
    return _PLATFORM.sub("", path.lower())


def package(path: str) -> str:
    """Return the folder of the package of Node.js or Python that a file belongs to, "" when it is of none.

    What a wheel brings in a folder ``NAME.libs`` belongs to ``NAME``.
    """
    match = _PACKAGE.fullmatch(path)
    return match[1].removesuffix(".libs") if match is not None and match[1] != path else ""


def group(path: str) -> str:
    """Return the package of a file, else its folder."""
    return package(path) or path.rpartition("/")[0] or "/"
