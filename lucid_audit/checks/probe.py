"""Reading a health check: what it asks, where, and whether it asks anything at all. Text only, nothing is executed."""

from __future__ import annotations

import sys
from posixpath import basename
from typing import NamedTuple

from lucid_audit.checks.runtext import rx
from lucid_audit.container.config import Argv, Container
from lucid_audit.values import Unknown

LOCAL = frozenset(("localhost", "127.0.0.1", "0.0.0.0", "[::1]", "::1"))
_URL = r"https?://(\[[0-9a-fA-F:]+\]|[\w.-]+)(?::(\d+))?(/[^\s'\"`;)]*)?"
_SOCKET = r"\(\s*\(?\s*['\"]([\w.:\[\]-]+)['\"]\s*,\s*(\d+)\s*\)?"
_VARIABLE = r"(?:environ(?:\.get\(|\[)|getenv\()\s*['\"](\w+)['\"](?:\s*,\s*['\"]?(\d+))?"
_IMPORT = r"(?:^|[;\n])\s*(?:import\s+([\w.,\s]+?)(?=[;\n]|$)|from\s+([\w.]+)\s+import\b)"
_EXIT = r"(sys\.|os\._)?exit\(\s*0?\s*\)|quit\(\s*0?\s*\)|raise SystemExit(\(\s*0?\s*\))?|pass|print\([^()]*\)|(True|None|0|1)"
_STATEMENT_IMPORT = r"(import\s+[\w., ]+|from\s+[\w.]+\s+import\s+[\w., *]+)"
_VERSION_FLAGS = frozenset(("--version", "-version", "-V", "-v", "version", "--help", "-h"))


class Asked(NamedTuple):
    """One address a probe asks. ``port`` is None when it is not known; ``path`` is "" for a bare socket."""

    host: str
    port: int | None
    path: str


def text_of(argv: Argv) -> str:
    """Return the words of a probe as one text; unknown words are left out."""
    return " ".join(word for word in argv.args if isinstance(word, str))


def code_of(argv: Argv) -> str | None:
    """Return the source of ``python -c``; None when the probe is something else."""
    words = [word if isinstance(word, str) else "" for word in argv.args]
    if argv.shell or not words or not basename(words[0]).startswith("python") or "-c" not in words:
        return None
    at = words.index("-c") + 1
    return words[at] if at < len(words) else None


def asks(argv: Argv, container: Container) -> list[Asked]:
    """Return the addresses that a probe asks, variables of the environment filled in where they are known."""
    text = rx(_VARIABLE).sub(lambda match: _filled(match[1], match[2], container), text_of(argv))
    # f"http://localhost:{8090}/x" and "http://localhost:"+8090+"/x" after the variable was filled in
    text = rx(r"['\"]\s*\+\s*(?:str\()?\s*['\"]?(\d+)\)?\s*(?:\+\s*['\"])?").sub(r"\1", text)
    text = rx(r"\{\s*(?:int\()?(\d+)\)?\s*\}").sub(r"\1", text)
    found = [
        Asked(match[1], int(match[2]) if match[2] else _default(match[0], text, match.end()), match[3] or "/")
        for match in rx(_URL).finditer(text)
    ]
    found += [Asked(match[1], int(match[2]), "") for match in rx(_SOCKET).finditer(text)]
    return found


def _default(scheme: str, text: str, end: int) -> int | None:
    if text[end : end + 1] in (":", "{", "'", '"', "$", "%") and text[end - 1] == ":":
        return None
    if text[end : end + 1] == ":":
        return None  # a port that is not a number here
    return 443 if scheme.startswith("https") else 80


def _filled(name: str, default: str | None, container: Container) -> str:
    """Return the value of a variable for a probe's text, or what was written when it is not known."""
    traced = container.env.get(name)
    value = traced.known() if traced is not None else default
    return value if value is not None and value.isdigit() else f"${name}"


def imports(code: str) -> list[str]:
    """Return the top-level names of the modules that a piece of code imports."""
    names: list[str] = []
    for match in rx(_IMPORT).finditer(code):
        for part in (match[1] or match[2]).split(","):
            name = part.split(" as ")[0].strip().partition(".")[0]
            if name:
                names.append(name)
    return names


def third_party(code: str) -> list[str]:
    """Return the imported modules that are not of Python's standard library."""
    return [name for name in imports(code) if name not in sys.stdlib_module_names]


def does_nothing(argv: Argv) -> str:
    """Say why a probe succeeds whatever the service does, or return ""."""
    words = [word if isinstance(word, str) else "?" for word in argv.args]
    if argv.shell:
        words = words[0].split()
    if not words:
        return ""
    program = basename(words[0])
    if program in ("true", ":") or (
        program in ("exit", "sh", "bash") and words[1:] in (["0"], ["-c", "exit 0"], ["-c", "true"])
    ):
        return f"{' '.join(words)} always succeeds"
    if program == "echo":
        return "echo always succeeds"
    if len(words) == 2 and words[1] in _VERSION_FLAGS:
        return f"{' '.join(words)} does not ask the service"
    code = code_of(argv)
    if code is not None and not third_party(code) and _constant(code):
        return "the code succeeds without asking anything"
    return ""


def _constant(code: str) -> bool:
    statements = [part.strip() for part in rx(r"[;\n]").split(code)]
    pattern = rx(f"{_EXIT}|{_STATEMENT_IMPORT}")
    return all(not part or pattern.fullmatch(part) for part in statements)


def unknown_word(argv: Argv) -> Unknown | None:
    """Return the first word that is not known."""
    return next((word for word in argv.args if isinstance(word, Unknown)), None)
