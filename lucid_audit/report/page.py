"""One page of HTML that needs nothing else: its policy allows its own style and script by their hashes, and no network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape

from lucid_audit.report.escape import visible


def text(value: object) -> str:
    """Return any value as text of a page, safe in elements and in quoted attributes; what is not printable is shown as an escape."""
    return escape(visible(str(value)), quote=True)


def page(title: str, body: Iterable[str], style: str, script: str = "") -> str:
    """Return a whole page. ``title`` is any text; ``body`` is markup; without a ``script`` none may run."""
    scripts = f"'{_hash(script)}'" if script else "'none'"
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src {scripts}; base-uri 'none'; form-action 'none'"
    )
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">',
            f"<title>{text(title)}</title>",
            f"<style>{style}</style>\n</head>\n<body>\n<main>",
            *body,
            f"</main>\n{f'<script>{script}</script>' if script else ''}\n</body>\n</html>\n",
        )
    )


def _hash(content: str) -> str:
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"
