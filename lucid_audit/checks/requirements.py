"""Whether the distributions that a program imports fit the image: what they require, and what they were made for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lucid_audit.checks import Answers, check
from lucid_audit.checks.start import Imports, interpreter_of
from lucid_audit.container.config import Container
from lucid_audit.container.files import Files
from lucid_audit.finding import Hit, Skip


@check("distributions-fit")
def distributions_fit(container: Container, params: Imports) -> Answers:
    """Judge the metadata of every distribution that has a module which is reached."""
    interpreter, place = interpreter_of(container, params.of)
    if interpreter is None or interpreter.kind != "python":
        return
    from lucid_audit.container.interpret import task  # noqa: PLC0415  (only for what gets that far)
    from lucid_audit.container.python_begin import begin, variables  # noqa: PLC0415  (as above)
    from lucid_audit.container.python_path import Python  # noqa: PLC0415  (as above)
    from lucid_audit.container.reached import reached  # noqa: PLC0415  (as above)

    found = reached(container, interpreter)
    if found is None or not _recorded(container.files, (module.path for module in found.modules)):
        return
    from lucid_audit.container.distributions import unfit  # noqa: PLC0415  (as above)

    arguments = interpreter.argv[1:]
    told = task(interpreter.called, arguments, variables(container))
    start = (
        begin(container, Python(interpreter.called, interpreter.real, arguments), told) if told is not None else None
    )
    if start is None:
        return
    answers = unfit(container, start.files, start.search, interpreter.real, found)
    doubt = (start.search.doubt or _open(start.files, start.search.folders)) if answers else ""
    if doubt:
        yield Skip(place, f"whether {answers[0].who.name} {answers[0].words}: {doubt}")
        return
    for one in answers:
        yield Hit(place, who=f"{one.who.name} {one.who.version}", records=one.who.records, what=one.words)


def _recorded(files: Files, paths: Iterable[str]) -> bool:
    """Whether any of these modules lies among packages that have records."""
    sites = dict.fromkeys(f"{path.partition('-packages/')[0]}-packages" for path in paths if "-packages/" in path)
    nodes = (files.walk(site).node for site in sites)
    return any(name.endswith(".dist-info") for node in nodes if node is not None for name in node.children)


def _open(files: Files, folders: Sequence[str]) -> str:
    """Say why a folder of the path may have more than is listed."""
    for folder in folders:
        walk = files.walk(folder)
        if walk.state == "unknown":
            return walk.reason
        if walk.node is not None and files.doubt(walk.node):
            return files.doubt(walk.node)
    return ""
