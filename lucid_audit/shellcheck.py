"""Runs ShellCheck over many scripts in few processes.

Its output is JSON1, whose columns count a tab as one (ShellCheck's manual, "json1"). Nothing that a script names is opened: ``-x`` is not given,
and no configuration is read.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from lucid_audit.dockerfile.scripts import Examiner, Remark
from lucid_audit.values import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "shellcheck"
INSTALL = "ShellCheck is not installed: pip install lucid-audit[shellcheck]"
# Sourced files are not there to look at; that ash is taken for dash is no remark about the script.
ARGUMENTS = ("--norc", "--format=json1", "--severity=style", "--exclude=SC1090,SC1091,SC2187")
LIMIT = 256 << 10  # characters of one script
FILES = 400  # of one process
SECONDS, SECONDS_EACH = 20.0, 2.0  # that a process may take, and more for each of its scripts


def program() -> str | None:
    """Find ShellCheck beside the running Python, where pip puts it, else on the path."""
    beside = os.path.join(os.path.dirname(sys.executable), NAME)
    return beside if os.access(beside, os.X_OK) else shutil.which(NAME)


class ShellCheck(Examiner):
    """Examines scripts, each text once. ``jobs``: how many processes at a time."""

    def __init__(self, program: str | None, jobs: int) -> None:
        self._program = program
        self._jobs = jobs
        self.identity = f"{program}:{os.stat(program).st_mtime_ns}" if program and os.path.exists(program) else ""
        self._known: dict[str, tuple[Remark, ...] | Unknown] = {}

    def examine(self, scripts: Sequence[str]) -> list[tuple[Remark, ...] | Unknown]:
        """Return what is to be said of each script, or why nothing can be."""
        if self._program is None:
            return [Unknown(INSTALL)] * len(scripts)
        new = [text for text in dict.fromkeys(scripts) if text not in self._known]
        for text in new:
            if len(text) > LIMIT:
                self._known[text] = Unknown(f"the script is longer than {LIMIT >> 10} Ki characters")
        new = [text for text in new if text not in self._known]
        if new:
            self._run(self._program, new)
        return [self._known[text] for text in scripts]

    def _run(self, program: str, texts: list[str]) -> None:
        """Deal the scripts out, the longest first, so that the processes end at about the same time."""
        count = max(min(self._jobs, len(texts)), -(-len(texts) // FILES))
        by_size = sorted(texts, key=len, reverse=True)
        hands = [by_size[at::count] for at in range(count)]
        if count == 1:
            self._known.update(_examined(program, hands[0]))
            return
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        with ThreadPoolExecutor(self._jobs) as pool:
            for found in pool.map(lambda hand: _examined(program, hand), hands):
                self._known.update(found)


def _examined(program: str, texts: Sequence[str]) -> dict[str, tuple[Remark, ...] | Unknown]:
    """Examine scripts in one process. When that fails, each gets one of its own, so that one cannot hide the others."""
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    with TemporaryDirectory(prefix="lucid-audit-") as folder:
        names = [os.path.join(folder, str(number)) for number in range(len(texts))]
        for name, text in zip(names, texts, strict=True):
            with open(name, "wb") as stream:
                stream.write(text.encode("utf-8", "surrogateescape"))
        answer = _call(program, names, SECONDS + SECONDS_EACH * len(texts))
    if isinstance(answer, Unknown):
        if len(texts) == 1:
            return {texts[0]: answer}
        return {text: one for text in texts for one in _examined(program, [text]).values()}
    said: dict[str, list[Remark]] = {name: [] for name in names}
    for comment in answer:
        said[comment["file"]].append(_remark(comment))
    return {text: tuple(said[name]) for name, text in zip(names, texts, strict=True)}


def _call(program: str, names: Sequence[str], seconds: float) -> list[dict[str, Any]] | Unknown:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    environment.pop("SHELLCHECK_OPTS", None)
    command = [program, *ARGUMENTS, "--", *names]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=seconds, env=environment)  # noqa: S603
    except subprocess.TimeoutExpired:
        return Unknown(f"ShellCheck took longer than {seconds:.0f} seconds")
    except OSError as error:
        return Unknown(f"ShellCheck could not be run: {error.strerror}")
    try:
        found = json.loads(done.stdout)["comments"] if done.returncode in (0, 1) else None
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, list):
        return Unknown(f"ShellCheck failed with exit code {done.returncode}")
    return found


def _remark(comment: dict[str, Any]) -> Remark:
    start, end = (comment["line"], comment["column"]), (comment["endLine"], comment["endColumn"])
    return Remark(f"SC{comment['code']}", comment["level"], comment["message"], start, end)
