"""Sources that this machine has and the repository has not."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import normpath

from lucid_audit.checks import Answers, check
from lucid_audit.checks.contexts import Judgement, judgement, kept_from_git, places
from lucid_audit.checks.gitindex import FILE, LIMIT, tracks
from lucid_audit.dockerfile.build import Build
from lucid_audit.finding import Hit, Skip


@check("copy-source-in-git")
def copy_source_in_git(build: Build) -> Answers:
    """Judge sources that are there although a ``.gitignore`` keeps them out of the repository.

    Only what is named as such: of a folder or a wildcard nobody knows which part matters.
    """
    judged = judgement(build)
    for one in judged.sources if judged is not None else ():
        plain = (
            one.match.kind == "found" and not any(c in one.text for c in "*?[") and normpath(one.text) not in ("/", ".")
        )
        if judged is None or not plain or not kept_from_git(judged, one.text):
            continue
        known = _tracked(judged, one.text)
        if known is None:
            yield Skip(
                one.source.span, f".gitignore covers {one.text}, and whether git tracks it all the same is not known"
            )
        elif not known:
            yield Hit(one.source.span, source=one.text)


def _tracked(judged: Judgement, source: str) -> bool | None:
    """Whether git tracks a source, by the index of the context that is the repository's root; None without such a one."""
    answers = list(_answers(judged, source))
    return answers[0] if answers else None


def _answers(judged: Judgement, source: str) -> Iterator[bool | None]:
    for context, path in places(judged, source):
        data = context.read(FILE, LIMIT)
        if data is not None:
            yield tracks(data, path)
