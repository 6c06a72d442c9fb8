"""What ShellCheck says of the scripts in RUN."""

from __future__ import annotations

from functools import lru_cache

from lucid_audit.checks import Answers, check
from lucid_audit.dockerfile.build import Build
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.values import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lucid_audit.dockerfile.scripts import Remark, ShellScript


@record
class ShellCode:
    """``levels``: ShellCheck's own, error, warning, info or style, of what is told; ``also``: codes of any level; ``ignore``: codes never told."""

    levels: tuple[str, ...]
    also: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@check("shell-code")
def shell_code(build: Build, params: ShellCode) -> Answers:
    """Judge the shell code of the stages that the target is built from."""
    for script, answer in _examined(build):
        if isinstance(answer, Unknown):
            yield Skip(script.instruction.keyword_span, answer.reason)
            continue
        for remark in answer:
            if remark.code not in params.ignore and (remark.level in params.levels or remark.code in params.also):
                yield Hit(script.span(remark.start, remark.end), code=remark.code, text=remark.message)


@lru_cache(maxsize=2)  # of one file: three rules ask
def _examined(build: Build) -> list[tuple[ShellScript, tuple[Remark, ...] | Unknown]]:
    from lucid_audit.dockerfile.scripts import shell_scripts  # noqa: PLC0415  (off by default)

    reached = {stage.index for stage in build.stages}
    found = [one for one in shell_scripts(build.dockerfile, build.graph) if one.stage in reached]
    if build.examiner is None:
        return [(one, Unknown("ShellCheck was not run")) for one in found[:1]]
    texts = [one.text for one in found if not one.reason]
    answers = iter(build.examiner.examine(texts))
    told = [(one, Unknown(one.reason) if one.reason else next(answers)) for one in found]
    lacking = [pair for pair in told if isinstance(pair[1], Unknown) and not pair[0].reason]
    same = len({answer for _, answer in lacking}) == 1 and len(lacking) == len(texts)
    return (
        [pair for pair in told if pair not in lacking[1:]] if same else told
    )  # what is so of every script is said once
