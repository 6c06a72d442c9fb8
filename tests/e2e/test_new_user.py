"""As a new user would: a repository with compose files and a build script only, to a page in a browser, with no manual read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e import app, services
from tests.e2e.push import push
from tests.e2e.test_audit import ROOT
from tests.e2e.test_fleet import dockerfile, soon

pytestmark = pytest.mark.e2e


def say(folder: Path, *words: str) -> tuple[int, str]:
    """Type a command; its answer is what a person sees."""
    environment = {**os.environ, "PYTHONPATH": ROOT, "LUCID_AUDIT_CACHE": str(folder.parent / "cache")}
    done = subprocess.run([sys.executable, "-m", "lucid_audit", *words], cwd=folder, env=environment, capture_output=True,
                          text=True, check=False, timeout=300)  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def repository(tmp_path: Path, registry: str) -> Path:
    folder = tmp_path / "shop"
    for name, fault in (("greeter", ""), ("billing", "shell-form")):
        (folder / name).mkdir(parents=True)
        (folder / name / "Dockerfile").write_text(dockerfile())
        for path, content in app.FILES.items():
            (folder / name / Path(path).name).write_text(content)
        services.layout(tmp_path / f"layout-{name}", fault)
        push(tmp_path / f"layout-{name}", registry, f"shop/{name}", "1")
    compose = {
        "services": {"greeter": {"image": f"{registry}/shop/greeter:1", "build": "./greeter", "ports": ["8080:8080"]}}
    }
    (folder / "compose.yaml").write_text(yaml.safe_dump(compose))
    (folder / "build.sh").write_text(
        f"#!/bin/sh\nset -e\ndocker buildx build --platform linux/amd64,linux/arm64 -t {registry}/shop/billing:1 --push billing\n"
    )
    (folder / "build.sh").chmod(0o755)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def test_from_nothing_to_a_page(repository: Path, browser: Any) -> None:
    code, said = say(repository, "fleet")
    assert code == 2
    assert "fleet init" in said, "who has no plan is told how to get one"
    code, said = say(repository, "fleet", "init")
    assert code == 0, said
    plan = yaml.safe_load((repository / "lucid-plan.yaml").read_text())
    assert {one["name"] for one in plan["services"]} == {"greeter", "billing"}
    code, said = say(repository, "fleet", "--output", "html=fleet.html")
    assert code == 1, said
    assert re.search(r"(?m)^billing .*NO", said)

    browser.get((repository / "fleet.html").as_uri())
    rows = {
        row.find_element("tag name", "th").text: row
        for row in browser.find_elements("css selector", "#services tbody tr")
    }
    assert set(rows) == {"greeter", "billing"}
    rows["billing"].find_element("css selector", "td.fail a").click()
    soon(browser, lambda: bool(browser.find_elements("css selector", "section.service details[open]")))
    fold = browser.find_element("css selector", "section.service details[open]")
    assert "there is no /bin/sh" in fold.text
    assert say(repository, "init")[0] == 0
    assert "lucid-audit-fleet" in (repository / ".pre-commit-config.yaml").read_text()
