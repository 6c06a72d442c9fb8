"""``.dockerignore`` as BuildKit applies it when it sends a build context.

The source of every fact here is github.com/moby/patternmatcher (``patternmatcher.go``, ``ignorefile/ignorefile.go``) and
the walk in github.com/tonistiigi/fsutil (``filter.go``). The syntax looks like ``.gitignore`` and is not: a pattern counts
from the context root only, and the last line that applies to a path *or to one of its folders* decides.
"""

from __future__ import annotations

import re
from functools import cached_property

from lucid_audit.dockerfile.globs import BadPatternError, Token, atom, clean, tokens
from lucid_audit.text import BOM
from lucid_audit.tuples import NamedTuple

# What Go's strings.TrimSpace takes off: unlike Python's strip(), not the separators U+001C to U+001F.
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_LINE_LIMIT = 64 * 1024  # bytes: Go's bufio.Scanner gives up on a longer line
_EXACT, _PREFIX, _SUFFIX, _REGEX = "exact", "prefix", "suffix", "regex"
_STAR, _DEEP, _ALL = "[^/]*", "(?:.*/)?", ".*"
_GAPS = {_STAR, _DEEP, _ALL}
_GO_ESCAPES = frozenset("AbBzdDsSwWafnrtvQ0")  # a backslash before these means something to Go's regexp
_BACKTRACKING = 3  # wildcards in one pattern up to which Python's own backtracking stays cheap


class IgnoreRule(NamedTuple):
    """One line that holds a pattern.

    ``text`` is the line as written without surrounding blanks; ``negated`` is true for ``!``; ``pattern`` is what is
    matched, cleaned and without ``!``. ``kind`` and ``parts`` are how: a text to compare, or pieces of an expression.
    """

    text: str
    line: int
    negated: bool
    pattern: str
    kind: str
    parts: tuple[str, ...]


class IgnoreError(NamedTuple):
    """A line that does not do what it says. ``fatal``: BuildKit refuses to build; otherwise it never matches there."""

    line: int
    text: str
    message: str
    fatal: bool = True


class IgnoreFile:
    """A parsed ignore file. Lines with an error take no part in matching; they are listed in ``errors``."""

    def __init__(self, path: str, rules: tuple[IgnoreRule, ...] = (), errors: tuple[IgnoreError, ...] = ()) -> None:
        self.path = path
        self.rules = rules
        self.errors = errors
        self.has_exceptions = any(rule.negated for rule in rules)
        self._folders: dict[str, tuple[IgnoreRule | None, int]] = {"": (None, 0)}
        self._compiled: dict[int, _Regex] = {}

    @classmethod
    def parse(cls, path: str, data: bytes) -> IgnoreFile:
        """Read the file's content; ``path`` is only remembered. Never raises: what is wrong is in ``errors``."""
        rules: list[IgnoreRule] = []
        errors: list[IgnoreError] = []
        for number, raw in enumerate(data.removeprefix(BOM).split(b"\n"), 1):
            if len(raw) >= _LINE_LIMIT:
                errors.append(IgnoreError(number, "", f"the line is longer than {_LINE_LIMIT - 1} bytes"))
                break
            line = raw.decode("utf-8", "surrogateescape").strip(_SPACE)
            if not line or raw.startswith(b"#"):  # "#" after a blank is part of a pattern
                continue
            try:
                rules.append(_rule(line, number))
            except BadPatternError as error:
                errors.append(IgnoreError(number, line, f'bad pattern "{line}": {error}'))
            except _NeverMatchesError as error:
                errors.append(IgnoreError(number, line, f'"{line}" never matches: {error}', fatal=False))
        return cls(path, tuple(rules), tuple(errors))

    def matched(self, path: str) -> IgnoreRule | None:
        """Return the rule that keeps ``path`` out of the context, None when it goes in.

        ``path`` counts from the context root. As in BuildKit's walk, a folder hands on to what it contains which rules
        matched it, and a rule is tried only where it would change the answer so far: ``**/*.md`` then ``!docs`` leaves
        ``docs/a.md`` out, because ``!docs`` had nothing to bring back when the walk was at ``docs``.
        (``MatchesOrParentMatches``, which BuildKit's own CopyIgnoredFile check uses, takes that file for included.)
        A folder that is kept out can still hold files that go in: see ``may_hold_exceptions``.
        """
        path = clean("/" + path)[1:]
        return self._judge(path)[0] if path else None  # the context root itself is never ignored

    def may_hold_exceptions(self, folder: str) -> bool:
        """Whether a ``!`` rule could bring back something below an ignored folder; False lets a walk skip it."""
        inside = clean("/" + folder)[1:] + "/"
        for rule in self.rules:
            if rule.negated:
                fixed = rule.pattern.removesuffix("/**").removesuffix("/*")
                if any(char in "*[]?^\\" for char in fixed) or f"{fixed}/".startswith(inside):
                    return True
        return False

    def _judge(self, path: str) -> tuple[IgnoreRule | None, int]:
        """Return the deciding rule, and the set of rules that matched so far as bits."""
        inherited = self._folder(path.rpartition("/")[0])[1]
        if not inherited and not self._any(path):
            return None, 0
        decided: IgnoreRule | None = None
        bits = 0
        for at, rule in enumerate(self.rules):
            hit = bool(inherited >> at & 1)
            if not hit and rule.negated == (decided is not None):
                hit = self._hit(at, path)
            if hit:
                bits |= 1 << at
                decided = None if rule.negated else decided or rule
        return decided, bits

    def _folder(self, path: str) -> tuple[IgnoreRule | None, int]:
        """The answer for a folder, kept: everything in it asks again."""
        missing = []
        while path not in self._folders:
            missing.append(path)
            path = path.rpartition("/")[0]
        for folder in reversed(missing):
            self._folders[folder] = self._judge(folder)
        return self._folders[missing[0] if missing else path]

    def _any(self, path: str) -> bool:
        """Whether any rule without ``!`` matches this very path: one look, for the many paths that none does."""
        exact, prefixes, suffixes, regex, slow = self._quick
        return (
            path in exact
            or path.startswith(prefixes)
            or f"/{path}".endswith(suffixes)
            or (regex is not None and regex.fullmatch(path) is not None)
            or any(self._hit(at, path) for at in slow)
        )

    @cached_property
    def _quick(self) -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...], re.Pattern[str] | None, list[int]]:
        plain = [(at, rule) for at, rule in enumerate(self.rules) if not rule.negated]
        text: dict[str, list[str]] = {_EXACT: [], _PREFIX: [], _SUFFIX: []}
        for _, rule in plain:
            if rule.kind != _REGEX:
                text[rule.kind].append(rule.parts[0])
        regexes = [(at, rule) for at, rule in plain if rule.kind == _REGEX]
        quick = ["".join(rule.parts) for _, rule in regexes if _is_quick(rule.parts)]
        slow = [at for at, rule in regexes if not _is_quick(rule.parts)]
        joined = re.compile("|".join(f"(?:{one})" for one in quick)) if quick else None
        return frozenset(text[_EXACT]), tuple(text[_PREFIX]), tuple(text[_SUFFIX]), joined, slow

    def _hit(self, at: int, path: str) -> bool:
        rule = self.rules[at]
        if rule.kind == _EXACT:
            return path == rule.parts[0]
        if rule.kind == _PREFIX:
            return path.startswith(rule.parts[0])
        if rule.kind == _SUFFIX:
            return f"/{path}".endswith(rule.parts[0])  # "**/foo" also matches "foo"
        regex = self._compiled.get(at)
        if regex is None:
            regex = self._compiled[at] = _Regex(rule.parts)
        return regex.matches(path)


class _NeverMatchesError(ValueError):
    """A pattern that BuildKit accepts, but not for what it looks like."""


class _Regex:
    """Pieces of fixed length with gaps between them, matched without exponential backtracking."""

    def __init__(self, parts: tuple[str, ...]) -> None:
        self._whole = re.compile("".join(parts)) if _is_quick(parts) else None
        self._parts = [part if part in _GAPS else re.compile(part) for part in (() if self._whole else parts)]

    def matches(self, path: str) -> bool:
        if self._whole is not None:
            return self._whole.fullmatch(path) is not None
        places = {0}  # all offsets at which the next part may begin
        for part in self._parts:
            if isinstance(part, str):
                places = {after for place in places for after in _after(part, path, place)}
            else:
                places = {match.end() for place in places if (match := part.match(path, place))}
        return len(path) in places


def _is_quick(parts: tuple[str, ...]) -> bool:
    return sum(part in _GAPS for part in parts) <= _BACKTRACKING


def _after(gap: str, path: str, place: int) -> list[int]:
    if gap == _STAR:
        slash = path.find("/", place)
        return list(range(place, (slash if slash >= 0 else len(path)) + 1))
    line = path.find("\n", place)  # "." of Go's regexp is not a line feed
    end = line if line >= 0 else len(path)
    if gap == _ALL:
        return list(range(place, end + 1))
    return [place, *(at + 1 for at in range(place, end) if path[at] == "/")]


def _rule(line: str, number: int) -> IgnoreRule:
    """Read one line, stripped of blanks.

    Raises:
        BadPatternError: BuildKit stops the build at it.
        _NeverMatchesError: BuildKit reads it as something that matches no path.

    """
    negated = line.startswith("!")
    pattern = line[1:].strip(_SPACE) if negated else line
    if pattern:
        pattern = clean(pattern)
        if len(pattern) > 1 and pattern.startswith("/"):
            pattern = pattern[1:]
    # The matcher cleans once more what the reader of the file gives it, the "!" included: "!/" becomes "!".
    pattern = clean(("!" * negated + pattern).strip(_SPACE))[negated:]
    if not negated and pattern.startswith("!"):  # as "/!a" or "./!a" do
        negated, pattern = True, pattern[1:]
    if not pattern:
        raise BadPatternError("there is nothing after the !")
    kind, parts = _compiled(pattern)
    return IgnoreRule(line, number, negated, pattern, kind, parts)


def _compiled(pattern: str) -> tuple[str, tuple[str, ...]]:
    """Say how a pattern is matched: as a whole text, by its start or end, or as an expression in pieces."""
    parsed = tokens(pattern)
    _check(parsed)
    kind = _EXACT
    parts: list[str] = []
    at = 0
    while at < len(parsed):
        token, first = parsed[at], at == 0
        at += 1
        if token.kind == "star" and at < len(parsed) and parsed[at].kind == "star":
            at += 1
            at += at < len(parsed) and parsed[at].raw == "/"  # "**/" is the same as "**"
            last = at == len(parsed)
            _gap(parts, _ALL if last else _DEEP)
            kind = _SUFFIX if first else _PREFIX if last and kind == _EXACT else _REGEX
            continue
        if token.kind == "star":
            _gap(parts, _STAR)
        else:
            # An unescaped ^ goes into Go's expression as it is, where it means the start of the path.
            _piece(parts, "^" if token.raw == "^" else atom(token))
        if token.kind != "char" or len(token.raw) > 1 or token.raw == "]":
            kind = _REGEX
    if kind == _REGEX:
        return kind, tuple(parts)
    return kind, (pattern[2:] if kind == _SUFFIX else pattern[:-2] if kind == _PREFIX else pattern,)


def _gap(parts: list[str], gap: str) -> None:
    """Add a gap; one that an equal or wider one before it makes useless is not kept."""
    if gap == _ALL and parts and parts[-1] == _DEEP:
        parts[-1] = _ALL
    elif not (gap == _DEEP and parts and parts[-1] == _DEEP):
        parts.append(gap)


def _piece(parts: list[str], piece: str) -> None:
    if parts and parts[-1] not in _GAPS:
        parts[-1] += piece
    else:
        parts.append(piece)


def _check(parsed: list[Token]) -> None:
    """Refuse what ``filepath.Match`` accepts and Go's regexp, which does the matching, takes for something else."""
    for token in parsed:
        inside = token.kind == "class"
        if inside and ("[:" in token.raw or re.search(r"(?<!\\)(?:\\\\)*[*?]", token.raw)):
            raise _NeverMatchesError(f"{token.raw} is not a plain character class")
        for escaped in re.findall(r"\\(.)", token.raw, re.DOTALL):
            if escaped in _GO_ESCAPES:
                raise _NeverMatchesError(f"\\{escaped} is not a character; folders are separated by /")
            if escaped.isalnum() or escaped > "\x7f":
                raise BadPatternError(f"\\{escaped} is not a known escape; folders are separated by /")
        if inside and token.text == "(?!)":
            raise BadPatternError(f"{token.raw} runs backwards")
