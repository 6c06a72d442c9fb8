"""Names with blanks in COPY and ADD: words end at every blank, whatever quotes and backslashes say."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.checks.copyfacts import plain_sources
from lucid_audit.checks.copytext import escaped_blank
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Transfer
from lucid_audit.finding import Hit


@check("copy-blank-in-name")
def copy_blank_in_name(build: Build) -> Answers:
    """Judge quotes and escapes that are meant to hold a blank.

    BuildKit splits the line at blanks first (``parseStringsWhitespaceDelimited``) and reads quotes in each word on its
    own, so one that is open at the end of a word fails the build, and an escaped blank leaves two names.
    """
    for _, step in build.steps("COPY", "ADD"):
        instruction = step.instruction
        if not isinstance(instruction, Transfer) or instruction.json:
            continue
        for word in (*plain_sources(instruction), instruction.destination):
            raw = word.raw
            if ("'" in raw or '"' in raw) and step.scope.expand(raw).error:
                yield Hit(word.span, word=raw, what="a quote that is not closed in the same word fails the build")
                break
            if escaped_blank(word, step.scope.escape) and word is not instruction.destination:
                yield Hit(word.span, word=raw, what="the escaped blank splits the name in two all the same")
                break
