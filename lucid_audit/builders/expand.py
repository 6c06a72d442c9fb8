"""Words of a script with the values that its text lets be known: assignments, defaults, and the idioms for where it stands.

Nothing is run. ``$(dirname "$0")``, ``$(pwd)``, ``$(cd DIR && pwd)`` and ``$(git rev-parse --show-toplevel)`` are paths that
can be told without; of every other substitution the value is not known.
"""

from __future__ import annotations

import os
import re
from fnmatch import translate

from lucid_audit.dockerfile.shell_match import ScriptError
from lucid_audit.dockerfile.shell_words import read_word
from lucid_audit.values import Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROUNDS = 30  # substitutions of one word
_SELF = re.compile(r"\$\{BASH_SOURCE(?:\[0\])?(?::-\$0)?\}|\$BASH_SOURCE\b|\$\{?0\}?(?![\w%])|\$\{\(%\):-%[xN]\}")
_SELF_FOLDER = re.compile(r"\$\{(?:0|BASH_SOURCE(?:\[0\])?)%/\*\}")
_DEFAULT = re.compile(r"\$\{([A-Za-z_]\w*|[1-9])(:?)[-=]([^{}]*)\}")
_TRIMMED = re.compile(r"\$\{([A-Za-z_]\w*|[1-9])(%%?|##?)([^{}$`\"'\\]+)\}")
_POSITION = re.compile(r"\$\{([1-9])\}")
_INNERMOST = re.compile(r"\$\(((?!\()[^()]*)\)|`([^`]*)`")
_WHOLE = re.compile(r"\$(?:([A-Za-z_]\w*|[1-9])|\{([A-Za-z_]\w*|[1-9])\})")
_NAME = re.compile(r"\$\{?([A-Za-z_]\w*|[0-9@*#?!-])")
_CD_PWD = re.compile(
    r"cd\s+(?:-P\s+|--\s+)*(.+?)\s*(?:>\s*/dev/null\s*)?(?:2>&1\s*|2>\s*/dev/null\s*)?(?:&&|;)\s*pwd(?:\s+-P)?"
)
_PATH = re.compile(r"(dirname|realpath|readlink\s+-f|readlink\s+-e|readlink)\s+(?:--\s+|-s\s+)*(.+)")
_TOP = re.compile(r"git\s+rev-parse\s+--show-toplevel(?:\s+2>\s*/dev/null)?(?:\s*\|\|.*)?")


class Values:
    """What is known of a script's variables. ``script`` is its absolute path, "" for text that is no file of its own."""

    def __init__(self, known: Mapping[str, Value], script: str, root: str) -> None:
        self.known: dict[str, Value] = dict(known)
        self._script = script
        self._root = root

    def words(self, raw: str, folder: str) -> list[str] | Unknown:
        """Return the words that one written word becomes, in a script that is in ``folder``."""
        whole = _WHOLE.fullmatch(raw)
        if whole is not None:
            value = self.known.get(whole[1] or whole[2])
            return value.split() if isinstance(value, str) else self._why(raw)
        value = self.text(raw, folder, split=True)
        return value if isinstance(value, Unknown) else [value]

    def text(self, raw: str, folder: str, *, split: bool = False) -> Value:
        """Return one word as text. ``split``: blanks of values without quotes would make several words of it."""
        made: dict[str, str] = {}

        def keep(text: str) -> str:
            name = f"lucid_{len(made)}"
            made[name] = text
            return f"${{{name}}}"

        if self._script:
            raw = _SELF_FOLDER.sub(lambda _: keep(os.path.dirname(self._script)), raw)
            raw = _SELF.sub(lambda _: keep(self._script), raw)
        raw = _TRIMMED.sub(lambda match: self._trimmed(match, keep), self._defaults(raw))
        for _ in range(ROUNDS):
            inner = _INNERMOST.search(raw)
            if inner is None:
                break
            value = self._substituted((inner[1] if inner[1] is not None else inner[2]).strip(), folder, made)
            if value is None:
                return Unknown(f"{_short(inner[0])} is known only when it runs")
            raw = raw[: inner.start()] + keep(value) + raw[inner.end() :]
        return self._plain(_POSITION.sub(r"$\1", raw), folder, made, split=split)

    def assign(self, name: str, raw: str, folder: str, *, surely: bool) -> None:
        """Set a variable to what is written; what a branch may set is not known. Lists are read elsewhere."""
        if raw.startswith("("):
            return
        value = self.text(raw, folder) if raw else ""
        if surely or value == self.known.get(name):
            self.known[name] = value
        else:
            self.known[name] = Unknown(f"${name} is set in a branch, loop or function of the script")

    def taken_apart(self, names: Sequence[str], text: Value, separator: str | None) -> None:
        """Give the parts of a text to variables, as ``read`` does, the rest to the last."""
        for number, name in enumerate(names):
            if isinstance(text, Unknown) or not separator:
                self.known[name] = text if isinstance(text, Unknown) else Unknown(f"${name} is a part of {text!r}")
                continue
            parts = re.split(f"[{re.escape(separator)}]", text, maxsplit=len(names) - 1)
            self.known[name] = parts[number] if number < len(parts) else ""

    def arguments(self, raws: Sequence[str], folder: str) -> list[Value]:
        """Return nine arguments of a function: empty where none is given, unknown behind a word that may be several."""
        found: list[Value] = []
        for raw in raws:
            words = self.words(raw, folder)
            if isinstance(words, Unknown):
                found += [words] if raw.startswith(('"', "'")) else [words] * 9
            else:
                found += words
        return [*found, *[""] * 9][:9]

    def shift(self, *, once: bool) -> None:
        """Move the arguments of a function up by one; by more they are not known any longer."""
        for number in range(1, 10):
            if str(number) in self.known:
                lost = Unknown(f"${number} is an argument of the script or function")
                self.known[str(number)] = self.known.get(str(number + 1), lost) if once else lost

    def _defaults(self, raw: str) -> str:
        """Replace ``${NAME:-default}``, the innermost first, by the variable when it is known, else by the default."""
        for _ in range(ROUNDS):
            found = _DEFAULT.search(raw)
            if found is None:
                break
            value = self.known.get(found[1])
            taken = isinstance(value, Unknown) or (value is not None and (value or not found[2]))
            raw = raw[: found.start()] + (f"${{{found[1]}}}" if taken else found[3]) + raw[found.end() :]
        return raw

    def _trimmed(self, match: re.Match[str], keep: Callable[[str], str]) -> str:
        """Return ``${x%pattern}`` and its kin as what they leave of a known value (POSIX XCU 2.6.2)."""
        value = self.known.get(match[1])
        if not isinstance(value, str):
            return match[0]
        pattern = re.compile(translate(match[3]))
        sizes = range(len(value) + 1) if len(match[2]) == 1 else range(len(value), -1, -1)
        for size in sizes:
            part = value[len(value) - size :] if match[2][0] == "%" else value[:size]
            if pattern.match(part):
                return keep(value[: len(value) - size] if match[2][0] == "%" else value[size:])
        return keep(value)

    def _plain(self, raw: str, folder: str, made: Mapping[str, str], *, split: bool = False) -> Value:
        def lookup(name: str) -> str | None:
            if name == "PWD":
                return folder or None
            value = made.get(name, self.known.get(name))
            return value if isinstance(value, str) else None

        try:
            word = read_word(raw, 0, lookup, split=split)
        except ScriptError as error:
            return Unknown(str(error))
        if word.text is None:
            return self._why(raw, made)
        return word.text

    def _substituted(self, command: str, folder: str, made: Mapping[str, str]) -> str | None:
        """Return what a command prints, None when that cannot be told from its text."""
        if command in ("pwd", "pwd -P"):
            return folder or None
        if _TOP.fullmatch(command):
            return self._root
        moved, path = _CD_PWD.fullmatch(command), _PATH.fullmatch(command)
        raw = moved[1] if moved else path[2] if path else ""
        if not raw or any(mark in raw for mark in "|;&<>"):
            return None
        value = self._plain(raw.strip(), folder, made)
        if isinstance(value, Unknown) or not value or (not folder and not os.path.isabs(value)):
            return None
        if path and path[1] == "dirname":
            return os.path.dirname(value.rstrip("/")) or ("/" if value.startswith("/") else ".")
        return os.path.normpath(os.path.join(folder, value))

    def _why(self, raw: str, made: Mapping[str, str] | None = None) -> Unknown:
        for name in _NAME.findall(raw):
            if name in (made or ()) or isinstance(self.known.get(name), str):
                continue
            value = self.known.get(name)
            if isinstance(value, Unknown):
                return value
            if not (name[0].isalpha() or name[0] == "_"):
                return Unknown(f"${name} is an argument of the script or function")
            if set(name) == {"x"}:  # what ``documents`` makes of <name>
                return Unknown("it stands for something that is not said")
            return Unknown(f"${name} is set nowhere that can be read")
        return Unknown(f"{_short(raw)} is not worked out")


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else f"{flat[:57]}..."
