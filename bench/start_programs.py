"""Programs of the start bench: small sources, compiled for both architectures by the compilers of Debian."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Lock

from tests.e2e import debs

COMPILERS = {"amd64": "gcc", "arm64": "aarch64-linux-gnu-gcc"}
TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
LOADERS = {"amd64": "/lib64/ld-linux-x86-64.so.2", "arm64": "/lib/ld-linux-aarch64.so.1"}

_HELLO = '#include <stdio.h>\nint main(void) { puts("ready"); return 0; }\n'
_OWN = "int own_value(void) { return 1; }\n"
_DEEP = "extern int own_value(void);\nint deep_value(void) { return own_value(); }\n"
_USES = (
    '#include <stdio.h>\nextern int {name}(void);\nint main(void) {{ printf("ready %d\\n", {name}()); return 0; }}\n'
)
_VERSIONED = '__asm__(".symver old_value, own_value@V_1");\n__asm__(".symver new_value, own_value@@V_2");\nint old_value(void) { return 1; }\nint new_value(void) { return 2; }\n'
_FIRST = '__asm__(".symver old_value, own_value@@V_1");\nint old_value(void) { return 1; }\n'
_GO = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("ready") }\n'
_GO_WITH_C = 'package main\n\n// #include <stdlib.h>\nimport "C"\nimport "fmt"\n\nfunc main() { C.abs(1); fmt.Println("ready") }\n'
_RUST = 'fn main() { println!("ready"); }\n'
_RUST_OWN = '#[link(name = "own")] extern "C" { fn own_value() -> i32; }\nfn main() { println!("ready {}", unsafe { own_value() }); }\n'
_JAVA = {
    "Main": 'public class Main { public static void main(String[] a) { System.out.println("ready"); } }\n',
    "Lib": 'package p; public class Lib { public static String word() { return "ready"; } }\n',
    "Uses": "package p; public class Uses { public static void main(String[] a) { System.out.println(Lib.word()); } }\n",
    "Empty": "package p; public class Empty { public static int none() { return 1; } }\n",
}
# What an extension module of one phase needs of Python.h (CPython's ``Include/moduleobject.h``, ``struct PyModuleDef``).
_MODULE = """extern void *PyModule_Create2(void *, int);
{before}static struct {{ void *base[5]; const char *name, *doc; long size; void *more[5]; }} def = {{{{(void *)1}}, "fast", 0, -1}};
void *PyInit_fast(void) {{ {body}return PyModule_Create2(&def, 1013); }}
"""


class Programs:
    """Compiles into a folder, each program once, and one at a time: some share their libraries."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, Lock()
        self._made = cache(self._make)

    def get(self, kind: str, architecture: str) -> bytes:
        """Return the bytes of a program or library."""
        with self._lock:
            return self._made(kind, architecture)

    def _make(self, kind: str, architecture: str) -> bytes:
        place = self._folder / architecture
        place.mkdir(exist_ok=True)
        KINDS[kind](place, kind, COMPILERS[architecture])
        return (place / kind).read_bytes()


def _call(folder: Path, *words: str) -> None:
    subprocess.run(words, cwd=folder, check=True)


def _plain(source: str, *options: str, compiler: str = "") -> Callable[[Path, str, str], None]:
    def make(folder: Path, kind: str, default: str) -> None:
        (folder / f"{kind}.c").write_text(source)
        _call(folder, compiler or default, "-O1", "-o", kind, f"{kind}.c", *options)

    return make


def _library(folder: Path, cc: str) -> None:
    (folder / "own.c").write_text(_OWN)
    _call(folder, cc, "-shared", "-fPIC", "-Wl,-soname,libown.so.1", "-o", "libown.so.1", "own.c")


def _with_library(*options: str) -> Callable[[Path, str, str], None]:
    def make(folder: Path, kind: str, cc: str) -> None:
        _library(folder, cc)
        (folder / f"{kind}.c").write_text(_USES.format(name="own_value"))
        _call(folder, cc, "-o", kind, f"{kind}.c", "libown.so.1", *options)

    return make


def _deep(folder: Path, kind: str, cc: str) -> None:
    _library(folder, cc)
    (folder / "deep.c").write_text(_DEEP)
    _call(folder, cc, "-shared", "-fPIC", "-Wl,-soname,libdeep.so.1", "-o", "libdeep.so.1", "deep.c", "libown.so.1")
    (folder / "uses-deep.c").write_text(_USES.format(name="deep_value"))
    _call(folder, cc, "-o", "uses-deep", "uses-deep.c", "libdeep.so.1", "-Wl,--allow-shlib-undefined")


def _versions(folder: Path, kind: str, cc: str) -> None:
    """Make a library with two versions, one with the first only, and a program that wants the second."""
    (folder / "one.map").write_text("V_1 { global: own_value; local: *; };\n")
    (folder / "two.map").write_text("V_1 { global: own_value; local: *; };\nV_2 { global: own_value; } V_1;\n")
    for name, source in (("one", _FIRST), ("two", _VERSIONED)):
        (folder / f"v{name}.c").write_text(source)
        target = "libver.so.1" if name == "two" else "libver-old.so.1"
        options = (f"-Wl,--version-script={name}.map", "-Wl,-soname,libver.so.1", "-o", target)
        _call(folder, cc, "-shared", "-fPIC", f"v{name}.c", *options)
    (folder / "uses-version.c").write_text(_USES.format(name="own_value"))
    _call(folder, cc, "-o", "uses-version", "uses-version.c", "libver.so.1")


def _extension(needs: bool) -> Callable[[Path, str, str], None]:
    def make(folder: Path, kind: str, cc: str) -> None:
        _library(folder, cc)
        before, body = ("extern int own_value(void);\n", "own_value(); ") if needs else ("", "")
        (folder / f"{kind}.c").write_text(_MODULE.format(before=before, body=body))
        _call(folder, cc, "-shared", "-fPIC", "-o", kind, f"{kind}.c", *(["libown.so.1"] if needs else []))

    return make


def _go(*options: str, c: bool) -> Callable[[Path, str, str], None]:
    """Compile with Debian's Go: without C a static program, with C a dynamic one."""

    def make(folder: Path, kind: str, cc: str) -> None:
        (folder / f"{kind}.go").write_text(_GO_WITH_C if c else _GO)
        more = {"GOARCH": folder.name, "CGO_ENABLED": str(int(c)), "CC": cc, "GO111MODULE": "off", "GOFLAGS": ""}
        environ = {**os.environ, **more, "GOCACHE": str(folder / "go-cache")}
        subprocess.run(["go", "build", *options, "-o", kind, f"{kind}.go"], cwd=folder, check=True, env=environ)

    return make


def _rust(*options: str, source: str = _RUST) -> Callable[[Path, str, str], None]:
    """Compile with Debian's Rust; its standard library for another machine comes out of that machine's package."""

    def make(folder: Path, kind: str, cc: str) -> None:
        (folder / f"{kind}.rs").write_text(source)
        machine = TRIPLETS[folder.name].split("-", maxsplit=1)[0]
        target = f"{machine}-unknown-linux-gnu"
        (deb,) = debs.fetch(["libstd-rust-dev"], folder.name)
        if not (folder / "rust-std").exists():
            _call(folder, "dpkg-deb", "-x", str(deb.path), "rust-std")
        where = ("-L", f"rust-std/usr/lib/rustlib/{target}/lib", "-L", f"rust-std/usr/lib/{TRIPLETS[folder.name]}")
        rustc = "/usr/bin/rustc"  # Debian's, whose library that is
        _call(folder, rustc, "-O", "--target", target, "-C", f"linker={cc}", *where, *options, "-o", kind, f"{kind}.rs")

    return make


def _rust_own(folder: Path, kind: str, cc: str) -> None:
    _library(folder, cc)
    (folder / "libown.so").unlink(missing_ok=True)
    (folder / "libown.so").symlink_to("libown.so.1")
    _rust("-L", ".", source=_RUST_OWN)(folder, kind, cc)


def _java(newer: int = 0) -> Callable[[Path, str, str], None]:
    """Compile a class; with the number of a newer release in its head where one is wanted."""

    def make(folder: Path, kind: str, cc: str) -> None:
        place = folder / "java"
        place.mkdir(exist_ok=True)
        name = kind.partition("@")[0].removesuffix(".class")
        for source, text in _JAVA.items():
            (place / f"{source}.java").write_text(text)
        _call(place, "javac", "--release", "11", "-d", ".", *(f"{source}.java" for source in _JAVA))
        data = (place / f"{name}.class").read_bytes()
        (folder / kind).parent.mkdir(parents=True, exist_ok=True)
        (folder / kind).write_bytes(data[:6] + newer.to_bytes(2, "big") + data[8:] if newer else data)

    return make


def _addon(needs: bool) -> Callable[[Path, str, str], None]:
    def make(folder: Path, kind: str, cc: str) -> None:
        _library(folder, cc)
        body = "own_value(); " if needs else ""
        text = f"extern int own_value(void);\nvoid *napi_register_module_v1(void *env, void *exports) {{ {body}return exports; }}\n"
        (folder / f"{kind}.c").write_text(text)
        _call(folder, cc, "-shared", "-fPIC", "-o", kind, f"{kind}.c", *(["libown.so.1"] if needs else []))

    return make


KINDS: dict[str, Callable[[Path, str, str], None]] = {
    "static": _plain(_HELLO, "-static"),
    "static-pie": _plain(_HELLO, "-static-pie"),
    "dynamic": _plain(_HELLO),
    "musl": _plain(_HELLO, compiler="musl-gcc"),
    "musl-static": _plain(_HELLO, "-static", compiler="musl-gcc"),
    "uses-own": _with_library(),
    "uses-own-rpath": _with_library("-Wl,--disable-new-dtags,-rpath,$ORIGIN/lib"),
    "uses-own-runpath": _with_library("-Wl,--enable-new-dtags,-rpath,$ORIGIN/../own"),
    "libown.so.1": lambda folder, _, cc: _library(folder, cc),
    "uses-deep": _deep,
    "libdeep.so.1": _deep,
    "uses-version": _versions,
    "libver.so.1": _versions,
    "libver-old.so.1": _versions,
    "extension": _extension(needs=False),
    "extension-needs": _extension(needs=True),
    "go": _go(c=False),
    "go-c": _go(c=True),
    "go-c-static": _go("-ldflags=-linkmode external -extldflags -static", c=True),
    "rust": _rust(),
    "rust-static": _rust("-C", "target-feature=+crt-static"),
    "rust-own": _rust_own,
    "addon": _addon(needs=False),
    "addon-needs": _addon(needs=True),
    "Main.class": _java(),
    "Main.class@newer": _java(newer=69),
    "p/Lib.class": _java(),
    "p/Lib.class@newer": _java(newer=69),
    "p/Uses.class": _java(),
    "p/Empty.class": _java(),
}
