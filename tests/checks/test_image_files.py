"""What the rules about the files of an image find, and what they leave alone, in images like real ones."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest

from lucid_audit.checks import AUDIT
from lucid_audit.checks.images import leaks
from lucid_audit.checks.images.credentials import READS, kind_of
from lucid_audit.checks.images.privilege import capabilities
from lucid_audit.checks.images.started import started
from lucid_audit.engine.image import judge
from lucid_audit.finding import Finding, Severity
from lucid_audit.image.entry import Entry
from lucid_audit.image.wanted import wanted
from lucid_audit.policy import Policy, select
from lucid_audit.rules import ActiveRule
from lucid_audit.ruleset import load
from tests.image_sketch import image, publication

RULES = {
    "build-material-left", "build-tool-present", "cache-left", "debugger-present", "device-node", "file-capabilities",
    "interpreter-beside", "language-installer-present", "package-manager-present", "pip-left", "secret-file-buried",
    "secret-file-in-tests", "secret-file-present", "set-id-program", "shell-buried", "shell-present", "toolbox-present",
    "workspace-left", "world-writable",
}  # fmt: skip
KEY = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"


@cache
def active(profile: str) -> tuple[ActiveRule, ...]:
    rules = load("", "/")
    return select(rules.rules, rules.profiles, Policy(), profile=profile, only=sorted(RULES), subjects=AUDIT)


def found(*layers: dict[str, Any], profile: str = "strict", **more: Any) -> list[Finding]:
    sketch = {
        "layers": [{"created_by": f"COPY {number}", "files": files} for number, files in enumerate(layers)],
        **more,
    }
    return [finding for report in judge(publication(sketch), list(active(profile))) for finding in report.findings]


def ids(findings: list[Finding]) -> list[tuple[str, str]]:
    return sorted((finding.rule, finding.location.path) for finding in findings)


@pytest.mark.parametrize("profile", ["recommended", "lucid", "strict"])
@pytest.mark.parametrize("family", ["static", "base", "cc", "python3"])
@pytest.mark.parametrize("release", ["debian12", "debian13"])
def test_stock_base_with_a_service(family: str, release: str, profile: str) -> None:
    service = {"/app/server": {"elf": "arm64"}, "/app/data/": {"mode": "0755", "uid": 65532, "gid": 65532}}
    assert not found(service, base=f"{family}-{release}", profile=profile)


def test_packages_of_a_base_without_its_layers() -> None:
    """The scripts that distroless bases ship ask for a shell and are none, whoever built the image."""
    scripts = ("/usr/bin/ldd", "/usr/bin/tzselect", "/etc/update-motd.d/10-uname", "/usr/bin/catchsegv")
    files: dict[str, Any] = {script: {"text": "#!/bin/bash\n", "mode": "0755"} for script in scripts}
    files |= {
        "/usr/sbin/nologin": {"elf": "arm64"},
        "/bin/sh": {"link": "/nowhere/dash"},
        "/var/lib/dpkg/status.d/x": "",
    }
    files |= {
        "/etc/apk/world": "a",
        "/lib/apk/db/installed": "P:a\n",
        "/tmp/": {"mode": "1777"},
        "/var/tmp/": {"mode": "1777"},
    }
    files |= {
        "/usr/share/ca-certificates/a.crt": "",
        "/etc/ssl/certs/ca-certificates.crt": "-----BEGIN CERTIFICATE-----",
    }
    assert not found(files)


def test_a_virtual_environment() -> None:
    site = "/opt/venv/lib/python3.13/site-packages"
    files: dict[str, Any] = {
        "/opt/venv/pyvenv.cfg": "home = /usr/bin\n",
        "/opt/venv/bin/python": {"link": "/usr/bin/python3.13"},
        "/opt/venv/bin/activate": "# for a shell",
        "/opt/venv/bin/gunicorn": {"text": "#!/opt/venv/bin/python\n", "mode": "0755"},
        f"{site}/certifi/cacert.pem": "-----BEGIN CERTIFICATE-----",
        f"{site}/tornado/test/test.key": KEY,
        f"{site}/numpy/core/include/a.h": {"text": "", "zeros": 300_000},
        f"{site}/botocore/credentials.json": json.dumps({"private_key": KEY}),
        f"{site}/sh.py": "",
        f"{site}/x/Dockerfile": "",
    }
    assert not found(files, base="python3-debian13", config={"Entrypoint": ["/opt/venv/bin/gunicorn"]})
    files |= {
        f"/opt/venv/bin/pip{end}": {"text": "#!/opt/venv/bin/python\n", "mode": "0755"} for end in ("", "3", "3.13")
    }
    files[f"{site}/pip/__init__.py"] = "x"
    assert ids(found(files, base="python3-debian13")) == [
        ("language-installer-present", "/opt/venv/bin/pip"),
        ("pip-left", f"{site}/pip/__init__.py"),
    ]


def test_a_full_distribution_is_told_cause_by_cause() -> None:
    commands = ("cat", "cp", "ls", "mv", "rm", "chmod")
    files: dict[str, Any] = {
        f"/usr/bin/{name}": {"elf": "arm64"} for name in (*commands, "apt", "dpkg", "perl", "mawk")
    }
    files |= {
        f"/usr/bin/{name}": {"elf": "arm64", "mode": "4755"} for name in ("su", "mount", "umount", "passwd", "chsh")
    }
    files |= {
        "/usr/bin/dash": {"elf": "arm64", "contains": ["OPTIND", "getopts", "OLDPWD"]},
        "/usr/bin/sh": {"link": "dash"},
    }
    files |= {"/usr/bin/awk": {"link": "/etc/alternatives/awk"}, "/etc/alternatives/awk": {"link": "/usr/bin/mawk"}}
    files |= {"/bin": {"link": "usr/bin"}, "/usr/share/nginx/": {}}
    assert ids(found(files)) == [
        ("interpreter-beside", "/usr/bin/mawk"),
        ("interpreter-beside", "/usr/bin/perl"),
        ("package-manager-present", "/usr/bin/apt"),
        ("package-manager-present", "/usr/bin/dpkg"),
        ("set-id-program", "/usr/bin/chsh"),
        ("shell-present", "/usr/bin/dash"),
        ("toolbox-present", "/usr/bin/rm"),
    ]


def test_a_shell_that_only_changes_its_owner_is_one_finding() -> None:
    shell = {"elf": "arm64", "contains": ["OPTIND", "getopts", "OLDPWD"]}
    both = found({"/app/x": shell}, {"/app/x": {**shell, "uid": 65532}}, base="static-debian13")
    assert ids(both) == [("shell-present", "/app/x")]
    gone = found({"/app/x": shell}, {"/app/x": {"whiteout": True}}, base="static-debian13")
    assert [(one.rule, one.severity) for one in gone] == [("shell-buried", Severity.note)]


SECRETS = {
    "/app/.env": "TOKEN=hunter2",
    "/app/server.key": KEY.replace("c2VjcmV0", "hunter2"),
    "/root/.aws/credentials": "[default]\naws_secret_access_key = hunter2\n",
    "/root/.docker/config.json": '{"auths": {"x": {"auth": "hunter2"}}}',
    "/root/.kube/config": "users:\n- user:\n    token: hunter2\n",
    "/root/.netrc": "machine x login y password hunter2",
    "/root/.git-credentials": "https://x:hunter2@y",
    "/root/.npmrc": "//registry/:_authToken=hunter2",
    "/root/.ssh/id_ed25519": "hunter2",
    "/app/service-account.json": '{"private_key": "hunter2"}',
    "/AuthKey.p8": KEY.replace("c2VjcmV0", "hunter2"),
}


def test_secrets_are_named_and_never_shown() -> None:
    findings = found(SECRETS, base="static-debian13")
    assert {one.location.path for one in findings if one.rule == "secret-file-present"} == set(SECRETS)
    assert not any("hunter2" in str(one) for one in findings)
    later: dict[str, Any] = {path: {"whiteout": True} for path in SECRETS}
    findings = found(SECRETS, later, base="static-debian13")
    assert {one.location.path for one in findings if one.rule == "secret-file-buried"} == set(SECRETS)
    assert all("layer 14 deletes it" in one.message for one in findings)
    assert not any("hunter2" in str(one) for one in findings)


@pytest.mark.parametrize("path", [*SECRETS, "/x/.env.production", "/x/kubeconfig", "/x/prod.kubeconfig", "/x/key.ppk"])
def test_what_is_judged_is_read_and_looked_at(path: str) -> None:
    assert any(mark in path for mark in leaks._MARKS)
    if kind_of(Entry(path, "f", 0o644, 0, 0, 10), b"nothing") == "":  # its content decides
        assert path in wanted(READS)


def test_endings_are_what_their_patterns_say() -> None:
    patterns = ("/**/*.pem", "/**/.docker/config.json", "/**/pip.conf")
    quick = wanted(patterns)
    assert quick.patterns is None
    slow = re.compile("|".join(re.escape(one).replace(r"/\*\*/", ".*/").replace(r"\*", "[^/]*") for one in patterns))
    for path in ("/a.pem", "/x/a.pem", "/x/.pem", "/x/apem", "/.docker/config.json", "/x/y.docker/config.json",
                 "/root/.docker/config.json", "/etc/pip.conf", "/etc/xpip.conf", "/pip.conf/x"):  # fmt: skip
        assert (path in quick) == (slow.fullmatch(path) is not None), path


def test_the_shell_that_an_os_release_promises() -> None:
    release = {"/etc/os-release": 'ID=debian\nVERSION_ID="12"\n'}
    container = image({"layers": [{"files": release}]}).container
    assert container.base is None
    assert container.ground is not None
    assert container.ground.distroless is None
    assert "os-release is that of Debian 12" in container.ground.how
    whole = image(
        {"layers": [{"files": {**release, "/bin/dash": {"elf": "arm64"}, "/bin/sh": {"link": "dash"}}}]}
    ).container
    assert whole.base is not None


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        ("0000000100040000" + "00000000", ("net_bind_service",)[:1]),
        ("0100000200200000000000000000000000000000", ("net_raw",)),
        ("010000030004000000000000000000000000000000e80300", ("net_bind_service",)),
        ("01000002000000000000000080000000" + "00000000", ("bpf",)),
        ("", ()),
        ("01", ()),
    ],
)
def test_capabilities_of_each_revision(raw: str, names: tuple[str, ...]) -> None:
    assert capabilities(raw) == names


@pytest.mark.parametrize(
    ("config", "programs", "script"),
    [
        ({"Cmd": ["/bin/sh", "-c", "exec python -m app"]}, {"/bin/sh", "/usr/bin/python3.13"}, ""),
        (
            {"Entrypoint": ["/entry.sh"], "Cmd": ["python"]},
            {"/entry.sh", "/bin/sh", "/usr/bin/python3.13"},
            "/entry.sh",
        ),
        ({"Entrypoint": ["./run"], "WorkingDir": "/app"}, {"/app/run", "/usr/bin/env", "/usr/bin/python3.13"}, ""),
        ({"Healthcheck": {"Test": ["CMD", "python", "x.py"]}}, {"/usr/bin/python3.13"}, ""),
        ({"Cmd": ["missing", "--flag", ""]}, set(), ""),
        ({}, set(), ""),
    ],
)
def test_what_a_container_starts(config: dict[str, Any], programs: set[str], script: str) -> None:
    files: dict[str, Any] = {
        "/usr/bin/python3.13": {"elf": "arm64"},
        "/usr/bin/python": {"link": "python3.13"},
        "/usr/bin/env": {"elf": "arm64"},
        "/bin/sh": {"elf": "arm64"},
        "/entry.sh": {"text": "#!/bin/sh -e\n", "mode": "0755"},
        "/app/run": {"text": "#!/usr/bin/env python\n", "mode": "0755"},
    }
    assert started(image({"config": config, "layers": [{"files": files}]})) == (frozenset(programs), script)


def test_a_finding_names_the_layer_that_it_came_with() -> None:
    shell = {"elf": "arm64", "contains": ["OPTIND", "getopts", "OLDPWD"]}
    first = {
        "/app/": {"mode": "0777"},
        "/app/.env": "A=1",
        "/app/.git/": {},
        "/app/.git/HEAD": "x",
        "/app/x": shell,
        "/a": "x",
    }
    later = {
        "/app/": {"mode": "0777"},
        "/app/.env": {"text": "A=1", "uid": 1},
        "/app/.git/": {},
        "/app/x": {**shell, "uid": 1},
    }
    findings = found(first, later, base="static-debian13")
    assert len(findings) == 4
    assert {finding.location.created_by for finding in findings} == {"COPY 0"}


def test_what_a_base_opened_to_all_stays_the_bases_when_a_layer_repeats_it() -> None:
    assert not found({"/tmp/": {"mode": "1777"}, "/var/tmp/": {"mode": "1777"}, "/tmp/x": "x"}, base="static-debian13")
