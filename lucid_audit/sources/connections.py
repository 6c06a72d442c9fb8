"""Connections and whom they trust: certificates from an option, the environment and ``certs.d``; proxies.

Sources: docker/docs "Verify repository client with certificates" and containers-certs.d(5) (a folder per host, its
``*.crt`` are authorities); the names of variables are those of curl, OpenSSL and requests.
"""

from __future__ import annotations

import os
import ssl
from base64 import b64encode
from collections.abc import Mapping
from glob import escape, glob
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lucid_audit.image.source import UnavailableError
from lucid_audit.sources.urls import Url, is_loopback, is_place

if TYPE_CHECKING:
    from urllib3 import PoolManager

PER_HOST = 16  # connections that are kept open to one host
SYSTEM_FOLDERS = ("/etc/containers/certs.d", "/etc/docker/certs.d")
_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


class Connections:
    """Pools of connections: one for each proxy and set of authorities."""

    def __init__(self, environ: Mapping[str, str], ca_file: str = "") -> None:
        self._environ, self._ca_file = environ, ca_file
        self._folders = certs_folders_from_env(environ)
        self._pools: dict[tuple[str, tuple[str, ...], bool], PoolManager] = {}
        self._lock = Lock()

    def to(self, url: Url) -> PoolManager:
        """Return the pool for a URL.

        Raises:
            UnavailableError: a proxy or a file of certificates cannot be used.

        """
        proxy = proxy_from_env(url, self._environ)
        own = tuple(_authorities(self._folders, url.place)) if url.scheme == "https" else ()
        key = (proxy, own, url.scheme == "https" or proxy.startswith("https:"))
        with self._lock:
            if key not in self._pools:
                self._pools[key] = _pool(proxy, self._trust(own) if key[2] else None)
            return self._pools[key]

    def _trust(self, own: tuple[str, ...]) -> ssl.SSLContext:
        context = ssl.create_default_context()
        for name in (self._ca_file, *ca_files_from_env(self._environ), *own):
            if not name:
                continue
            try:
                context.load_verify_locations(**{"capath" if os.path.isdir(name) else "cafile": name})
            except (OSError, ValueError) as error:  # an error of TLS is one of the system here
                why = getattr(error, "strerror", None) or "no certificates"
                raise UnavailableError(f"the certificates of {name} cannot be read: {why}") from None
        return context

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.clear()


def ca_files_from_env(environ: Mapping[str, str]) -> list[str]:
    """Return the bundles of certificates that the environment names."""
    return [environ[name] for name in _BUNDLES if environ.get(name)]


def certs_folders_from_env(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the folders that may have one folder of certificates for each host."""
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME") or "/nonexistent", ".config")
    return (os.path.join(home, "containers/certs.d"), *SYSTEM_FOLDERS)


def proxy_from_env(url: Url, environ: Mapping[str, str]) -> str:
    """Return the proxy for a URL as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say; loopback is never proxied.

    Raises:
        UnavailableError: what they say is no proxy. It is not shown: it may hold a password.

    """
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # noqa: PLC0415

    lower = {name.lower(): value for name, value in environ.items() if name.isupper()}
    lower |= {name: value for name, value in environ.items() if name.endswith("_proxy")}  # lower case wins, as in curl
    name = f"{url.scheme}_proxy" if lower.get(f"{url.scheme}_proxy") else "all_proxy"
    proxy = lower.get(name, "")
    if not proxy or is_loopback(url.host) or proxy_bypass_environment(url.place, {"no": lower.get("no_proxy", "")}):
        return ""
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    scheme, _, rest = proxy.partition("://")
    if scheme.lower() not in ("http", "https") or not is_place(rest.partition("/")[0].rpartition("@")[2]):
        raise UnavailableError(f"the proxy that {name} names is not of the form http://host:port")
    return proxy


def _authorities(folders: tuple[str, ...], place: str) -> list[str]:
    """Return the certificates that are kept for one host, those of the first folder that has any."""
    for folder in folders:
        found = sorted(glob(os.path.join(escape(os.path.join(folder, place)), "*.crt")))
        if found:
            return found
    return []


def _pool(proxy: str, context: ssl.SSLContext | None) -> PoolManager:
    from urllib3 import PoolManager, ProxyManager  # noqa: PLC0415

    if not proxy:
        return PoolManager(maxsize=PER_HOST, ssl_context=context)
    account = urlsplit(proxy).netloc.rpartition("@")[0]
    encoded = b64encode(unquote(account).encode("utf-8", "surrogateescape")).decode()
    headers = {"Proxy-Authorization": f"Basic {encoded}"} if account else None
    bare = proxy.replace(f"{account}@", "", 1) if account else proxy
    return ProxyManager(bare, maxsize=PER_HOST, proxy_headers=headers, proxy_ssl_context=context, ssl_context=context)
