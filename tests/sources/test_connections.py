"""Proxies and certificates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lucid_audit.image.source import SourceError, UnavailableError, fetch_manifest
from lucid_audit.sources.connections import ca_files_from_env, certs_folders_from_env, proxy_from_env
from lucid_audit.sources.urls import read_url
from tests.sources.builder import image
from tests.sources.faults import Reply, Server, Store, basic_header, certificate, reach, serving

STORE = Store(image(size=10))


@pytest.mark.parametrize(
    ("url", "environ", "wanted"),
    [
        ("https://a.test/", {}, ""),
        ("https://a.test/", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a.test/", {"HTTP_PROXY": "http://p:1"}, ""),
        ("http://a.test/", {"HTTP_PROXY": "p:1"}, "http://p:1"),
        ("http://a.test/", {"HTTP_PROXY": "http://upper:1", "http_proxy": "http://lower:1"}, "http://lower:1"),
        ("https://a.test/", {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a.test/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.test"}, ""),
        ("https://x.a.test/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "b.test, .a.test"}, ""),
        ("https://a.test/", {"HTTPS_PROXY": "http://p:1", "no_proxy": "*"}, ""),
        ("https://a.test:5000/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.test:5000"}, ""),
        ("https://b.test/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.test"}, "http://p:1"),
        ("https://127.0.0.1:5000/", {"HTTPS_PROXY": "http://p:1"}, ""),
        ("https://localhost/", {"HTTPS_PROXY": "http://p:1"}, ""),
        ("http://[::1]:5000/", {"HTTP_PROXY": "http://p:1"}, ""),
    ],
)
def test_proxy(url: str, environ: dict[str, str], wanted: str) -> None:
    assert proxy_from_env(read_url(url, "it"), environ) == wanted


@pytest.mark.parametrize("proxy", ["socks5://me:hunter2@p:1", "http://me:hunter2@", "http://[hunter2", "a b hunter2"])
def test_no_proxy_at_all(proxy: str) -> None:
    with pytest.raises(UnavailableError, match="https_proxy") as caught:
        proxy_from_env(read_url("https://a.test/", "it"), {"HTTPS_PROXY": proxy})
    assert "hunter2" not in str(caught.value)


def test_proxy_gets_its_own_password_and_the_registry_does_not(tmp_path: Path) -> None:
    with serving(STORE) as server:
        environ = {"HTTP_PROXY": f"http://me:a%40%C3%A9@{server.place}"}
        registry = reach("registry.test", tmp_path, environ=environ, insecure=("registry.test",))
        fetch_manifest(registry)
    (seen,) = server.asked("/manifests/")
    assert seen.host == "registry.test"
    assert seen.headers["Proxy-Authorization"] == basic_header("me", "a@é")
    assert not seen.authorization


def test_names_in_the_environment() -> None:
    assert ca_files_from_env({"SSL_CERT_FILE": "/a", "REQUESTS_CA_BUNDLE": "/b", "X": "/c"}) == ["/a", "/b"]
    assert ca_files_from_env({"SSL_CERT_FILE": ""}) == []
    folders = certs_folders_from_env({"HOME": "/h"})
    assert folders == ("/h/.config/containers/certs.d", "/etc/containers/certs.d", "/etc/docker/certs.d")
    assert certs_folders_from_env({"HOME": "/h", "XDG_CONFIG_HOME": "/x"})[0] == "/x/containers/certs.d"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    certificate(folder)
    return folder


class TestTls:
    @pytest.fixture
    def server(self, keys: Path) -> Iterator[Server]:
        with serving(STORE, keys / "server.pem") as server:
            yield server

    def test_not_trusted(self, server: Server, tmp_path: Path) -> None:
        waits: list[float] = []
        with pytest.raises(UnavailableError, match=f"{server.place} has a certificate that is not trusted"):
            fetch_manifest(reach(server.place, tmp_path, waits))
        assert server.seen == []
        assert waits == []

    def test_insecure_is_no_leave_to_skip_verification(self, server: Server, tmp_path: Path) -> None:
        with pytest.raises(UnavailableError, match="not trusted"):
            fetch_manifest(reach(server.place, tmp_path, insecure=(server.place,)))
        assert server.seen == []

    def test_option(self, server: Server, keys: Path, tmp_path: Path) -> None:
        assert fetch_manifest(reach(server.place, tmp_path, ca_file=str(keys / "ca.crt"))).digest == STORE.digest

    @pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
    def test_environment(self, server: Server, keys: Path, tmp_path: Path, name: str) -> None:
        registry = reach(server.place, tmp_path, environ={name: str(keys / "ca.crt")})
        assert fetch_manifest(registry).digest == STORE.digest

    def test_folder_of_the_host(self, server: Server, keys: Path, tmp_path: Path) -> None:
        folder = tmp_path / ".config/containers/certs.d"
        other = folder / "127.0.0.1:1"
        other.mkdir(parents=True)
        (other / "ca.crt").write_bytes((keys / "ca.crt").read_bytes())
        with pytest.raises(UnavailableError, match="not trusted"):
            fetch_manifest(reach(server.place, tmp_path))
        other.rename(folder / server.place)
        assert fetch_manifest(reach(server.place, tmp_path)).digest == STORE.digest

    @pytest.mark.parametrize("content", [None, b"", b"nonsense"])
    def test_unreadable(self, tmp_path: Path, content: bytes | None) -> None:
        file = tmp_path / "ca.crt"
        if content is not None:
            file.write_bytes(content)
        registry = reach("registry.test", tmp_path, ca_file=str(file))
        with pytest.raises(UnavailableError, match=r"certificates of .*ca\.crt cannot be read"):
            fetch_manifest(registry)

    def test_never_from_https_to_http(self, server: Server, keys: Path, tmp_path: Path) -> None:
        with serving(STORE) as plain:
            server.handle = lambda seen: Reply(307, headers={"Location": f"http://{plain.place}{seen.path}"})
            with pytest.raises(SourceError, match="redirects from https to http"):
                fetch_manifest(reach(server.place, tmp_path, ca_file=str(keys / "ca.crt")))
            assert plain.seen == []

    def test_no_credentials_to_a_plain_token_service(self, server: Server, keys: Path, tmp_path: Path) -> None:
        with serving(STORE) as plain:
            more = (("WWW-Authenticate", f'Bearer realm="http://{plain.place}/token"'),)
            server.handle = lambda _: Reply(401, more=more)
            with pytest.raises(SourceError, match="in the clear"):
                fetch_manifest(reach(server.place, tmp_path, ca_file=str(keys / "ca.crt")))
            assert plain.seen == []
