from __future__ import annotations

from pathlib import Path

import pytest

from lucid_audit.dockerfile.context import ContextSet
from lucid_audit.errors import UsageError
from lucid_audit.policy import Policy
from lucid_audit.surroundings import Surroundings


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "repository/.git").mkdir(parents=True)
    (tmp_path / "repository/services/api/docker").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repository")
    return tmp_path / "repository"


def names(found: ContextSet | None) -> tuple[bool, list[str], list[str]]:
    assert found is not None
    return found.declared, [one.name for one in found.candidates], [one.name for one in found.between]


def test_the_files_own_folder_and_the_repository_are_candidates() -> None:
    found, note = Surroundings("", Policy()).contexts("services/api/docker/Dockerfile")
    assert names(found) == (False, ["services/api/docker", "."], ["services/api", "services"])
    assert note == "build context not declared: services/api/docker or ."


@pytest.mark.parametrize("name", ["Dockerfile", "./Dockerfile"])
def test_both_may_be_the_same_folder(name: str) -> None:
    assert names(Surroundings("", Policy()).contexts(name)[0]) == (False, ["."], [])


def test_outside_of_a_repository_the_own_folder_is_the_only_candidate(repository: Path) -> None:
    (repository.parent / "other").mkdir()
    found, _ = Surroundings("", Policy()).contexts("../other/Dockerfile")
    assert names(found) == (False, ["../other"], [])


def test_a_declared_context_wins() -> None:
    policy = Policy(contexts={"*": "services/api"})
    found, _ = Surroundings("services", policy).contexts("services/api/Dockerfile")
    assert names(found) == (True, ["services"], [".", "services/api"]), "the others serve for hints only"


def test_the_policy_maps_files_to_contexts_and_the_first_glob_decides() -> None:
    policy = Policy(folder=".", contexts={"services/*/Dockerfile": "services", "*": "."})
    places = Surroundings("", policy)
    found, _ = places.contexts("services/api/docker/Dockerfile")
    assert names(found) == (True, ["services"], [".", "services/api/docker", "services/api"])
    assert names(places.contexts("./Dockerfile")[0]) == (True, ["."], [])


def test_a_policy_does_not_speak_for_files_outside_of_its_folder() -> None:
    policy = Policy(folder="services", contexts={"*": "."})
    assert names(Surroundings("", policy).contexts("Dockerfile")[0]) == (False, ["."], [])


def test_contexts_that_are_not_there_are_refused() -> None:
    with pytest.raises(UsageError, match="--context none: there is no such folder"):
        Surroundings("none", Policy())
    places = Surroundings("", Policy(path="p.yaml", contexts={"*": "none"}))
    with pytest.raises(UsageError, match=r"p.yaml: contexts: none is not a folder"):
        places.contexts("Dockerfile")


def test_standard_input_has_a_context_only_when_one_is_declared() -> None:
    assert Surroundings("", Policy(contexts={"*": "."})).contexts("") == (None, "")
    assert names(Surroundings("services", Policy()).contexts("")[0]) == (True, ["services"], [])


def test_paths_in_the_repository(repository: Path) -> None:
    places = Surroundings("", Policy())
    assert places.in_repository("./services/../services/api/Dockerfile") == "services/api/Dockerfile"
    assert places.in_repository("../elsewhere/Dockerfile") == "../elsewhere/Dockerfile"
    assert places.in_repository(str(repository / "Dockerfile")) == "Dockerfile"
