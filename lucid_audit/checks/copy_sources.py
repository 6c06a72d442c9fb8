"""Whether what COPY, ADD and bind mounts read is in the build context."""

from __future__ import annotations

from posixpath import basename

from lucid_audit.checks import Answers, check
from lucid_audit.checks.contexts import Judged, Judgement, elsewhere, judgement, kept_from_git, sources
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.ignore import IgnoreRule
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.regex import rx
from lucid_audit.values import Unknown


@check("copy-source-context")
def copy_source_context(build: Build) -> Answers:
    """Judge sources that are there, but under another name or in another context: paths spelt for another folder."""
    judged = judgement(build)
    for one in judged.sources if judged is not None else ():
        if judged is not None and one.match.kind == "missing":
            why = _misplaced(judged, one.text)
            if why:
                yield Hit(one.source.span, source=one.text, context=judged.called, why=why)


def _misplaced(judged: Judgement, source: str) -> str:
    """Say how a missing source would be spelt here or which context it is spelt for; "" when neither is known."""
    other = elsewhere(judged, source)
    here = next(iter(respelt(judged, source)), "")
    if here and other is not None:
        return f", where it is {here}; as written it is found from {_context_name(other[0].name)}"
    if here:
        return f", where it is {here}"
    return f"; as written it is found from {_context_name(other[0].name)}" if other is not None else ""


def respelt(judged: Judgement, source: str) -> list[str]:
    """Return how a source that is spelt for another folder may be meant here, the likeliest first; none when it is mistyped."""
    near = judged.context.suggest(source)
    if any(_folded(source) == _folded(path) for path in near):
        return []
    return [path for path in near if _same_tail(source, path)]


def _folded(path: str) -> str:
    return path.strip("/").casefold().replace("-", "_").removeprefix("./")


def _context_name(name: str) -> str:
    return "the repository root" if name == "." else f"the context {name}"


def _same_tail(source: str, path: str) -> bool:
    """Whether one is the other with folders in front, however ``-``, ``_`` and capitals are spelt."""
    wanted, found = _folded(source), _folded(path)
    return wanted != found and (wanted.endswith("/" + found) or found.endswith("/" + wanted))


@check("copy-source-missing")
def copy_source_missing(build: Build) -> Answers:
    """Judge sources that are nowhere; what cannot be known about any source is said here, once."""
    judged = judgement(build)
    wanted = sources(build)
    if judged is None:
        if wanted:
            yield Skip(wanted[0].span, "the build context is not known; --context names it")
        return
    for source in wanted:
        if isinstance(source.text, Unknown):
            yield Skip(source.span, source.text.reason)
    for one in judged.sources:
        if one.match.kind == "unknown" and one.match.reason:
            yield Skip(one.source.span, one.match.reason)
        elif one.match.kind == "missing" and not _misplaced(judged, one.text):
            if kept_from_git(judged, one.text):
                reason = f"{one.text} is not here and .gitignore keeps it out of the repository, so it may exist where the image is built"
                yield Skip(one.source.span, reason)
            else:
                yield Hit(one.source.span, source=one.text, context=judged.called, hint=_hint(judged, one))


def _hint(judged: Judgement, one: Judged) -> str:
    if one.match.link:
        return f": its symbolic link {one.match.link} leads nowhere inside the context"
    near = judged.context.suggest(one.text)
    if not near:
        return ""
    return (
        f"; did you mean {' or '.join(near)}?"
        if len(near) < 3
        else f"; did you mean {near[0]}, {near[1]} or {near[2]}?"
    )


@check("copy-wildcard-matches")
def copy_wildcard_matches(build: Build) -> Answers:
    """Judge wildcards that match nothing, but for those that say a file may be missing: ``name*`` with others, ``nam[e]``."""
    judged = judgement(build)
    for one in judged.sources if judged is not None else ():
        if judged is not None and one.match.kind == "empty-wildcard" and not _optional(one):
            rule, file = one.match.rule, judged.context.ignore
            why = (
                f"; {_line(rule, file.path)} keeps out what would match"
                if rule is not None and file is not None
                else ""
            )
            if not why and kept_from_git(judged, one.text):
                yield Skip(
                    one.source.span, f"{one.text} matches nothing here, and .gitignore covers what it would match"
                )
            else:
                yield Hit(one.source.span, pattern=one.text, context=judged.called, why=why)


def _optional(one: Judged) -> bool:
    name = basename(one.text)
    single = rx(r"[^*?\[]*\[[^\]^!-]\][^*?\[]*").fullmatch(name) is not None
    return single or (not one.source.only and rx(r"[^*?\[]+\.?[^*?\[]+\*").fullmatch(name) is not None)


@check("copy-source-ignored")
def copy_source_ignored(build: Build) -> Answers:
    """Judge sources that the ignore file keeps out of the context (BuildKit CopyIgnoredFile)."""
    judged = judgement(build)
    for one in judged.sources if judged is not None else ():
        ignore = judged.context.ignore if judged is not None else None
        if judged is None or ignore is None:
            return
        if one.match.kind == "ignored" and one.match.rule is not None:
            yield Hit(one.source.span, source=one.text, line=_line(one.match.rule, ignore.path))
        elif one.text.strip("./") == "" and ignore.rules and _sends_nothing(judged):
            yield Hit(one.source.span, source=one.text, line=_line(ignore.rules[0], ignore.path))


def _sends_nothing(judged: Judgement) -> bool:
    """Whether a context that has entries sends none of them."""
    return bool(judged.context.list_dir(".")) and next(judged.context.walk(), None) is None


def _line(rule: IgnoreRule, path: str) -> str:
    return f"line {rule.line} of {basename(path)} ({rule.text})"


@record
class Outside:
    """``there``: judge sources that BuildKit finds after it cut the ``..`` off, instead of those it does not find."""

    there: bool


@check("copy-source-outside")
def copy_source_outside(build: Build, params: Outside) -> Answers:
    """Judge sources above the context's root: BuildKit stops at the root, the classic builder refuses."""
    judged = judgement(build)
    for one in judged.sources if judged is not None else ():
        if judged is None or one.match.kind != "outside" or bool(one.match.paths) != params.there:
            continue
        other = elsewhere(judged, one.text) if not params.there else None
        hint = f"; {_context_name(other[0].name)} has it as {other[1]}" if other is not None else ""
        yield Hit(one.source.span, source=one.text, context=judged.called, clamped=one.match.clamped, hint=hint)
