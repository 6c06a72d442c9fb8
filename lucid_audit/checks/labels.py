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
# SPDX licence expressions by their grammar (SPDX 2.3, Annex D); which ids exist is not looked up.
FORMS = {
    "text": (r"(?s).+", "a text"),
    "url": (r"[a-z][a-z0-9+.-]*://[^\s/]+\S*", "a URL"),
    "semver": (r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?", "a semantic version"),
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
        if rx(pattern).fullmatch(traced.value) is None:
            yield Hit(traced.place, key=key, value=traced.value or "empty", wanted=wanted)


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
class Checks:
    """``values``: ``NAME=value`` pairs that turn the check of certificates off; a value ``*`` is any but no."""

    values: tuple[str, ...]


@check("variables-turn-checks-off")
def variables_turn_checks_off(container: Container, params: Checks) -> Answers:
    """Judge variables of the container after which its programs trust whoever answers."""
    for pair in params.values:
        name, _, value = pair.partition("=")
        traced = container.env.get(name)
        known = traced.known() if traced is not None else None
        if traced is None or known is None or traced.inherited:
            continue
        no = known.lower() in ("", "0", "false", "no", "off")
        if known == value or (value == "*" and not no):
            yield Hit(traced.place, name=name, value=known)
