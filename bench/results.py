"""``RESULTS.md``, of which each bench writes its own part and leaves the other as it is."""

from __future__ import annotations

from pathlib import Path

PATH = Path(__file__).parent / "RESULTS.md"
TITLES = ("# Speed", "# Starts")


def publish(part: str) -> None:
    """Replace the part that begins with the same title."""
    kept = _parts(PATH.read_text("utf-8") if PATH.exists() else "")
    kept[next(title for title in TITLES if part.startswith(title))] = part.strip()
    PATH.write_text("\n\n".join(kept[title] for title in TITLES if title in kept) + "\n", "utf-8")


def _parts(text: str) -> dict[str, str]:
    starts = sorted((at, title) for title in TITLES if (at := f"\n{text}".find(f"\n{title}\n")) >= 0)
    ends = [at for at, _ in starts[1:]] + [len(text)]
    return {title: text[at:end].strip() for (at, title), end in zip(starts, ends, strict=True)}
