"""Calls in RUN that are given a secret as a word: it stays in the layer, in the history and in the build's log."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.checks.runs import calls
from lucid_audit.dockerfile.build import Build
from lucid_audit.finding import Hit
from lucid_audit.record import record
from lucid_audit.regex import rx
from lucid_audit.text import Span


@record
class Credentials:
    """``calls``: patterns of whole calls, up to where the secret begins."""

    calls: tuple[str, ...]


@check("credentials-in-call")
def credentials_in_call(build: Build, params: Credentials) -> Answers:
    """Judge log-ins whose secret is a word of the call. The place is the program's name only: what is behind it is not to be shown."""
    programs = {rx(r"\^([\w-]+)").match(pattern)[1] for pattern in params.calls}  # type: ignore[index]  # the rule's own
    for run, ran in calls(build, *programs):
        flags = [flag for flag in run.step.instruction.flags if flag.name == "mount" and flag.value is not None]
        if any("type=secret" in flag.value.raw for flag in flags if flag.value is not None):
            continue
        text = " ".join((ran.call.name, *ran.call.raw))
        if any(rx(pattern).search(text) for pattern in params.calls):
            subcommand = next((word for word in ran.call.raw if not word.startswith("-")), "")
            yield Hit(Span(ran.span.start, ran.span.start + len(ran.call.name)), call=f"{ran.call.name} {subcommand}")
