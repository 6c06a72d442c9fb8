"""The published shape of the report, and what only shows when services are seen together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from lucid_audit.__main__ import main
from lucid_audit.fleet.document import document
from lucid_audit.fleet.plan import Plan
from tests.fleet.documents import hostile, layers, service
from tests.sketch import AS_OF

ROOT = Path(__file__).parents[2]
FLEET, REPORT = (json.loads((ROOT / "docs" / f"{name}.schema.json").read_text()) for name in ("fleet", "report"))
BASE = "https://hamigames.github.io/lucid-audit/"


def validator() -> Draft202012Validator:
    resources: list[tuple[str, Resource[Any]]] = [
        (f"{BASE}{name}.schema.json", Resource.from_contents(schema))
        for name, schema in (("fleet", FLEET), ("report", REPORT))
    ]
    return Draft202012Validator(FLEET, registry=Registry().with_resources(resources))


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(FLEET)


@pytest.mark.parametrize("plan", ["lucid-plan.yaml", "thirty-five.yaml"])
def test_reports_fit_the_schema(plan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(
        [
            "fleet",
            "run",
            "--no-images",
            "--state",
            str(tmp_path / "state"),
            "--format",
            "json",
            str(ROOT / "fixtures/plan" / plan),
        ]
    )
    found = json.loads(capsys.readouterr().out)
    validator().validate(found)
    assert len(found["services"]) in (8, 35)


def test_what_does_not_fit_is_refused() -> None:
    fine = document(Plan("p", ".", ()), [service("a")], AS_OF)
    fine["services"][0]["images"] = []
    validator().validate(fine)
    for key in fine["services"][0]:
        broken = json.loads(json.dumps(fine))
        del broken["services"][0][key]
        assert not validator().is_valid(broken), key
    fine["services"][0]["requirements"]["user"]["verdict"] = "maybe"
    assert not validator().is_valid(fine)


def test_layers_are_counted_as_often_as_they_are_listed_and_once() -> None:
    assert hostile()["totals"]["layers"] == {"listed": 4_000_000, "stored": 3_000_000}


def test_an_image_that_stands_on_another_than_its_base() -> None:
    base = service("base", image="team/base", layers=layers("a", "b"))
    good = service("good", base="docker.io/team/base:latest", layers=layers("a", "b", "c"))
    stale = service("stale", base="docker.io/team/base:latest", layers=layers("a", "x", "c"))
    pinned = service("pinned", base=f"docker.io/team/base:latest@sha256:{'0' * 64}", layers=layers("a", "x", "c"))
    found = document(Plan("p", ".", ()), [base, good, stale, pinned], AS_OF)
    assert [len(one["drift"]) for one in found["services"]] == [0, 0, 1, 0]
    (only,) = found["services"][2]["drift"]
    assert (only["what"], only["image"][:17]) == ("base (linux/arm64)", "1 of its 2 layers")
    assert found["totals"]["drifted"] == 1
