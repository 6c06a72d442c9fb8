"""Tells shells and toolboxes by what their programs contain, whatever the file is called.

Every POSIX shell has the built-in ``getopts`` and its variable ``OPTIND`` in its text, and keeps ``OLDPWD`` (POSIX.1-2017,
XCU 2.14 and 2.5.3). Toolboxes name themselves. A set of strings outlives versions and architectures; hashes do not.
"""

from __future__ import annotations

_TOOLBOXES = (("busybox", b"BusyBox v"), ("toybox", b"Toybox %s multicall"), ("fish", b"FISH_DEBUG_OUTPUT"))
_POSIX = b"OPTIND"
_POSIX_TOO = (b"getopts", b"OLDPWD")
_SHELLS = (
    ("bash", b"GNU bash, version"),
    ("zsh", b"zsh/parameter"),
    ("mksh", b"MIRBSD KSH"),
    ("ksh", b"AJM 93u"),
    ("yash", b"Yet another shell"),
)


def known_as(program: bytes) -> str:
    """Return what a program is: a known name, ``a POSIX shell``, or "" when it is neither shell nor toolbox."""
    for name, text in _TOOLBOXES:
        if text in program:
            return name
    if _POSIX in program and all(word in program for word in _POSIX_TOO):
        return next((name for name, text in _SHELLS if text in program), "a POSIX shell")
    return ""
