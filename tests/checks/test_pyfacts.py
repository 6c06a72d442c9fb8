"""Which package folders a builder makes: the spellings that examples of rules do not cover."""

from __future__ import annotations

import pytest

from lucid_audit.checks.pyfacts import Python, packages, python_of
from lucid_audit.values import Unknown
from tests.sketch import sketch

SITE = "lib/python3.13/site-packages"


def made(run: str, image: str = "python:3.13-slim", before: str = "") -> list[tuple[str, str]]:
    stage = sketch(f"FROM {image}\nWORKDIR /srv\n{before}RUN {run}\n").graph.stages[0]
    return [(found.kind, found.site) for found in packages(stage)]


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("python3 -m venv --copies --upgrade-deps /opt/venv", [("venv", f"/opt/venv/{SITE}")]),
        ("virtualenv env", [("venv", f"/srv/env/{SITE}")]),
        ("uv venv", [("venv", f"/srv/.venv/{SITE}")]),
        ("uv sync --frozen", [("venv", f"/srv/.venv/{SITE}")]),
        ("pip install --prefix /install -r requirements.txt", [("prefix", f"/install/{SITE}")]),
        ("pip3 --no-cache-dir install --target=./deps fastapi", [("target", "/srv/deps")]),
        ("python -m pip install -t /deps fastapi", [("target", "/deps")]),
        ("pip install --user fastapi", [("user", f"/root/.local/{SITE}")]),
        ("pip install fastapi", [("system", f"/usr/local/{SITE}")]),
        ("poetry install --only main", [("system", f"/usr/local/{SITE}")]),
        ("pip install --upgrade pip setuptools wheel", []),
        ("pip wheel --wheel-dir /wheels fastapi", []),
        ("python -m venv $WHERE && $WHERE/bin/pip install fastapi", []),
    ],
)
def test_packages(run: str, expected: list[tuple[str, str]]) -> None:
    assert made(run) == expected


def test_pip_of_a_virtual_environment_installs_there() -> None:
    assert made("python -m venv /v && /v/bin/pip install fastapi") == [("venv", f"/v/{SITE}")]


def test_project_environment_of_uv() -> None:
    assert made("uv sync", before="ENV UV_PROJECT_ENVIRONMENT=/opt/e\n") == [("venv", f"/opt/e/{SITE}")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM debian:13-slim\nRUN apt-get install -y python3", Python("3.13", "/usr/bin/python3")),
        ("FROM debian:13-slim\nRUN apt-get install -y curl", None),
        ("FROM golang:1.23", None),
        ("FROM python:3.12-slim", Python("3.12", "/usr/local/bin/python3.12")),
    ],
)
def test_python_of(text: str, expected: Python | None) -> None:
    assert python_of(sketch(text + "\n").graph.stages[0]) == expected


@pytest.mark.parametrize("text", ["FROM a.example.org/b:1", "FROM python:3.12\nRUN uv venv --python 3.13"])
def test_python_of_is_unknown(text: str) -> None:
    assert isinstance(python_of(sketch(text + "\n").graph.stages[0]), Unknown)
