"""What we predict against what a real engine builds: the configuration of generated Dockerfiles, field by field.

Needs Debian's docker.io as root. The engine's BuildKit (Docker 20.10) is older than the grammar we follow, so what it
does not know (patterns in variables, newer flags) is not generated. Everything is FROM scratch: no registry is needed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lucid_audit.container.config import Argv, Container, Traced
from lucid_audit.container.execute import shell_of
from tests.sketch import sketch

CLIENT = "/usr/bin/docker"  # Debian's, which can use the engine's own BuildKit
BUILDS = 60
VALUES = [
    "plain", "$A", "${B}", "${A:-d}", "${C:-$A}", "${A:+x}", "${D:+x}", "pre$A-${B}post", '"q $A"', "'q $A'", "\\$A",
    '"\\"$B\\""', "${D:-}", '""', "a\\ b", "${E-z}", "$$A", "$", "a=b", "x${A}y${A}", "é$B",
]  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start an engine on a socket of its own and stop it by its own pid."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None or not Path(CLIENT).exists():
        pytest.skip("needs dockerd and Debian's docker client, as root")
    folder = tmp_path_factory.mktemp("engine")
    socket = f"unix://{folder}/s"
    words = [
        "dockerd",
        "--iptables=false",
        "--bridge=none",
        "--storage-driver=vfs",
        "-H",
        socket,
        "-p",
        f"{folder}/pid",
    ]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [*words, "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"], stdout=log, stderr=log
        )
    try:
        for _ in range(100):
            if subprocess.run([CLIENT, "-H", socket, "version"], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.2)
        else:
            pytest.fail((folder / "log").read_text()[-2000:])
        yield socket
    finally:
        server.terminate()
        server.wait(30)


def dockerfile(random: Random) -> str:
    """Return a Dockerfile of one to three stages that sets everything a configuration has."""
    lines = [f"ARG {random.choice('AB')}={random.choice(VALUES[:8])}" for _ in range(random.randint(0, 2))]
    for stage in range(random.randint(1, 3)):
        base = random.choice(["scratch", f"s{stage - 1}"]) if stage else "scratch"
        lines.append(f"FROM {base} AS s{stage}")
        lines.extend(instruction(random) for _ in range(random.randint(2, 9)))
    return "\n".join(lines) + "\nLABEL end=1\n"


def instruction(random: Random) -> str:
    name, value, other = random.choice("ABCDE"), random.choice(VALUES), random.choice(VALUES)
    words = json.dumps(random.choices(["/x", "-a", "$A", "b c"], k=random.randint(1, 3)))
    command = random.choice([words, "run $A --now"])
    return random.choice(
        [
            f"ENV {name}={value}",
            f"ENV {name}={value} {random.choice('FGH')}={other}",
            f"ENV {name} {value}",
            f"ARG {name}={value}",
            f"USER u{random.choice(VALUES[:8])}",
            f"WORKDIR {random.choice(['/w', 'w', '/', 'a/../b'])}{random.choice(['', '$A', '${B:-v}'])}",
            f"LABEL l{name}={value}",
            f"EXPOSE {random.choice(['80', '8080/udp', '${A:+81}90'])}",
            f"VOLUME /v{random.choice(['', '$A'])}",
            f"CMD {command}",
            f"ENTRYPOINT {random.choice([command, '[]'])}",
            f"HEALTHCHECK --interval={random.choice(['30s', '1m30s'])} --retries=4 CMD {command}",
            "HEALTHCHECK NONE",
            'SHELL ["/bin/zsh", "-c"]',
            "STOPSIGNAL SIGTERM",
        ]
    )


def built(engine: str, folder: Path, text: str) -> dict[str, Any] | None:
    """Return the configuration that the engine gives an image, None when it refuses the file."""
    (folder / "Dockerfile").write_text(text, "utf-8")
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    build = [CLIENT, "-H", engine, "build", "-q", "-t", "oracle", str(folder)]
    done = subprocess.run(build, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    shown = subprocess.run([CLIENT, "-H", engine, "inspect", "oracle"], capture_output=True, check=True).stdout
    config: dict[str, Any] = json.loads(shown)[0]["Config"]
    return config


def argv(container: Container, traced: Traced[Argv | None]) -> list[str] | None:
    value = traced.known()
    if value is None:
        return None
    words = [str(word) for word in value.args]
    return [*shell_of(container), *words] if value.shell else words


def predicted(text: str) -> dict[str, Any]:
    """Return the fields of a configuration as we predict them, in the engine's words."""
    container = sketch(text).container
    assert container is not None
    health = container.health.known()
    test = None
    if health is not None:
        probe = [str(word) for word in health.argv.args] if health.argv is not None else []
        kind = "NONE" if health.argv is None else "CMD-SHELL" if health.argv.shell else "CMD"
        test = {"Test": [kind, *probe], "Interval": int((health.interval or 0) * 1e9), "Retries": health.retries or 0}
    return {
        "User": container.user.known(),
        "WorkingDir": container.workdir.known(),
        "Env": {name: traced.known() for name, traced in container.env.items() if name != "PATH"},
        "Labels": {name: traced.known() for name, traced in container.labels.items()},
        "ExposedPorts": {
            value if "/" in value else f"{value}/tcp" for p in container.ports for value in [p.known() or ""]
        },
        "Volumes": {volume.known() for volume in container.volumes},
        "Cmd": argv(container, container.cmd),
        "Entrypoint": argv(container, container.entrypoint),
        "Healthcheck": test,
        "StopSignal": container.stop_signal.known(),
    }


def measured(config: dict[str, Any]) -> dict[str, Any]:
    env = dict(entry.split("=", 1) for entry in config.get("Env") or [])
    env.pop("PATH", None)
    health = config.get("Healthcheck")
    if health is not None:
        health = {"Test": health["Test"], "Interval": health.get("Interval", 0), "Retries": health.get("Retries", 0)}
    return {
        "User": config.get("User", ""),
        "WorkingDir": config.get("WorkingDir") or "/",
        "Env": env,
        "Labels": config.get("Labels") or {},
        "ExposedPorts": set(config.get("ExposedPorts") or {}),
        "Volumes": set(config.get("Volumes") or {}),
        "Cmd": config.get("Cmd") or None,
        "Entrypoint": config.get("Entrypoint") or None,
        "Healthcheck": health,
        "StopSignal": config.get("StopSignal"),
    }


@pytest.mark.e2e
def test_the_engine_builds_what_we_predict(engine: str, tmp_path: Path) -> None:
    random = Random(20261123)
    compared = 0
    for _ in range(BUILDS):
        text = dockerfile(random)
        config = built(engine, tmp_path, text)
        if config is None:
            continue
        compared += 1
        ours, theirs = predicted(text), measured(config)
        if any(line.startswith("SHELL") for line in text.splitlines()):
            # SHELL counts where the instruction stands; we keep shell-form commands apart from their shell.
            for field in ("Cmd", "Entrypoint"):
                ours.pop(field), theirs.pop(field)
        assert ours == theirs, text
    assert compared > BUILDS // 2
