"""Images of the start bench whose programs are compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from start_case import Case, Put, link, program
from start_programs import LOADERS, TRIPLETS


def native(arch: str) -> Iterator[Case]:
    lib, run = f"/usr/lib/{TRIPLETS[arch]}", ('ENTRYPOINT ["/app/run"]',)
    other = next(one for one in LOADERS if one != arch)

    def case(
        name: str,
        base: str,
        files: Mapping[str, Put | str],
        broken: str = "",
        *rules: str,
        lines: tuple[str, ...] = run,
    ) -> Case:
        return Case(name, arch, base, files, lines, broken, rules)

    own, uses = program("libown.so.1", 0o644), {"/app/run": program("uses-own")}
    yield case("static", "static", {"/app/run": program("static")})
    yield case("static-pie", "static", {"/app/run": program("static-pie")})
    yield case("dynamic", "base", {"/app/run": program("dynamic")})
    yield case("dynamic-linked", "base", {"/opt/x/run": program("dynamic"), "/app/run": link("../opt/x/run")})
    yield case("on-path", "base", {"/usr/local/bin/serve": program("dynamic")}, lines=('CMD ["serve"]',))
    yield case("relative", "base", {"/app/run": program("dynamic")}, lines=("WORKDIR /app", 'CMD ["./run"]'))
    yield case("library-beside-system", "base", {**uses, f"{lib}/libown.so.1": own})
    yield case("library-by-rpath", "base", {"/app/run": program("uses-own-rpath"), "/app/lib/libown.so.1": own})
    yield case("library-by-runpath", "base", {"/app/run": program("uses-own-runpath"), "/own/libown.so.1": own})
    yield case(
        "library-by-variable",
        "base",
        {**uses, "/opt/lib/libown.so.1": own},
        lines=("ENV LD_LIBRARY_PATH=/opt/lib", *run),
    )
    yield case(
        "library-of-library",
        "base",
        {"/app/run": program("uses-deep"), f"{lib}/libdeep.so.1": program("libdeep.so.1"), f"{lib}/libown.so.1": own},
    )
    yield case(
        "version-there", "base", {"/app/run": program("uses-version"), f"{lib}/libver.so.1": program("libver.so.1")}
    )
    missing, old = "program-library-missing", "program-library-too-old"
    yield case("library-missing", "base", uses, "libown.so.1 is nowhere", missing)
    yield case(
        "library-in-usr-local",
        "base",
        {**uses, "/usr/local/lib/libown.so.1": own},
        "no cache names /usr/local/lib",
        missing,
    )
    yield case(
        "library-beside-program",
        "base",
        {**uses, "/app/libown.so.1": own},
        "the loader does not look beside a program",
        missing,
    )
    yield case(
        "library-of-library-missing",
        "base",
        {"/app/run": program("uses-deep"), f"{lib}/libdeep.so.1": program("libdeep.so.1")},
        "a library of a library is missing",
        missing,
    )
    yield case(
        "library-of-other-machine",
        "base",
        {**uses, f"{lib}/libown.so.1": program("libown.so.1", 0o644, other)},
        "the library is for another machine",
        missing,
    )
    yield case(
        "library-unreadable",
        "base",
        {**uses, f"{lib}/libown.so.1": program("libown.so.1", 0o600)},
        "the library is root's alone",
        missing,
    )
    yield case(
        "library-runpath-elsewhere",
        "base",
        {"/app/run": program("uses-own-runpath"), "/app/own/libown.so.1": own},
        "RUNPATH leads elsewhere",
        missing,
    )
    yield case(
        "library-is-text",
        "base",
        {**uses, f"{lib}/libown.so.1": "INPUT(-lown)\n"},
        "the library is a linker script",
        missing,
    )
    yield case(
        "version-too-old",
        "base",
        {"/app/run": program("uses-version"), f"{lib}/libver.so.1": program("libver-old.so.1")},
        "the library has an older version",
        old,
    )
    yield case(
        "loader-missing",
        "static",
        {"/app/run": program("dynamic")},
        "there is no C library",
        "program-interpreter-missing",
    )
    if arch == "amd64":  # the machine starts its own programs in any image; the emulator is off for these cases
        yield case(
            "other-machine",
            "static",
            {"/app/run": program("static", 0o755, other)},
            "the program is for another machine",
            "program-for-other-machine",
        )
    yield case(
        "not-executable", "static", {"/app/run": program("static", 0o644)}, "no execute bit", "program-not-executable"
    )
    yield case(
        "only-root-executes",
        "static",
        {"/app/run": program("static", 0o700)},
        "only root may execute it",
        "program-not-executable",
    )
    yield case(
        "folder-closed",
        "static",
        {"/app/": Put(folder=True, mode=0o700), "/app/run": program("static")},
        "the folder is root's alone",
        "program-not-executable",
    )
    yield case(
        "program-missing",
        "static",
        {"/app/other": program("static")},
        "nothing is at /app/run",
        "command-program-missing",
    )
    yield case(
        "link-broken", "static", {"/app/run": link("/opt/run")}, "the link leads to nothing", "program-link-broken"
    )
    yield case(
        "link-circle",
        "static",
        {"/app/run": link("other"), "/app/other": link("run")},
        "links lead in a circle",
        "program-link-broken",
        "command-program-missing",
    )
    yield case(
        "is-folder",
        "static",
        {"/app/run/run": program("static")},
        "/app/run is a folder",
        "program-not-executable",
        "command-program-missing",
        "program-format-wrong",
    )
    yield case("is-text", "static", {"/app/run": Put("exec something\n")}, "a text without #!", "program-format-wrong")
    yield case("is-empty", "static", {"/app/run": Put("")}, "an empty file", "program-format-wrong")
    yield case(
        "not-on-path",
        "base",
        {"/app/serve": program("dynamic")},
        "/app is not on PATH",
        "command-program-missing",
        lines=('CMD ["serve"]',),
    )
    yield case(
        "shell-form",
        "base",
        {"/app/run": program("dynamic")},
        "there is no shell",
        "command-needs-shell",
        lines=("CMD /app/run",),
    )
    if arch == "amd64":
        yield case("musl-static", "static", {"/app/run": program("musl-static")})
        yield case(
            "musl-on-glibc",
            "base",
            {"/app/run": program("musl")},
            "musl's loader is missing",
            "program-interpreter-missing",
        )
