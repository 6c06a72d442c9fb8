"""The history of an image: which instruction made which layer and set which field. It is text that anyone can forge.

Forms: BuildKit writes the instruction as it was (``USER 65532``, ``COPY app /app # buildkit``), the builder before it
``/bin/sh -c #(nop)  USER 65532`` and ``/bin/sh -c apt-get …`` for RUN; buildah writes the latter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lucid_audit.image.config import ImageConfig, Step

_NOP = re.compile(r"(?:/bin/sh -c |\|\d+ .*?/bin/sh -c )?#\(nop\)\s+", re.DOTALL)
_KEYWORD = re.compile(r"(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER"
                      r"|VOLUME|WORKDIR)\b\s*(.*)", re.DOTALL)  # fmt: skip


def instruction(step: Step) -> tuple[str, str]:
    """Return keyword and arguments of a history line; the keyword is RUN for a bare command, "" when nobody can tell."""
    text = step.created_by.strip()
    plain = _NOP.sub("", text, count=1)
    match = _KEYWORD.match(plain)
    if match is not None:
        return match[1], match[2].removesuffix("# buildkit").strip()
    if text.startswith("/bin/sh -c ") or re.match(r"\|\d+ ", text):
        return "RUN", text.partition("/bin/sh -c ")[2].strip()
    return "", plain


def steps_of_layers(config: ImageConfig) -> tuple[Step, ...]:
    """Return the history line of each layer; no lines at all when their number is not that of the layers."""
    making = tuple(step for step in config.history if not step.empty)
    return making if len(making) == len(config.diff_ids) else ()


def made_by(config: ImageConfig, layer: int) -> str:
    """Return the history line of a layer (from 0), "" when there is none."""
    steps = steps_of_layers(config)
    return steps[layer].created_by if layer < len(steps) else ""


def last(steps: Sequence[Step], keyword: str, mentions: str = "") -> Step | None:
    """Return the last line of a keyword, perhaps one whose arguments contain ``mentions``."""
    for step in reversed(steps):
        found, arguments = instruction(step)
        if found == keyword and mentions in arguments:
            return step
    return None


def above(config: ImageConfig, base_layers: int) -> tuple[Step, ...]:
    """Return the lines that come after the first ``base_layers`` layers: what was done to the base."""
    if base_layers <= 0:
        return config.history
    made = 0
    for at, step in enumerate(config.history):
        if made >= base_layers and not _of_base(step):
            return config.history[at:]
        made += not step.empty
    return () if made >= base_layers else config.history


def _of_base(step: Step) -> bool:
    """Whether a line without a layer, right after the base's last layer, may still belong to the base.

    Distroless bases have one line per layer and none beside; those of other publishers cannot be told apart here.
    """
    return step.empty and not step.created_by
