"""Whether Python code on a command line changes any file."""

from __future__ import annotations

import re

# Calls and modules that change files or start programs; Python code without any only looks.
_WRITES = (
    r"\b(?:\w*link|mkdir|makedirs|system|[pP]open|run|call|check_\w+|exec\w*|eval|spawn\w*|write\w*|rename|replace|copy\w*|move"
    r"|remove|rmtree|chmod|chown|touch|extract\w*|main)\s*\(|\b(?:subprocess|shutil|runpy|importlib|__import__|pip|ensurepip)\b"
    r"|\bopen\s*\([^)]*['\"](?:[bt]*[wax][bt+]*|[rbt]*\+[bt]*)['\"]"
)


def code_only_looks(code: str) -> bool:
    """Whether code calls nothing that writes or starts programs."""
    return re.search(_WRITES, code) is None
