"""What a health check asks, and whether it can fail: shapes that the examples of the rules do not reach."""

from __future__ import annotations

import pytest

from lucid_audit.checks.asked import asks
from lucid_audit.checks.probe import code_of, does_nothing, imports, third_party
from lucid_audit.container.config import Argv, Container
from tests.sketch import sketch


def argv(*words: str) -> Argv:
    return Argv(words)


def shell(text: str) -> Argv:
    return Argv((text,), shell=True)


def python(code: str) -> Argv:
    return argv("/usr/bin/python3", "-c", code)


def container(env: str = "ENV PORT=8090 NAME=x\n", base: str = "gcr.io/distroless/python3-debian13") -> Container:
    found = sketch(f"FROM {base}\n{env}").container
    assert found is not None
    return found


NOTHING = [
    argv("true"),
    argv("/bin/true"),
    argv("echo", "ok"),
    argv("node", "--version"),
    argv("node", "-v"),
    argv("java", "-version"),
    argv("xrdp", "--version"),
    argv("python3.13", "-V"),
    argv("/bin/sh", "-c", "exit 0"),
    argv("bash", "-ec", "true"),
    shell("exit 0"),
    shell("exit"),
    shell(":"),
    shell("echo healthy"),
    shell("python3 -c 'import sys; sys.exit(0)' || exit 1"),
    shell("curl -f http://localhost/ || true"),
    shell("curl -f http://localhost/ || exit 0"),
    shell("curl -f http://localhost/; exit 0"),
    python("pass"),
    python("import sys"),
    python("import sys; sys.exit(0)"),
    python("import sys\nsys.exit()"),
    python("from sys import exit; exit(0)"),
    python("import os; os._exit(0)"),
    python("print('ok')"),
    python("raise SystemExit(0)"),
    python("import sys; ok = True; sys.exit(0 if True else 1)"),
    argv("python3", "-I", "-c", "1"),
    argv("node", "-e", "process.exit(0)"),
    argv("node", "-e", "console.log('ok')"),
]
SOMETHING = [
    argv("false"),
    argv("/probe"),
    argv("/probe", "-v"),
    argv("/probe", "-h"),
    argv("docker", "version"),
    argv("etcdctl", "version"),
    argv("curl", "-f", "http://localhost/"),
    argv("bash", "-c", "echo > /dev/tcp/localhost/80"),
    shell("echo > /dev/tcp/localhost/80"),
    shell("curl -f http://localhost/ || exit 1"),
    shell("curl -f http://localhost/ && exit 0 || exit 1"),
    shell("curl -f http://localhost/ || exit 1; exit 0"),
    shell("set -e; curl -f http://localhost/; exit 0"),
    shell("test -f /tmp/ready"),
    shell("wget -q localhost | grep true"),
    python("import app"),
    python("import sys; sys.exit(1)"),
    python("import sys; sys.exit(check())"),
    python("import os, sys; sys.exit(0 if os.path.exists('/tmp/up') else 1)"),
    python("import socket; socket.create_connection(('127.0.0.1', 8095), 5)"),
    python("assert open('/tmp/up')"),
    argv("python3", "/probe.py", "-c", "pass"),
    argv("python3", "-m", "probe"),
    argv("node", "-e", "require('http').get('http://localhost:3000')"),
    Argv(()),
]


@pytest.mark.parametrize("probe", NOTHING, ids=str)
def test_probes_that_cannot_fail(probe: Argv) -> None:
    assert does_nothing(probe)


@pytest.mark.parametrize("probe", SOMETHING, ids=str)
def test_probes_that_can(probe: Argv) -> None:
    assert not does_nothing(probe)


@pytest.mark.parametrize(
    ("code", "port", "path"),
    [
        ("u.urlopen('http://localhost:8083/admin/health')", 8083, "/admin/health"),
        ("u.urlopen('http://localhost:8083/health').read()", 8083, "/health"),
        ("u.urlopen('http://localhost')", 80, "/"),
        ("u.urlopen('https://localhost/x', timeout=5)", 443, "/x"),
        ("socket.create_connection(('127.0.0.1', 8095), 5)", 8095, ""),
        ("s=socket.socket(); s.settimeout(2); s.connect(('localhost',8095))", 8095, ""),
        ("HTTPConnection('localhost', 8080, timeout=3).request('GET', '/')", 8080, ""),
        ("HTTPConnection('localhost:8080')", 8080, ""),
        ("u.urlopen(f'http://localhost:{os.environ[\"PORT\"]}/health')", 8090, "/health"),
        ("u.urlopen(f\"http://localhost:{os.getenv('PORT', '1')}/health\")", 8090, "/health"),
        ("u.urlopen(f\"http://localhost:{os.getenv('OTHER', '8123')}/health\")", 8123, "/health"),
        ("u.urlopen('http://localhost:' + os.environ['PORT'] + '/health')", 8090, "/health"),
        ("u.urlopen('http://localhost:' + str(8090) + '/health')", 8090, "/health"),
        ("port = int(os.environ.get('PORT', 1)); u.urlopen(f'http://localhost:{port}/health')", 8090, "/health"),
        ("p=os.environ['PORT'];u.urlopen('http://localhost:'+p+'/health')", 8090, "/health"),
        ("p=8070; socket.create_connection(('127.0.0.1', p), 3)", 8070, ""),
        ("socket.create_connection(('127.0.0.1', int(os.getenv('PORT', '1'))), 3)", 8090, ""),
        # Not known
        ("u.urlopen(f'http://localhost:{os.environ[\"OTHER\"]}/health')", None, "/health"),
        ("u.urlopen(f'http://localhost:{port()}/health')", None, "/"),
        ("u.urlopen('http://localhost:%s/health' % port)", None, "/"),
        ("u.urlopen('http://localhost' + suffix)", None, "/"),
        ("u.urlopen('http://localhost:' + port)", None, "/"),
        ("u.urlopen(f'http://localhost:{os.environ[\"NAME\"]}/')", None, "/"),
        ("socket.create_connection(('127.0.0.1', int(os.environ['OTHER'])), 3)", None, ""),
    ],
)
def test_what_python_asks(code: str, port: int | None, path: str) -> None:
    [asked] = asks(python(code), container())
    assert (asked.port, asked.path) == (port, path)


@pytest.mark.parametrize(
    ("probe", "port"),
    [
        (argv("node", "-e", "http.get(`http://127.0.0.1:${process.env.PORT || 3000}/`)"), 8090),
        (argv("node", "-e", "http.get({host: '127.0.0.1', port: process.env.PORT, path: '/up'})"), 8090),
        (argv("node", "-e", "require('net').connect(3000)"), 3000),
        (shell("curl -f localhost:8080/health || exit 1"), 8080),
        (shell("curl -f http://localhost:${PORT:-1}/health || exit 1"), 8090),
        (shell("nc -z 127.0.0.1 8080"), 8080),
        (argv("grpc_health_probe", "-addr=localhost:50051"), 50051),
    ],
)
def test_what_other_programs_ask(probe: Argv, port: int) -> None:
    assert [asked.port for asked in asks(probe, container())] == [port]


def test_a_default_counts_only_when_the_base_cannot_set_the_variable() -> None:
    probe = python("u.urlopen(f\"http://localhost:{os.getenv('OTHER', '8123')}/\")")
    [asked] = asks(probe, container("", "registry.example.com/base:1"))
    assert asked.port is None


def test_imports() -> None:
    code = "import os, requests as r; from httpx.auth import X\ntry: import json, redis.client\nexcept Exception: pass"
    assert imports(code) == ["os", "requests", "httpx", "json", "redis"]
    assert third_party(code) == ["requests", "httpx", "redis"]
    assert third_party("__import__('requests').get('http://localhost')") == ["requests"]
    assert third_party("import urllib.request as u, socket") == []


def test_code_of_a_probe() -> None:
    assert code_of(argv("/usr/bin/python3.13", "-Ic", "pass")) == "pass"
    assert code_of(shell('python3 -c "import x" || exit 1')) == "import x"
    assert code_of(argv("sh", "-c", "python3 -c 'import x'")) == "import x"
    assert code_of(argv("python3", "probe.py", "-c", "x")) is None
    assert code_of(argv("node", "-c", "x")) is None
    assert code_of(argv("python3", "-c")) is None
