"""The imports that a Python source makes whenever it runs: statements at the left margin, outside any condition.

What stands inside ``try``, ``if`` or a function may not run, so it is nobody's need here; but for conditions about the
platform, which an interpreter of a known release decides (``container.python_tests``). Sources are scanned by a
pattern, which is fast and takes words in a text for a statement now and then; Python's own parser is asked before anybody
is told (``container.python_sources``).

Facts: the Python language reference, "The import statement"; PEP 328 (relative imports).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lucid_audit.container.python_release import Release
from lucid_audit.regex import regex
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Raw = tuple[int, str, str, int]  # dots, module, what is taken from it or "", line
_IMPORT = regex(  # it begins with a letter, which is found ten times as fast as the beginning of a line
    rb"\n(?:import[ \t]++(?P<names>[^\n;#]++)"
    rb"|from[ \t]++(?P<dots>\.*+)(?:[ \t]*+(?P<module>(?!import\b)[\w.]++)[ \t]++|[ \t]*+)import\b[ \t]*+(?P<what>\(|[^\n;#]++))",
)  # no part is tried again: on a hostile source that would take quadratic time
TESTED = (b"version_info", b"sys.platform", b"os.name", b"TYPE_CHECKING", b"platform.system", b"implementation")
_NAME = regex(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_CHANGES = regex(rb"\bsys\.path\b\s*(?:\.(?:append|insert|extend)\b|\[|\+?=[^=])|\baddsitedir\b|\bpath_hooks\b")
_CHANGES_AT_ONCE = regex(
    rb"^(?:sys\.path\b\s*(?:\.(?:append|insert|extend)\b|\[|\+?=[^=])|site\.addsitedir\b)", re.MULTILINE
)
_WORDS = (b"sys.path", b"addsitedir", b"path_hooks")
_MAKES = regex(
    rb"\bimport[ \t]*+(?:\([ \t]*+)?\*|__getattr__|__dict__|\b(?:globals|locals|vars|setattr|exec|eval)[ \t]*\("
)
_DYNAMIC_WORDS = (b"__path__", b"sys.modules", b"extend_path", b"declare_namespace", b"meta_path", b"lazy")
_LOADS = regex(rb"CDLL|dlopen|LoadLibrary|load_library|PyDLL")
_DYNAMIC = regex(rb"__path__|sys\.modules|extend_path|declare_namespace|meta_path|\b_?Lazy\w*|\blazy\w*", re.IGNORECASE)


class Import(NamedTuple):
    """A module that a source needs. ``module`` is absolute; ``name`` what is taken from it, "" for all of it; ``line`` from 1."""

    module: str
    name: str
    line: int


def imports(source: bytes, package: str) -> tuple[Import, ...]:
    """Return what a source of ``package`` ("" for a script) imports at the left margin."""
    return tuple(filter(None, (absolute(raw, package) for raw in scan(source))))


def scan(source: bytes, release: Release = ()) -> list[Raw]:
    """Return what a source imports at the left margin, as it says it.

    Under an interpreter whose ``release`` is known, that is also what stands where conditions on it hold.
    """
    found = _plain(source)
    if not release or not any(word in source for word in TESTED):
        return found
    from lucid_audit.container.python_tests import branches  # noqa: PLC0415  (few sources need the parser)

    for block, before in branches(source, release):
        found += ((*raw[:3], raw[3] + before) for raw in scan(block, release))
    return sorted(found, key=lambda raw: raw[3])


def _plain(source: bytes) -> list[Raw]:
    found: list[Raw] = []
    text = b"\n" + source
    line, before, last = 0, 0, text.rfind(b")")
    match = _IMPORT.search(text)
    while match is not None:
        line += text.count(b"\n", before, match.start() + 1)
        before, end, what = match.start() + 1, match.end(), match["what"]
        if what == b"(" and end <= last:
            begin, end = end, text.find(b")", end) + 1
            what = text[begin : end - 1]
        if what != b"(":  # of a list without an end nobody knows what it is
            found += _read(match, what, line)
        match = _IMPORT.search(text, end)
    return found


def _read(match: re.Match[bytes], what: bytes, line: int) -> list[Raw]:
    if match["names"] is not None:
        return [(0, word, "", line) for word in _names(match["names"])]
    module = (match["module"] or b"").decode("ascii", "replace")
    level = len(match["dots"])
    if (module or not level) and (not _NAME.fullmatch(module) or module == "__future__"):
        return []
    return [(level, module, name, line) for name in _names(what) or ("",)]


def absolute(raw: Sequence[Any], package: str) -> Import | None:
    """Return what an import means in a source of ``package``; None when it leads out of it: not ours to say."""
    level, module, name, line = raw
    if not level:
        return Import(module, name, line)
    above = package.split(".") if package else []
    if level > len(above):
        return None
    return Import(".".join((*above[: len(above) - level + 1], *filter(None, (module,)))), name, line)


def _names(text: bytes) -> list[str]:
    """Return the names of a list such as ``a.b as c, d``; ``*`` is none."""
    plain = re.sub(rb"#[^\n]*|\\\r?\n|[()\r\n]", b" ", text).decode("utf-8", "replace")
    words = (part.split() for part in plain.split(","))
    return [word[0] for word in words if word and _NAME.fullmatch(word[0])]


def changes_path(source: bytes, *, own: bool) -> bool:
    """Whether a source changes where modules are looked for: ``own`` code anywhere, a library's when it is imported."""
    if not any(word in source for word in _WORDS):  # patterns are slow, and hundreds of sources have none of it
        return False
    return (_CHANGES if own else _CHANGES_AT_ONCE).search(source) is not None


def is_dynamic(source: bytes) -> bool:
    """Whether a package may make up its modules itself."""
    plain = source.lower()
    if not any(word in plain for word in _DYNAMIC_WORDS):
        return False
    return _DYNAMIC.search(source) is not None


def makes_names(source: bytes) -> bool:
    """Whether a module may have names that it does not spell: from a star, by a function, or put into its dictionary."""
    return _MAKES.search(source) is not None or is_dynamic(source)


def loads_libraries(source: bytes) -> bool:
    """Whether a source may load libraries by their path."""
    return _LOADS.search(source) is not None


def defines(source: bytes, package: str, name: str) -> bool:
    """Whether a package's ``__init__`` may give this name to something else than its submodule; a star may import anything."""
    word = re.escape(name).encode()
    if re.search(
        rb"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+%b\b|^[ \t]*%b[ \t]*(?::[^\n]*)?=" % (word, word),
        source,
        re.MULTILINE,
    ):
        return True
    if re.search(rb"\bimport[ \t]+\*|\bas[ \t]+%b\b" % word, source):
        return True
    return any(one.name == name and one.module != package for one in imports(source, package))
