"""Images of the start bench with programs of Go and Rust."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from start_case import Case, Put, program
from start_programs import LOADERS, TRIPLETS


def compiled(arch: str) -> Iterator[Case]:
    other = next(one for one in LOADERS if one != arch)
    lib = f"/usr/lib/{TRIPLETS[arch]}"
    own = program("libown.so.1", 0o644)

    def case(
        name: str,
        base: str,
        kind: str,
        broken: str = "",
        *rules: str,
        mode: int = 0o755,
        files: Mapping[str, Put | str] | None = None,
        path: str = "/app/run",
        lines: tuple[str, ...] = ('ENTRYPOINT ["/app/run"]',),
    ) -> Case:
        return Case(name, arch, base, {path: program(kind, mode), **(files or {})}, lines, broken, rules)

    loader, missing = "program-interpreter-missing", "program-library-missing"
    gone, closed = "command-program-missing", "program-not-executable"
    yield case("go-static", "static", "go")
    yield case("go-static-on-base", "base", "go")
    yield case("go-static-by-cmd", "static", "go", path="/usr/local/bin/serve", lines=('CMD ["serve", "--port=8080"]',))
    yield case("go-static-in-workdir", "static", "go", lines=("WORKDIR /app", 'ENTRYPOINT ["./run"]'))
    yield case("go-with-c", "base", "go-c")
    yield case("go-with-c-static", "static", "go-c-static")
    yield case("go-port-80", "static", "go", lines=("EXPOSE 80", 'ENTRYPOINT ["/app/run"]'))
    yield case("go-with-c-on-static", "static", "go-c", "a program with C on a base without it", loader)
    yield case("go-not-executable", "static", "go", "no execute bit", closed, mode=0o644)
    yield case("go-root-only", "static", "go", "only root may execute it", closed, mode=0o700)
    yield case(
        "go-in-other-folder", "static", "go", "copied into another folder", gone, path="/app/run/server"
    )._replace(rules=(gone, closed, "program-format-wrong"))
    yield case("go-shell-form", "static", "go", "there is no shell", "command-needs-shell", lines=("CMD /app/run",))
    yield case(
        "go-workdir", "static", "go", "a relative path, another WORKDIR", gone, lines=("WORKDIR /srv", 'CMD ["./run"]')
    )
    yield case(
        "go-root-home",
        "static",
        "go",
        "it lies in root's home",
        gone,
        closed,
        files={"/root/": Put(folder=True, mode=0o700)},
        path="/root/run",
        lines=('CMD ["/root/run"]',),
    )
    yield case("go-misspelt", "static", "go", "another name in ENTRYPOINT", gone, lines=('ENTRYPOINT ["/app/server"]',))
    yield case(
        "go-shell-command",
        "static",
        "go",
        "started by a shell that is not there",
        gone,
        lines=('ENTRYPOINT ["sh", "-c", "/app/run"]',),
    )._replace(rules=(gone, "command-needs-shell"))
    yield case("rust", "cc", "rust")
    yield case("rust-static", "static", "rust-static")
    yield case("rust-own", "cc", "rust-own", files={f"{lib}/libown.so.1": own})
    yield case("rust-on-base", "base", "rust", "libgcc_s.so.1 is not in the base", missing)
    yield case("rust-on-static", "static", "rust", "there is no C library", loader)
    yield case("rust-own-missing", "cc", "rust-own", "a library of its own is missing", missing)
    yield case(
        "rust-own-elsewhere",
        "cc",
        "rust-own",
        "its library lies in the builder's folder",
        missing,
        files={"/usr/local/lib/libown.so.1": own},
    )
    yield case("rust-not-executable", "cc", "rust", "no execute bit", closed, mode=0o644)
    yield case(
        "rust-wrong-folder",
        "cc",
        "rust",
        "a wrong path in CMD",
        gone,
        path="/app/target/release/run",
        lines=('CMD ["/app/run"]',),
    )
    if arch == "amd64":  # the machine starts its own programs in any image
        for name, base, kind in (
            ("go-other-machine", "static", "go"),
            ("go-with-c-other-machine", "base", "go-c"),
            ("rust-other-machine", "cc", "rust"),
        ):
            made = case(name, base, kind, "the program is for another machine", "program-for-other-machine", loader)
            yield made._replace(files={"/app/run": program(kind, 0o755, other)})
