"""Asks git about a checkout that nobody trusts: nothing that its configuration names is executed."""

from __future__ import annotations

import os

_TIMEOUT = 60  # seconds
# Set by git for its hooks; they would make "git -C elsewhere" answer for the wrong repository.
_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")


def git(folder: str, *words: str) -> bytes | None:
    """Return what git prints, None when it is not there or refuses."""
    import subprocess  # noqa: PLC0415  (slow to import; not needed when files are named)

    # core.fsmonitor names a program that git would run.
    command = ["git", "-c", "core.fsmonitor=false", "-C", folder, *words]
    environment = {name: value for name, value in os.environ.items() if name not in _VARIABLES}
    try:
        done = subprocess.run(  # noqa: S603  (fixed program, no shell)
            command, capture_output=True, check=False, timeout=_TIMEOUT, env=environment
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return None if done.returncode else done.stdout


def paths(output: bytes) -> list[str]:
    """Return the paths in output that was asked for with ``-z``."""
    return [os.fsdecode(name) for name in output.split(b"\0") if name]
