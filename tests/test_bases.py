from __future__ import annotations

import json
import re
import time
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid_audit.bases import FIELDS, Base, Bases, Entry, Libc, merge
from lucid_audit.reference import parse

RULES = Path(__file__).parent.parent / "rules"
FILES = sorted((RULES / "bases").glob("*.yaml"))
TODAY = "2026-11-23"
SHA = "@sha256:" + "0" * 64


@cache
def documents() -> tuple[dict[str, Any], ...]:
    return tuple(yaml.safe_load(file.read_text("utf-8")) for file in FILES)


@cache
def catalogue() -> Bases:
    return Bases(merge(documents()))


def find(image: str, day: str = TODAY, bases: Bases | None = None) -> Base | None:
    ref = parse(image)
    assert ref is not None
    return (bases or catalogue()).lookup(ref, date.fromisoformat(day))


def look(image: str, day: str = TODAY, bases: Bases | None = None) -> Base:
    base = find(image, day, bases)
    assert base is not None
    return base


# --- the data


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file_follows_the_schema(file: Path) -> None:
    schema = json.loads((RULES / "bases.schema.json").read_text("utf-8"))
    document = yaml.safe_load(file.read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["family"] == file.stem
    assert json.loads(json.dumps(document)) == document  # JSON-compatible: no YAML dates, no number keys


@pytest.mark.parametrize("document", documents(), ids=lambda document: document["family"])
def test_references_between_files_resolve(document: dict[str, Any]) -> None:
    families = merge(documents())["families"]
    if "extends" in document:
        assert document["extends"] in families
    for layer in document["layers"]:
        family, _, release = layer.get("system", "debian/unknown").partition("/")
        assert "{" in release or release in families[family]["releases"]
    for pattern in (document.get("tag", ""), *(rule.get("match", "") for rule in document.get("derive", ()))):
        re.compile(pattern)


def test_every_fact_has_a_field() -> None:
    schema = json.loads((RULES / "bases.schema.json").read_text("utf-8"))
    named = {name.removesuffix("+") for name in schema["$defs"]["facts"]["properties"]}
    assert named == set(FIELDS)
    assert set(FIELDS) < set(Base._fields)


def test_no_repository_is_claimed_twice() -> None:
    names = [name for document in documents() for name in document["repositories"]]
    assert len(names) == len(set(names))


def test_every_end_of_life_has_a_source() -> None:
    for name in catalogue().repositories():
        base = find(name)
        assert base is not None
        assert base.eol is None or base.eol_source, name


def test_successors_are_in_the_catalogue_and_alive() -> None:
    for name in catalogue().repositories():
        base = look(name)
        if base.successor is not None:
            successor = look(base.successor)
            assert successor.ended(date.fromisoformat(TODAY)) is not True, (name, base.successor)


def test_version_and_date_are_the_newest() -> None:
    assert catalogue().version == max(document["version"] for document in documents())
    assert catalogue().as_of == "2026-11-23"
    assert "distroless-python3" in catalogue().families()


# --- gcr.io/distroless


def test_python3_debian12_on_several_days() -> None:
    for day, over in (("2026-04-29", False), ("2026-04-30", True), ("2026-05-11", True), (TODAY, True)):
        base = look("gcr.io/distroless/python3-debian12:latest", day)
        assert base.release == "debian12"
        assert base.eol == date(2026, 4, 30)
        assert base.removed == date(2026, 5, 11)
        assert base.ended(date.fromisoformat(day)) is over
        assert base.successor == "gcr.io/distroless/python3-debian13"
        assert base.interpreter is not None
        assert base.interpreter.path == "/usr/bin/python3.11"
        assert base.interpreter.aliases == ("/usr/bin/python", "/usr/bin/python3")
        assert base.entrypoint == ("/usr/bin/python3.11",)
        assert base.env["LANG"] == "C.UTF-8"
        assert base.env_complete
        assert base.closed
        assert base.programs == {"/usr/bin/python", "/usr/bin/python3", "/usr/bin/python3.11"}
        assert "/usr/lib/python3/dist-packages" in base.python_paths
        assert not any("site-packages" in path for path in base.python_paths)


def test_python3_debian13() -> None:
    base = look("gcr.io/distroless/python3-debian13:nonroot")
    assert base.user == "65532"
    assert base.workdir == "/home/nonroot"
    assert base.has_shell is False
    assert base.package_manager == ""
    assert base.libc == Libc("glibc", (2, 41))
    assert base.entries["/bin"] == Entry("l", 0o777, 0, 0, "usr/bin")
    assert base.entries["/usr/bin/python"].target == "/usr/bin/python3.13"
    assert base.entries["/home/nonroot"] == Entry("d", 0o700, 65532, 65532, None)
    assert "/usr/bin/ldd" in base.programs
    assert "/usr/bin/env" not in base.programs
    assert base.platforms == ("linux/amd64", "linux/arm64", "linux/riscv64")
    assert base.eol is None
    assert base.ended(date(2030, 1, 1)) is None


@pytest.mark.parametrize(
    ("day", "release", "glibc"),
    [
        ("2024-04-25", "debian11", (2, 31)),
        ("2024-04-26", "debian12", (2, 36)),
        ("2026-01-29", "debian12", (2, 36)),
        ("2026-01-30", "debian13", (2, 41)),
        (TODAY, "debian13", (2, 41)),
    ],
)
def test_unsuffixed_repositories_follow_the_calendar(day: str, release: str, glibc: tuple[int, int]) -> None:
    assert look("gcr.io/distroless/static", day).release == release
    base = look("gcr.io/distroless/base", day)
    assert base.libc == Libc("glibc", glibc)
    assert base.dated == {"suite"}
    assert look("gcr.io/distroless/base-debian12", day).dated == frozenset()


@pytest.mark.parametrize(
    ("image", "known", "user", "debug", "platforms"),
    [
        ("static-debian13", True, "0", False, None),
        ("static-debian13:latest", True, "0", False, None),
        ("static-debian13:debug", True, "0", True, None),
        ("static-debian13:debug-nonroot-arm64", True, "65532", True, ("linux/arm64",)),
        ("static-debian13:nonroot-arm", True, "65532", False, ("linux/arm/v7",)),
        ("static-debian12:nonroot-riscv64", False, "65532", False, None),
        ("python3-debian12:arm64", False, None, None, None),
        ("python3-debian12:nonroot-s390x", False, "65532", False, None),
        ("nodejs24-debian13:nonroot-arm", False, "65532", False, None),
        ("java17-debian12:3", False, None, None, None),
        ("static-debian12:" + "a" * 40, True, "0", False, None),
        ("static-debian12:nonroot-amd64-" + "a" * 40, True, "65532", False, ("linux/amd64",)),
    ],
)
def test_distroless_tags(
    image: str, known: bool, user: str | None, debug: bool | None, platforms: tuple[str, ...] | None
) -> None:
    base = look(f"gcr.io/distroless/{image}")
    assert (base.tag_known, base.user, base.debug) == (known, user, debug)
    assert base.published_tags == ("latest", "nonroot", "debug", "debug-nonroot")
    if platforms is not None:
        assert base.platforms == platforms


def test_debug_tags_have_busybox_on_path() -> None:
    base = look("gcr.io/distroless/static-debian13:debug")
    assert base.shell == "/busybox/sh"
    assert base.entrypoint == ("/busybox/sh",)
    assert base.env["PATH"].endswith(":/busybox")
    assert {"/busybox/sh", "/busybox/wget", "/busybox/["} < base.programs
    assert "/busybox/curl" not in base.programs
    assert base.closed
    # images of a language keep their entrypoint
    assert look("gcr.io/distroless/python3-debian13:debug").entrypoint == ("/usr/bin/python3.13",)


def test_node_and_java() -> None:
    node = look("gcr.io/distroless/nodejs20-debian12")
    assert node.entrypoint == ("/nodejs/bin/node",)
    assert node.removed == date(2026, 2, 27)
    assert node.successor == "gcr.io/distroless/nodejs24-debian13"
    assert "/nodejs/bin/node" in node.present
    assert not node.programs  # not on PATH
    assert look("gcr.io/distroless/nodejs18-debian11").eol == date(2024, 6, 10)
    assert look("gcr.io/distroless/nodejs18-debian12").eol == date(2025, 4, 30)
    java = look("gcr.io/distroless/java17-debian12")
    assert java.entrypoint == ("/usr/bin/java", "-jar")
    assert java.successor == "gcr.io/distroless/java17-debian13"
    assert not java.env_complete
    assert look("gcr.io/distroless/java11-debian11").successor == "gcr.io/distroless/java17-debian13"


def test_static_and_scratch_have_no_libc() -> None:
    assert look("gcr.io/distroless/static-debian13").libc == Libc("none", None)
    scratch = look("scratch")
    assert scratch.libc == Libc("none", None)
    assert scratch.closed
    assert not scratch.programs
    assert scratch.env == {}
    assert scratch.env_complete


def test_a_digest_alone_leaves_what_the_tag_decides_unknown() -> None:
    base = look(f"gcr.io/distroless/python3-debian12{SHA}")
    assert base.tag_known
    assert (base.user, base.shell, base.has_shell, base.workdir, base.closed) == (None, None, None, None, False)
    assert base.interpreter is not None
    assert look(f"gcr.io/distroless/static{SHA}").release is None
    assert look(f"python{SHA}").package_manager is None
    both = look(f"gcr.io/distroless/python3-debian13:nonroot{SHA}")
    assert both.user == "65532"


def test_other_repositories_of_the_project() -> None:
    gone = look("gcr.io/distroless/nodejs:18")
    assert (gone.family, gone.distroless, gone.tag_known) == ("distroless-other", True, False)
    assert gone.successor == "gcr.io/distroless/nodejs24-debian13"
    assert look("gcr.io/distroless/python3-debian14").successor is None


# --- other images

BUILDERS: list[tuple[str, str, str | None, Libc | None, str | None]] = [
    ("python:3.11-slim-bookworm", TODAY, "debian12", Libc("glibc", (2, 36)), "3.11"),
    ("python:3.11-slim", "2025-08-01", "debian12", Libc("glibc", (2, 36)), "3.11"),
    ("python:3.11-slim", TODAY, "debian13", Libc("glibc", (2, 41)), "3.11"),
    ("python:3.11.4-slim", TODAY, "debian12", Libc("glibc", (2, 36)), "3.11"),
    ("python:3.11.2", TODAY, "debian11", Libc("glibc", (2, 31)), "3.11"),
    ("python:3.12.11", TODAY, "debian13", Libc("glibc", (2, 41)), "3.12"),
    ("python:3.8", TODAY, "debian12", Libc("glibc", (2, 36)), "3.8"),
    ("python:3.12-alpine3.20", TODAY, "alpine3.20", Libc("musl", (1, 2, 5)), "3.12"),
    ("python:3.12-alpine", TODAY, None, Libc("musl", None), "3.12"),
    ("python:3", "2025-01-01", "debian12", Libc("glibc", (2, 36)), "3.13"),
    ("python:slim", "2026-01-01", "debian13", Libc("glibc", (2, 41)), "3.14"),
    ("python:latest", TODAY, "debian13", Libc("glibc", (2, 41)), None),
    (f"python:3.11-slim{SHA}", TODAY, None, Libc("glibc", None), "3.11"),
    ("node:20-bookworm-slim", TODAY, "debian12", Libc("glibc", (2, 36)), "20"),
    ("node:18-alpine", TODAY, None, Libc("musl", None), "18"),
    ("node:26", TODAY, "debian13", Libc("glibc", (2, 41)), "26"),
    ("node:lts", "2025-12-01", "debian12", Libc("glibc", (2, 36)), "24"),
    ("golang:1.20", "2023-06-01", "debian11", Libc("glibc", (2, 31)), None),
    ("golang:1.20", TODAY, "debian12", Libc("glibc", (2, 36)), None),
    ("golang:1.24.3", TODAY, "debian12", Libc("glibc", (2, 36)), None),
    ("golang:1.25", TODAY, "debian13", Libc("glibc", (2, 41)), None),
    ("golang:1.22-alpine", TODAY, None, Libc("musl", None), None),
    ("rust:1.75-slim", TODAY, "debian12", Libc("glibc", (2, 36)), None),
    ("debian:12-slim", TODAY, "debian12", Libc("glibc", (2, 36)), None),
    ("debian:bookworm-20240101", TODAY, "debian12", Libc("glibc", (2, 36)), None),
    ("debian:stable-slim", "2025-01-01", "debian12", Libc("glibc", (2, 36)), None),
    ("debian:sid", TODAY, None, Libc("glibc", None), None),
    ("alpine:3.20", TODAY, "alpine3.20", Libc("musl", (1, 2, 5)), None),
    ("ubuntu:24.04", TODAY, "ubuntu24.04", Libc("glibc", (2, 39)), None),
    ("ubuntu:noble-20240801", TODAY, "ubuntu24.04", Libc("glibc", (2, 39)), None),
    ("eclipse-temurin:17-jre-jammy", TODAY, "ubuntu22.04", Libc("glibc", (2, 35)), "17"),
    ("ghcr.io/astral-sh/uv:python3.12-bookworm-slim", TODAY, "debian12", Libc("glibc", (2, 36)), "3.12"),
]


@pytest.mark.parametrize(("image", "day", "release", "libc", "version"), BUILDERS)
def test_builders(image: str, day: str, release: str | None, libc: Libc | None, version: str | None) -> None:
    base = look(image, day)
    assert (base.release, base.libc, base.tag_known) == (release, libc, True)
    assert (base.interpreter.version if base.interpreter else None) == version
    assert base.shell == "/bin/sh"
    assert not base.distroless
    assert not base.closed


def test_long_term_support_is_told_apart() -> None:
    base = look("python:3.11-slim-bookworm")
    assert (base.eol, base.lts) == (date(2026, 6, 10), date(2028, 6, 30))
    language = look("python:3.9-slim-bookworm")  # the language ended first
    assert (language.eol, language.lts) == (date(2025, 10, 31), None)


def test_which_values_follow_the_calendar() -> None:
    assert look("python:3.11-slim").dated == {"suite"}
    assert look("python:3.11.4-slim").dated == frozenset()
    assert look("debian:12-slim").dated == frozenset()
    assert look("python:slim", "2026-01-01").dated == {"python", "suite"}


def test_python_builder_paths() -> None:
    base = look("python:3.11.4-slim-bookworm")
    assert base.interpreter is not None
    assert base.interpreter.path == "/usr/local/bin/python3.11"
    assert "/usr/local/lib/python3.11/site-packages" in base.python_paths
    assert base.env["PYTHON_VERSION"] == "3.11.4"
    assert not base.env_complete
    assert "PYTHON_VERSION" not in look("python:3.11-slim").env
    assert "/usr/bin/curl" not in base.programs
    assert "/usr/bin/curl" in look("python:3.11").programs


def test_an_unknown_tag_says_nothing_about_the_system() -> None:
    base = look("python:no-such-tag")
    assert (base.tag_known, base.release, base.libc, base.package_manager) == (False, None, None, None)


def test_minimal_images_of_others() -> None:
    plain, dev = look("cgr.dev/chainguard/python:latest"), look("cgr.dev/chainguard/python:latest-dev")
    assert (plain.user, plain.has_shell, plain.distroless) == ("65532", False, True)
    assert (dev.user, dev.has_shell, dev.package_manager) == ("65532", True, "apk")
    assert look("cgr.dev/chainguard/wolfi-base").user == "0"
    assert look("cgr.dev/chainguard/redis").has_shell is None
    chiselled = look("mcr.microsoft.com/dotnet/aspnet:8.0-jammy-chiseled")
    assert (chiselled.distroless, chiselled.has_shell, chiselled.user) == (True, False, "1654")
    assert look("mcr.microsoft.com/dotnet/aspnet:8.0").has_shell is True
    assert look("dhi.io/python:3.13-debian13").has_shell is False
    assert look("dhi.io/python:3.13-debian13-dev").package_manager == "apt"
    assert look("ghcr.io/astral-sh/uv:latest").distroless


def test_unknown_repositories_are_unknown() -> None:
    assert find("pickme/lucid-tron-client") is None
    assert find("registry.example/gcr.io/distroless/static") is None


# --- a policy's additions


def test_mirrors_images_and_families_of_a_policy() -> None:
    family = {
        "family": "own",
        "version": "1",
        "as_of": TODAY,
        "source": [],
        "repositories": {"registry.local/own": {}},
        "layers": [{"facts": {"user": "1000", "shell": ""}}],
    }
    overrides = {
        "mirrors": {"registry.local/": "docker.io/", "registry.local/distroless/": "gcr.io/distroless/"},
        "images": {
            "docker.io/pickme/base:arm64": {
                "like": "gcr.io/distroless/python3-debian13:nonroot",
                "facts": {"user": "65532:65532", "env": {"TZ": "UTC"}},
            },
            "docker.io/pickme/loop": {"like": "pickme/loop", "facts": {"shell": ""}},
            "docker.io/pickme/plain": {"facts": {"entrypoint": ["/x"]}},
        },
        "families": {"own": family},
    }
    bases = Bases(merge(documents()), overrides)
    mirrored = look("registry.local/distroless/python3-debian12", bases=bases)
    assert mirrored.release == "debian12"
    assert mirrored.ref.name == "registry.local/distroless/python3-debian12"
    assert look("registry.local/library/python:3.11-slim", bases=bases).family == "python"
    like = look("pickme/base:arm64", bases=bases)
    assert (like.user, like.entrypoint, like.env["TZ"]) == ("65532:65532", ("/usr/bin/python3.13",), "UTC")
    assert like.env["LANG"] == "C.UTF-8"
    assert find("pickme/base:other", bases=bases) is None
    assert look("pickme/loop", bases=bases).has_shell is False
    assert look("pickme/plain", bases=bases).entrypoint == ("/x",)


# --- the lookup itself


def test_lookup_is_memoised_and_fast() -> None:
    ref = parse("gcr.io/distroless/python3-debian13:nonroot")
    assert ref is not None
    day = date.fromisoformat(TODAY)
    first = catalogue().lookup(ref, day)
    started = time.perf_counter()
    for _ in range(1000):
        assert catalogue().lookup(ref, day) is first
    assert time.perf_counter() - started < 0.05  # 50 microseconds each, with room


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(catalogue().repositories()), st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True))
def test_any_tag_of_any_repository_resolves(name: str, tag: str) -> None:
    base = look(f"{name}:{tag}")
    assert base.tag_known in (True, False)
    assert not re.search(r"\{\w+\}", json.dumps(base, default=str))  # no placeholder is left


@pytest.mark.parametrize("day", ["2020-01-01", "2024-01-01", "2030-01-01"])
def test_every_repository_resolves_on_any_day(day: str) -> None:
    for name in catalogue().repositories():
        assert look(name, day).family
