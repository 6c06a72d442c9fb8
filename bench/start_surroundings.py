"""Images of the start bench that need something around the program: ports, certificates, folders, an account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from start_case import Case, Put
from start_python import READY


def surroundings(arch: str) -> Iterator[Case]:
    def case(
        name: str,
        text: str,
        broken: str = "",
        *rules: str,
        lines: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
        why: str = "",
        files: Mapping[str, Put | str] | None = None,
    ) -> Case:
        there = {"/app/main.py": f"{text}\n{READY}", **(files or {})}
        return Case(
            name, arch, "python3", there, ("WORKDIR /app", *lines, 'CMD ["main.py"]'), broken, rules, why, options
        )

    decides = "the code decides what it does with it"
    bind = "import socket\nsocket.socket().bind(('0.0.0.0', 80))"
    certificates = "import os\nopen(os.environ['SSL_CERT_FILE']).read()"
    writes = "open('/data/service.db', 'w').close()"
    data = Put(folder=True, mode=0o755)
    yield case("port-80", bind, lines=("EXPOSE 80",))
    yield case("certificates", certificates)
    yield case(
        "certificates-missing",
        certificates,
        "a variable names certificates that are not there",
        "certificates-missing",
        lines=("ENV SSL_CERT_FILE=/etc/ssl/own.pem",),
        why=decides,
    )
    yield case(
        "certificates-closed",
        certificates,
        "only root may read the certificates",
        "named-file-closed",
        lines=("ENV SSL_CERT_FILE=/etc/own.pem",),
        why=decides,
        files={"/etc/own.pem": Put("", 0o600)},
    )
    yield case(
        "data-closed",
        writes,
        "root's folder for data",
        "data-folder-not-writable",
        "volume-not-writable",
        why=decides,
        files={"/data/": data},
    )
    yield case(
        "data-named-closed",
        writes,
        "root's folder for data, that a variable names",
        "data-folder-not-writable",
        lines=("ENV DATA_DIR=/data",),
        why=decides,
        files={"/data/": data},
    )
    yield case(
        "volume-closed",
        writes,
        "root's folder as a volume",
        "volume-not-writable",
        lines=("VOLUME /data",),
        why=decides,
        files={"/data/": data},
    )
    yield case("data-open", writes, files={"/data/": data._replace(mode=0o777)})
    yield case(
        "workdir-closed",
        "open('service.log', 'w').close()",
        "it writes where it stands",
        "workdir-not-writable",
        why=decides,
    )
    yield case("temporary", "import tempfile\ntempfile.TemporaryFile().close()")
    yield case(
        "temporary-read-only",
        "import tempfile\ntempfile.TemporaryFile().close()",
        "a read-only root file system",
        "read-only-needs-mount",
        options=("--read-only",),
        why="how it is run decides",
    )
    yield case(
        "temporary-mounted",
        "import tempfile\ntempfile.TemporaryFile().close()",
        options=("--read-only", "--tmpfs", "/tmp"),
    )
    yield case("zone", "import zoneinfo", lines=("ENV TZ=UTC",))
    yield case("account", "import os, pwd\npwd.getpwuid(os.getuid())")
    yield case(
        "account-missing",
        "import os, pwd\npwd.getpwuid(os.getuid())",
        "a user without an entry",
        "final-user-without-entry",
        lines=("USER 4711",),
        why=decides,
    )
