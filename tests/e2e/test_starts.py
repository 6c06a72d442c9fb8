"""Every tree of ``fixtures/starts`` is built and started: what its ``case.yaml`` says is what an engine says.

``LUCID_AUDIT_STARTS_TABLE`` names a file to write the table of results to.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import starts
from tests.e2e import servers, start_bases, tools
from tests.e2e.debs import codename
from tests.e2e.servers import CLIENT

pytestmark = pytest.mark.e2e
CASES = starts.cases()
SECONDS = 3  # a service that runs so long has started
HEADER = ("tree", "starts", "the engine says", "the linter says", "right")


class Outcome(NamedTuple):
    starts: bool
    words: str


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An engine that has all bases under their names."""
    if codename() != "bookworm" or platform.machine() != "x86_64":
        pytest.skip("the trees are for Debian 12 on amd64")
    with servers.engine() as address:
        start_bases.load(address, tmp_path_factory.mktemp("bases"))
        yield address


@pytest.fixture(scope="session")
def results(trees: Path) -> Iterator[dict[str, Outcome]]:
    """What the engine said of each tree; the table is written in the end."""
    found: dict[str, Outcome] = {}
    yield found
    text = table(found, trees)
    print(f"\n{text}")
    if target := os.environ.get("LUCID_AUDIT_STARTS_TABLE"):
        Path(target).write_text(text, "utf-8")


@cache
def linted(case_name: str, place: Path) -> frozenset[str]:
    return frozenset(starts.errors(starts.read(starts.ROOT / case_name), place))


@pytest.fixture(scope="session")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("linted")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_engine_agrees(case: starts.Case, bases: str, results: dict[str, Outcome], tmp_path: Path) -> None:
    found = results[case.name] = observed(case, bases, starts.prepared(case, tmp_path))
    assert found.starts is case.starts, found.words
    assert case.starts or re.search(case.error, found.words), found.words


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_linter_agrees(case: starts.Case, trees: Path) -> None:
    found = linted(case.name, trees)
    assert starts.right(case, set(found)), f"{case.cause} Expected {case.rules or 'nothing'}, found {sorted(found)}."


def observed(case: starts.Case, engine: str, tree: Path) -> Outcome:
    """Build a tree, start it, run its health check if that is in question, and remove its image."""
    docker, name = [CLIENT, "-H", engine], f"starts-{case.name}"
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    words = [*docker, "build", "-q", "--network=none", "-t", name, str(tree)]
    built = subprocess.run(words, capture_output=True, text=True, check=False, timeout=180, env=environment)
    assert built.returncode == 0, f"does not build: {built.stderr[-1500:]}"
    try:
        first = _started(docker, name)
        if not case.health:
            return first
        assert first.starts, f"only the health check should fail: {first.words}"
        return _healthy(docker, name)
    finally:
        tools.run(*docker, "rmi", "-f", name)


def _healthy(docker: list[str], name: str) -> Outcome:
    kind, *test = json.loads(tools.run(*docker, "inspect", "-f", "{{json .Config.Healthcheck.Test}}", name))
    words = test if kind == "CMD" else ["/bin/sh", "-c", *test]
    return _started([*docker], name, words)


def _started(docker: list[str], name: str, command: list[str] | None = None) -> Outcome:
    """Run a container: one that ends well or still runs after some seconds has started."""
    entry = ["--entrypoint", command[0]] if command else []
    more = command[1:] if command else []
    container = f"{name}-{'health' if command else 'service'}"
    words = [*docker, "run", "--name", container, "--net=none", *entry, name, *more]
    try:
        result = subprocess.run(
            words, capture_output=True, text=True, errors="replace", check=False, timeout=SECONDS * 5
        )
        return Outcome(result.returncode == 0, f"{result.returncode}: {result.stdout}{result.stderr}")
    except subprocess.TimeoutExpired:
        return Outcome(True, "still runs")
    finally:
        tools.run(*docker, "rm", "-f", container)


def table(found: dict[str, Outcome], place: Path) -> str:
    """Return the results as Markdown."""
    rows = [HEADER, ("---",) * len(HEADER)]
    for case in CASES:
        if case.name not in found:
            continue
        outcome, rules = found[case.name], set(linted(case.name, place))
        match = None if outcome.starts else re.search(case.error or ".*", outcome.words)
        says = match[0] if match else "started"
        verdict = "yes" if starts.right(case, rules) else "no"
        rows.append((case.name, str(case.starts).lower(), says, ", ".join(sorted(rules)) or "-", verdict))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
