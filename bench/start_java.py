"""Images of the start bench with programs of Java."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from start_case import Case, Put, program
from start_runtimes import java_home

MANIFEST = "META-INF/MANIFEST.MF"
MAIN, USES, LIB = program("Main.class", 0o644), program("p/Uses.class", 0o644), program("p/Lib.class", 0o644)


def jar(files: Mapping[str, Any], main: str = "", mode: int = 0o644, **more: str) -> Put:
    """Place a jar, with the main class and further lines of its manifest."""
    given = {**({"Main-Class": main} if main else {}), **{key.replace("_", "-"): value for key, value in more.items()}}
    text = "".join(f"{key}: {value}\r\n" for key, value in {"Manifest-Version": "1.0", **given}.items())
    return Put(archive={MANIFEST: f"{text}\r\n", **files}, mode=mode)


def java(arch: str) -> Iterator[Case]:
    program_ = f"{java_home(arch)}/bin/java"

    def case(
        name: str,
        files: Mapping[str, Put | str],
        words: str,
        broken: str = "",
        *rules: str,
        base: str = "java",
        lines: tuple[str, ...] = (),
    ) -> Case:
        start = f'"{program_}", {words}' if words.startswith('"-') else words
        rules = rules or (("main-class-cannot-run",) if broken else ())
        return Case(name, arch, base, files, ("WORKDIR /app", *lines, f"ENTRYPOINT [{start}]"), broken, rules)

    run, both = '"-jar", "app.jar"', {"p/Uses.class": USES, "p/Lib.class": LIB}
    hello = jar({"Main.class": MAIN}, "Main")
    yield case("java-jar", {"/app/app.jar": hello}, run)
    yield case(
        "java-jar-options", {"/app/app.jar": hello}, '"-Xmx64m", "-Djava.awt.headless=true", "-jar", "/app/app.jar"'
    )
    yield case("java-jar-package", {"/app/app.jar": jar(both, "p.Uses")}, run)
    yield case(
        "java-jar-class-path",
        {
            "/app/app.jar": jar({"p/Uses.class": USES}, "p.Uses", Class_Path="lib/lib.jar"),
            "/app/lib/lib.jar": jar({"p/Lib.class": LIB}),
        },
        run,
    )
    yield case("java-classes", {f"/app/{name}": put for name, put in both.items()}, '"-cp", "/app", "p.Uses"')
    yield case(
        "java-class-path-star",
        {"/app/lib/a.jar": jar({"p/Uses.class": USES}), "/app/lib/b.jar": jar({"p/Lib.class": LIB})},
        '"-cp", "/app/lib/*", "p.Uses"',
    )
    yield case(
        "java-class-path-several",
        {"/app/a.jar": jar({"p/Uses.class": USES}), "/app/b.jar": jar({"p/Lib.class": LIB})},
        '"-classpath", "a.jar:b.jar", "p.Uses"',
    )
    yield case(
        "java-class-path-variable",
        {"/app/lib/a.jar": hello},
        '"-Xshare:auto", "Main"',
        lines=("ENV CLASSPATH=/app/lib/a.jar",),
    )
    if arch == "amd64":  # a virtual machine in an emulator takes half a minute
        yield case("java-tool-options", {"/app/app.jar": hello}, run, lines=("ENV JAVA_TOOL_OPTIONS=-Xmx64m",))
    yield case(
        "java-jar-missing", {"/app/other.jar": hello}, run, "no such jar", "script-missing", "main-class-cannot-run"
    )
    yield case(
        "java-jar-in-target",
        {"/app/target/app.jar": hello},
        run,
        "the jar lies in target",
        "script-missing",
        "main-class-cannot-run",
    )
    yield case(
        "java-jar-unreadable",
        {"/app/app.jar": hello._replace(mode=0o600)},
        run,
        "only root may read it",
        "script-missing",
        "main-class-cannot-run",
        "program-not-executable",
    )
    yield case("java-jar-no-main", {"/app/app.jar": jar({"Main.class": MAIN})}, run, "no Main-Class in the manifest")
    yield case(
        "java-jar-no-manifest", {"/app/app.jar": Put(archive={"Main.class": MAIN}, mode=0o644)}, run, "no manifest"
    )
    yield case("java-jar-no-class", {"/app/app.jar": jar({}, "Main")}, run, "the main class is missing")
    yield case(
        "java-jar-class-moved",
        {"/app/app.jar": jar({"BOOT-INF/classes/Main.class": MAIN}, "Main")},
        run,
        "the main class lies elsewhere in the jar",
    )
    yield case(
        "java-jar-misspelt",
        {"/app/app.jar": jar({"Main.class": MAIN}, "main")},
        run,
        "another spelling of the main class",
    )
    yield case(
        "java-jar-newer",
        {"/app/app.jar": jar({"Main.class": program("Main.class@newer")}, "Main")},
        run,
        "compiled for a newer Java",
    )
    yield case("java-jar-corrupt", {"/app/app.jar": Put("PK\x03\x04 not a jar", 0o644)}, run, "not an archive")
    yield case(
        "java-jar-no-method",
        {"/app/app.jar": jar({"p/Empty.class": program("p/Empty.class")}, "p.Empty")},
        run,
        "a class without main()",
    )
    yield case(
        "java-jar-library-missing",
        {"/app/app.jar": jar({"p/Uses.class": USES}, "p.Uses", Class_Path="lib/lib.jar")},
        run,
        "the library's jar is missing",
    )
    yield case(
        "java-jar-library-newer",
        {"/app/app.jar": jar({"p/Uses.class": USES, "p/Lib.class": program("p/Lib.class@newer")}, "p.Uses")},
        run,
        "a library compiled for a newer Java",
    )
    yield case(
        "java-jar-own-class-missing",
        {"/app/app.jar": jar({"p/Uses.class": USES}, "p.Uses")},
        run,
        "a class that main uses is missing",
    )
    yield case(
        "java-class-path-wrong",
        {"/app/classes/Main.class": MAIN},
        '"-cp", "/app", "Main"',
        "the class path names another folder",
    )
    yield case(
        "java-class-path-no-star", {"/app/lib/a.jar": hello}, '"-cp", "/app/lib", "Main"', "a folder of jars without *"
    )
    yield case(
        "java-class-path-shell",
        {"/app/lib/a.jar": hello},
        '"-cp", "$HOME/lib/a.jar", "Main"',
        "a variable where no shell is",
        "main-class-cannot-run",
        "exec-form-verbatim",
    )
    yield case(
        "java-class-package",
        {"/app/Uses.class": USES, "/app/Lib.class": LIB},
        '"-cp", "/app", "Uses"',
        "the folder of the package is lost",
    )
    yield case(
        "java-not-there",
        {"/app/app.jar": hello},
        f'"{program_}", {run}',
        "the base has no Java",
        "command-program-missing",
        base="cc",
    )
    yield case(
        "java-not-on-path", {"/app/app.jar": hello}, f'"java", {run}', "java is not on PATH", "command-program-missing"
    )
    yield case(
        "java-home-wrong",
        {"/app/app.jar": hello},
        f'"/opt/java/openjdk/bin/java", {run}',
        "the builder's Java",
        "command-program-missing",
    )
    yield case(
        "java-doubled",
        {"/app/app.jar": hello},
        '"-jar", "java", "-jar", "app.jar"',
        "the interpreter doubles",
        "interpreter-doubled",
        "script-missing",
        "main-class-cannot-run",
    )
