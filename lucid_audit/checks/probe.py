"""Reading a health check: its words, the Python or JavaScript in them, and whether it asks anything. Nothing is executed."""

from __future__ import annotations

import sys
from posixpath import basename

from lucid_audit.container.config import Argv
from lucid_audit.container.execute import is_shell
from lucid_audit.dockerfile.shell_calls import plain_command
from lucid_audit.regex import rx

_IMPORT = (
    r"(?:^|[;\n:])\s*(?:import\s+([\w., \t]+?)\s*(?=[;\n]|$)|from\s+(\w[\w.]*)\s+import\b)|__import__\(\s*['\"]([\w.]+)"
)
# Statements of Python and of JavaScript that cannot fail and look at nothing.
_LITERAL = r"(?:True|None|\.\.\.|-?\d+|'[^'\\]*'|\"[^\"\\]*\")"
_CONSTANT = (
    rf"(?:\w+\.)?_?exit\(\s*(?:0|None|False|0 if (?:True|1) else \d)?\s*\)|quit\(\s*0?\s*\)|pass|assert (?:True|1)"
    rf"|raise SystemExit(?:\(\s*0?\s*\))?|(?:print|console\.log)\([^()]*\)|{_LITERAL}|\w+\s*=\s*{_LITERAL}"
)
_IMPORT_STATEMENT = r"import\s+[\w., ]+|from\s+[\w.]+\s+import\s+[\w., *]+"
_ENDS_WELL = r"(?:\|\|\s*(?:true|:|exit(?:\s+0)?)|;\s*(?:true|:|exit\s+0))\s*;?\s*$"
_ON_FAILURE = r"\s*\|\|\s*(?:exit|return|false|kill)\b[^|&;]*$"
_SAYS_VERSION = r"(?:python|node|nodejs|java|ruby|php|perl|nginx)[0-9.]*"


def words_of(argv: Argv) -> list[str]:
    """Return the words of the one program that a probe starts; none when it is shell text with more than that."""
    words = [word if isinstance(word, str) else "?" for word in argv.args]
    text = shell_text(argv)
    if text is None:
        return words
    text = rx(_ON_FAILURE).sub("", text)
    plain = plain_command(text)
    if plain is not None:
        return list(plain)
    from lucid_audit.dockerfile.shell import parse_script  # noqa: PLC0415  (see plain_command)

    script = parse_script(text)
    if not script.complete or len(script.commands) != 1:
        return []
    command = script.commands[0]
    return [] if command.redirects or command.depth else [word if word is not None else "?" for word in command.argv]


def shell_text(argv: Argv) -> str | None:
    """Return what a shell is given to run, in shell form or as ``["sh", "-c", "…"]``; None when no shell is asked."""
    words = [word if isinstance(word, str) else "?" for word in argv.args]
    if argv.shell:
        return words[0].strip() if words else ""
    if len(words) > 2 and is_shell(words[0]) and rx(r"-[a-z]*c").fullmatch(words[1]):
        return words[2].strip()
    return None


def _code(argv: Argv, program: str, option: str) -> str | None:
    words = words_of(argv)
    if not words or rx(program).fullmatch(basename(words[0])) is None:
        return None
    for at, word in enumerate(words[1:-1], 1):
        if rx(option).fullmatch(word):
            return words[at + 1]
        if not word.startswith("-"):
            return None  # a script, and what follows are its arguments
    return None


def code_of(argv: Argv) -> str | None:
    """Return the source of ``python -c``; None when the probe is something else."""
    return _code(argv, r"python[0-9.]*", r"-[a-zA-Z]*c")


def javascript_of(argv: Argv) -> str | None:
    """Return the source of ``node -e``; None when the probe is something else."""
    return _code(argv, r"node(?:js)?|bun", r"-[a-z]*e|--eval")


def imports(code: str) -> list[str]:
    """Return the top-level names of the modules that a piece of Python imports."""
    names: list[str] = []
    for match in rx(_IMPORT).finditer(code):
        for part in (match[1] or match[2] or match[3]).split(","):
            name = part.split(" as ")[0].strip().partition(".")[0]
            if name and name not in names:
                names.append(name)
    return names


def third_party(code: str) -> list[str]:
    """Return the imported modules that are not of Python's standard library."""
    return [name for name in imports(code) if name not in sys.stdlib_module_names]


def does_nothing(argv: Argv) -> str:
    """Say why a probe succeeds whatever the service does, or return ""."""
    text = shell_text(argv)
    if text is not None:
        if " ".join(text.split()) in (":", "exit", "exit 0", "return", "return 0"):
            return f"{text} always succeeds"
        last = text.rstrip().removesuffix(";").rstrip()
        ends_well = last.endswith(("true", ":", "exit", "0")) and rx(_ENDS_WELL).search(text)
        if ends_well and not rx(r"\bexit\s+[1-9]|\bset\s+-\w*e|\bfalse\b").search(text):
            return f"whatever fails before it, {rx(r'^(?:;|[|][|])').sub('', _end(text)).strip()} makes it succeed"
    words = words_of(argv)
    if not words:
        return ""
    program, shown = basename(words[0]), " ".join(words)
    if program in ("true", ":") or (program in ("echo", "printf") and not any("/dev/" in word for word in words)):
        return f"{program} always succeeds"
    if len(words) == 2 and (words[1] in ("--version", "--help") or _asks_version(program, words[1])):
        return f"{shown} does not ask the service"
    python, javascript = code_of(argv), javascript_of(argv)
    code = python if python is not None else javascript
    if code is not None and _constant(code) and not (python is not None and third_party(code)):
        return "its code succeeds whatever the service does"
    return ""


def _end(text: str) -> str:
    match = rx(_ENDS_WELL).search(text)
    return match[0].rstrip("; ") if match is not None else ""


def _asks_version(program: str, word: str) -> bool:
    """Whether a program that is known for it says its version; elsewhere ``-v`` and ``version`` may ask a service."""
    return word in ("-V", "-v", "-version", "-h") and rx(_SAYS_VERSION).fullmatch(program) is not None


def _constant(code: str) -> bool:
    if any(word in code for word in ("://", "onnect", "open(", "get(")):
        return False  # saves compiling the pattern for the probes that most people write
    pattern = rx(f"{_CONSTANT}|{_IMPORT_STATEMENT}")
    statements = [part.strip() for part in rx(r"[;\n]").split(code)]
    return all(not part or pattern.fullmatch(part) for part in statements)
