"""Comments that silence findings, judged themselves: as they are written, by the rules they name, and by what they silence."""

from __future__ import annotations

from lucid_audit.catalogue import compiled
from lucid_audit.checks import Answers, check
from lucid_audit.dockerfile.build import Build
from lucid_audit.finding import Hit


@check("suppression-malformed")
def suppression_malformed(build: Build) -> Answers:
    """Judge comments that are meant as suppressions and are none."""
    for one in build.suppressions:
        if one.problem:
            yield Hit(one.span, problem=one.problem)


@check("suppression-unknown")
def suppression_unknown(build: Build) -> Answers:
    """Judge names that no rule has, be it one that this run does not judge by."""
    known = {rule["id"] for rule in compiled()["rules"]} if build.silent is not None else ()
    for one, name in build.silent.unasked if build.silent is not None else ():
        if name not in known and name not in build.known:
            yield Hit(one.span, name=name)


@check("suppression-unused")
def suppression_unused(build: Build) -> Answers:
    """Tell which comments silence nothing."""
    for one, name in build.silent.unused if build.silent is not None else ():
        yield Hit(one.span, name=name)


@check("suppression-present")
def suppression_present(build: Build) -> Answers:
    """Tell every comment that silences something."""
    for one in build.suppressions:
        if not one.problem:
            yield Hit(one.span, names=", ".join(one.names))
