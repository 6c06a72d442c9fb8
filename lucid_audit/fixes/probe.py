"""A health check with curl or wget to one in exec form with the interpreter that the base has."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lucid_audit.dockerfile.model import Healthcheck
from lucid_audit.dockerfile.shell_calls import plain_command
from lucid_audit.fixes import Edit, Fault, fix
from lucid_audit.fixes.strings import FAILS, array

_URL = re.compile(r"""["']?(https?://[\w.:/?=&%~+-]+)["']?""")
# Options that say what urlopen does anyway: fail on an error status, follow redirects, say nothing.
_CURL = re.compile(
    r"-[fsSLkI]+|--fail|--silent|--show-error|--location|--head|-o|--output|/dev/null|--max-time|-m|\d+|--connect-timeout"
)
_WGET = re.compile(
    r"-[qOS]+|-q|--quiet|--spider|--no-verbose|-nv|--tries=\d+|-t|\d+|-T|--timeout=\d+|-O-|-|/dev/null|--server-response"
)
_INSECURE = re.compile(r"-\w*k\w*|--insecure|--no-check-certificate")
SECONDS = 5  # of the request itself; the engine's own --timeout is longer (30 s by default)


@fix("health-check-needs-shell", "health-check-unresolvable")
def probe(fault: Fault) -> Sequence[Edit]:
    """Ask the same URL by Python's standard library: urlopen raises on an error status, and the probe fails."""
    instruction = fault.instruction
    target = fault.build.target
    interpreter = target.base.interpreter if target is not None and target.base is not None else None
    command = instruction.command if isinstance(instruction, Healthcheck) else None
    if command is None or interpreter is None or interpreter.kind != "python":
        return ()
    words = [word.raw for word in command.args] if command.exec_form else _words(command.text)
    url = _asked(words)
    if not url:
        return ()
    code = f"import urllib.request; urllib.request.urlopen('{url}', timeout={SECONDS})"
    return (Edit(command.span.start, command.span.end, array(["/usr/bin/python3", "-c", code])),)


def _words(text: str) -> list[str]:
    text = FAILS.sub("", text.strip())
    bare = _URL.sub(lambda match: match[1].replace("?", "").replace("&", ""), text)
    return text.split() if plain_command(bare) is not None else []


def _asked(words: Sequence[str]) -> str:
    """Return the only URL that a plain request asks, "" when it does more than ask."""
    allowed = {"curl": _CURL, "wget": _WGET}.get(words[0].rpartition("/")[2]) if words else None
    if allowed is None:
        return ""
    urls = [match[1] for word in words[1:] if (match := _URL.fullmatch(word))]
    others = [word for word in words[1:] if _URL.fullmatch(word) is None]
    if len(urls) != 1 or any(_INSECURE.fullmatch(word) for word in others):
        return ""
    return urls[0] if all(allowed.fullmatch(word) for word in others) else ""
