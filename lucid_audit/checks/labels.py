"""Labels whose values have a form: dates, addresses, versions, licences."""

from __future__ import annotations

from fnmatch import fnmatchcase

from lucid_audit.checks import Answers, check
from lucid_audit.container.accounts import measured
from lucid_audit.container.config import Container
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.regex import rx
from lucid_audit.values import Unknown

_PLACEHOLDERS = frozenset(("unknown", "none", "n/a", "tbd", "dev"))  # defaults of ARGs that a build sets
_LICENCE = r"\(?[A-Za-z0-9.+-]+(?::[A-Za-z0-9.+-]+)?\)?"
_NUMBER = r"(?:0|[1-9]\d*)"
_PRE = rf"(?:{_NUMBER}|\d*[A-Za-z-][0-9A-Za-z-]*)"  # Semantic Versioning 2.0.0, sections 9 and 10
# SPDX licence expressions by their grammar (SPDX 2.3, Annex D); ``spdx`` knows which ids there are.
FORMS = {
    "text": (r"(?s).+", "a text"),
    "url": (r"[a-z][a-z0-9+.-]*://[^\s/]+\S*", "a URL"),
    "semver": (
        rf"{_NUMBER}(?:\.{_NUMBER}){{2}}(?:-{_PRE}(?:\.{_PRE})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
        "a semantic version",
    ),
    "hash": (r"[0-9a-f]{7}|[0-9a-f]{40}|[0-9a-f]{64}", "a git hash"),
    "rfc3339": (
        r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt ](?:[01]\d|2[0-3]):[0-5]\d:[0-6]\d(?:\.\d+)?(?:[Zz]|[+-][0-2]\d:[0-5]\d)",
        "a date of RFC 3339 such as 2026-11-23T12:00:00Z",
    ),
    "spdx": (rf"{_LICENCE}(?: (?:AND|OR|WITH) {_LICENCE})*", "an SPDX licence expression"),
    "email": (r"[^@\s]+@[^@\s]+", "an e-mail address"),
}


@record
class LabelForms:
    """``forms``: ``key=form`` for each label, the form one of text, url, semver, hash, rfc3339, spdx, email."""

    forms: tuple[str, ...]


@check("label-forms")
def label_forms(container: Container, params: LabelForms) -> Answers:
    """Judge the values of labels by the form that each should have. Those of the base are the base's matter."""
    for pair in params.forms:
        key, _, form = pair.rpartition("=")
        traced = container.labels.get(key)
        if traced is None or traced.inherited or form not in FORMS:
            continue
        if isinstance(traced.value, Unknown):
            yield Skip(traced.place, f"{key}: {traced.value.reason}")
            continue
        if not measured(container) and traced.value.lower() in _PLACEHOLDERS:
            yield Skip(traced.place, f"{key} is {traced.value}, which the build is meant to replace")
            continue
        pattern, wanted = FORMS[form]
        if rx(pattern).fullmatch(traced.value) is None or not _means(form, traced.value):
            yield Hit(traced.place, key=key, value=traced.value or "empty", wanted=wanted)


def _means(form: str, value: str) -> bool:
    """Whether a value that is written as its form wants also means something: a day of the calendar, licences that there are."""
    if form == "rfc3339":
        year, month, day = int(value[:4]), int(value[5:7]), int(value[8:10])
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return day <= (29 if leap else 28) if month == 2 else day <= (30 if month in (4, 6, 9, 11) else 31)
    if form == "spdx":
        from lucid_audit.spdx import unknown  # noqa: PLC0415  (a long list, for few labels)

        return not unknown(value)
    return True


@record
class LabelNames:
    """``allowed``: globs of the only keys that labels may have; none means any."""

    allowed: tuple[str, ...] = ()


@check("label-names")
def label_names(container: Container, params: LabelNames) -> Answers:
    """Judge labels that a team's list does not have."""
    for key, traced in container.labels.items() if params.allowed else ():
        if not traced.inherited and not any(fnmatchcase(key, glob) for glob in params.allowed):
            yield Hit(traced.place, key=key)


@record
class LabelKeys:
    """``reserved``: globs of keys that belong to others; ``free``: globs of those below them that do not."""

    reserved: tuple[str, ...]
    free: tuple[str, ...] = ()


@check("label-keys")
def label_keys(container: Container, params: LabelKeys) -> Answers:
    """Judge how keys are written (Docker's "Key format recommendations"; underscores and slashes are in common use)."""
    for key, traced in container.labels.items():
        problem = _key_problem(key, params) if not traced.inherited else ""
        if problem:
            yield Hit(traced.place, key=key, problem=problem)


def _key_problem(key: str, params: LabelKeys) -> str:
    owner = next((glob for glob in params.reserved if fnmatchcase(key, glob)), None)
    if owner is not None and not any(fnmatchcase(key, glob) for glob in params.free):
        return f"{owner} is reserved for Docker"
    if rx(r"[a-z]").match(key) is None:
        return "it does not begin with a lower-case letter"
    odd = rx(r"[^a-z0-9._/-]").search(key)
    if odd is not None:
        return f"{odd[0]!r} is no character of a key"
    if rx(r"[a-z0-9]").match(key[-1]) is None:
        return "it does not end with a lower-case letter or a digit"
    return "it has two separators side by side" if ".." in key or "--" in key else ""
