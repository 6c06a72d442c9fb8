"""What each fix makes of a file, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixes.mending import mended

PYTHON = "gcr.io/distroless/python3-debian13:nonroot"
ROOT = "gcr.io/distroless/python3-debian13"
ASKS = "import urllib.request; urllib.request.urlopen('http://localhost:8080/health', timeout=5)"
STATIC = "gcr.io/distroless/static-debian13:nonroot"

# name: rule, before, after (None: nothing), and what else the sketch has
CASES: dict[str, tuple[str, str, str | None, dict[str, Any]]] = {
    "shell form": (
        "command-needs-shell",
        f"FROM {STATIC}\nCOPY server /server\nENTRYPOINT /server --port 8080\n",
        f'FROM {STATIC}\nCOPY server /server\nENTRYPOINT ["/server", "--port", "8080"]\n',
        {},
    ),
    "shell form with exec": (
        "command-needs-shell",
        f'FROM {STATIC}\nCOPY server /server\nCMD exec /server --name "a b"\n',
        f'FROM {STATIC}\nCOPY server /server\nCMD ["/server", "--name", "a b"]\n',
        {},
    ),
    "shell form with a variable": ("command-needs-shell", f"FROM {STATIC}\nCOPY server /server\nCMD /server --port $PORT\n", None, {}),
    "shell form with an operator": ("command-needs-shell", f"FROM {STATIC}\nCOPY server /server\nCMD /a && /b\n", None, {}),
    "shell form in continued lines": (
        "command-needs-shell",
        f"FROM {STATIC}\nCOPY server /server\nCMD /server \\\n  --port 8080\nEXPOSE 8080\n",
        f'FROM {STATIC}\nCOPY server /server\nCMD ["/server", "--port", "8080"]\nEXPOSE 8080\n',
        {},
    ),
    "path bug": (
        "copy-source-wrong-context",
        f"FROM {PYTHON}\nCOPY payment-systems/tron/requirements.txt /app/\n",
        f"FROM {PYTHON}\nCOPY requirements.txt /app/\n",
        {
            "file": "payment-systems/tron/Dockerfile",
            "use_context": "payment-systems/tron",
            "context": {"payment-systems/tron/requirements.txt": "x"},
        },
    ),
    "default of an automatic ARG": (
        "automatic-arg-default",
        f"ARG TARGETPLATFORM=linux/arm64\nFROM --platform=$TARGETPLATFORM {PYTHON}\n",
        f"ARG TARGETPLATFORM\nFROM {PYTHON}\n",  # which leaves a flag that says nothing, so that goes too
        {},
    ),
    "no user": (
        "final-user-root",
        f'FROM {ROOT}\nCOPY app.py /app/\nENTRYPOINT []\nCMD ["python3", "/app/app.py"]\n',
        f'FROM {ROOT}\nCOPY app.py /app/\nUSER 65532:65532\nENTRYPOINT []\nCMD ["python3", "/app/app.py"]\n',
        {},
    ),
    "no user and nothing after the base": ("final-user-root", f"# x\nFROM {ROOT}", f"# x\nFROM {ROOT}\nUSER 65532:65532", {}),
    "root at the end": (
        "final-user-root",
        f"FROM {ROOT}\nUSER 65532\nUSER root\nEXPOSE 8080\n",
        f"FROM {ROOT}\nUSER 65532\nUSER 65532:65532\nEXPOSE 8080\n",
        {},
    ),
    "root that still works": (
        "final-user-root", f"FROM {ROOT}\nUSER root\nCOPY --chown=1:1 a /a\nWORKDIR /app\n", None, {}
    ),
    "root on a base with a shell": ("final-user-root", "FROM debian:13\nRUN id\n", None, {}),
    "doubled interpreter": (
        "interpreter-doubled",
        f'FROM {PYTHON}\nCOPY app.py /app/\nCMD ["python3", "/app/app.py"]\n',
        f'FROM {PYTHON}\nCOPY app.py /app/\nENTRYPOINT []\nCMD ["python3", "/app/app.py"]\n',
        {},
    ),
    "own entry point that doubles": (
        "interpreter-doubled", f'FROM {PYTHON}\nENTRYPOINT ["python3"]\nCMD ["python3", "/app/app.py"]\n', None, {}
    ),
    "curl in shell form": (
        "health-check-needs-shell",
        f"FROM {PYTHON}\nHEALTHCHECK --interval=5s CMD curl -fsS http://localhost:8080/health || exit 1\n",
        f'FROM {PYTHON}\nHEALTHCHECK --interval=5s CMD ["/usr/bin/python3", "-c", "{ASKS}"]\n',
        {},
    ),
    "wget in exec form": (
        "health-check-unresolvable",
        f'FROM {PYTHON}\nHEALTHCHECK CMD ["wget", "--spider", "-q", "http://localhost:8080/health"]\n',
        f'FROM {PYTHON}\nHEALTHCHECK CMD ["/usr/bin/python3", "-c", "{ASKS}"]\n',
        {},
    ),
    "curl that posts": (
        "health-check-unresolvable",
        f'FROM {PYTHON}\nHEALTHCHECK CMD ["curl", "-X", "POST", "http://localhost:8080/health"]\n',
        None,
        {},
    ),
    "curl that trusts anybody": (
        "health-check-unresolvable",
        f'FROM {PYTHON}\nHEALTHCHECK CMD ["curl", "-kf", "https://localhost:8080/health"]\n',
        None,
        {},
    ),
    "curl and a variable": (
        "health-check-needs-shell", f"FROM {PYTHON}\nHEALTHCHECK CMD curl -f http://localhost:$PORT/ || exit 1\n", None, {}
    ),
    "curl where there is no python": (
        "health-check-needs-shell", f"FROM {STATIC}\nHEALTHCHECK CMD curl -f http://localhost:80/ || exit 1\n", None, {}
    ),
    "python of another image": (
        "command-program-missing",
        f'FROM {PYTHON}\nCOPY app.py /app/\nENTRYPOINT ["/usr/local/bin/python3"]\nCMD ["/app/app.py"]\n',
        f'FROM {PYTHON}\nCOPY app.py /app/\nENTRYPOINT ["/usr/bin/python3"]\nCMD ["/app/app.py"]\n',
        {},
    ),
    "python of a virtual environment": (
        "command-program-missing", f'FROM {PYTHON}\nENTRYPOINT ["/opt/venv/bin/python3"]\nCMD ["/app/app.py"]\n', None, {}
    ),
    "directive too low": (
        "directive-without-effect",
        f"# a service\n# syntax=docker/dockerfile:1\nFROM {PYTHON}\n",
        f"# syntax=docker/dockerfile:1\n# a service\nFROM {PYTHON}\n",
        {},
    ),
    "directive below another": (
        "directive-without-effect",
        f"# escape=\\\n\n  # syntax=docker/dockerfile:1\nFROM {PYTHON}\n",
        f"# escape=\\\n# syntax=docker/dockerfile:1\n\nFROM {PYTHON}\n",
        {},
    ),
    "escape too low": ("directive-without-effect", f"# a service\n# escape=`\nFROM {PYTHON}\n", None, {}),
    "maintainer": (
        "maintainer-deprecated",
        f'FROM {PYTHON}\nMAINTAINER Jo "The" Doe <jo@example.com>\n',
        f'FROM {PYTHON}\nLABEL org.opencontainers.image.authors="Jo \\"The\\" Doe <jo@example.com>"\n',
        {},
    ),
    "legacy pair": ("legacy-key-value", f"FROM {PYTHON}\nENV MODE production\n", f"FROM {PYTHON}\nENV MODE=production\n", {}),
    "legacy pair with blanks": (
        "legacy-key-value",
        f"FROM {PYTHON}\nENV   GREETING   hello $WHO and all  \n",
        f'FROM {PYTHON}\nENV   GREETING="hello $WHO and all"  \n',
        {},
    ),
    "single quotes": (
        "json-single-quotes",
        f"FROM {PYTHON}\nCOPY app.py /app/\nENTRYPOINT []\nCMD ['python3', \"-u\", '/app/app.py']\n",
        f'FROM {PYTHON}\nCOPY app.py /app/\nENTRYPOINT []\nCMD ["python3", "-u", "/app/app.py"]\n',
        {},
    ),
    "casing": ("instruction-casing", f"FROM {PYTHON}\nCOPY a /a\ncopy b /b\n", f"FROM {PYTHON}\nCOPY a /a\nCOPY b /b\n", {}),
    "casing the other way": (
        "instruction-casing", f"from {PYTHON}\ncopy a /a\nCOPY b /b\n", f"from {PYTHON}\ncopy a /a\ncopy b /b\n", {}
    ),
    "as": ("from-as-casing", f"FROM {PYTHON} as x\n", f"FROM {PYTHON} AS x\n", {}),
    "protocol": ("expose-protocol-casing", f"FROM {PYTHON}\nEXPOSE 80/TCP\n", f"FROM {PYTHON}\nEXPOSE 80/tcp\n", {}),
    "platform": (
        "redundant-target-platform", f"FROM --platform=$TARGETPLATFORM  {PYTHON}\n", f"FROM {PYTHON}\n", {}
    ),
    "add": ("add-instead-of-copy", f"FROM {PYTHON}\nadd --chown=1 a /b/\n", f"FROM {PYTHON}\ncopy --chown=1 a /b/\n", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    rule, before, after, example = CASES[name]
    found = mended(before, example, only=(rule,))
    assert found.source.text == (before if after is None else after)
    assert [finding.rule for finding in found.fixed] == ([] if after is None else [rule])
    windows = mended(before.replace("\n", "\r\n"), example, only=(rule,))
    assert windows.source.text == found.source.text.replace("\n", "\r\n")


MOVE = """\
FROM python:3.11-slim-bookworm AS build
RUN pip install --target /opt/lib/python3.11/site-packages requests
FROM node:22-bookworm AS web
FROM gcr.io/distroless/python3-debian12:nonroot
COPY --from=build /opt/lib/python3.11/site-packages /opt/lib/python3.11/site-packages
ENV PYTHONPATH=/opt/lib/python3.11/site-packages
"""


def test_the_end_of_a_base_is_moved_on_demand_only() -> None:
    assert mended(MOVE, only=("final-base-end-of-life",)).source.text == MOVE
    found = mended(MOVE, only=("final-base-end-of-life",), unsafe=True)
    assert found.source.text == (
        MOVE.replace("3.11", "3.13").replace("slim-bookworm", "slim-trixie").replace("debian12", "debian13")
    )


def test_root_on_another_base_is_fixed_on_demand_only() -> None:
    text = 'FROM debian:13\nRUN id\nCMD ["id"]\n'
    assert mended(text, only=("final-user-root",), unsafe=True).source.text == text.replace(
        "CMD", "USER 65532:65532\nCMD"
    )


def test_what_a_fix_uncovers_is_fixed_with_it() -> None:
    text = f"FROM {PYTHON}\nCOPY app.py /app/\nCMD python3 /app/app.py\n"
    found = mended(text)
    assert 'ENTRYPOINT []\nCMD ["python3", "/app/app.py"]\n' in found.source.text


def test_what_brings_a_new_finding_is_left_alone() -> None:
    text = f"FROM {STATIC}\nENTRYPOINT server\n"
    assert mended(text, only=("command-needs-shell", "command-program-missing")).source.text == text
