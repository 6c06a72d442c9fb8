"""A parser directive that stands too low, moved to where BuildKit reads it."""

from __future__ import annotations

from collections.abc import Sequence

from lucid_audit.fixes import Edit, Fault, fix


@fix("directive-without-effect")
def directive(fault: Fault) -> Sequence[Edit]:
    """Move ``syntax`` and ``check``; ``escape`` would change how everything below is read, so a person decides."""
    source = fault.build.dockerfile.source
    line = source.position(fault.span.start).line
    start = source.offset(line)
    written = source.line(line)
    if "escape" in written.lower():
        return ()
    end = source.starts[line] if line < len(source.starts) else len(source.text)
    directives = fault.build.dockerfile.directives
    last = max((source.position(one.span.start).line for one in directives), default=0)
    top = source.offset(last + 1) if last else source.offset(2) if source.text.startswith("#!") else 0
    return (Edit(top, top, written.lstrip() + fault.newline), Edit(start, end, ""))
