"""Which RUN instructions leave the predicted files known: those with which a stage without a shell checks itself."""

from __future__ import annotations

import json

import pytest

from tests.sketch import sketch

BASE = "FROM gcr.io/distroless/python3-debian13:nonroot\n"


def opaque(run: str) -> bool:
    container = sketch(f"{BASE}RUN {run}\n").container
    assert container is not None
    return bool(container.files.opaque)


@pytest.mark.parametrize(
    "code",
    [
        "import os; assert os.path.isdir('/app'), 'missing'",
        "import fastapi; print('copied and linked')",
        "d = open('/app/.marker').read(); e = open('/app/b', 'rb').read(); assert d and e",
    ],
)
def test_code_that_only_looks(code: str) -> None:
    assert not opaque(json.dumps(["/usr/bin/python3", "-c", code]))


@pytest.mark.parametrize(
    "run",
    [
        json.dumps(["/usr/bin/python3", "/app/setup.py"]),
        json.dumps(["/busybox/sh", "-c", "ls"]),
        json.dumps(["python3", "-c", "open('/app/x', 'w')"]),
        json.dumps(["python3", "-c", "open('/app/x', mode='ab')"]),
        json.dumps(["python3", "-c", "import os; os.symlink('/usr/bin/python3', '/usr/local/bin/python')"]),
        json.dumps(["python3", "-c", "import shutil as s; s.copytree('/a', '/b')"]),
        json.dumps(["python3", "-c", "from pathlib import Path; Path('/a').write_text('')"]),
    ],
)
def test_everything_else_is_opaque(run: str) -> None:
    assert opaque(run)


def test_shell_form_without_a_shell_writes_nothing() -> None:
    assert not opaque("echo hello > /app/x")
