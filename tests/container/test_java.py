"""What Java finds, in images with jars that are made here."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.container.class_file import read_class
from lucid_audit.container.interpret import Task, task
from lucid_audit.container.jar import UnreadableJarError, attributes, read_jar
from lucid_audit.container.launch import launch
from tests.image_sketch import image

JAVA = "/usr/lib/jvm/java-17/bin/java"
RELEASE = 'JAVA_VERSION="17.0.15"\nMODULES="java.base java.sql jdk.net"\n'


def jar(files: Mapping[str, bytes | int] | None = None, **main: str) -> bytes:
    """Return a jar; a number stands for a class file of that major version."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        if main:
            lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in main.items())
            archive.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\r\n{lines}\r\n")
        for name, content in (files or {}).items():
            head = b"\xca\xfe\xba\xbe\0\0" + content.to_bytes(2, "big") if isinstance(content, int) else content
            archive.writestr(name, head)
    return packed.getvalue()


def end(
    files: dict[str, Any], *arguments: str, env: tuple[str, ...] = (), release: str = RELEASE, user: str = ""
) -> str:
    """Say how it ends: words, "" for well, "?" and a reason for unknown."""
    runtime = {JAVA: {"elf": "amd64", "mode": "0755"}, "/usr/lib/jvm/java-17/release": release}
    config = {"Env": list(env), "WorkingDir": "/app", "User": user}
    made = image({"platform": "linux/amd64", "config": config, "layers": [{"files": {**runtime, **files}}]})
    chain = launch(made.container, (JAVA, *arguments))
    if chain.end is not None:
        assert chain.end.kind == "class", chain.end
        return chain.end.words
    return "".join(f"?{reason}" for kind, reason in chain.doubts if kind == "class")


def run(archive: bytes, *before: str, more: dict[str, Any] | None = None, **rest: Any) -> str:
    return end({"/app/a.jar": archive, **(more or {})}, "-jar", *before, "a.jar", **rest)


def test_a_jar_that_runs() -> None:
    assert run(jar({"p/Main.class": 61}, Main_Class="p.Main"), "-Xmx64m") == ""


def test_compiled_for_a_newer_release() -> None:
    words = run(jar({"p/Main.class": 65}, Main_Class="p.Main"))
    assert words == "p.Main in /app/a.jar is compiled for Java 21 (class file version 65), the image has Java 17"


def test_an_unknown_release_says_nothing() -> None:
    assert run(jar({"p/Main.class": 65}, Main_Class="p.Main"), release="") == ""


def test_no_main_class() -> None:
    assert run(jar({"p/Main.class": 61})) == "the manifest of /app/a.jar names no Main-Class"


def test_the_main_class_is_not_in_it() -> None:
    words = run(jar({"q/Main.class": 61}, Main_Class="p.Main"))
    assert words == "the manifest of /app/a.jar names the main class p.Main, which is not in it"


@pytest.mark.parametrize("release", ["", 'JAVA_VERSION="17"\nMODULES="java.base app.main"\n', 'JAVA_VERSION="1.8.0"\n'])
def test_a_runtime_may_have_the_class_itself(release: str) -> None:
    assert run(jar({}, Main_Class="p.Main"), release=release).startswith("?")


def test_the_manifest_lengthens_the_class_path() -> None:
    main = jar({}, Main_Class="p.Main", Class_Path="lib/b.jar gone.jar")
    assert run(main, more={"/app/lib/b.jar": jar({"p/Main.class": 61})}) == ""
    assert "not in it" in run(main, more={"/app/lib/b.jar": jar({"q/Main.class": 61})})


def test_a_folder_in_a_manifest_ends_with_a_slash() -> None:
    files = {"/app/lib/p/Main.class": "x"}
    assert run(jar({}, Main_Class="p.Main", Class_Path="lib/"), more=files) == ""
    main = jar({}, Main_Class="p.Main", Class_Path="lib")
    assert "not in it" in run(main, more=files)
    assert end({"/app/a.jar": main, **files}, "-cp", "a.jar:lib", "p.Main") == ""


def test_no_archive() -> None:
    assert run(b"<html>") == "/app/a.jar is no zip archive, so no jar"


def test_a_release_of_its_own_for_each_runtime() -> None:
    files: dict[str, bytes | int] = {"META-INF/versions/21/p/Main.class": 65, "p/Main.class": 52}
    assert run(jar(files, Main_Class="p.Main", Multi_Release="true")) == ""


def test_the_launcher_of_spring_boot() -> None:
    launcher = "org.springframework.boot.loader.launch.JarLauncher"
    files: dict[str, bytes | int] = {f"{launcher.replace('.', '/')}.class": 61, "BOOT-INF/classes/p/App.class": 65}
    assert "p.App in /app/a.jar is compiled for Java 21" in run(jar(files, Main_Class=launcher, Start_Class="p.App"))


@pytest.mark.parametrize("env", ["JAVA_TOOL_OPTIONS=-javaagent:/x.jar", "JDK_JAVA_OPTIONS=@/opts"])
def test_options_that_change_where_classes_come_from(env: str) -> None:
    assert run(jar({}, Main_Class="p.Main"), env=(env,)).startswith("?options")


def test_a_class_path() -> None:
    files = {"/app/lib/a.jar": jar({"p/Main.class": 61}), "/app/classes/p/Other.class": "x"}
    assert end(files, "-cp", "lib/*:classes", "p.Main") == ""
    assert end(files, "-cp", "lib/*:classes", "p.Other", "argument") == ""
    assert end(files, "-cp", "lib/a.jar", "p.Other") == "the main class p.Other is nowhere on the class path"
    assert end(files, "-cp", "lib/*", "com.sun.Tool").startswith("?")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("-jar -Xmx1g a.jar -jar b", Task("jar", "a.jar")),
        ("-p lib -cp x Main", Task("class", "Main", "x")),
        ("--class-path=x Main", Task("class", "Main", "x")),
        ("-m a/b", None),
        ("@args -jar a.jar", None),
        ("Main", None),
        ("-cp x Main.java", None),
        ("-version -jar a.jar", None),
    ],
)
def test_options(words: str, told: Task | None) -> None:
    assert task("/usr/bin/java", tuple(words.split())) == told


def test_lines_of_a_manifest_go_on() -> None:
    assert attributes(b"Main-Class: org.ex\r\n ample.Main\r\n\r\nName: x\r\nMain-Class: no\r\n") == {
        "main-class": "org.example.Main"
    }


@given(st.integers(0, 300), st.binary(max_size=4))
def test_damaged_archives(at: int, what: bytes) -> None:
    data = jar({"p/Main.class": 61}, Main_Class="p.Main")
    try:
        found = read_jar(data[:at] + what + data[at + len(what) :])
        if found is not None:
            found.has("p/Main.class")
            found.beginning("p/Main.class", 17, 8)
    except UnreadableJarError:
        pass


def test_what_the_user_may_not_read() -> None:
    main = jar({"p/Main.class": 61}, Main_Class="p.Main")
    shut = {"bytes": main, "mode": "0600"}
    user = {"/app/b.jar": shut, "/app/d/p/Main.class": {"text": "x", "mode": "0600"}}
    assert end({"/app/a.jar": main, **user}, "-cp", "b.jar:a.jar", "p.Main", user="65532:65532") == ""
    words = end(user, "-cp", "b.jar", "p.Main", user="65532:65532")
    assert words == "the main class p.Main is nowhere on the class path, of which user 65532 may not read /app/b.jar"
    words = end({"/app/a.jar": main, **user}, "-cp", "d:a.jar", "p.Main", user="65532:65532")
    assert words == "/app/d/p/Main.class may not be read by user 65532"
    assert end(user, "-cp", "b.jar", "p.Main") == "", "root reads everything"


def compiled(name: str, above: str = "java/lang/Object", *interfaces: str, major: int = 61) -> bytes:
    """Return a class file with a superclass and interfaces and nothing else."""
    names = [name, above, *interfaces]
    pool = b"".join(b"\x01" + len(one).to_bytes(2, "big") + one.encode() for one in names)
    pool += b"\x05" + bytes(8)  # a constant that counts for two
    first = len(names) + 3
    pool += b"".join(b"\x07" + (at + 1).to_bytes(2, "big") for at in range(len(names)))
    numbers = [0x21, first, first + 1, len(interfaces), *range(first + 2, first + len(names)), 0, 0, 0]
    count = (first + len(names)).to_bytes(2, "big")
    tail = b"".join(number.to_bytes(2, "big") for number in numbers)
    return b"\xca\xfe\xba\xbe\0\0" + major.to_bytes(2, "big") + count + pool + tail


MAIN = {"p/Main.class": compiled("p/Main", "p/Base", "q/Face")}


def test_what_a_class_extends_is_loaded_before_it() -> None:
    both = {"p/Base.class": compiled("p/Base"), "q/Face.class": compiled("q/Face", "java/lang/Object", "javax/x/Y")}
    assert run(jar({**MAIN, **both}, Main_Class="p.Main")) == ""
    first = "extends or implements p.Base, which is nowhere on the class path"
    assert run(jar({**MAIN}, Main_Class="p.Main")) == f"p.Main in /app/a.jar {first}"
    further = {**both, "p/Base.class": compiled("p/Base", "r/Root")}
    words = "p.Base in /app/a.jar extends or implements r.Root, which is nowhere on the class path"
    assert run(jar({**MAIN, **further}, Main_Class="p.Main")) == words
    newer = {**both, "q/Face.class": compiled("q/Face", major=65)}
    assert "q.Face in /app/a.jar is compiled for Java 21" in run(jar({**MAIN, **newer}, Main_Class="p.Main"))


def test_what_it_extends_may_lie_anywhere_on_the_class_path() -> None:
    files = {"/app/lib/b.jar": jar({"p/Base.class": compiled("p/Base"), "q/Face.class": compiled("q/Face")})}
    assert run(jar({**MAIN}, Main_Class="p.Main", Class_Path="lib/b.jar"), more=files) == ""
    classes = {"/app/classes/p/Main.class": {"bytes": MAIN["p/Main.class"]}}
    assert end({**classes, **files}, "-cp", "classes:lib/*", "p.Main") == ""
    assert "p.Base" in end(classes, "-cp", "classes", "p.Main")
    assert run(jar({**MAIN}, Main_Class="p.Main"), release='JAVA_VERSION="17"\nMODULES="java.base app.main"\n') == ""


def test_a_class_of_a_folder_that_is_too_new() -> None:
    files = {"/app/classes/p/Main.class": {"bytes": compiled("p/Main", major=65)}}
    assert "p.Main in /app/classes/p/Main.class is compiled for Java 21" in end(files, "-cp", "classes", "p.Main")


@given(st.binary(max_size=60), st.integers(0, 120))
def test_hostile_classes(data: bytes, at: int) -> None:
    whole = MAIN["p/Main.class"]
    for one in (data, b"\xca\xfe\xba\xbe" + data, whole[:at] + data + whole[at:], whole[:at]):
        read = read_class(one)
        assert read is None or isinstance(read.above, tuple)
    assert read_class(whole) == (61, ("p.Base", "q.Face"))
