"""Words as they are written in a Dockerfile."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

# The engine takes every exit code but 0 for a failed probe (Dockerfile reference, HEALTHCHECK), so this says nothing.
FAILS = re.compile(r"\s*\|\|\s*(?:exit(?:\s+1)?|false)\s*$")


def array(words: Sequence[str]) -> str:
    """Return the exec form of a command."""
    return f"[{', '.join(json.dumps(word, ensure_ascii=False) for word in words)}]"


def quoted(value: str, escape: str) -> str:
    """Return the value of a key=value pair, in double quotes where it has blanks; variables in it keep their meaning."""
    if re.fullmatch(r"[^\s\"'\\#]+", value):
        return value
    if value[:1] == value[-1:] and value[:1] in ("'", '"') and len(value) > 1 and value[0] not in value[1:-1]:
        return value
    inner = value.replace('"', f'{escape}"')
    return f'"{inner}"'
