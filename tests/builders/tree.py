"""Small repositories on disk for the tests of this package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lucid_audit.builders.builder import Builder, Trouble
from lucid_audit.builders.folder import declared


def plant(root: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder; a name that ends in a slash is a folder."""
    for name, text in files.items():
        target = root / name
        if name.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
    return root


def read(root: Path, folder: str = ".") -> tuple[list[Builder], list[Trouble]]:
    """Return what the files of one folder declare."""
    at = root / folder
    names = [file.name for file in at.iterdir() if "compose" in file.name or "bake" in file.name]
    return declared(str(at.resolve()), names, str(root.resolve()))


def short(root: Path, builder: Builder) -> str:
    """Return a builder in one line that a table can hold."""
    top = root.resolve()
    context = Path(builder.context).relative_to(top).as_posix()
    file = Path(builder.dockerfile).relative_to(top).as_posix()
    args = ",".join(f"{name}={'?' if value is None else value}" for name, value in builder.args)
    target = "?" if builder.target is None else builder.target
    parts = [builder.name, context, file, args, target, "+".join(builder.platforms)]
    return " ".join(part or "-" for part in parts)
