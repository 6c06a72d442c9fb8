"""What a wheel carries of the patterns that linting meets: made when it is built, read by ``regex``.

Which these are is not listed anywhere: the Dockerfiles in the rules' own examples are linted, and what is compiled on the
way is kept.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from unittest.mock import patch

from lucid_audit import catalogue, regex
from lucid_audit.dates import date
from lucid_audit.lint import Request, run
from lucid_audit.yamlsource import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COMPILER: Any = vars(re)["_compiler"]  # CPython's; the tests check that what it gives matches as ``re`` does
_ENGINE: Any = __import__("_sre")


def source() -> str:
    """Return the source of ``lucid_audit/compiled_patterns.py``."""
    return f'"""Made of the rules\' examples when the wheel was built."""\n\nPYTHON = {regex.version()!r}\nDATA = {tabulate(met())!r}\n'


def write(folder: str) -> None:
    """Write the rules, fingerprints and patterns as modules into a folder, which is made: the package's, or one to copy into it."""
    os.makedirs(folder, exist_ok=True)
    made = {
        "compiled": catalogue.source(),
        "compiled_fingerprints": catalogue.source_of_fingerprints(),
        "compiled_patterns": source(),
    }
    for name, text in made.items():
        with open(os.path.join(folder, f"{name}.py"), "w", encoding="utf-8") as stream:
            stream.write(text)


def met() -> list[tuple[str, int]]:
    """Return the patterns, with their flags, that are compiled where the rules' examples are linted."""
    found: dict[tuple[str, int], None] = {}
    original = re.compile

    def noted(text: str, flags: int = 0) -> re.Pattern[str]:
        found[text, int(flags)] = None
        return original(text, flags)

    regex.rx.cache_clear()
    with patch.object(re, "compile", noted):
        for text in examples():
            run(Request(("-",), date(2026, 1, 1), stdin=BytesIO(text.encode()), profile="strict"))
    return sorted(found, key=repr)  # some are of bytes


def examples() -> Iterator[str]:
    """Yield the Dockerfiles of the rules' examples."""
    for kind in ("dockerfile", "container"):
        for file in sorted((catalogue.folder() / kind).glob("*.yaml")):
            for example in load(str(file), file.read_text("utf-8")).data["examples"]:
                text = example.get("bad") or example.get("good")
                if isinstance(text, str):
                    yield text


def tabulate(wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Any]:
    """Return what ``re.compile`` hands to the matching engine for each of these patterns, as plain data."""
    found = {}
    with patch.object(_COMPILER, "_sre", _Recorder()) as recorder:
        for text, flags in wanted:
            _COMPILER.compile(text, flags)
            every, code, *rest = recorder.taken
            found[text, flags] = (int(every), tuple(map(int, code)), *rest)
    return found


class _Recorder:
    """Stands in for the engine and notes what it is handed."""

    taken: tuple[Any, ...] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(_ENGINE, name)

    def compile(self, pattern: str, *arguments: Any) -> Any:
        self.taken = arguments
        return _ENGINE.compile(pattern, *arguments)
