"""Credentials as Docker and Podman keep them; no value is ever shown."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from lucid_audit.image.source import AccessError
from lucid_audit.sources import credentials
from lucid_audit.sources.credentials import HUB_KEY, Credentials, find, normalised

VALUE = "v3ry:s3cret"


def auth(user: str = "me", password: str = VALUE) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode().rstrip("=")


def docker(tmp_path: Path, **config: Any) -> dict[str, str]:
    (tmp_path / "config.json").write_text(json.dumps(config))
    return {"DOCKER_CONFIG": str(tmp_path), "HOME": str(tmp_path), "PATH": str(tmp_path)}


def helper(tmp_path: Path, name: str, body: str) -> None:
    program = tmp_path / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def password(found: Credentials | None) -> str:
    assert found is not None
    assert found.password is not None
    assert VALUE not in repr(found)
    assert VALUE not in f"{found}"
    return found.password.value


@pytest.mark.parametrize(
    "key", ["host.example", "https://host.example", "https://host.example/v1/", "http://host.example/v2/"]
)
def test_hosts_in_any_spelling(tmp_path: Path, key: str) -> None:
    environ = docker(tmp_path, auths={key: {"auth": auth()}})
    assert password(find("host.example", "a/b", environ)) == VALUE
    assert find("other.example", "a/b", environ) is None
    assert normalised(key) == "host.example"


def test_the_hub_has_a_name_of_its_own(tmp_path: Path) -> None:
    assert password(find("docker.io", "library/alpine", docker(tmp_path, auths={HUB_KEY: {"auth": auth()}}))) == VALUE


def test_the_longest_key_wins(tmp_path: Path) -> None:
    auths = {
        "h.example": {"auth": auth(password="host")},
        "h.example/team": {"auth": auth(password="team")},
        "h.example/team/one": {"auth": auth(password="one")},
        "h.example/empty": {},
    }
    environ = docker(tmp_path, auths=auths)
    for repository, wanted in (("team/one", "one"), ("team/two", "team"), ("x", "host"), ("empty", "host")):
        assert password(find("h.example", repository, environ)) == wanted


def test_files_are_asked_in_order(tmp_path: Path) -> None:
    environ = docker(tmp_path, auths={"a.example": {"auth": auth(password="docker")}})
    for name, variable, place in (
        ("file", "REGISTRY_AUTH_FILE", "auth.json"),
        ("run", "XDG_RUNTIME_DIR", "containers/auth.json"),
        ("config", "XDG_CONFIG_HOME", "containers/auth.json"),
    ):
        path = tmp_path / name / place
        path.parent.mkdir(parents=True)
        hosts = {"a.example": name, "b.example": name, f"{name}.example": name}
        path.write_text(json.dumps({"auths": {host: {"auth": auth(password=word)} for host, word in hosts.items()}}))
        environ[variable] = str(path if variable == "REGISTRY_AUTH_FILE" else tmp_path / name)
    assert password(find("a.example", "x", environ)) == "docker"
    assert password(find("b.example", "x", environ)) == "file"
    assert password(find("run.example", "x", environ)) == "run"
    assert password(find("config.example", "x", environ)) == "config"


def test_helpers_of_a_host_come_before_the_store_and_the_file(tmp_path: Path) -> None:
    for name in ("host", "all"):
        helper(tmp_path, name, f'read server; echo \'{{"Username": "\'$server\'", "Secret": "{name}"}}\'')
    config = {"auths": {"f.example": {"auth": auth(password="file")}}, "credHelpers": {"h.example": "host"}}
    environ = docker(tmp_path, **config)
    assert password(find("h.example", "x", environ)) == "host"
    assert password(find("f.example", "x", environ)) == "file"
    found = find("docker.io", "x", docker(tmp_path, credsStore="all", **config))
    assert password(found) == "all"
    assert found is not None
    assert found.username == HUB_KEY


def test_a_store_that_has_nothing_leaves_the_file(tmp_path: Path) -> None:
    helper(tmp_path, "none", 'echo "credentials not found in native keychain"; exit 1')
    helper(tmp_path, "empty", 'echo \'{"Username": "", "Secret": ""}\'')
    for store in ("none", "empty"):
        environ = docker(tmp_path, credsStore=store, auths={"f.example": {"auth": auth()}})
        assert password(find("f.example", "x", environ)) == VALUE


def test_tokens(tmp_path: Path) -> None:
    helper(tmp_path, "token", f'echo \'{{"Username": "<token>", "Secret": "{VALUE}"}}\'')
    auths = {"i.example": {"identitytoken": VALUE}, "r.example": {"registrytoken": VALUE}}
    environ = docker(tmp_path, auths=auths, credHelpers={"t.example": "token"})
    for host, field in (("i.example", "identity"), ("r.example", "bearer"), ("t.example", "identity")):
        found = find(host, "x", environ)
        assert found is not None
        assert getattr(found, field).value == VALUE
        assert VALUE not in repr(found)


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "-x", "a b", 5])
def test_helpers_have_plain_names(tmp_path: Path, name: object) -> None:
    with pytest.raises(AccessError, match="no name of a program"):
        find("h.example", "x", docker(tmp_path, credHelpers={"h.example": name}))


def test_helpers_that_fail_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "HELPER_TIME", 0.2)
    helper(tmp_path, "slow", "exec /bin/sleep 20")
    helper(tmp_path, "broken", f"echo {VALUE}; exit 3")
    helper(tmp_path, "words", f"echo {VALUE}")
    for name, what in (
        ("slow", "did not answer"),
        ("broken", "exit code 3"),
        ("words", "not JSON"),
        ("gone", "not installed"),
    ):
        with pytest.raises(AccessError, match=what) as caught:
            find("h.example", "x", docker(tmp_path, credHelpers={"h.example": name}))
        assert VALUE not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"auths": {"h.example": {"auth": "%%%"}}}', '{"auths": {"h.example": {"auth": "bm9jb2xvbg=="}}}'],
)
def test_broken_files_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(AccessError, match=r"config\.json"):
        find("h.example", "x", {"DOCKER_CONFIG": str(tmp_path), "HOME": "/nonexistent"})


def test_nothing_stored_is_no_error(tmp_path: Path) -> None:
    assert find("h.example", "x", {"HOME": str(tmp_path)}) is None
    (tmp_path / "config.json").write_text("")
    assert find("h.example", "x", {"DOCKER_CONFIG": str(tmp_path)}) is None
    assert find("h.example", "x", docker(tmp_path, auths=[], credHelpers=[], credsStore="")) is None
