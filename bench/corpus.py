"""A corpus of Dockerfiles for the benchmark: deterministic, varied in shape, no two alike.

Every file is one build: an interpreter or compiler stage, sometimes a second one, and a final stage that is distroless,
slim or full. What people write badly is in there as often as what they write well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

PIP = ("flask", "gunicorn", "requests", "numpy", "pandas", "uvicorn", "fastapi", "sqlalchemy", "redis", "pydantic")
APT = ("curl", "git", "build-essential", "libpq-dev", "ca-certificates", "openssl", "jq", "unzip", "tini", "tzdata")
WORDS = ("orders", "ledger", "search", "mailer", "gateway", "catalog", "billing", "events", "media", "tiles")
OWNERS = ("platform", "payments", "data", "web")
FINAL = (
    "gcr.io/distroless/python3-debian12:nonroot",
    "gcr.io/distroless/python3-debian12",
    "gcr.io/distroless/static-debian12:nonroot",
    "gcr.io/distroless/base-debian12",
    "python:3.12-slim",
    "debian:bookworm-slim",
    "node:20",
    "alpine",
)
Builder = Callable[[Random, str], Iterator[str]]


def python(pick: Random, name: str) -> Iterator[str]:
    """Yield a Python builder."""
    yield f"FROM python:3.{pick.randint(10, 13)}{pick.choice(('-slim', '', '-bookworm'))} AS build"
    yield "ENV PYTHONUNBUFFERED=1 \\\n    PIP_NO_CACHE_DIR=1 \\\n    VIRTUAL_ENV=/opt/venv"
    yield from packages(pick)
    yield "WORKDIR /src"
    yield "RUN python -m venv /opt/venv"
    yield 'ENV PATH="$VIRTUAL_ENV/bin:$PATH"'
    yield "COPY requirements.txt pyproject.toml ./"
    if pick.random() < 0.5:
        yield "RUN --mount=type=cache,target=/root/.cache/pip \\\n    pip install -r requirements.txt"
    else:
        chosen = pick.sample(PIP, pick.randint(2, 8))
        lines = " \\\n      ".join(f"{item}=={pick.randint(1, 9)}.{pick.randint(0, 20)}" for item in chosen)
        yield f"RUN pip install {pick.choice(('', '--no-cache-dir '))}\\\n      {lines}"
    yield f"COPY {name} /src/{name}"
    yield f"RUN python -m compileall -q /src/{name}"


def node(pick: Random, name: str) -> Iterator[str]:
    """Yield a Node builder."""
    yield f"FROM node:{pick.choice((18, 20, 22))}{pick.choice(('-alpine', '-slim', ''))} AS build"
    yield f"WORKDIR /usr/src/{name}"
    yield "COPY package.json package-lock.json ./"
    yield f"RUN npm {pick.choice(('ci', 'install', 'ci --omit=dev'))} && npm cache clean --force"
    yield "COPY . ."
    yield f"RUN npm run build && \\\n    npm prune --production && \\\n    rm -rf /tmp/{name}-*"
    yield "RUN install -d /opt/venv && cp -r dist /opt/venv/"


def golang(pick: Random, name: str) -> Iterator[str]:
    """Yield a Go builder."""
    yield "ARG TARGETOS TARGETARCH"
    yield f"FROM --platform=$BUILDPLATFORM golang:1.{pick.randint(20, 24)} AS build"
    yield "ARG TARGETOS\nARG TARGETARCH"
    yield "WORKDIR /go/src/app"
    yield "COPY go.mod go.sum ./\nRUN go mod download"
    yield "COPY . ."
    yield (
        "RUN CGO_ENABLED=0 GOOS=${TARGETOS:-linux} GOARCH=$TARGETARCH \\\n"
        f'    go build -trimpath -ldflags="-s -w -X main.version={pick.randint(1, 9)}" -o /opt/venv/{name} ./cmd/{name}'
    )


def packages(pick: Random) -> Iterator[str]:
    """Yield a RUN chain that installs system packages, well or badly."""
    chosen = pick.sample(APT, pick.randint(2, 7))
    pins = [f"{item}={pick.randint(1, 9)}.{pick.randint(0, 30)}" if pick.random() < 0.3 else item for item in chosen]
    flag = pick.choice(("-y --no-install-recommends", "-y", "-yq"))
    lines = "".join(f" \\\n      {item}" for item in pins)
    clean = pick.choice((" \\\n && rm -rf /var/lib/apt/lists/*", "", " \\\n && apt-get clean"))
    yield f"RUN apt-get update \\\n && apt-get install {flag}{lines}{clean}"


def environment(pick: Random, name: str) -> Iterator[str]:
    """Yield a block of ENV, some of it in the old form, some of it expanded."""
    prefix = name.upper()
    pairs = [f"{prefix}_{pick.choice('ABCDEFGH')}{at}={pick.randint(0, 9999)}" for at in range(pick.randint(2, 10))]
    yield "ENV " + " \\\n    ".join(pairs)
    yield f"ARG {prefix}_HOME=/srv/{name}"
    yield f"ENV {prefix}_DATA=${{{prefix}_HOME}}/data {prefix}_LOG=${prefix}_HOME/log"
    if pick.random() < 0.2:
        yield f"ENV {prefix}_MODE production"
    if pick.random() < 0.1:
        yield f"ENV {prefix}_API_TOKEN=abc{pick.randint(1000, 9999)}"


def labels(pick: Random, name: str) -> Iterator[str]:
    """Yield OCI labels."""
    lines = [
        f'org.opencontainers.image.title="{name}"',
        f'org.opencontainers.image.version="{pick.randint(0, 9)}.{pick.randint(0, 30)}.{pick.randint(0, 9)}"',
        f'org.opencontainers.image.vendor="{pick.choice(OWNERS)}"',
    ]
    yield "LABEL " + " \\\n      ".join(lines[: pick.randint(1, 3)])


def heredoc(pick: Random, name: str) -> Iterator[str]:
    """Yield a here-document: a script or a file; hadolint needs the blank line after it."""
    if pick.random() < 0.5:
        steps = "\n".join(f"mkdir -p /var/{name}/{pick.choice(WORDS)}{at}" for at in range(pick.randint(2, 9)))
        yield f"RUN <<EOF\nset -eu\n{steps}\nEOF\n"
    else:
        rows = "\n".join(f"{pick.choice(WORDS)}.{at} = {pick.randint(0, 99)}" for at in range(pick.randint(3, 14)))
        yield f"COPY <<'EOT' /etc/{name}.conf\n[{name}]\n{rows}\nEOT\n"


def chain(pick: Random, name: str) -> Iterator[str]:
    """Yield a longer RUN chain with conditions and pipes, as real files have them."""
    release = f"v{pick.randint(1, 4)}.{pick.randint(0, 20)}"
    user = pick.randint(1000, 65000)
    yield (
        f"RUN set -ex; \\\n    arch=$(uname -m); \\\n"
        f'    if [ "$arch" = "aarch64" ]; then suffix=arm64; else suffix=amd64; fi; \\\n'
        f"    curl -fsSL https://example.com/{name}/{release}/{name}-$suffix.tar.gz \\\n"
        f"      | tar -xz -C /usr/local/bin; \\\n    # the folder of the service\n    mkdir -p /srv/{name}; \\\n"
        f"    addgroup --gid {user} {name} || true; \\\n    chown -R {user}:{user} /srv/{name}"
    )


def final(pick: Random, name: str) -> Iterator[str]:
    """Yield the stage that is shipped."""
    yield f"FROM {pick.choice(FINAL)}"
    yield from labels(pick, name)
    yield f"WORKDIR /srv/{name}"
    yield f"COPY --from=build {pick.choice(('--chown=65532:65532 ', ''))}/opt/venv /opt/venv"
    yield f"COPY {pick.choice(('', '--chmod=0555 '))}{name}/ /srv/{name}/"
    yield from environment(pick, name)
    port = pick.choice((80, 443, 3000, 5000, 8000, 8080, 9090))
    yield f"EXPOSE {port}"
    if pick.random() < 0.7:
        yield pick.choice((
            f'HEALTHCHECK --interval=30s --timeout=3s CMD ["python3", "-c", "import urllib.request as u; u.urlopen(\'http://localhost:{port}\')"]',
            f"HEALTHCHECK CMD curl -f http://localhost:{port}/health || exit 1",
            "HEALTHCHECK NONE",
        ))  # fmt: skip
    if pick.random() < 0.7:
        yield f"USER {pick.choice(('65532:65532', 'nonroot', '1000', name, 'root'))}"
    yield pick.choice((
        f'ENTRYPOINT ["/opt/venv/{name}"]\nCMD ["--port", "{port}"]',
        f'ENTRYPOINT ["python3", "-m", "{name}"]',
        f'CMD ["/opt/venv/bin/gunicorn", "-b", "0.0.0.0:{port}", "{name}:app"]',
        f"CMD python3 -m {name} --port {port}",
    ))  # fmt: skip


BUILDERS: tuple[Builder, ...] = (python, node, golang)
FILLERS: tuple[Builder, ...] = (environment, labels, heredoc, chain, lambda pick, _name: packages(pick))


def dockerfile(seed: int, lines: int) -> str:
    """Return a file of about ``lines`` lines; the same for the same arguments."""
    pick = Random(seed)
    name = f"{pick.choice(WORDS)}{seed}"
    parts = [f"# {name}, owned by {pick.choice(OWNERS)}", *pick.choice(BUILDERS)(pick, name)]
    end = list(final(pick, name))
    missing = lines - count(parts) - count(end)
    while missing > 2:
        more = list(pick.choice(FILLERS)(pick, name))
        if pick.random() < 0.3:
            more.insert(
                0, f"\n# {pick.choice(WORDS)}: {pick.choice(('kept for', 'see', 'until'))} {pick.randint(1, 99)}"
            )
        if count(more) > missing + 4:
            more = [f"COPY {pick.choice(WORDS)}/{missing}.toml /etc/{name}/"]
        parts += more
        missing -= count(more)
    return "\n".join([*parts, "", *end]) + "\n"


def count(parts: list[str]) -> int:
    """Return how many lines the parts take."""
    return sum(part.count("\n") + 1 for part in parts)


def write(folder: Path, files: int, *, lines: int = 0, seed: int = 1) -> list[Path]:
    """Write ``files`` services, each a folder with a Dockerfile and what it copies, and return the Dockerfiles.

    They have about ``lines`` lines, 20 to 150 when that is 0.
    """
    paths = []
    for at in range(files):
        path = folder / f"service{at:03}" / "Dockerfile"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = dockerfile(seed * 100_000 + at, lines or 20 + at * 131 // max(1, files - 1))
        path.write_text(text, "utf-8")
        for source in sources(text):
            file = path.parent / source if "." in source else path.parent / source / "main.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        paths.append(path)
    return paths


def sources(text: str) -> Iterator[str]:
    """Yield what a file copies from its build context; a folder has no dot in its name."""
    for line in text.splitlines():
        words = [word for word in line.split() if not word.startswith("--")]
        if words[:1] == ["COPY"] and "--from" not in line and "<<" not in line:
            yield from (word for word in words[1:-1] if word != ".")
