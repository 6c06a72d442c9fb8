"""What the examples of the COPY rules cannot reach: which context is judged, and tables of names and words."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from lucid_audit import discover
from lucid_audit.checks.contexts import judgement, kept_from_git, sources
from lucid_audit.checks.copy_sources import copy_source_context, copy_source_missing
from lucid_audit.checks.copyfacts import brought, git, remote
from lucid_audit.checks.copytext import first_non_path
from lucid_audit.checks.secret_files import kind_by_name as _kind
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.context import ContextSet, MemoryContext
from lucid_audit.dockerfile.model import Transfer
from lucid_audit.dockerfile.parser import parse
from lucid_audit.finding import Hit, Skip
from lucid_audit.policy import Policy
from lucid_audit.surroundings import Surroundings
from lucid_audit.text import SourceText
from tests.sketch import sketch


def transfer(line: str) -> Transfer:
    instruction = parse(SourceText("Dockerfile", f"FROM scratch\n{line}\n")).instructions[1]
    assert isinstance(instruction, Transfer)
    return instruction


def between(text: str, **contexts: dict[str, str]) -> Build:
    """A Dockerfile in a/b, with its own folder, the folder a and the root as contexts."""
    plain = sketch(text)
    made = {
        name: MemoryContext(files, name=place)
        for (name, files), place in zip(contexts.items(), ("a/b", "a", "."), strict=True)
    }
    found = ContextSet(False, (made["own"], made["root"]), (made["middle"],))
    return Build(plain.dockerfile, plain.settings, found)


# -- which context ---------------------------------------------------------------------------------------------------


def test_of_two_contexts_that_have_all_the_first_is_taken() -> None:
    build = sketch("FROM scratch\nCOPY x /", {"file": "a/Dockerfile", "context": {"x": "", "a/x": ""}})
    judged = judgement(build)
    assert judged is not None
    assert judged.context.name == "a"


def test_the_context_with_most_sources_is_taken() -> None:
    files = {"a/one": "", "a/two": "", "three": ""}
    build = sketch("FROM scratch\nCOPY one two three /x/", {"file": "a/Dockerfile", "context": files})
    judged = judgement(build)
    assert judged is not None
    assert judged.called == "a (assumed, none is declared)"
    assert [one.text for one in judged.sources if one.match.kind == "missing"] == ["three"]


def test_a_folder_between_is_taken_when_it_alone_has_everything() -> None:
    text = "FROM scratch\nCOPY go.work b/main.go /x/"
    whole = between(text, own={"main.go": ""}, middle={"go.work": "", "b/main.go": ""}, root={"a/go.work": ""})
    judged = judgement(whole)
    assert judged is not None
    assert judged.context.name == "a"
    assert not list(copy_source_context(whole))
    part = between(text, own={"main.go": ""}, middle={"go.work": ""}, root={"a/go.work": ""})
    judged = judgement(part)
    assert judged is not None
    assert judged.context.name == "a/b"


def test_a_declared_context_is_not_left_even_when_another_fits() -> None:
    example = {"file": "a/Dockerfile", "context": {"a/x": ""}, "use_context": "."}
    build = sketch("FROM scratch\nCOPY x /", example)
    judged = judgement(build)
    assert judged is not None
    assert judged.called == "."


def test_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "payments" / "tron"
    folder.mkdir(parents=True)
    (folder / "requirements.txt").write_text("")
    file = folder / "Dockerfile"
    file.write_text("FROM python:3.13-slim\nCOPY payments/tron/requirements.txt ./\n")
    monkeypatch.chdir(tmp_path)
    plain = sketch(file.read_text())
    with mock.patch.object(discover, "repository_root", return_value=str(tmp_path)):
        contexts, _ = Surroundings("payments/tron", Policy()).contexts("payments/tron/Dockerfile")
        wrong = Build(plain.dockerfile, plain.settings, contexts)
        (hit,) = copy_source_context(wrong)
        assert isinstance(hit, Hit)
        assert hit.values["why"] == ", where it is requirements.txt; as written it is found from the repository root"
        contexts, _ = Surroundings("", Policy()).contexts("payments/tron/Dockerfile")
        assert not list(copy_source_context(Build(plain.dockerfile, plain.settings, contexts)))


# -- what is read from the context ------------------------------------------------------------------------------------


def test_sources_of_every_kind() -> None:
    text = """\
FROM python:3.13-slim
ARG DIR=conf
COPY a "b" $DIR/c /x/
COPY --parents ./src/./lib/a.py src/*.py /x/
COPY --from=python:3.13-slim /d /d
ADD https://example.org/e https://example.org/e.git git@example.org:e.git f /x/
COPY <<EOF g /x/
text
EOF
RUN --mount=type=bind,source=h,target=/h --mount=type=cache,target=/c --mount=from=python:3.13-slim,source=i,target=/i true
COPY j /x/ || true
"""
    found = [source.text for source in sources(sketch(text))]
    assert found == ["a", "b", "conf/c", "./src/lib/a.py", "f", "g", "h", "j"]


def test_without_a_context_one_skip_for_all() -> None:
    (answer,) = copy_source_missing(sketch("FROM scratch\nCOPY a b /x/\nCOPY c /x/"))
    assert isinstance(answer, Skip)
    assert not list(copy_source_missing(sketch("FROM scratch")))


@pytest.mark.parametrize(
    ("ignore", "where", "kept"),
    [
        ("dist\n", ".gitignore", True),
        ("/api/dist/\n", ".gitignore", True),
        ("/dist\n", ".gitignore", False),
        ("dist/*.js\n", ".gitignore", False),
        ("*.js\n!app.js\n", ".gitignore", False),
        ("# dist\n\n", ".gitignore", False),
        ("dist/*.js\n", "api/.gitignore", True),
        ("*.js\n", "api/dist/.gitignore", True),
        ("*.js\n", "web/.gitignore", False),
    ],
)
def test_git_keeps_files_out(ignore: str, where: str, kept: bool) -> None:
    files = {where: ignore, "api/main.go": ""}
    for use, source in (("api", "dist/app.js"), (".", "api/dist/app.js")):
        example = {"file": "api/Dockerfile", "context": files, "use_context": use}
        judged = judgement(sketch(f"FROM scratch\nCOPY {source} /", example))
        assert judged is not None
        assert kept_from_git(judged, source) is kept


# -- words and names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("COPY a /b || true", "||"),
        ("COPY a /b|| true", "/b||"),
        ("COPY a /b; ls", "/b;"),
        ("COPY a /b ; ls", ";"),
        ("COPY a /b & b", "&"),
        ("COPY a /b > /dev/null", ">"),
        ("COPY a /b >>log", ">>log"),
        ("COPY a /b 2>&1", "2>&1"),
        ("COPY a /b &>/dev/null", None),
        ("COPY a /b # why", "#"),
        ("COPY a /b #why", "#why"),
        ("COPY $(pwd)/a /b", "$(pwd)/a"),
        ("COPY a --chown=1 /b", "--chown=1"),
        ("COPY a --help-me /b", "--help-me"),
        ("COPY a/#b c#d /e", None),
        ("COPY #a# /b", None),
        ("COPY a&b a;b a>b /e", None),
        ('COPY ["a", "&&", "/b"]', None),
        ("COPY -- -a- /b", None),
        ("COPY ${A:-x} $B /b", None),
    ],
)
def test_words_that_are_no_paths(line: str, word: str | None) -> None:
    found, _ = first_non_path(transfer(line))
    assert (found.raw if found is not None else None) == word


@pytest.mark.parametrize(
    "path",
    [".env", "a/.env", ".env.production", "configs/.env.secrets", "my-secrets.env", "id_rsa", "deploy_private_key.pem",
     ".ssh/", "x/.aws/credentials", ".docker/config.json", ".kube", ".git", ".git/", ".netrc", "root/.git-credentials"],
)  # fmt: skip
def test_names_of_secrets(path: str) -> None:
    assert _kind(path)


@pytest.mark.parametrize(
    "path",
    [".env.example", ".env.sample", ".environment", "env", "prod.env", ".envrc.md", "id_rsa.pub", "public_key.pem",
     "ca.pem", "site.crt", ".github", ".gitignore", "docker/config.json", ".dockerignore", "aws/credentials.py", "."],
)  # fmt: skip
def test_names_of_no_secrets(path: str) -> None:
    assert not _kind(path)


@pytest.mark.parametrize(
    ("source", "is_remote", "is_git"),
    [
        ("https://example.org/a.tgz", True, False),
        ("https://example.org/a.git", True, True),
        ("https://example.org/a.git#v1:sub", True, True),
        ("https://example.org/a.gitx", True, False),
        ("git@example.org:a/b", True, True),
        ("ssh://git@example.org/a", True, True),
        ("github.com/a/b", False, False),
        ("a@b/c", False, False),
        ("http", False, False),
    ],
)
def test_remote_sources(source: str, is_remote: bool, is_git: bool) -> None:
    assert (remote(source), git(source)) == (is_remote, is_git)


def test_where_things_land() -> None:
    text = """\
FROM debian:trixie-slim AS builder
FROM gcr.io/distroless/static-debian13
ARG DIR
COPY --from=builder /usr/bin/tini /sbin/init
COPY --from=builder /usr/bin/tini /sbin/
COPY --from=builder /usr /opt
COPY --from=builder / /
COPY --from=builder /bin/sh $DIR/bin/
"""
    file, folder, whole, root, unknown = brought(sketch(text))
    assert file.lands("/usr/bin/tini") == "/sbin/init"
    assert folder.lands("/usr/bin/tini") == "/sbin/tini"
    assert whole.lands("/usr/bin/sh") == "/opt/bin/sh"
    assert (root.path, root.to, root.lands("/bin/sh")) == ("/", "/", "/bin/sh")
    assert unknown.to == "/x/bin"
