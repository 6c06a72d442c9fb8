"""The rules over containers judge a measured one as they judge the Dockerfile that it was built from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from lucid_audit.checks import AUDIT, LINT
from lucid_audit.engine.dockerfile import judge
from lucid_audit.engine.image import judge as judge_image
from lucid_audit.finding import Finding
from lucid_audit.policy import Policy, select
from lucid_audit.rules import ActiveRule
from lucid_audit.ruleset import load
from tests.image_sketch import publication
from tests.sketch import sketch

ENV = [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
]
PASSWD = (
    "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"
    "nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"
)
BASE = {
    "/etc/passwd": PASSWD,
    "/etc/group": "root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n",
    "/etc/ssl/certs/ca-certificates.crt": "certificates",
    "/home/nonroot/": {"mode": "0700", "uid": 65532, "gid": 65532},
    "/tmp/": {"mode": "1777"},
    "/usr/bin/python3.13": {"elf": "arm64"},
    "/usr/bin/python3": {"link": "python3.13"},
}
DEBIAN = {**BASE, "/usr/bin/dash": {"elf": "arm64"}, "/bin/sh": {"link": "/usr/bin/dash"}}
PYTHON = "gcr.io/distroless/python3-debian13:nonroot"
GOOD_PROBE = "import urllib.request; urllib.request.urlopen('http://localhost:8080/health', timeout=5)"
PROBE = f'HEALTHCHECK --interval=30s --timeout=10s --start-period=40s --retries=3 CMD ["/usr/bin/python3", "-c", "{GOOD_PROBE}"]\n'
HEALTH = {
    "Test": ["CMD", "/usr/bin/python3", "-c", GOOD_PROBE],
    "Interval": 30 * 10**9,
    "Timeout": 10 * 10**9,
    "StartPeriod": 40 * 10**9,
    "Retries": 3,
}
KEYS = [
    *(
        f"org.opencontainers.image.{key}"
        for key in ("title", "description", "version", "revision", "created", "source")
    ),
    *(f"com.lucid.{key}" for key in ("service", "cluster", "security")),
]
LABELS = {
    **dict.fromkeys(KEYS, "x"),
    "org.opencontainers.image.created": "2026-11-23T12:00:00Z",
    "org.opencontainers.image.source": "https://example.org/x",
}
HOUSE_ENV = {
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": "/app",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
}
HOUSE = "".join(f"LABEL {key}={value}\n" for key, value in LABELS.items()) + "LABEL com.lucid.platform=arm64\n"
HOUSE += "".join(f"ENV {name}={value}\n" for name, value in HOUSE_ENV.items())
CONTEXT = {
    "main.py": "print()",
    "check.sh": "#!/bin/sh\n",
    "run": "#!/opt/none\n",
    "plain": "",
    "closed": "x",
    "link": "-> /opt/none",
    "service/__init__.py": "",
    "service/app.py": "",
    "newer.py": "print 'x'\n",
    "needs.py": "import os\nfrom service import app\nimport nothing_of_this_name\n",
}
MODES = {"main.py": "0755", "check.sh": "0755", "run": "0755", "plain": "0644", "closed": "0600"}
# What a measured container has to say as well, or cannot say: its base is told by another evidence.
OF_THE_BASE = {"final-base-not-distroless", "final-base-debug", "root-home-on-path"}


def healthy(**changes: Any) -> dict[str, Any]:
    """Return the configuration of a service without a fault, with ``changes``; None takes a field away."""
    config: dict[str, Any] = {
        "User": "65532:65532",
        "Env": [*ENV, *(f"{name}={value}" for name, value in HOUSE_ENV.items())],
        "WorkingDir": "/app",
        "Entrypoint": None,
        "Cmd": ["python3", "main.py"],
        "ExposedPorts": {"8080/tcp": {}},
        "Healthcheck": HEALTH,
        "Labels": {**LABELS, "com.lucid.platform": "arm64"},
    }
    config.update(changes)
    return {key: value for key, value in config.items() if value is not None}


def labels(**changes: str | None) -> dict[str, str]:
    found = {**healthy()["Labels"], **changes}
    return {key: value for key, value in found.items() if value is not None}


def env(*more: str, without: str = "-") -> list[str]:
    return [word for word in healthy()["Env"] if not word.startswith(f"{without}=")] + list(more)


def file(*, base: str = PYTHON, head: str = "", house: str = HOUSE, port: str = "EXPOSE 8080\n", user: str = "USER 65532:65532\n",
         workdir: str = "WORKDIR /app\n", probe: str = PROBE, start: str = 'ENTRYPOINT []\nCMD ["python3", "main.py"]\n') -> str:  # fmt: skip
    return f"FROM {base}\nCOPY . /app/\n{head}{house}{port}{user}{workdir}{probe}{start}"


def probe(words: list[str]) -> dict[str, Any]:
    return {**HEALTH, "Test": words}


def shown(words: list[str]) -> str:
    return PROBE.partition("CMD")[0] + "CMD " + "[" + ", ".join(f'"{word}"' for word in words[1:]) + "]\n"


CURL = ["CMD", "curl", "-f", "http://localhost:8080/health"]
NO_OP = ["CMD", "/usr/bin/python3", "-c", "import sys; sys.exit(0)"]
OTHER_PORT = ["CMD", "/usr/bin/python3", "-c", GOOD_PROBE.replace("8080", "9090")]
THIRD = ["CMD", "/usr/bin/python3", "-c", "import requests; requests.get('http://localhost:8080/health')"]
DOLLAR = ["python3", "main.py", "--port", "$PORT"]

PAIRS: dict[str, tuple[str, Mapping[str, Any], set[str]]] = {
    "healthy": (file(), healthy(), set()),
    "root": (file(user="USER root\n"), healthy(User="root"), {"final-user-root"}),
    "root by number": (file(user="USER 00:0\n"), healthy(User="00:0"), {"final-user-root"}),
    "root with a sign": (file(user="USER +0\n"), healthy(User="+0"), {"final-user-root"}),
    "name": (file(user="USER nonroot\n"), healthy(User="nonroot"), {"final-user-not-numeric"}),
    "number alone": (file(user="USER 65532\n"), healthy(User="65532"), set()),
    "number with a name": (file(user="USER 65532:nonroot\n"), healthy(User="65532:nonroot"), set()),
    "group root": (file(user="USER 65532:0\n"), healthy(User="65532:0"), {"final-user-unexpected"}),
    "unknown name": (
        file(user="USER app\n"), healthy(User="app"), {"final-user-not-in-passwd", "final-user-not-numeric"}
    ),
    "no health check": (file(probe=""), healthy(Healthcheck=None), {"health-check-missing"}),
    "health NONE": (
        file(probe="HEALTHCHECK NONE\n"), healthy(Healthcheck={"Test": ["NONE"]}), {"health-check-disabled"}
    ),
    "health in shell form": (
        file(probe=PROBE.partition("CMD")[0] + "CMD curl -f http://localhost:8080/health\n"),
        healthy(Healthcheck=probe(["CMD-SHELL", "curl -f http://localhost:8080/health"])),
        {"health-check-needs-shell"},
    ),
    "health by curl": (file(probe=shown(CURL)), healthy(Healthcheck=probe(CURL)), {"health-check-unresolvable"}),
    "health asks nothing": (file(probe=shown(NO_OP)), healthy(Healthcheck=probe(NO_OP)), {"health-check-no-op"}),
    "health asks another port": (
        file(probe=shown(OTHER_PORT)),
        healthy(Healthcheck=probe(OTHER_PORT)),
        {"health-check-port", "port-disagreement"},
    ),
    "health by a package": (file(probe=shown(THIRD)), healthy(Healthcheck=probe(THIRD)), {"health-check-third-party"}),
    "health timings": (
        file(probe=PROBE.replace("30s", "5s")),
        healthy(Healthcheck={**HEALTH, "Interval": 5 * 10**9}),
        {"health-check-timings"},
    ),
    "health of another URL": (
        file(head="LABEL com.lucid.service=rdp-monitor\n", house=HOUSE.replace("LABEL com.lucid.service=x\n", "")),
        healthy(Labels=labels(**{"com.lucid.service": "rdp-monitor"})),
        {"health-check-url"},
    ),
    "health script": (
        file(probe=shown(["CMD", "/app/check.sh"])),
        healthy(Healthcheck=probe(["CMD", "/app/check.sh"])),
        {"health-check-cannot-run"},
    ),
    "no such script": (
        file(start='ENTRYPOINT []\nCMD ["python3", "other.py"]\n'), healthy(Cmd=["python3", "other.py"]), {"script-missing"}
    ),
    "no such module": (
        file(start='ENTRYPOINT []\nCMD ["python3", "-m", "service.main"]\n'),
        healthy(Cmd=["python3", "-m", "service.main"]),
        {"module-missing"},
    ),
    "no module to import": (
        file(start='ENTRYPOINT []\nCMD ["python3", "needs.py"]\n'), healthy(Cmd=["python3", "needs.py"]), {"import-missing"}
    ),
    "no Python of this version": (
        file(start='ENTRYPOINT []\nCMD ["python3", "newer.py"]\n'),
        healthy(Cmd=["python3", "newer.py"]),
        {"syntax-not-understood"},
    ),
    "no Python of this version in the probe": (
        file(probe=shown(["CMD", "/usr/bin/python3", "/app/newer.py"])),
        healthy(Healthcheck=probe(["CMD", "/usr/bin/python3", "/app/newer.py"])),
        {"health-check-syntax-not-understood"},
    ),
    "no module for the probe": (
        file(probe=shown(["CMD", "/usr/bin/python3", "/app/needs.py"])),
        healthy(Healthcheck=probe(["CMD", "/usr/bin/python3", "/app/needs.py"])),
        {"health-check-import-missing"},
    ),
    "no bit to execute": (
        file(start='ENTRYPOINT []\nCMD ["/app/plain"]\n'),
        healthy(Cmd=["/app/plain"]),
        {"command-unexpected", "program-not-executable"},
    ),
    "link to nothing": (
        file(start='ENTRYPOINT []\nCMD ["/app/link"]\n'),
        healthy(Cmd=["/app/link"]),
        {"command-unexpected", "program-link-broken"},
    ),
    "interpreter elsewhere": (
        file(start='ENTRYPOINT []\nCMD ["/app/run"]\n'),
        healthy(Cmd=["/app/run"]),
        {"command-unexpected", "program-interpreter-missing"},
    ),
    "doubled interpreter": (
        file(start='ENTRYPOINT ["/usr/bin/python3.13"]\nCMD ["python3", "main.py"]\n'),
        healthy(Entrypoint=["/usr/bin/python3.13"]),
        {"interpreter-doubled", "entrypoint-unexpected"},
    ),
    "nothing to start": (
        file(start="ENTRYPOINT []\n"), healthy(Cmd=None), {"command-missing"}
    ),
    "command in shell form": (
        file(start="ENTRYPOINT []\nCMD python3 main.py\n"),
        healthy(Cmd=["/bin/sh", "-c", "python3 main.py"]),
        {"command-needs-shell"},
    ),
    "program missing": (
        file(start='ENTRYPOINT []\nCMD ["/usr/bin/python3.11", "main.py"]\n'),
        healthy(Cmd=["/usr/bin/python3.11", "main.py"]),
        {"command-program-missing"},
    ),
    "another program": (
        file(start='ENTRYPOINT []\nCMD ["/app/main.py"]\n'), healthy(Cmd=["/app/main.py"]),
        {"command-unexpected", "program-format-wrong"},
    ),
    "words for a shell": (
        file(start='ENTRYPOINT []\nCMD ["python3", "main.py", "--port", "$PORT"]\n'),
        healthy(Cmd=DOLLAR),
        {"exec-form-verbatim"},
    ),
    "unset variable": (
        file(house=HOUSE.replace("ENV PYTHONUNBUFFERED=1\n", "")), healthy(Env=env(without="PYTHONUNBUFFERED")), {"environment-unset"}
    ),
    "no port": (file(port=""), healthy(ExposedPorts=None), {"expose-missing"}),
    "privileged port": (
        file(port="EXPOSE 80 8080\n"), healthy(ExposedPorts={"80/tcp": {}, "8080/tcp": {}}), {"privileged-port"}
    ),
    "ssh": (
        file(port="EXPOSE 22 8080\n"),
        healthy(ExposedPorts={"22/tcp": {}, "8080/tcp": {}}),
        {"privileged-port", "ssh-port-exposed"},
    ),
    "no label": (
        file(house=HOUSE.replace("LABEL com.lucid.security=x\n", "")),
        healthy(Labels=labels(**{"com.lucid.security": None})),
        {"labels-missing"},
    ),
    "label of another platform": (
        file(house=HOUSE.replace("platform=arm64", "platform=amd64")),
        healthy(Labels=labels(**{"com.lucid.platform": "amd64"})),
        {"platform-label-wrong"},
    ),
    "PYTHONPATH": (
        file(house=HOUSE.replace("PYTHONPATH=/app", "PYTHONPATH=/app:/opt/packages")),
        healthy(Env=env("PYTHONPATH=/app:/opt/packages", without="PYTHONPATH")),
        {"pythonpath-missing"},
    ),
    "working directory": (
        file(workdir="WORKDIR /srv\n", start='ENTRYPOINT []\nCMD ["python3", "/app/main.py"]\n'),
        healthy(WorkingDir="/srv", Cmd=["python3", "/app/main.py"]),
        {"workdir-unexpected"},
    ),
    "volume of the system": (
        file(head="VOLUME /proc/x\n"), healthy(Volumes={"/proc/x": {}}), {"volume-sensitive"}
    ),
    "volume over code": (file(head="VOLUME /app\n"), healthy(Volumes={"/app": {}}), {"volume-over-code"}),
    "relative PATH": (
        file(head=f"ENV {ENV[0]}:bin\n"), healthy(Env=env(f"{ENV[0]}:bin", without="PATH")), {"path-relative"}
    ),
    "preload": (
        file(head="ENV LD_PRELOAD=/opt/x.so\n"), healthy(Env=env("LD_PRELOAD=/opt/x.so")), {"preload-missing"}
    ),
    "library path": (
        file(head="ENV LD_LIBRARY_PATH=/opt/x\n"), healthy(Env=env("LD_LIBRARY_PATH=/opt/x")), {"library-path-missing"}
    ),
    "Python's home": (
        file(head="ENV PYTHONHOME=/opt/x\n"), healthy(Env=env("PYTHONHOME=/opt/x")), {"python-home-missing"}
    ),
    "label without its form": (
        file(house=HOUSE.replace("https://example.org/x", "example.org")),
        healthy(Labels=labels(**{"org.opencontainers.image.source": "example.org"})),
        {"label-malformed"},
    ),
    "key of a label": (
        file(head="LABEL Team=core\n"),
        healthy(Labels=labels(Team="core")),
        {"label-key-invalid"},
    ),
    "trusts anybody": (
        file(head="ENV PYTHONHTTPSVERIFY=0\n"),
        healthy(Env=env("PYTHONHTTPSVERIFY=0")),
        {"tls-check-off-by-variable"},
    ),
    "a folder on PATH": (
        file(head=f"ENV {ENV[0]}:/srv/bin\n"),
        healthy(Env=env(f"{ENV[0]}:/srv/bin", without="PATH")),
        {"path-entry-missing"},
    ),
    "a folder for data": (
        file(head="ENV DATA_DIR=/srv/none\n"),
        healthy(Env=env("DATA_DIR=/srv/none")),
        {"data-folder-not-writable", "read-only-needs-mount"},
    ),
    "a home": (
        file(head="ENV HOME=/home/none\n"),
        healthy(Env=env("HOME=/home/none")),
        {"home-not-writable"},
    ),
    "a file that is closed": (
        file(head="ENV APP_KEYS=/app/closed\n"),
        healthy(Env=env("APP_KEYS=/app/closed")),
        {"named-file-closed"},
    ),
    "certificates that are none": (
        file(head="ENV SSL_CERT_FILE=/app/plain\n"),
        healthy(Env=env("SSL_CERT_FILE=/app/plain", without="SSL_CERT_FILE")),
        {"certificates-empty"},
    ),
    "certificates": (
        file(head="ENV SSL_CERT_FILE=/opt/x.pem\n"),
        healthy(Env=env("SSL_CERT_FILE=/opt/x.pem", without="SSL_CERT_FILE")),
        {"certificates-missing"},
    ),
}  # fmt: skip
MEASURED_ONLY = {
    # no Dockerfile says them: the builder refuses the signal, and files of a base are not read
    "stop-signal-invalid",
    "program-for-other-machine",
    "final-user-without-entry",
    "program-library-missing",
    "program-library-too-old",
    "extension-cannot-load",
    "health-check-extension-cannot-load",
    "distribution-unfit",
    "timezone-missing",
    "locale-missing",
}
PREDICTED_ONLY = {"script-needs-shell"}  # by its name, when what is in it is not known
OWNERSHIP = {"workdir-not-writable", "volume-not-writable"}  # of all these services; judged by themselves below
LISTED_ONLY = {"label-unexpected"}  # finds nothing until a team gives it a list
SCRATCH_ONLY = {"certificates-absent", "temp-folder-missing"}  # every base of these services has some, see below
JAVA_ONLY = {"main-class-cannot-run"}  # wants another interpreter, see below
SHELL_ONLY = {"command-in-shell-form"}  # wants a base with a shell, see below


def active() -> tuple[ActiveRule, ...]:
    found = load("", "/")
    ids = [rule.id for rule in found.rules.values() if rule.subject == "container" and rule.id not in OWNERSHIP]
    return select(found.rules, found.profiles, Policy(), profile="lucid", only=ids, subjects=(*LINT, *AUDIT))


def of_file(text: str, context: Mapping[str, str] | None = None) -> list[Finding]:
    example = {"context": context or CONTEXT, "modes": MODES, "platform": "linux/arm64"}
    report = judge(sketch(text, example), list(active()))
    assert not report.problems
    return list(report.findings)


def of_image(config: Mapping[str, Any], files: Mapping[str, Any] | None = None) -> list[Finding]:
    folder: dict[str, Any] = {config.get("WorkingDir", "/") + "/": {}} if config.get("WorkingDir", "/") != "/" else {}
    own: dict[str, Any] = {
        f"/app/{name}": {"link": text[3:]}
        if text.startswith("-> ")
        else {"text": text, "mode": MODES.get(name, "0644")}
        for name, text in CONTEXT.items()
    }
    layers = [{"files": files or BASE}, {"created_by": "COPY . /app", "files": {**folder, **own}}]
    (report,) = judge_image(publication({"config": config, "layers": layers}), active())
    return list(report.findings)


@pytest.mark.parametrize("name", PAIRS)
def test_both_worlds_agree(name: str) -> None:
    text, config, expected = PAIRS[name]
    predicted, measured = of_file(text), of_image(config)
    assert {finding.rule for finding in predicted} - OF_THE_BASE == expected
    assert {finding.rule for finding in measured} == expected
    for finding in measured:
        assert finding.location.field
        assert not re.search(r"copies|creates|Dockerfile|final stage|gcr\.io", finding.message), finding.message


def test_shell_form_where_there_is_a_shell() -> None:
    predicted = of_file("FROM python:3.13-slim-trixie\nENTRYPOINT []\nCMD python3 main.py\n")
    assert "command-in-shell-form" in {finding.rule for finding in predicted}
    measured = of_image(healthy(Cmd=["/bin/sh", "-c", "python3 main.py"]), DEBIAN)
    assert {finding.rule for finding in measured} == {"command-in-shell-form"}


def test_a_jar_that_is_none() -> None:
    predicted = of_file(
        'FROM gcr.io/distroless/java21-debian13\nCOPY plain.txt /app/a.jar\nCMD ["/app/a.jar"]\n',
        {"plain.txt": "no archive"},
    )
    java = {**BASE, "/usr/bin/java": {"elf": "arm64"}, "/app/a.jar": "no archive"}
    measured = of_image(healthy(Cmd=["/usr/bin/java", "-jar", "/app/a.jar"]), java)
    for findings in (predicted, measured):
        (message,) = [finding.message for finding in findings if finding.rule == "main-class-cannot-run"]
        assert message == "/usr/bin/java: /app/a.jar is no zip archive, so no jar, so the container ends at once"


def test_no_certificates_on_scratch() -> None:
    predicted = of_file("FROM scratch\nCOPY run /app/\n")
    assert "certificates-absent" in {finding.rule for finding in predicted}
    measured = of_image(healthy(Env=[ENV[0]]), {"/etc/passwd": PASSWD})
    assert "certificates-absent" in {finding.rule for finding in measured}


def test_every_rule_over_containers_is_tried() -> None:
    tried = set().union(*(expected for *_, expected in PAIRS.values()))
    assert {
        rule.rule.id for rule in active()
    } - tried == OF_THE_BASE | MEASURED_ONLY | PREDICTED_ONLY | SHELL_ONLY | JAVA_ONLY | SCRATCH_ONLY | LISTED_ONLY


@pytest.mark.parametrize("name", sorted(OWNERSHIP))
def test_folders_of_root_in_both_worlds(name: str) -> None:
    found = load("", "/")
    one = select(found.rules, found.profiles, Policy(), profile="strict", only=[name], subjects=(*LINT, *AUDIT))
    text = f"FROM {PYTHON}\nUSER root\nWORKDIR /app\nVOLUME /data\nUSER 65532:65532\n"
    predicted = judge(sketch(text), list(one))
    config = {"User": "65532:65532", "WorkingDir": "/app", "Volumes": {"/data": {}}}
    layers = [{"files": BASE}, {"created_by": "WORKDIR", "files": {"/app/": {}, "/data/": {}}}]
    (measured,) = judge_image(publication({"config": config, "layers": layers}), one)
    assert [finding.rule for finding in predicted.findings] == [name]
    assert [finding.rule for finding in measured.findings] == [name]


def test_the_history_line_is_named() -> None:
    layers = [{"files": BASE}, {"created_by": "COPY . /app", "files": {"/app/main.py": ""}}]
    found = publication({"config": healthy(User="0"), "layers": layers, "lines": ["USER 65532", "USER 0"]})
    (report,) = judge_image(found, active())
    assert [(f.rule, f.location.field, f.location.created_by) for f in report.findings] == [
        ("final-user-root", "config.User", "USER 0")
    ]


def test_a_lost_health_check_is_not_missing() -> None:
    layers = [{"files": BASE}, {"created_by": "COPY . /app", "files": {"/app/main.py": ""}}]
    lost = {"config": healthy(Healthcheck=None), "layers": layers, "lines": ["HEALTHCHECK CMD /app/check"]}
    found = load("", "/")
    rules = select(found.rules, found.profiles, Policy(), profile="lucid", subjects=AUDIT)
    (report,) = judge_image(publication(lost), rules)
    assert [f.rule for f in report.findings if f.rule.startswith("health")] == ["health-check-lost"]


@pytest.mark.parametrize("name", ["static-debian13", "base-debian13", "cc-debian13", "python3-debian13"])
def test_a_stock_base_has_no_fault_of_packaging_or_configuration(name: str) -> None:
    found = load("", "/")
    rules = select(found.rules, found.profiles, Policy(), profile="strict", subjects=AUDIT)
    config = healthy(Cmd=["/app/main.py"], Env=ENV, WorkingDir="/home/nonroot")
    reports = judge_image(publication({"base": name, "config": config}), rules)
    shown = {finding.rule for report in reports for finding in report.findings}
    assert shown <= {"command-program-missing", "health-check-unresolvable"}  # there is no service in it


@pytest.mark.parametrize("profile", ["recommended", "strict", "lucid", "lucid-overlay"])
def test_a_healthy_image_gives_nothing(profile: str) -> None:
    found = load("", "/")
    rules = select(found.rules, found.profiles, Policy(), profile=profile, subjects=AUDIT)
    layers = [{"files": BASE}, {"created_by": "COPY . /app", "files": {"/app/": {"uid": 65532}, "/app/main.py": ""}}]
    one = {"config": healthy(), "layers": layers}
    for sketched in (one, {"index": [{"platform": "linux/arm64", "image": one}]}):
        assert [f.message for report in judge_image(publication(sketched), rules) for f in report.findings] == []


def test_secrets_are_not_shown() -> None:
    found = load("", "/")
    rules = select(found.rules, found.profiles, Policy(), profile="strict", only=["tag:secret"], subjects=AUDIT)
    line = "|1 NPM_TOKEN=abcdef123456 /bin/sh -c npm ci"
    sketched = {
        "config": {"Env": ["API_KEY=abcdef123456"]},
        "layers": [{"created_by": line, "files": {"/a": ""}}],
        "lines": ["ENV API_KEY=abcdef123456"],
    }
    (report,) = judge_image(publication(sketched), rules)
    assert len(report.findings) == 2
    assert "abcdef" not in repr(report.findings)
