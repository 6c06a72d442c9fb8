"""Plans: what is read, and what is wrong with the others, by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid_audit.errors import UsageError
from lucid_audit.fleet.plan_file import read

FIXTURES = Path(__file__).parents[2] / "fixtures" / "plan"


def plan(folder: Path, text: str) -> str:
    path = folder / "lucid-plan.yaml"
    path.write_text(text)
    return str(path)


def test_everything(tmp_path: Path) -> None:
    text = """\
version: 1
platforms: [linux/arm64]
services:
  - {name: a, image: team/a:1, dockerfile: a/Dockerfile, context: ., target: run, port: 8080, health: "http://x/", tags: [t], phase: 2,
     args: {DEBUG: true, N: 3, S: x}, platforms: [linux/amd64, linux/arm64/v8]}
  - {name: b, image: "oci:b"}
"""
    found = read(plan(tmp_path, text))
    assert found.folder == str(tmp_path)
    a, b = found.services
    assert (a.name, a.image, a.dockerfile, a.context, a.target, a.port, a.phase) == (
        "a",
        "team/a:1",
        "a/Dockerfile",
        ".",
        "run",
        8080,
        "2",
    )
    assert a.args == {"DEBUG": "true", "N": "3", "S": "x"}
    assert a.platforms == ("linux/amd64", "linux/arm64/v8")
    assert (b.platforms, b.line, b.dockerfile) == (("linux/arm64",), 6, "")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", ":1"),
        ("version: 2\nservices: [{name: a, image: x}]\n", ":1"),
        ("version: 1\nservices: []\n", ":2"),
        ("version: 1\nservices:\n  - {name: a}\n", ":3"),
        (
            "version: 1\nservices:\n  - {name: a, image: x}\n  - {name: a, image: y}\n",
            ":4: there is a service 'a' already, in line 3",
        ),
        ("version: 1\nservices:\n  - {name: a, image: x, port: 70000}\n", ":3"),
        ("version: 1\nservices:\n  - {name: a, imag: x}\n", ":3"),
        ("version: 1\nservices:\n  - {name: '../a', image: x}\n", ":3"),
        ("version: 1\nservices:\n  - {name: a, image: x, platforms: [arm64]}\n", ":3"),
        ("services: [\n", ""),
    ],
)
def test_what_is_wrong(tmp_path: Path, text: str, place: str) -> None:
    path = plan(tmp_path, text)
    with pytest.raises(UsageError) as error:
        read(path)
    assert f"{path}{place}" in str(error.value)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read(str(tmp_path / "none.yaml"))
    (tmp_path / "x.yaml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="UTF-8"):
        read(str(tmp_path / "x.yaml"))


def test_the_plans_of_the_first_user() -> None:
    assert len(read(str(FIXTURES / "lucid-plan.yaml")).services) == 8
    thirty_five = read(str(FIXTURES / "thirty-five.yaml"))
    assert len(thirty_five.services) == 35
    assert all(one.image.startswith("pickme/lucid-") and one.platforms for one in thirty_five.services)


def test_the_published_schema_is_one_and_the_plans_here_fit_it() -> None:
    import yaml
    from jsonschema import Draft202012Validator

    from lucid_audit.catalogue import schema
    from lucid_audit.fleet.plan import Service
    from lucid_audit.record import fields

    found = schema("plan")
    Draft202012Validator.check_schema(found)
    for file in sorted(FIXTURES.glob("*.yaml")):
        assert not list(Draft202012Validator(found).iter_errors(yaml.safe_load(file.read_text("utf-8")))), file.name
    assert set(found["$defs"]["service"]["properties"]) == {field.name for field in fields(Service)} - {"line"}


def test_the_thirty_five() -> None:
    services = read(str(FIXTURES / "thirty-five.yaml")).services
    assert len(services) == 35
    assert all(one.platforms == ("linux/arm64", "linux/amd64") and one.context for one in services)
    assert [sum(one.phase == phase for one in services) for phase in "1234"] == [7, 6, 10, 12]
    assert all(not one.health or f":{one.port}/" in one.health for one in services)
