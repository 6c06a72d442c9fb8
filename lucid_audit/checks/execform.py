"""Exec form that needs a shell all the same: variables and operators that nobody will read."""

from __future__ import annotations

from posixpath import basename

from lucid_audit.checks import Answers, check
from lucid_audit.container.config import Container
from lucid_audit.container.execute import is_shell
from lucid_audit.finding import Hit
from lucid_audit.regex import rx

# Variables of the environment are in capitals by custom; $remote_addr and the like are the program's own.
_VARIABLE = r"[\w./:=@,+-]*\$(?:[A-Z][A-Z0-9_]*|\{[A-Z][A-Z0-9_]*(?::?[-+?][^}]*)?\})[\w./:@,+$-]*"
_OPERATOR = r"&&|\|\||[12&]?>>?(?:/dev/\w+)|2>&1"
_CODE = frozenset(("-c", "-e", "-p", "--eval", "--print"))  # what follows is code, with a $ of its own
_EXPANDS = frozenset(("env", "envsubst", "java"))  # java: Spring resolves ${NAME} in its arguments


@check("exec-form-verbatim")
def exec_form_verbatim(container: Container) -> Answers:
    """Judge variables and operators in exec form (Dockerfile reference, "Exec form": no shell, so no processing)."""
    health = container.health.known()
    probe = health.argv if health is not None else None
    for keyword, argv, place in (
        ("ENTRYPOINT", container.entrypoint.known(), container.entrypoint.place),
        ("CMD", container.cmd.known(), container.cmd.place),
        ("HEALTHCHECK", probe, container.health.place),
    ):
        words = (argv.known() or ()) if argv is not None and not argv.shell else ()
        word = _unread(words)
        if word and not (keyword == "CMD" and _expands(container)):
            yield Hit(place, keyword=keyword, word=word)


def _expands(container: Container) -> bool:
    """Whether ENTRYPOINT has a program that reads variables in the words of CMD."""
    entry = container.entrypoint.known()
    return entry is not None and any(_reads(word) for word in entry.args if isinstance(word, str))


def _reads(word: str) -> bool:
    return is_shell(word) or word.endswith(".sh") or basename(word) in _EXPANDS


def _unread(words: tuple[str, ...]) -> str:
    """Return the first word that only a shell would understand; "" when there is none, or a shell to read it."""
    before = ""
    for word in words:
        if _reads(word):
            return ""
        telling = before not in _CODE and not word.isalnum() and any(char in word for char in "$&|>")
        if telling and (rx(_VARIABLE).fullmatch(word) or rx(_OPERATOR).fullmatch(word)):
            return word
        before = word
    return ""
