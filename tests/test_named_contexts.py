"""Named contexts of compose and bake files stand in for images and stages, as in BuildKit."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lucid_audit.dockerfile.stages import context_name
from lucid_audit.lint import Request, run
from tests.builders.tree import plant, read

DAY = date(2026, 11, 23)
DOCKERFILE = """\
FROM base
COPY --from=assets logo.svg /app/
RUN --mount=from=tools ["/app/main.py"]
COPY --from=libs /x.so /app/
COPY main.py /app/
USER 65532:65532
CMD ["/app/main.py"]
"""
COMPOSE = """\
services:
  api:
    build:
      context: svc
      additional_contexts:
        - assets=./assets
        - tools=https://github.com/a/tools.git
        - BASE=docker-image://gcr.io/distroless/python3-debian13:nonroot
        - libs=docker-image://debian:13-slim
"""
BAKE = """\
target "api" {
  context = "svc"
  contexts = {
    assets = "./assets"
    tools = "target:tools"
    "docker.io/library/base:latest" = "docker-image://gcr.io/distroless/python3-debian13:nonroot"
    libs = "docker-image://debian:13-slim"
  }
}
"""


@pytest.mark.parametrize(("name", "text"), [("compose.yaml", COMPOSE), ("docker-bake.hcl", BAKE)])
def test_what_they_are_is_judged(name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, {".git/": "", "svc/Dockerfile": DOCKERFILE, "svc/main.py": "", name: text})
    monkeypatch.chdir(tmp_path)
    (report,) = run(Request(("svc/Dockerfile",), DAY, profile="strict")).report.subjects
    found = {one.rule for one in report.findings}
    assert "final-base-not-distroless" not in found
    assert "base-untagged" not in found, "no name of a context is an image without a tag"
    assert [one.message for one in report.findings if one.rule == "base-unpinned"] == [
        f"{image} is not pinned by digest" for image in ("gcr.io/distroless/python3-debian13:nonroot",)
    ]


def test_without_them_the_names_are_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, {".git/": "", "svc/Dockerfile": DOCKERFILE, "svc/main.py": ""})
    monkeypatch.chdir(tmp_path)
    (report,) = run(Request(("svc/Dockerfile",), DAY)).report.subjects
    assert sum(one.rule == "base-untagged" for one in report.findings) == 4


def test_a_context_of_a_stages_name_replaces_the_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'FROM alpine:3.22 AS build\nRUN ["false"]\nFROM scratch\nCOPY --from=build /none /app\nUSER 65532\nCMD ["/app"]\n'
    compose = "services: {a: {build: {context: ., additional_contexts: {build: ./made}}}}\n"
    plant(tmp_path, {".git/": "", "Dockerfile": text, "compose.yaml": compose})
    monkeypatch.chdir(tmp_path)
    (report,) = run(Request(("Dockerfile",), DAY)).report.subjects
    assert not {"copy-from-path-missing", "command-program-missing"} & {one.rule for one in report.findings}
    Path("compose.yaml").unlink()
    (report,) = run(Request(("Dockerfile",), DAY)).report.subjects
    assert not report.problems


def test_builds_that_differ_in_them_are_judged_each(tmp_path: Path) -> None:
    compose = "services: {a: {build: {context: ., additional_contexts: {x: ./a}}}, b: {build: {context: ., additional_contexts: {x: ./b}}}}\n"
    plant(tmp_path, {".git/": "", "Dockerfile": "FROM x\n", "compose.yaml": compose})
    builders, _ = read(tmp_path)
    assert [one.contexts for one in builders] == [(("x", "./a"),), (("x", "./b"),)]
    assert len({one.build for one in builders}) == 2


@pytest.mark.parametrize(
    ("name", "compared"),
    [
        ("Base", "base"),
        ("docker.io/library/base:latest", "base"),
        ("base:1", "base:1"),
        ("ghcr.io/a/b", "ghcr.io/a/b"),
        ("a b", "a b"),
    ],
)
def test_names_are_compared_in_their_short_form(name: str, compared: str) -> None:
    assert context_name(name) == compared
