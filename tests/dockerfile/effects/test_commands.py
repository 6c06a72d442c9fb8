"""What is known of a path after a RUN: present, absent or unknown, for shapes that real Dockerfiles have."""

from __future__ import annotations

import pytest

from lucid_audit.container.tree import Tree
from tests.sketch import sketch

P, A, U = "present", "absent", "unknown"


def after(run: str, base: str = "python:3.13-slim-bookworm", before: str = "WORKDIR /app\n") -> Tree:
    build = sketch(f"FROM {base}\n{before}RUN {run}\n", {"context": {"requirements.txt": "", "src/main.py": "x"}})
    assert build.target is not None
    return build.trees.end(build.target)


@pytest.mark.parametrize(
    ("run", "path", "state"),
    [
        # environments
        ("python -m venv /opt/venv", "/opt/venv/pyvenv.cfg", P),
        ("python -m venv /opt/venv", "/opt/venv/bin/activate", P),
        ("python -m venv /opt/venv", "/opt/venv/bin/uvicorn", A),
        ("python -m venv /opt/venv && /opt/venv/bin/pip install uvicorn", "/opt/venv/bin/uvicorn", U),
        ("python -m venv /opt/venv && . /opt/venv/bin/activate && pip install x", "/opt/venv/bin/x", U),
        ("python -m venv --without-pip /opt/venv", "/opt/venv/bin/pip", A),
        ("test -d x || python -m venv /opt/venv", "/opt/venv/bin/python", U),
        ("python -m venv $SOMEWHERE", "/opt/venv", U),
        ("uv sync --frozen", "/app/.venv/bin/uvicorn", U),
        ("poetry bundle venv --only=main /venv", "/venv/bin/service", U),
        ("poetry install --no-root", "/app/.venv", U),
        ("poetry config virtualenvs.create false", "/venv", A),
        # packages
        ("pip install -r requirements.txt", "/usr/local/bin/gunicorn", U),
        ("pip install -r requirements.txt", "/opt/x", A),
        ("pip install --target=/deps -r requirements.txt", "/deps/flask", U),
        ("pip install --target=/deps -r requirements.txt", "/opt/deps", A),
        ("pip install --prefix=/install -r requirements.txt", "/install/bin/flask", U),
        ("pip install --user flask", "/root/.local/bin/flask", U),
        ("pip wheel -w /wheels -r requirements.txt", "/wheels/x.whl", U),
        ("pip list", "/opt/x", A),
        ("apt-get update && apt-get install -y --no-install-recommends tini", "/usr/bin/tini", P),
        ("apt-get install -y libpq5", "/usr/lib/x", U),
        ("apt-get install -y libpq5", "/opt/x", A),
        ("apt-get install -y libpq5", "/app/x", A),
        ("apt-get update && rm -rf /var/lib/apt/lists/*", "/app/x", A),
        # compilers
        ("CGO_ENABLED=0 go build -trimpath -o /out/server ./cmd/server", "/out/server", P),
        ("go build ./...", "/app/server", U),
        ("cargo build --release", "/app/target/release/x", U),
        ("npm ci --omit=dev", "/app/node_modules/express", U),
        ("npm run build", "/app/dist/index.js", U),
        ("mvn -B package", "/app/target/x.jar", U),
        ("make install", "/usr/local/bin/x", U),
        ("./build.sh", "/anything", U),
        ("git clone https://example.org/x.git", "/app/x/README", U),
        ("tar xzf x.tgz -C /opt", "/opt/x", U),
        ("curl -fsSL -o /usr/local/bin/tool https://example.org/tool", "/usr/local/bin/tool", P),
        ("curl -fsSLo /opt/tool https://example.org/tool", "/opt/tool", P),
        ("wget -qO /opt/tool https://example.org/tool", "/opt/tool", P),
        ("curl -s https://example.org | sh", "/anything", U),
        ("wget https://example.org/tool", "/app/tool", U),
        # files
        ("mkdir -p /data && chown 65532:65532 /data", "/data", P),
        ("mkdir -p /data; rmdir /data", "/data", A),
        ("cp -r /usr/local/bin /out", "/out/python3", P),
        ("echo x > /etc/x.conf", "/etc/x.conf", P),
        ("sudo mkdir /data", "/data", P),
        ("if [ -n \"$X\" ]; then mkdir /data; fi", "/data", U),
        ("mkdir /data || true", "/data", U),
        ("cd /tmp && touch here", "/tmp/here", P),
        ("(cd /tmp && touch here)", "/app/here", U),
        ("useradd -m -u 1000 app", "/home/app/.bashrc", U),
        ("find / -name '*.pyc' -delete", "/anything", U),
        ("ls -la / && id && python --version", "/anything", A),
        ("[\"mkdir\", \"/data\"]", "/data", P),
        ("--mount=type=cache,target=/cache mkdir -p /cache/x", "/cache/x", A),
    ],
)  # fmt: skip
def test_what_is_known_afterwards(run: str, path: str, state: str) -> None:
    walk = after(run).walk(path, follow=False)
    assert walk.state == state, walk.reason


def test_owner_and_mode_are_followed() -> None:
    tree = after("mkdir -p /data/in && chown -R 65532:65532 /data && chmod -R g+w,o-rx /data")
    node = tree.walk("/data/in").node
    assert node is not None
    assert (node.uid, node.gid, node.mode) == (65532, 65532, 0o770)


def test_the_links_of_an_environment_are_those_of_venv() -> None:
    tree = after("python3 -m venv /opt/venv")
    names = ("python3", "python", "python3.13")
    nodes = [tree.walk(f"/opt/venv/bin/{name}", follow=False).node for name in names]
    assert [node.target for node in nodes if node is not None] == ["/usr/local/bin/python3", "python3", "python3"]


def test_a_doubt_names_the_program() -> None:
    assert after("make all").doubt == "make in a RUN may have written it"


def test_a_stage_without_a_shell_runs_nothing() -> None:
    assert after("mkdir /data", "gcr.io/distroless/static-debian13", "").walk("/data").state == A
