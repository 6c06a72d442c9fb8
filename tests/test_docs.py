"""The generated pages are what the rules and the command line say today, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.docs import pages, plan_reference, readme, write

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = pages()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_is_current(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == PAGES[name], "run `make docs`"


def test_no_page_is_left_of_a_rule_that_is_gone() -> None:
    found = {f"rules/{file.name}" for file in (DOCS / "rules").iterdir()}
    assert found == {name for name in PAGES if name.startswith("rules/")}, "run `make docs`"


def test_write_removes_stale_pages(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/gone.md").touch()
    write(tmp_path)
    assert {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.md")} == set(PAGES)


def test_the_screen_in_the_readme_is_what_the_tool_prints() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert readme(text) == text, "run `make docs`"


def test_the_fields_of_a_plan_are_those_of_the_schema() -> None:
    text = (DOCS / "fleet.md").read_text("utf-8")
    assert plan_reference(text) == text, "run `make docs`"
    assert text.count("| `services[].") == 11


def test_links_between_pages_lead_somewhere() -> None:
    for name, page in PAGES.items():
        for target in re.findall(r"\]\(([^):#]+)\)", page):
            assert str((Path(name).parent / target).as_posix()) in PAGES, (name, target)
