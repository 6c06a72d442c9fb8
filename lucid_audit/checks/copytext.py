"""Words of COPY and ADD that were not meant as paths."""

from __future__ import annotations

from lucid_audit.dockerfile.model import Transfer, Word
from lucid_audit.regex import rx

_SHELL = r"\|\|?|&&?|;|\d*>>?(?:&\d|[/\w&].*)?|#.*|.*\$\(.*|.+(?:;|&&|\|\|)"
_SHELL_ONLY = frozenset("|&;>#")  # one of these, or "$(", is in whatever it finds


def first_non_path(instruction: Transfer) -> tuple[Word | None, str]:
    """Return the first word that is no path and what it is ("shell" or "flag"); (None, "") when all may be paths."""
    if instruction.json:
        return None, ""
    everything = (*instruction.sources, instruction.destination)
    for at, word in enumerate(everything):
        raw = word.raw
        if raw.startswith("--") and at and rx(r"--[a-z-]+(?:=.*)?").fullmatch(raw):
            return word, "flag"
        if raw.startswith("#") and at < 2:
            continue  # an editor's lock file may be called #name#
        if _SHELL_ONLY.isdisjoint(raw) and "$(" not in raw:
            continue  # the quick way for nearly every word
        if not raw.startswith("<<") and rx(_SHELL).fullmatch(raw):
            return word, "shell"
    return None, ""


def escaped_blank(word: Word, escape: str) -> bool:
    """Whether a word ends in a backslash that was meant to keep the next blank; COPY splits there all the same."""
    raw = word.raw
    return escape == "\\" and (len(raw) - len(raw.rstrip("\\"))) % 2 == 1
