"""Other people's programs, called: what they print, or that they fail; and the archives that they make of a layout."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from tests.e2e.servers import CLIENT, need


def _result(words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=180)


def run(*words: str) -> str:
    """Return what a program prints; it has to succeed."""
    result = _result(words)
    assert result.returncode == 0, f"{words}: {result.stdout[-1000:]}{result.stderr[-1000:]}"
    return result.stdout


def fails(*words: str) -> str:
    """Return what a program says while it fails; it has to."""
    result = _result(words)
    assert result.returncode != 0, f"{words} succeeded: {result.stdout[-1000:]}"
    return result.stderr


def skopeo(*words: str) -> str:
    """Return what skopeo prints; it asks for no signatures."""
    need("skopeo")
    return run("skopeo", "--insecure-policy", *words)


def inspect(layout: Path, *words: str) -> Any:
    """Return what skopeo says of a layout's image; ``--raw`` for its manifest, ``--config`` for its configuration."""
    return json.loads(skopeo("inspect", *words, f"oci:{layout}"))


def docker_archive(layout: Path, archive: Path, name: str) -> Path:
    """Write the archive that ``docker save`` of an older engine would, of the image for this machine."""
    skopeo("copy", "-q", f"oci:{layout}:latest", f"docker-archive:{archive}:{name}")
    return archive


def newer_archive(layout: Path, archive: Path, name: str) -> Path:
    """Write the archive that ``docker save`` of an engine since 25 would: a layout of one image and a manifest.json."""
    (entry,) = json.loads((layout / "index.json").read_bytes())["manifests"]
    manifest = json.loads((layout / _path(entry["digest"])).read_bytes())
    layers = [_path(one["digest"]) for one in manifest["layers"]]
    listed = [{"Config": _path(manifest["config"]["digest"]), "RepoTags": [name], "Layers": layers}]
    (layout / "manifest.json").write_text(json.dumps(listed))
    with tarfile.open(archive, "w") as out:
        out.add(layout, "")
    (layout / "manifest.json").unlink()
    return archive


def _path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def load(engine: str, layout: Path, name: str) -> str:
    """Load a layout's image for this machine into an engine and return its name there."""
    archive = docker_archive(layout, layout.with_name(f"{layout.name}.tar"), name)
    assert name in run(CLIENT, "-H", engine, "load", "-i", str(archive))
    archive.unlink()
    return name
