"""Where a service is known to write, and which of it lies in no mount."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.container.writes import unmounted, writes
from tests.image_sketch import image

WORDS = (
    "tini",
    "--",
    "gunicorn",
    "python3",
    "-m",
    "--pid",
    "--pid=",
    "--log-dir=x",
    "-",
    "/run/x.pid",
    "--access-logfile",
    "",
    "=",
)


def found(*command: str, env: tuple[str, ...] = (), volumes: tuple[str, ...] = (), mounted: tuple[str, ...] = (),
          files: dict[str, Any] | None = None) -> set[str]:  # fmt: skip
    config = {"Cmd": list(command), "Env": list(env), "WorkingDir": "/app", "Volumes": {one: {} for one in volumes}}
    container = image({"config": config, "layers": [{"files": files or {"/x": ""}}]}).container
    return set(unmounted(container, writes(container, ("CACHE_DIR", "HF_HOME")), mounted))


@pytest.mark.parametrize(
    ("command", "folders"),
    [
        (("gunicorn", "a:b"), {"/tmp"}),
        (("/usr/bin/python3.13", "-m", "gunicorn", "a:b"), {"/tmp"}),
        (("tini", "--", "python3", "/venv/bin/gunicorn", "a:b"), {"/tmp"}),
        (("gunicorn", "--worker-tmp-dir=/dev/shm", "a:b"), set()),
        (("gunicorn", "--worker-tmp-dir", "/var/w", "a:b"), {"/var/w"}),
        (("gunicorn", "-c", "conf.py", "a:b"), set()),  # which may name another
        (("uvicorn", "a:b", "--log-config", "log.json"), set()),
        (("/run", "--pid", "x.pid", "--log-file=/var/log/a/b"), {"/app", "/var/log/a"}),
        (("/run", "--log-file", "-", "--error-logfile=/dev/stderr", "--pid"), set()),
        (("java", "-Djava.io.tmpdir=/scratch", "-jar", "a.jar"), {"/scratch"}),
        (("tini", "--"), set()),
    ],
)
def test_commands(command: tuple[str, ...], folders: set[str]) -> None:
    assert found(*command) == folders


def test_variables() -> None:
    assert found("/run", env=("CACHE_DIR=/c/", "OTHER=/o", "HF_HOME=a:/b")) == {"/c"}
    assert found("/run", env=("HF_HOME=/models",), files={"/models/m.bin": "x"}) == set(), "it is there to be read"
    assert found("/run", env=("HF_HOME=/models",), files={"/models/": {}}) == {"/models"}


def test_mounts() -> None:
    assert found("/run", "--pid=/run/a/x.pid", volumes=("/run/a",)) == set()
    assert found("/run", "--pid=/run/a/x.pid", mounted=("/run/",)) == set()
    assert found("/run", "--pid=/run/a/x.pid", mounted=("/run/b", "/ru")) == {"/run/a"}


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=6))
def test_any_command_is_read(words: list[str]) -> None:
    assert all(folder.startswith("/") for folder in found(*words))
