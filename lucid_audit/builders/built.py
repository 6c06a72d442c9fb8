"""What the words of a command build: context, Dockerfile, or what a call of bake names. Their place is filled in by whoever read them."""

from __future__ import annotations

from lucid_audit.builders.command import Baked, BuildCommand, Given
from lucid_audit.text import Span
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown, Value


class Session(NamedTuple):
    """Where a command is run: the file that it stands in, of which kind that is, and its folders, as in ``BuildCommand``."""

    file: str
    kind: str
    folders: tuple[str, ...]


def built(session: Session, found: Given, called: str) -> BuildCommand | None:
    """Return the build, None for what is none that can be read."""
    if called == "bake":
        baked = Baked(tuple(value for value, _ in found.all("-f", "--file")), tuple(found.rest))
        return BuildCommand(session.file, Span(0, 0), session.kind, session.folders, ".", bake=baked)
    if called == "kaniko":
        raw = found.last("--context") or "."
        context: Value = raw.removeprefix("dir://") if isinstance(raw, str) else raw
        file = found.last("--dockerfile")
        return BuildCommand(session.file, Span(0, 0), session.kind, session.folders, context, file, loose=True)
    known = [word for word in found.rest if isinstance(word, str)]
    unknown = [word for word in found.rest if isinstance(word, Unknown)]
    if "-" in known:
        return None  # the Dockerfile or the context comes from another program
    more = unknown[0].reason if unknown and known else ""
    if len(known) > 1:
        return None  # no builder takes two; it is not read rightly
    if not known and not unknown:
        if called not in ("podman", "buildah"):
            return None  # talk of a command, or an alias that says the rest
        known = ["."]
    file = found.last("-f", "--file")
    if file == "-":
        file = Unknown("the Dockerfile comes from another program")
    return BuildCommand(
        session.file, Span(0, 0), session.kind, session.folders, known[0] if known else unknown[0], file,
        open=more, loose=called in ("podman", "buildah"),
    )  # fmt: skip
