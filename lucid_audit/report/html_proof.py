"""How an image starts, drawn step by step: each step with who made it, the first that cannot work marked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from lucid_audit.finding import SubjectReport
from lucid_audit.regex import regex
from lucid_audit.report.page import text
from lucid_audit.tuples import NamedTuple

CHAINS = ("starts", "health check")  # the facts that are proofs: a line for each step follows
FOLDED = 4  # steps of one kind in a row, of which more are folded away
_LAYER = regex(r"(.*?)(?:, |^)layer (\d+)(?:: (.*))?")
_SAID = {"fail": "cannot work", "unknown": "not known to the end", "pass": "proven", "": ""}


class Step(NamedTuple):
    """One line of a proof. ``kind``: ``pass``, ``fail``, ``unknown``; ``layer`` is 0 where nobody knows or nothing is made."""

    kind: str
    words: str
    what: str = ""
    layer: int = 0
    made: str = ""


class Proof(NamedTuple):
    """How something starts: its name, its command, what set that, and its steps."""

    name: str
    command: str
    by: str
    steps: tuple[Step, ...]

    @property
    def verdict(self) -> str:
        """``pass``, ``fail``, ``unknown``; "" where there is nothing to start."""
        kinds = {step.kind for step in self.steps}
        return next((kind for kind in ("fail", "unknown", "pass") if kind in kinds), "")

    @property
    def said(self) -> str:
        """The verdict in words."""
        return _SAID[self.verdict]


def split(subject: SubjectReport) -> tuple[list[tuple[str, str]], list[Proof]]:
    """Return what a subject is, and its proofs: that of how it starts, and those that follow it."""
    plain: list[tuple[str, str]] = []
    chains: list[tuple[str, list[str]]] = []
    goes_on = False
    for name, value in subject.facts:
        if name:
            goes_on = name == CHAINS[0] or (name in CHAINS and bool(chains))
            (chains.append((name, [value])) if goes_on else plain.append((name, value)))
        elif goes_on:
            chains[-1][1].append(value)
        else:
            plain.append((name, value))
    return plain, [Proof(name, *_command(lines[0]), tuple(map(_step, lines[1:]))) for name, lines in chains]


def _command(line: str) -> tuple[str, str]:
    """Split a command, which is a JSON array, from what set it, in parentheses behind it."""
    command, bracket, by = line.partition('"] (')
    return (f'{command}"]', by.removesuffix(")")) if bracket else (line, "")


def _step(line: str) -> Step:
    kind = {"✗": "fail", "?": "unknown"}.get(line[:1], "pass")
    words = line.removeprefix(line[:1]).lstrip() if line[:1] in "→✗?" else line
    path, _, made = words.partition(" (") if line.startswith("→") else (words, "", "")
    made = made.removesuffix(")")
    found = _LAYER.fullmatch(made)
    if found is None:
        return Step(kind, path, made)
    return Step(kind, path, found[1], int(found[2]) if len(found[2]) < 6 else 0, found[3] or "")


def drawn(proof: Proof, anchor: str, layers: int) -> Iterator[str]:
    """Draw a proof. ``anchor`` begins the ids of layers, of which there are so many: steps lead to them."""
    badge = f' <span class="badge {proof.verdict}">{proof.said}</span>' if proof.verdict else ""
    by = f"<small><code>{text(proof.by)}</code></small>" if proof.by else ""
    yield f'<h3>{text(proof.name)}{badge}</h3><ol class="chain"><li class="first"><code>{text(proof.command)}</code>{by}</li>'
    for kind, group in groupby(
        proof.steps, key=lambda step: step.what.partition(" ")[0] if step.kind == "pass" else ""
    ):
        steps = list(group)
        if kind in ("library", "package", "module") and len(steps) > FOLDED:
            plural = {"library": "libraries"}.get(kind, f"{kind}s")
            yield f'<li class="pass"><details><summary>{len(steps)} {plural}</summary><ol class="chain">'
            yield from (_item(step, anchor, layers) for step in steps)
            yield "</ol></details></li>"
        else:
            yield from (_item(step, anchor, layers) for step in steps)
    yield "</ol>"


def _item(step: Step, anchor: str, layers: int) -> str:
    if not (step.what or step.layer):
        return f'<li class="{step.kind}">{text(step.words)}</li>'
    layer = f'<a href="#{anchor}{step.layer}">layer {step.layer}</a>' if 0 < step.layer <= layers else ""
    made = f"<code>{text(step.made)}</code>" if step.made else ""
    said = " · ".join(filter(None, (text(step.what), layer, made)))
    return f'<li class="{step.kind}"><code>{text(step.words)}</code><small>{said}</small></li>'
