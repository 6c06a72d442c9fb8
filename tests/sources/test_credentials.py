"""Credentials in the files of Docker and Podman, and what helpers say."""

from __future__ import annotations

import copy
import json
import pickle
from base64 import b64encode
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from lucid_audit.image.source import AccessError
from lucid_audit.sources import helper
from lucid_audit.sources.credentials import (
    HUB_KEY,
    SIZE_LIMIT,
    Credentials,
    Secret,
    files_from_env,
    find,
    keys,
    normalised,
    told,
)
from tests.sources.faults import stored

VALUE = "hunter2"


def auth(text: str, *, padded: bool = True) -> str:
    encoded = b64encode(text.encode()).decode()
    return encoded if padded else encoded.rstrip("=")


def look(folder: Path, name: str = "r.test/a/b", **environ: str) -> tuple[str, str] | None:
    """The account that is found, as its name and the value of whatever secret it has."""
    registry, _, repository = name.partition("/")
    found = find(registry, repository, {"HOME": str(folder), **environ})
    if found is None:
        return None
    secret = found.password or found.identity or found.bearer
    return found.username, secret.value if secret else ""


def entry(user: str) -> dict[str, str]:
    return {"auth": auth(f"{user}:x")}


def refused(folder: Path, **environ: str) -> str:
    with pytest.raises(AccessError) as caught:
        look(folder, **environ)
    assert VALUE not in str(caught.value).replace(str(folder), "")  # pytest puts values into names
    assert str(caught.value).isprintable()
    return str(caught.value)


class TestFiles:
    def test_order(self, tmp_path: Path) -> None:
        environ = {
            "DOCKER_CONFIG": str(tmp_path / "d"),
            "REGISTRY_AUTH_FILE": str(tmp_path / "a.json"),
            "XDG_RUNTIME_DIR": str(tmp_path / "run"),
            "HOME": str(tmp_path / "home"),
        }
        files = list(files_from_env(environ))
        assert [str(file.relative_to(tmp_path)) for file in files] == [
            "d/config.json",
            "a.json",
            "run/containers/auth.json",
            "home/.config/containers/auth.json",
        ]
        for number, file in reversed(list(enumerate(files))):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"auths": {"r.test": entry(str(number))}}))
            assert look(tmp_path, **environ) == (str(number), "x")

    def test_default_of_docker(self) -> None:
        assert str(next(files_from_env({"HOME": "/h"}))) == "/h/.docker/config.json"
        assert all("nonexistent" in str(file) for file in files_from_env({}))

    def test_nothing(self, tmp_path: Path) -> None:
        assert look(tmp_path) is None
        configs: list[dict[str, Any]] = [{}, {"auths": {}}, {"auths": {"r.test": {}}}, {"auths": []}]
        for config in [*configs, {"auths": {"other.test": entry("x")}}]:
            stored(tmp_path, config)
            assert look(tmp_path) is None

    @pytest.mark.parametrize(
        "content",
        [b"{", b"[]", b'"hunter2"', b"\xff\xfe", b"[" * 100_000, b" " * SIZE_LIMIT + b"{}", b'{"auths": hunter2}'],
    )
    def test_broken(self, tmp_path: Path, content: bytes) -> None:
        stored(tmp_path, {})
        file = tmp_path / ".docker/config.json"
        file.write_bytes(content)
        assert str(file) in refused(tmp_path)

    def test_empty_file_and_folder(self, tmp_path: Path) -> None:
        stored(tmp_path, {})
        file = tmp_path / ".docker/config.json"
        file.write_bytes(b" \n")
        assert look(tmp_path) is None
        file.unlink()
        file.mkdir()
        assert "cannot be read" in refused(tmp_path)


class TestKeys:
    def test_most_exact_first(self) -> None:
        assert list(keys("r.test:5", "a/b")) == ["r.test:5/a/b", "r.test:5/a", "r.test:5"]

    def test_longest_wins(self, tmp_path: Path) -> None:
        auths = {"r.test": entry("host"), "r.test/a": entry("group"), "r.test/a/b": entry("exact")}
        stored(tmp_path, {"auths": auths})
        wanted = {"r.test/a/b": "exact", "r.test/a/c": "group", "r.test/ab": "host", "r.test/c": "host"}
        assert {name: (look(tmp_path, name) or [""])[0] for name in wanted} == wanted

    @pytest.mark.parametrize(
        "key", ["r.test", "https://r.test", "http://r.test/", "https://r.test/v1/", "https://r.test/v2", "r.test/"]
    )
    def test_spellings(self, tmp_path: Path, key: str) -> None:
        assert normalised(key) == "r.test"
        stored(tmp_path, {"auths": {key: entry("me")}})
        assert look(tmp_path) == ("me", "x")

    def test_exact_spelling_wins_unless_it_is_empty(self, tmp_path: Path) -> None:
        for auths in (
            {"r.test": entry("a"), "https://r.test": entry("b")},
            {"https://r.test": entry("b"), "r.test": entry("a")},
        ):
            stored(tmp_path, {"auths": auths})
            assert look(tmp_path) == ("a", "x")
        stored(tmp_path, {"auths": {"https://r.test": entry("b"), "r.test": {}}})
        assert look(tmp_path) == ("b", "x")

    def test_entry_without_an_account_hides_nothing(self, tmp_path: Path) -> None:
        stored(tmp_path, {"auths": {"r.test/a/b": {"email": "x"}, "r.test": entry("host")}})
        assert look(tmp_path) == ("host", "x")

    @pytest.mark.parametrize(
        "key", [HUB_KEY, "docker.io", "index.docker.io", "https://registry-1.docker.io/v2/", "docker.io/library"]
    )
    def test_hub(self, tmp_path: Path, key: str) -> None:
        stored(tmp_path, {"auths": {key: entry("me")}})
        assert look(tmp_path, "docker.io/library/python") == ("me", "x")
        assert look(tmp_path) is None


class TestEntries:
    @pytest.mark.parametrize(
        ("fields", "wanted"),
        [
            ({"auth": auth("me:pass")}, ("me", "pass")),
            ({"auth": auth("me:a:b:")}, ("me", "a:b:")),
            ({"auth": auth("me:pä")}, ("me", "pä")),
            ({"auth": auth("me:passw", padded=False)}, ("me", "passw")),
            ({"auth": auth("m:passw", padded=False)}, ("m", "passw")),
            ({"auth": auth("me:pass\0\0")}, ("me", "pass")),
            ({"username": "me", "password": "a:b"}, ("me", "a:b")),
            ({"auth": "", "username": "me", "password": "x"}, ("me", "x")),
            ({"auth": auth("me:"), "identitytoken": "t"}, ("me", "t")),
            ({"registrytoken": "t"}, ("", "t")),
            ({"auth": 5}, None),
        ],
    )
    def test_read(self, tmp_path: Path, fields: dict[str, Any], wanted: tuple[str, str] | None) -> None:
        stored(tmp_path, {"auths": {"r.test": fields}})
        assert look(tmp_path) == wanted

    def test_kinds(self, tmp_path: Path) -> None:
        for name in ("identity", "registry"):
            stored(tmp_path, {"auths": {"r.test": {f"{name}token": "t"}}})
            found = find("r.test", "a", {"HOME": str(tmp_path)})
            assert found is not None
            assert (found.password, bool(found.identity), bool(found.bearer)) == (
                None,
                name == "identity",
                name != "identity",
            )

    @pytest.mark.parametrize(
        "fields",
        [
            {"auth": "hunter2é"},
            {"auth": "hunter2!"},
            {"auth": "A"},
            {"auth": b64encode(b"me:\xffhunter2").decode()},
            {"auth": auth(VALUE)},
            {"username": "\ud800hunter2"},
            {"registrytoken": "hunter2\r\nX: y"},
            {"registrytoken": "hunter2é"},
        ],
    )
    def test_broken(self, tmp_path: Path, fields: dict[str, str]) -> None:
        stored(tmp_path, {"auths": {"r.test": fields}})
        assert "config.json (r.test): its " in refused(tmp_path)


class TestSecrets:
    def test_never_shown(self) -> None:
        secret = Secret(VALUE)
        found = Credentials("file", "me", secret, secret, secret)
        shown = [
            repr(found),
            str(found),
            f"{found}",
            repr(secret),
            f"{secret}",
            f"{secret!s:>20}",
            told(found),
        ]
        assert not any(VALUE in text for text in shown)
        assert told(None) == "and no credentials are stored for it"

    def test_copies_keep_it(self) -> None:
        assert copy.copy(Secret(VALUE)).value == VALUE
        assert pickle.loads(pickle.dumps(Secret(VALUE))).value == VALUE


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


class TestHelpers:
    def write(self, programs: Path, script: str, name: str = "x") -> dict[str, str]:
        program = programs / f"docker-credential-{name}"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return {"PATH": f"{programs}:/usr/bin:/bin"}

    def test_asked_for_the_server(self, programs: Path, tmp_path: Path) -> None:
        script = 'test "$1" = get && printf \'{"Username": "me", "Secret": "%s"}\' "$(cat)"'
        environ = self.write(programs, script)
        stored(tmp_path, {"credsStore": "x"})
        assert look(tmp_path, "r.test:5/a", **environ) == ("me", "r.test:5")
        assert look(tmp_path, "docker.io/library/a", **environ) == ("me", HUB_KEY)

    def test_identity_token(self, programs: Path, tmp_path: Path) -> None:
        environ = self.write(programs, """echo '{"Username": "<token>", "Secret": "t"}'""")
        stored(tmp_path, {"credHelpers": {"https://r.test": "x"}})
        found = find("r.test", "a", {"HOME": str(tmp_path), **environ})
        assert found is not None
        assert found.identity is not None
        assert (found.password, found.identity.value) == (None, "t")
        assert found.origin == f"docker-credential-x (named by {tmp_path}/.docker/config.json)"

    def test_order(self, programs: Path, tmp_path: Path) -> None:
        has = 'echo \'{{"Username": "{0}", "Secret": "s"}}\''
        environ = self.write(programs, has.format("helper"), "one") | self.write(programs, has.format("store"), "two")
        config: dict[str, Any] = {
            "credHelpers": {"r.test": "one"},
            "credsStore": "two",
            "auths": {"r.test": entry("file")},
        }
        stored(tmp_path, config)
        nothing = "echo credentials not found in native keychain; exit 1"
        for wanted, name in (("helper", "one"), ("store", "two"), ("file", "")):
            assert (look(tmp_path, **environ) or [""])[0] == wanted
            if name:
                self.write(programs, nothing, name)

    @pytest.mark.parametrize(
        "script",
        ["echo credentials not found in native keychain; exit 1", "echo 'Credentials Not Found' >&2; exit 1", "exit 0",
         """echo '{"Username": "", "Secret": ""}'""", "echo no credentials server URL; exit 1", "echo '{}'"],
    )  # fmt: skip
    def test_nothing_stored(self, programs: Path, tmp_path: Path, script: str) -> None:
        environ = self.write(programs, script)
        stored(tmp_path, {"credsStore": "x"})
        assert look(tmp_path, **environ) is None

    @pytest.mark.parametrize(
        ("script", "text"),
        [
            ("echo hunter2; exit 3", "failed with exit code 3"),
            ("echo hunter2", "not a JSON object"),
            ("""echo '["hunter2"]'""", "not a JSON object"),
            (r"printf '\377hunter2'", "not a JSON object"),
            ("""printf '{"Username": "\\\\ud800hunter2", "Secret": "x"}'""", "its Username is not text"),
            ("kill -9 $$", "failed with exit code -9"),
            ("while :; do echo hunter2hunter2hunter2hunter2hunter2; done", "more than 1048576 bytes"),
        ],
    )
    def test_broken(self, programs: Path, tmp_path: Path, script: str, text: str) -> None:
        environ = self.write(programs, script)
        stored(tmp_path, {"credsStore": "x"})
        start = monotonic()
        message = refused(tmp_path, **environ)
        assert monotonic() - start < 10  # a helper that says too much is not listened to until its time is over
        assert "docker-credential-x" in message
        assert text in message

    @pytest.mark.parametrize(
        "name", ["../x", "a/b", "/bin/sh", "", " ", "-x", ".x", "a b", "a;b", "a\0b", "é", "a\n", 5, [], {"a": 1}]
    )
    def test_name(self, name: object) -> None:
        with pytest.raises(AccessError, match="no name of a program"):
            helper.ask(name, "s", "the file", {"PATH": "/usr/bin:/bin"})

    def test_not_installed_and_not_runnable(self, programs: Path, tmp_path: Path) -> None:
        stored(tmp_path, {"credsStore": "x"})
        assert "not installed" in refused(tmp_path, PATH=str(programs))
        (programs / "docker-credential-x").write_text("")
        assert "cannot be run" in refused(tmp_path, PATH=str(programs))

    @pytest.mark.parametrize("script", ["exec sleep 4", "sleep 4 & wait", "exec >&- 2>&-; exec sleep 4"])
    def test_too_slow(self, programs: Path, script: str) -> None:
        environ = self.write(programs, script)
        start = monotonic()
        with pytest.raises(AccessError, match=r"did not answer within 0\.3 seconds"):
            helper.ask("x", "s", "the file", environ, 0.3)
        assert monotonic() - start < 3

    def test_child_that_stays_is_not_waited_for(self, programs: Path) -> None:
        environ = self.write(programs, "echo '{}'; sleep 4 &")
        start = monotonic()
        assert helper.ask("x", "s", "the file", environ, 0.5) == b"{}"
        assert monotonic() - start < 3

    def test_does_not_read(self, programs: Path) -> None:
        environ = self.write(programs, "exec <&-; echo '{}'")
        assert helper.ask("x", "s" * 1_000_000, "the file", environ) == b"{}"

    def test_environment_is_the_one_given(self, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OF_THIS_PROCESS", "1")
        environ = self.write(programs, 'echo "$OF_THIS_PROCESS,$GIVEN"')
        assert helper.ask("x", "s", "the file", environ | {"GIVEN": "2"}) == b",2"
