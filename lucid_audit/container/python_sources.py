"""What the Python sources of a container say of themselves: each is read once, and what was learned is kept (``container.learned``).

Sources of the service are parsed. Those of installed packages, of which there are thousands, are scanned by patterns; the
parser is asked of them where a pattern finds something that anybody would be told.
"""

from __future__ import annotations

from collections.abc import Sequence

from lucid_audit.container.files import Files
from lucid_audit.container.imports import (
    Raw,
    changes_path,
    defines,
    is_dynamic,
    makes_names,
    scan,
)
from lucid_audit.container.learned import HOST, NEWEST
from lucid_audit.container.python_release import Release
from lucid_audit.container.python_signs import suspect
from lucid_audit.container.tree import Walk
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Facts(NamedTuple):
    """What patterns see in a source. ``moves``: it changes the path in code that may run; ``moves_at_once``: whenever it runs."""

    imports: Sequence[Raw]
    moves: bool
    moves_at_once: bool


class Parsed(NamedTuple):
    """What the parser sees in a source: the imports that surely run, those that do when it is the program, those that may.

    ``needs`` are the first constructs of each version, as ``python_syntax.Need``; ``broken`` is its ``Unreadable`` or None.
    """

    sure: Sequence[Raw]
    as_main: Sequence[Raw]
    may: Sequence[tuple[Raw, str]]
    made: int
    needs: Sequence[tuple[int, int, str]]
    broken: tuple[int, str, int, bool, bool] | None


class Refused(NamedTuple):
    """A source that an interpreter does not take, on a line, for a reason in words; ``doubt`` is why it may take it."""

    line: int
    words: str
    doubt: str = ""


class Sources:
    """The sources of a container by the paths of modules. ``release`` is that of the interpreter."""

    def __init__(self, files: Files, release: Release) -> None:
        self.files, self.release = files, release
        self.minor = release[1] if release[:1] == (3,) and len(release) > 1 else 0
        self.of = ".".join(map(str, release))
        self._walks: dict[str, Walk] = {}
        self._facts: dict[str, Facts | None] = {}

    def walk(self, path: str) -> Walk:
        """Return where a module is."""
        walk = self._walks.get(path)
        if walk is None:
            walk = self._walks[path] = self.files.walk(path)
        return walk

    def facts(self, path: str) -> Facts | None:
        """Return what patterns see in a source, None when its content is not known."""
        if path not in self._facts:
            learned = self.files.learned(self.walk(path), "facts", lambda source: _facts(source, self.release), self.of)
            self._facts[path] = Facts(*learned) if learned is not None else None
        return self._facts[path]

    def parsed(self, path: str) -> Parsed | None:
        """Return what the parser sees in a source, None when its content is not known."""
        learned = self.files.learned(self.walk(path), "parsed", lambda source: _parsed(source, self.release), self.of)
        return Parsed(*learned) if learned is not None else None

    def statements(self, path: str) -> Sequence[int] | None:
        """Return the lines of the imports that run whenever a source does; None when our parser cannot tell."""
        learned: list[list[int]] | None = self.files.learned(
            self.walk(path), "statements", lambda source: _statements(source, self.release), self.of
        )
        return learned[0] if learned else None

    def only_under(self, path: str, line: int) -> str:
        """Return the interpreter whose version or system lets an import run, "" when the import runs under any."""
        always = self.files.learned(self.walk(path), "always", lambda source: _statements(source, ()))
        return f"Python {self.of}" if self.release and always and line not in always[0] else ""

    def refused(self, path: str, *, own: bool) -> Refused | None:
        """Return what keeps the interpreter from reading a source, None when nothing is known to."""
        if not self.minor:
            return None
        if own:
            parsed = self.parsed(path)
            return judged(parsed.needs, parsed.broken, self.minor) if parsed is not None else None
        learned = self.files.learned(
            self.walk(path), "refused", lambda source: _refused(source, self.minor), str(self.minor)
        )
        return Refused(*learned) if learned else None

    def lacking(self, path: str, names: Sequence[str]) -> Sequence[str]:
        """Return those of some names that a source does not spell at all; none when its content is not known."""
        known: dict[str, bool] = {}

        def enough(found: dict[str, bool]) -> bool:
            known.update(found)
            return known.keys() >= set(names)

        def learn(source: bytes) -> dict[str, bool]:
            return {**known, **{name: name.encode() in source for name in names if name not in known}}

        found = self.files.learned(self.walk(path), "names", learn, enough=enough)
        return [name for name in names if not found[name]] if found is not None else ()

    def dynamic(self, path: str) -> bool | None:
        """Whether a package may make up its modules itself, None when its content is not known."""
        answer: bool | None = self.files.learned(self.walk(path), "dynamic", is_dynamic)
        return answer

    def makes(self, path: str) -> bool | None:
        """Whether a module may have names that it does not spell, None when its content is not known."""
        answer: bool | None = self.files.learned(self.walk(path), "makes", makes_names)
        return answer

    def spells(self, path: str, name: str) -> bool:
        """Whether a source that is known has a name anywhere."""
        return bool(self.files.learned(self.walk(path), "spells", lambda source: name.encode() in source, name))

    def defines(self, path: str, package: str, name: str) -> bool:
        """Whether a package's beginning may give a name to something else than its submodule, or is not known."""
        found = self.files.learned(
            self.walk(path), "defines", lambda source: defines(source, package, name), f"{package} {name}"
        )
        return found is not False


def _facts(source: bytes, release: Release) -> list[Any]:
    own, at_once = changes_path(source, own=True), changes_path(source, own=False)
    return [scan(source, release), own, at_once]


def _parsed(source: bytes, release: Release) -> list[Any]:
    from lucid_audit.container import python_runs, python_syntax  # noqa: PLC0415  (what is cached needs no parser)

    tree = python_syntax.parse(source)
    if isinstance(tree, python_syntax.Unreadable):
        plain = scan(source, release)
        return [plain, plain, [], 0, [], list(tree)]
    found = python_runs.runs(tree, release)
    return [list(found.sure), list(found.as_main), list(found.may), found.made,
            [list(need) for need in python_syntax.needs(source, tree)], None]  # fmt: skip


def _statements(source: bytes, release: Release) -> list[Any]:
    from lucid_audit.container import python_runs, python_syntax  # noqa: PLC0415  (only before a finding)

    tree = python_syntax.parse(source)
    if isinstance(tree, python_syntax.Unreadable):
        return []
    return [python_runs.lines(tree, release)]


def _refused(source: bytes, minor: int) -> list[Any]:
    if not suspect(source, minor):
        return []
    from lucid_audit.container import python_syntax  # noqa: PLC0415  (few sources need the parser)

    tree = python_syntax.parse(source)
    if isinstance(tree, python_syntax.Unreadable):
        found = judged((), (tree.line, tree.words, tree.minor, tree.limit, tree.newer), minor)
    else:
        found = judged(python_syntax.needs(source, tree), None, minor)
    return list(found) if found is not None else []


def judged(
    needs: Sequence[tuple[int, int, str]], broken: tuple[int, str, int, bool, bool] | None, minor: int
) -> Refused | None:
    """Say what keeps Python 3.``minor`` from reading a source, from what our parser sees in it."""
    if broken is not None:
        line, words, needed, limit, newer = broken
        if limit or (minor > HOST and (newer or minor > NEWEST)):
            return Refused(
                line, "", f"the parser of Python 3.{HOST}, which reads it here, stops in line {line}: {words}"
            )
        return Refused(line, f"{words}, which is syntax of Python 3.{needed}" if needed else f"no Python: {words}")
    more = [(line, at, what) for at, line, what in needs if at > minor]
    if not more:
        return None
    line, at, what = min(more)
    return Refused(line, f"{what}, which is syntax of Python 3.{at}")
