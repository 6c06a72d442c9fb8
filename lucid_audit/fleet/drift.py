"""Whether an image was built from its Dockerfile: the predicted container against the measured one.

Only what both know is compared. A value that depends on a build argument which nobody gives is known to neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lucid_audit.checks.secret import is_value, masked
from lucid_audit.container.config import Argv, Container, Health, Place, Traced
from lucid_audit.container.files import State
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

FILES = 2000  # copied files that are looked up
BASE_DIGEST = "org.opencontainers.image.base.digest"  # OCI image-spec, annotations.md
CONTENT = 1 << 16  # bytes of one that are compared

Written = Callable[[Place], str]  # an instruction's text, to see whether a variable is in it


class Difference(NamedTuple):
    """One thing that differs. ``dockerfile`` and ``image`` say what each has, in words."""

    what: str
    dockerfile: str
    image: str


def drift(predicted: Container, measured: Container, written: Written) -> list[Difference]:
    """Return how a measured container differs from the predicted one. Secrets are not quoted."""
    found = (
        *_settings(predicted, measured),
        *_named(predicted, measured, written),
        *_more(predicted, measured),
        *_base(predicted, measured),
        *_files(predicted, measured),
    )
    return [one._replace(dockerfile=masked(one.dockerfile), image=masked(one.image)) for one in found]


def _settings(predicted: Container, measured: Container) -> Iterator[Difference]:
    pairs: tuple[tuple[str, Traced[Any], Traced[Any], Callable[[Any], str]], ...] = (
        ("user", predicted.user, measured.user, str),
        ("working directory", predicted.workdir, measured.workdir, str),
        ("entry point", predicted.entrypoint, measured.entrypoint, _argv),
        ("command", predicted.cmd, measured.cmd, _argv),
        ("stop signal", predicted.stop_signal, measured.stop_signal, str),
        ("health check", predicted.health, measured.health, _health),
    )
    for what, one, other, shown in pairs:
        if isinstance(one.value, Unknown) or isinstance(other.value, Unknown):
            continue
        left, right = (shown(value) if value not in (None, "") else "" for value in (one.value, other.value))
        if (
            left is not None
            and right is not None
            and _same(what, left) != _same(what, right)
            and "?" not in (left, right)
        ):
            yield Difference(what, left or "none", right or "none")


def _same(what: str, value: str) -> str:
    if what == "working directory":
        return value.rstrip("/") or "/"
    if what == "user":
        return "0" if value in ("", "root", "0", "0:0", "root:root") else value
    return "" if value == "[]" else value


def _argv(value: Argv) -> str:
    """Return an argument vector; a shell form as what the builder makes of it. "?" where a word is not known."""
    words = value.known()
    if words is None:
        return "?"
    if value.shell:
        return f"shell: {' '.join(' '.join(words).split())}"
    if len(words) == 3 and words[0] == "/bin/sh" and words[1] == "-c":
        return f"shell: {' '.join(words[2].split())}"
    return f"[{', '.join(words)}]"


def _health(value: Health) -> str:
    """Return a health check with the times that are set; the engine's defaults, and 0 which means them, are none."""
    if value.argv is None:
        return "NONE"
    argv = _argv(value.argv)
    named = (
        ("interval", value.interval, "s"),
        ("timeout", value.timeout, "s"),
        ("start period", value.start_period, "s"),
        ("retries", value.retries, ""),
    )
    times = [f"{name} {number:g}{unit}" for name, number, unit in named if number]
    return argv if argv == "?" else " ".join((argv, *times))


def _named(predicted: Container, measured: Container, written: Written) -> Iterator[Difference]:
    for kind, one, other in (
        ("variable", predicted.env, measured.env), ("label", predicted.labels, measured.labels)
    ):  # fmt: skip
        yield from _mapping(kind, one, other, written)
    ports = [traced.known() for traced in predicted.ports]
    if None not in ports:
        left = {_port(word) for port in ports for word in str(port).split()}
        right = {_port(str(traced.known())) for traced in measured.ports}
        if predicted.base is not None and left != right and not any("-" in port for port in left):
            yield Difference("ports", ", ".join(sorted(left)) or "none", ", ".join(sorted(right)) or "none")


def _port(text: str) -> str:
    number, _, protocol = text.partition("/")
    return f"{number}/{protocol.lower() or 'tcp'}"


def _mapping(
    kind: str, one: Mapping[str, Traced[str]], other: Mapping[str, Traced[str]], written: Written
) -> Iterator[Difference]:
    for name, traced in one.items():
        value = traced.known()
        if value is None or traced.inherited or "$" in written(traced.place):
            continue
        there = other[name].known() if name in other else ""
        if there is not None and there != value:
            left, right = (_shown(name, text) if kind == "variable" else text for text in (value, there))
            yield Difference(f"{kind} {name}", left or "empty", right or ("empty" if name in other else "not set"))


def _shown(name: str, value: str) -> str:
    """Return a variable's value; three dots for what its name or form says is a secret."""
    return "…" if is_value(name, value) else value


def _more(predicted: Container, measured: Container) -> Iterator[Difference]:
    """Yield variables that neither the Dockerfile nor its base sets; labels are not asked, since a build may be told more of them."""
    if predicted.env_open or predicted.base is None:
        return
    for name, traced in measured.env.items():
        value = traced.known()
        if name not in predicted.env and value is not None:
            yield Difference(f"variable {name}", "not set", _shown(name, value) or "empty")


def _base(predicted: Container, measured: Container) -> Iterator[Difference]:
    """Compare the families of the bases, where the image's layers tell: python3-debian12 is not python3-debian13."""
    ground, base = measured.ground, predicted.base
    image = predicted.image.known()
    noted = measured.labels[BASE_DIGEST].known() if BASE_DIGEST in measured.labels else None
    if image is not None and image.digest and noted and noted != image.digest and BASE_DIGEST not in predicted.labels:
        yield Difference("base's digest", image.digest, noted)
    if base is None or ground is None or not ground.name or not base.distroless:
        return
    named = ground.name.partition("@")[0].rpartition("/")[2].partition(":")[0]
    wanted = base.ref.name.rpartition("/")[2]
    if "-debian" in named and "-debian" in wanted and named != wanted:
        yield Difference("base", base.ref.familiar, f"{ground.name} ({ground.how})")


def _files(predicted: Container, measured: Container) -> Iterator[Difference]:
    """Look up what COPY and ADD surely put into the image."""
    looked = 0
    for placement in predicted.files.placements:
        if placement.path is None:
            continue
        walk = predicted.files.walk(placement.path)
        if walk.state != "present" or walk.node is None or walk.node.made.span is None:
            continue
        below = getattr(getattr(predicted.files, "tree", None), "below", None)
        nodes = (
            [(placement.path, walk.node)]
            if walk.node.kind != "d" or below is None
            else list(below(placement.path, walk.node))
        )
        for path, node in nodes:
            if node.kind != "f" or node.made.span is None or looked >= FILES:
                continue
            looked += 1
            if measured.files.find(path).state is State.ABSENT:
                yield Difference(f"file {path}", "copied", "not there")
                continue
            ours, theirs = node.load(CONTENT) if node.load is not None else None, measured.files.read(path)
            if ours is not None and isinstance(theirs, bytes) and len(ours) < CONTENT and ours != theirs:
                yield Difference(f"file {path}", f"{len(ours)} bytes", f"{len(theirs)} bytes, another content")
