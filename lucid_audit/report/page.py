"""One page of HTML that needs nothing else: its policy allows its own style and script by their hashes, and no network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape

from lucid_audit.report.escape import visible

STYLE = """
:root { color-scheme: light dark; --pass: #1a7f37; --fail: #cf222e; --unknown: #9a6700; --line: #8886; --soft: #8881; }
@media (prefers-color-scheme: dark) { :root { --pass: #3fb950; --fail: #ff7b72; --unknown: #d29922; } }
* { box-sizing: border-box; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .5rem; }
.about { opacity: .75; margin: 0 0 1rem; }
.pass { color: var(--pass); } .fail { color: var(--fail); font-weight: 600; } .unknown { color: var(--unknown); }
details { margin: .25rem 0; } summary { cursor: pointer; }
a:focus-visible, summary:focus-visible { outline: 2px solid Highlight; outline-offset: 2px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .8rem; margin: .3rem 0; } dt { opacity: .75; } dd { margin: 0; }
@media (max-width: 40rem) { body { padding: .5rem; font-size: 14px; } }
@media print { body { max-width: none; } }
"""


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
