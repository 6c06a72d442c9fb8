"""Which file a specifier means in Node.js: its resolution over a file tree, with three answers.

Facts: Node.js, "Modules: CommonJS modules" ("All together"), "Modules: ECMAScript modules" ("Resolution Algorithm
Specification") and "Modules: Packages" (``exports``, conditions).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from posixpath import dirname, join, normpath

from lucid_audit.container.files import Files
from lucid_audit.container.tree import Walk
from lucid_audit.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MANIFEST = 4 << 20  # bytes of a package.json that are read
_ENDINGS = ("", ".js", ".json", ".node")
_NODES = 64  # conditions within conditions
BUILT_IN = frozenset((
    "assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram",
    "diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2", "https", "inspector", "module", "net", "os",
    "path", "perf_hooks", "process", "punycode", "querystring", "readline", "repl", "stream", "string_decoder", "sys",
    "timers", "tls", "trace_events", "tty", "url", "util", "v8", "vm", "wasi", "worker_threads", "zlib",
    "assert/strict", "dns/promises", "fs/promises", "inspector/promises", "path/posix", "path/win32", "readline/promises",
    "stream/consumers", "stream/promises", "stream/web", "timers/promises", "util/types",
))  # fmt: skip


class Target(NamedTuple):
    """What a specifier means: a file; "" with ``there`` saying that it is not there, or with ``doubt`` why nobody knows."""

    path: str = ""
    there: str = ""
    doubt: str = ""


class NodeFinder:
    """Resolves specifiers. ``extra`` are the folders of NODE_PATH."""

    def __init__(self, files: Files, extra: tuple[str, ...] = ()) -> None:
        self.files, self.extra = files, extra
        self.walk = lru_cache(maxsize=None)(files.walk)
        self.manifest = lru_cache(maxsize=None)(self._manifest)

    def find(self, specifier: str, by: str, *, static: bool) -> Target | None:
        """Resolve what a file loads; None for what Node.js brings itself. ``static``: by an import statement."""
        if is_built_in(specifier):
            return None
        if static and any(mark in specifier for mark in "?#%"):  # a URL with more than a path
            return Target(doubt=f"what {specifier} stands for is not followed")
        if specifier.startswith(("./", "../", "/")) or specifier in (".", ".."):
            path = normpath(join(dirname(by), specifier)) + ("/" if specifier.endswith("/") else "")
            return self._local(path, static=static)
        if specifier.startswith("#") or ":" in specifier:
            return Target(doubt=f"what {specifier} stands for is not followed")
        return self._package(specifier, by, static=static)

    def main(self, path: str) -> Target:
        """Resolve the file that Node.js is started with."""
        return self._local(path, static=False)

    def _local(self, path: str, *, static: bool) -> Target:
        names = [path] if static else [*(path + ending for ending in _ENDINGS if not path.endswith("/"))]
        target = self._first(names)
        if target.path or target.doubt:
            return target
        folder = self.walk(path)
        if not static and folder.node is not None and folder.node.kind == "d":
            inside = self._folder(folder.path)
            if inside.path or inside.doubt:
                return inside
        return Target(there=f"not there: the image has no {path}")

    def _first(self, paths: list[str]) -> Target:
        """Return the first of some paths that is a file."""
        for path in paths:
            walk = self.walk(path)
            if walk.state == "unknown":
                return Target(doubt=walk.reason)
            if walk.node is not None and walk.node.kind != "d":
                return Target(walk.path)
        return Target()

    def _folder(self, folder: str) -> Target:
        """Resolve a folder: ``main`` of its package.json, then its index."""
        manifest = self.manifest(folder)
        if isinstance(manifest, str):
            return Target(doubt=manifest)
        main = manifest.get("main") if manifest is not None else None
        paths = []
        if isinstance(main, str) and main:
            told = normpath(join(folder, main))
            paths = [told + ending for ending in _ENDINGS] + [f"{told}/index{ending}" for ending in _ENDINGS[1:]]
        return self._first(paths + [f"{folder}/index{ending}" for ending in _ENDINGS[1:]])

    def _package(self, specifier: str, by: str, *, static: bool) -> Target:
        parts = specifier.split("/")
        count = 2 if specifier.startswith("@") else 1
        name, inside = "/".join(parts[:count]), "/".join(parts[count:])
        own = self._own(name, inside, by, static=static)
        if own is not None:
            return own
        seen = ""
        for folder in self._modules(by):
            target = self._in(folder, name, inside, static=static)
            if target.path or target.doubt:
                return target
            seen = seen or target.there
        return Target(there=seen or f"in no node_modules folder above {dirname(by)}")

    def _in(self, modules: str, name: str, inside: str, *, static: bool) -> Target:
        """Look into one folder of packages."""
        place = self.walk(f"{modules}/{name}")
        if place.state == "unknown":
            return Target(doubt=place.reason)
        if place.node is None or place.node.kind != "d":
            return self._first([f"{modules}/{name}{ending}" for ending in _ENDINGS[1:]]) if not inside else Target()
        folder = place.path
        manifest = self.manifest(folder)
        if isinstance(manifest, str):
            return Target(doubt=manifest)
        if manifest is not None and manifest.get("exports") is not None:
            return self._exported(folder, manifest["exports"], inside, static=static)
        target = self._local(f"{folder}/{inside}", static=False) if inside else self._folder(folder)
        return target if target.path or target.doubt else Target(there=f"not among the files of {folder}")

    def _own(self, name: str, inside: str, by: str, *, static: bool) -> Target | None:
        """Resolve a package's own name, which its files may use when it has exports."""
        for folder in _above(dirname(by)):
            if self.walk(f"{folder}/package.json").state != "absent":
                manifest = self.manifest(folder or "/")
                if isinstance(manifest, str):
                    return Target(doubt=manifest)
                if manifest is not None and manifest.get("name") == name and manifest.get("exports") is not None:
                    return self._exported(folder, manifest["exports"], inside, static=static)
                return None
        return None

    def _exported(self, folder: str, exports: Any, inside: str, *, static: bool) -> Target:
        """Resolve through ``exports``; what they do not say is not judged."""
        told = exported(exports, f"./{inside}" if inside else ".", "import" if static else "require")
        if told is None and hidden(exports, f"./{inside}" if inside else "."):
            return Target(there=f"not among the exports of {folder}")
        if told is None:
            return Target(doubt=f"what the exports of {folder} give for {inside or 'it'} is not followed")
        target = self._first([normpath(join(folder, told))])
        return target if target.path or target.doubt else Target(there=f"not there: {folder} has no {told}")

    def _modules(self, by: str) -> Iterator[str]:
        for folder in _above(dirname(by)):
            if not folder.endswith("/node_modules"):
                yield f"{folder}/node_modules"
        yield from self.extra

    def _manifest(self, folder: str) -> dict[str, Any] | str | None:
        """Return a package.json, None when there is none, or why it is not known."""
        walk: Walk = self.walk(f"{folder.rstrip('/')}/package.json")
        if walk.state == "absent":
            return None
        data = walk.load(MANIFEST)
        if data is None:
            return walk.reason or f"the content of {walk.path} is not known"
        try:
            manifest = json.loads(data.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            return f"{walk.path} cannot be read"
        return manifest if isinstance(manifest, dict) else f"{walk.path} cannot be read"


def is_built_in(specifier: str) -> bool:
    """Whether Node.js itself has a module: by its scheme, by a public name, or by one of its old internal ones."""
    return specifier.startswith(("node:", "_")) or specifier in BUILT_IN


def exported(exports: Any, inside: str, way: str) -> str | None:
    """Return the file that ``exports`` give for a path such as ``.`` or ``./x``; ``way`` is ``import`` or ``require``."""
    if not isinstance(exports, dict) or not any(str(key).startswith(".") for key in exports):
        exports = {".": exports}
    if inside in exports and "*" not in inside:
        return _chosen(exports[inside], way, "", _NODES)
    best, rest = "", ""
    for key in exports:
        begin, star, end = str(key).partition("*")
        fits = inside.startswith(begin) and inside.endswith(end) and len(inside) >= len(begin) + len(end)
        if star and fits and inside != begin and len(begin) > len(best.partition("*")[0]):
            best, rest = str(key), inside[len(begin) : len(inside) - len(end)]
    return _chosen(exports[best], way, rest, _NODES) if best else None


def hidden(exports: Any, inside: str) -> bool:
    """Whether ``exports`` surely do not name a path. Folders, which old versions allow, and ``null`` may name more."""
    keys = [str(key) for key in exports] if isinstance(exports, dict) else []
    if not any(key.startswith(".") for key in keys):
        return inside != "." and (isinstance(exports, str) or bool(keys))
    plain = all(key.startswith(".") and not key.endswith("/") for key in keys)
    return plain and inside not in keys and not any(_fits(key, inside) for key in keys)


def _fits(key: str, inside: str) -> bool:
    begin, star, end = key.partition("*")
    return bool(star) and inside.startswith(begin) and inside.endswith(end)


def _chosen(target: Any, way: str, rest: str, left: int) -> str | None:
    """Choose by conditions, in the order in which they stand."""
    if isinstance(target, str):
        return target.replace("*", rest) if target.startswith("./") else None
    if isinstance(target, list) and target:
        return _chosen(target[0], way, rest, left - 1) if left else None
    for condition, inner in target.items() if isinstance(target, dict) and left else ():
        if condition in (way, "node", "default", "node-addons"):
            chosen = _chosen(inner, way, rest, left - 1)
            if chosen is not None:
                return chosen
    return None


def _above(folder: str) -> Iterator[str]:
    """Yield a folder and those above it, "" for the root."""
    folder = folder.rstrip("/")
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""
