"""Puts a layout into a registry, every byte as it is. Programs that copy images rewrite indexes they do not know."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class Registry:
    """A repository of a registry that asks for no password."""

    def __init__(self, host: str, repository: str) -> None:
        self.connection = HTTPConnection(host, timeout=30)
        self.path = f"/v2/{repository}"

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "") -> HTTPResponse:
        headers = {"Content-Type": kind or "application/octet-stream"} if body or kind else {}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer

    def blob(self, digest: str, data: bytes) -> None:
        if self.ask("HEAD", f"{self.path}/blobs/{digest}").status == 200:
            return
        place = urlsplit(self.ask("POST", f"{self.path}/blobs/uploads/").headers["Location"])
        answer = self.ask("PUT", f"{place.path}?{place.query}&digest={digest}", data)
        if answer.status != 201:
            raise RuntimeError(f"blob {digest}: {answer.status}")

    def manifest(self, reference: str, kind: str, data: bytes) -> None:
        answer = self.ask("PUT", f"{self.path}/manifests/{reference}", data, kind)
        if answer.status != 201:
            raise RuntimeError(f"manifest {reference}: {answer.status}")


def _data(layout: Path, digest: str) -> bytes:
    return (layout / "blobs" / digest.replace(":", "/")).read_bytes()


def _put(registry: Registry, layout: Path, descriptor: dict[str, Any], reference: str) -> None:
    data = _data(layout, descriptor["digest"])
    manifest = json.loads(data)
    for entry in manifest.get("manifests", []):
        _put(registry, layout, entry, entry["digest"])
    for part in [manifest[key] for key in ("config",) if key in manifest] + manifest.get("layers", []):
        registry.blob(part["digest"], _data(layout, part["digest"]))
    registry.manifest(reference, descriptor["mediaType"], data)


def push(layout: Path, host: str, repository: str, tag: str = "latest") -> str:
    """Push what the layout's first entry names, and return its digest."""
    entry = json.loads((layout / "index.json").read_bytes())["manifests"][0]
    registry = Registry(host, repository)
    _put(registry, layout, entry, tag)
    registry.connection.close()
    return str(entry["digest"])
