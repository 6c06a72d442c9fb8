"""Whether a JavaScript file is a CommonJS or an ES module, which Node.js runs it, and what that version makes of it.

Facts: Node.js, "Modules: Packages" ("Determining module system", ``type``), "Modules: CommonJS modules" ("Loading ECMAScript modules
using require()": without a flag since 20.19 and 22.12) and "Syntax detection" (without a flag since 20.19 and 22.7; never where the
kind is said).
"""

from __future__ import annotations

from posixpath import dirname

from lucid_audit.container.config import Container
from lucid_audit.container.node_find import NodeFinder
from lucid_audit.regex import regex

_DEFINED = regex(rb"#define NODE_(MAJOR|MINOR)_VERSION (\d+)")
_PACKAGE = regex(rb"(?m)^Package: nodejs\n(?:[^\n]+\n)*?Version: (?:\d+:)?(\d+)\.(\d+)")
# What teaches require() other kinds of source.
HOOKS = ("_extensions", "require.extensions", "babel/register", "babel-register", "swc/register", "swc-node/register", "ts-node",
         "esbuild-register", "sucrase/register", "tsx/cjs", "jiti", "pirates", "esm-hook", '"esm"', "'esm'")  # fmt: skip


def version_of(container: Container, real: str) -> tuple[int, int | None] | None:
    """Return major and minor version of a Node.js, as far as its header, Debian's record or the catalogue tells."""
    content = container.files.read(f"{dirname(dirname(real))}/include/node/node_version.h")
    if isinstance(content, bytes):
        found = dict(_DEFINED.findall(content))
        if len(found) == 2:
            return int(found[b"MAJOR"]), int(found[b"MINOR"])
    for path in ("/var/lib/dpkg/status", "/var/lib/dpkg/status.d/nodejs") if real.startswith("/usr/bin/") else ():
        content = container.files.read(path)
        match = _PACKAGE.search(content) if isinstance(content, bytes) else None
        if match is not None:
            return int(match[1]), int(match[2])
    base = container.base.interpreter if container.base is not None else None
    if base is not None and base.kind == "node" and real in (base.path, *base.aliases):
        major, _, minor = (base.version or "").partition(".")
        if major.isdecimal():
            return int(major), int(minor) if minor.isdecimal() else None
    return None


def since(version: tuple[int, int | None] | None, *lines: tuple[int, int]) -> bool | None:
    """Whether a version has what came with these minor versions of some majors; None when that is not known."""
    if version is None:
        return None
    major, minor = version
    for line, first in lines:
        if major == line:
            return None if minor is None and first else (minor or 0) >= first
    return major > max(line for line, _ in lines)


def required_modules(version: tuple[int, int | None] | None) -> bool | None:
    """Whether require() loads ES modules."""
    return since(version, (20, 19), (22, 12))


def detected_modules(version: tuple[int, int | None] | None) -> bool | None:
    """Whether a file whose kind nobody says is an ES module when its syntax is that of one."""
    return since(version, (20, 19), (22, 7))


def kind_of(finder: NodeFinder, path: str) -> str:
    """Return ``module``, ``commonjs``, "" where nothing says which, or ``?`` when that is not known."""
    if path.endswith(".mjs"):
        return "module"
    if path.endswith(".cjs"):
        return "commonjs"
    folder = dirname(path)
    while not folder.endswith("/node_modules"):
        manifest = finder.manifest(folder or "/")
        if isinstance(manifest, str):
            return "?"
        if manifest is not None:
            told = manifest.get("type")
            return str(told) if told in ("module", "commonjs") else ""
        if folder in ("", "/"):
            break
        folder = dirname(folder)
    return ""
