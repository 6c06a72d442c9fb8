"""Build commands as people write them. For scripts the oracle is bash itself with a docker that only writes down its words."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid_audit.builders.command import BuildCommand, resolve
from lucid_audit.builders.written import kind_of, written
from lucid_audit.text import SourceText
from lucid_audit.values import Unknown
from tests.builders.tree import plant

BASE = {
    "Dockerfile": "FROM a\n",
    "api/Dockerfile": "FROM a\n",
    "web/Dockerfile": "FROM a\n",
    "web/Dockerfile.dev": "FROM a\n",
}


def found(root: Path, *names: str) -> list[BuildCommand]:
    return list(written(names, str(root)).commands)


def short(root: Path, one: BuildCommand) -> str:
    """One build in a line: place, names, where, how."""
    place = SourceText(one.file, Path(one.file).read_text("utf-8")).position(one.span.start)
    where = resolve(one)
    if isinstance(where, Unknown):
        told = f"? {where.reason}"
    elif where is None:
        told = "elsewhere"
    else:
        told = f"{os.path.relpath(where.dockerfile, root)} in {os.path.relpath(where.context, root)}"
        told += f" no {where.missing}" if where.missing else ""
    names = ",".join((*one.tags, *(f"{name}:?" for name in one.names))) or "-"
    platforms = "?" if isinstance(one.platforms, Unknown) else "+".join(one.platforms)
    args = ",".join(f"{name}={'?' if value is None else value}" for name, value in one.args.items())
    more = " ".join(filter(None, (platforms, args, str(one.target) if isinstance(one.target, str) else "?")))
    return f"{place.line}:{place.column} {names} | {told}" + (f" | {more}" if more else "")


SCRIPTS = {
    "variables, defaults and where the script stands": (
        ('HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"\nTAG=${TAG:-1.0}\ncd "$HERE/.."\n'
        'docker build --platform=linux/arm64 -t "team/api:$TAG" -f api/Dockerfile .\n'),
        ["4:1 team/api:1.0 | api/Dockerfile in . | linux/arm64"],
    ),
    "functions with their arguments": (
        'build() {\n  local name="$1" dir=${2:-api}\n  docker build -t "team/$name:1" "$dir"\n}\nbuild api\nbuild web web\nbuild "$(date)" web\n',
        ["3:3 team/api:1 | api/Dockerfile in api", "3:3 team/web:1 | web/Dockerfile in web", "3:3 - | web/Dockerfile in web"],
    ),
    "functions that nobody calls here": (
        'function go { docker build -t "$1" api; }\n',
        ["1:15 - | api/Dockerfile in api"],
    ),
    "entries that are taken apart": (
        ('for e in "one:api" "two:web"; do\n  IFS=: read -r n d <<< "$e"\n  docker build -t "$n" "$d"\n'
        '  docker build -t "${e%%:*}-x" "${e##*:}"\ndone\n'),
        ["3:3 one | api/Dockerfile in api", "4:3 one-x | api/Dockerfile in api", "3:3 two | web/Dockerfile in web",
         "4:3 two-x | web/Dockerfile in web"],
    ),
    "pushd and popd": (
        "pushd web > /dev/null\ndocker build -t w .\npopd > /dev/null\ndocker build -t r .\n",
        ["2:1 w | web/Dockerfile in web", "4:1 r | Dockerfile in ."],
    ),
    "a comment sets nothing": (
        '# e.g. F=Dockerfile.other ./build.sh\nF="${F:-Dockerfile}"\ndocker build -f "$F" -t a .\n',
        ["3:1 a | Dockerfile in ."],
    ),
    "a value in single quotes": ("A='$B'\nA=$B\ndocker build -t x:1 -t y:$A api\n", ["3:1 x:1,y:? | api/Dockerfile in api"]),
    "loops over lists": (
        ("ALL=(api web)\nfor one in \"${ALL[@]}\"; do\n  name=team/$one\n  docker build -t $name:1 $one\ndone\n"
        "for x in a b; do docker build -t $x:2 --build-arg X=$x .; done\n"),
        ["4:3 team/api:1 | api/Dockerfile in api", "4:3 team/web:1 | web/Dockerfile in web",
         "6:18 a:2 | Dockerfile in . | X=a", "6:18 b:2 | Dockerfile in . | X=b"],
    ),
    "cd counts until its subshell ends": (
        "(cd web && docker build -t w .)\ndocker build -t r .\npushd api\ndocker build -t a .\n",
        ["1:12 w | web/Dockerfile in web", "2:1 r | Dockerfile in .", "4:1 a | api/Dockerfile in api"],
    ),
    "after a branch that moves nobody knows where": (
        'if [ "$1" ]; then cd web; docker build -t w .; fi\ndocker build -t r .\n',
        ["1:27 w | web/Dockerfile in web", "2:1 r | ? it is not known in which folder the command is run"],
    ),
    "what is set in a branch is not known after it": (
        'T=1\nif [ "$1" ]; then T=2; fi\ndocker build -t a:$T -t b:1 api\n',
        ["3:1 b:1,a:? | api/Dockerfile in api"],
    ),
    "what is printed by programs, and arguments": (
        'docker build -t a:$(git describe --tags) --target "$1" --build-arg V="$2" "api"\ndocker build -t x $3\n',
        ["1:1 a:? | api/Dockerfile in api | V=? ?", "2:1 x | ? $3 is an argument of the script or function"],
    ),
    "options in a variable": (
        'OPTS="--platform linux/arm64,linux/amd64 --push"\nsudo docker buildx build $OPTS -t a api\n',
        ["2:1 a | api/Dockerfile in api | linux/arm64+linux/amd64"],
    ),
    "the Dockerfile may be made by the script": (
        "cat > new/Dockerfile <<EOF\nFROM a\nEOF\ndocker build new\n",
        ["4:1 - | ? its script makes or fetches files first"],
    ),
    "a context that is not here": ("docker build -t a nothing/\n", ["1:1 a | nothing/Dockerfile in nothing no context"]),
    "no build": ("echo docker build .\ndocker build --help\ndocker run x build .\ndocker build - < Dockerfile\n# docker build .\n", []),
    "contexts that are elsewhere": ("docker build https://example.org/a.git#main\n", ["1:1 - | elsewhere"]),
    "other builders": (
        "podman build -f Dockerfile.dev -t p web\nbuildah bud --arch arm64 -t b api\nnerdctl build -t n api\ndocker image build -tq api\n",
        ["1:1 p | web/Dockerfile.dev in web", "2:1 b | api/Dockerfile in api | linux/arm64", "3:1 n | api/Dockerfile in api",
         "4:1 q | api/Dockerfile in api"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SCRIPTS)
def test_scripts(tmp_path: Path, case: str) -> None:
    text, expected = SCRIPTS[case]
    plant(tmp_path, {**BASE, "scripts/build.sh": text})
    assert [short(tmp_path, one) for one in found(tmp_path, "scripts/build.sh")] == expected


WORDS = st.sampled_from(["api", "web", "1.0", "a-b", "x y", ""])
NAMES = st.sampled_from(["A", "B", "C"])
TEXTS = st.sampled_from(
    ["$A", "${B}", '"$C"', "'$A'", "lit", "${A:-web}", "${C-api}", "pre$B", '"${A} $B"', "${B:-$C}", "a\\ b"]
)
LINES = st.one_of(
    st.tuples(NAMES, st.one_of(WORDS.map(lambda word: f"'{word}'"), TEXTS)).map(lambda pair: f"{pair[0]}={pair[1]}"),
    TEXTS.map(lambda text: f"docker build -t n --build-arg V={text} api"),
    st.tuples(NAMES, TEXTS).map(
        lambda pair: f"for {pair[0]} in x {pair[1]}; do docker build --target {pair[1]} api; done"
    ),
    st.just("cd web"),
    TEXTS.map(
        lambda text: (
            f'f() {{ docker build --build-arg V=$1 --target "${{2:-$A}}" api; cd api; }}\nf {text} {text}\ncd ..'
        )
    ),
    TEXTS.map(lambda text: f'g() {{\n  local A=$1\n  B=$A\n  docker build --target "$A" api\n}}\ng {text}'),
    st.tuples(NAMES, TEXTS, st.sampled_from(["%%:*", "##*:", "%/*", "#*/", "%b", "##?"])).map(
        lambda three: f'{three[0]}={three[1]}:a/b\ndocker build --target "${{{three[0]}{three[2]}}}" api'
    ),
    TEXTS.map(lambda text: f"IFS=: read -r A C <<< {text}:z:y"),
    st.sampled_from(["pushd web >/dev/null", "popd >/dev/null"]),
    st.just("cd .."),
    st.just("(cd api; docker build .)"),
)


@settings(max_examples=40, deadline=None)
@given(lines=st.lists(LINES, min_size=1, max_size=8))
def test_what_is_known_is_what_bash_calls(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    root = tmp_path_factory.mktemp("oracle")
    plant(
        root,
        {
            **BASE,
            "run.sh": "\n".join(lines) + "\n",
            "bin/docker": '#!/bin/sh\nprintf "%s\\0" "$PWD" "$@"; printf "\\n"\n',
        },
    )
    (root / "bin/docker").chmod(0o755)
    environment = {"PATH": f"{root}/bin:/usr/bin:/bin"}
    done = subprocess.run(["bash", "run.sh"], cwd=root, env=environment, capture_output=True, check=False)
    calls = [line.split(b"\0")[:-1] for line in done.stdout.split(b"\n") if line]
    called = [([word.decode() for word in call]) for call in calls]
    for one in found(root, "run.sh"):
        assert any(fits(one, words) for words in called), (one.folders, one.target, dict(one.args))


def fits(one: BuildCommand, words: list[str]) -> bool:
    """Whether a call that bash made is what we know of a command; what we do not know fits anything."""

    def values(flag: str) -> list[str]:
        return [word for before, word in itertools.pairwise(words) if before == flag]

    known = [f"{name}={value}" for name, value in one.args.items() if value is not None]
    return (
        (not one.folders or words[0] == one.folders[0])
        and (
            not isinstance(one.target, str) or values("--target")[-1:] == ([one.target] if "--target" in words else [])
        )
        and all(pair in values("--build-arg") for pair in known)
    )


WORKFLOW = """\
name: build
on: push
env:
  REGISTRY: registry.example
jobs:
  images:
    strategy:
      matrix:
        service: [api, web]
        include:
          - {service: web, file: web/Dockerfile.dev}
    env:
      NAME: ${{ env.REGISTRY }}/team
    steps:
      - uses: actions/checkout@v4
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: ${{ env.NAME }}/${{ matrix.service }}
      - uses: docker/build-push-action@v6
        with:
          context: ${{ matrix.service }}
          platforms: linux/arm64,linux/amd64
          tags: ${{ steps.meta.outputs.tags }}
          build-args: |
            A=1
            B=${{ github.sha }}
      - run: |
          echo one
          docker build -t $NAME/${{ matrix.service }}:1 \\
            ${{ matrix.service }}
  root:
    defaults:
      run: {working-directory: web}
    steps:
      - uses: docker/build-push-action@v6
        with: {file: ./api/Dockerfile, push: true, tags: "a/b:${{ github.sha }},a/b:1"}
      - run: docker build -f Dockerfile.dev .
  other:
    steps:
      - uses: actions/checkout@v4
        with: {repository: some/where, path: sub}
      - uses: docker/build-push-action@v6
        with: {context: sub/app}
"""


def test_workflows(tmp_path: Path) -> None:
    plant(tmp_path, {**BASE, ".github/workflows/build.yml": WORKFLOW})
    assert [short(tmp_path, one) for one in found(tmp_path, ".github/workflows/build.yml")] == [
        "20:9 registry.example/team/api:? | api/Dockerfile in api | linux/arm64+linux/amd64 A=1,B=?",
        "30:11 registry.example/team/api:1 | api/Dockerfile in api",
        "20:9 registry.example/team/web:? | web/Dockerfile in web | linux/arm64+linux/amd64 A=1,B=?",
        "30:11 registry.example/team/web:1 | web/Dockerfile in web",
        "36:9 a/b:1,a/b:? | api/Dockerfile in .",
        "38:14 - | web/Dockerfile.dev in web",
        "43:9 - | ? it is not known in which folder the command is run",
    ]


PIPELINE = """\
variables: {FOLDER: web, IMAGE: "team/$FOLDER"}
build:
  variables: {TAG: "2"}
  before_script: [cd $FOLDER]
  script:
    - docker build -t "$IMAGE:$TAG" .
    - |
      echo two
      docker build -t two \\
        -f Dockerfile.dev .
kaniko:
  script:
    - /kaniko/executor --context "$CI_PROJECT_DIR/api" --dockerfile "$CI_PROJECT_DIR/api/Dockerfile" --destination r/k:1
"""


def test_pipelines(tmp_path: Path) -> None:
    plant(tmp_path, {**BASE, ".gitlab-ci.yml": PIPELINE})
    assert [short(tmp_path, one) for one in found(tmp_path, ".gitlab-ci.yml")] == [
        "6:7 team/web:2 | web/Dockerfile in web",
        "9:7 two | web/Dockerfile.dev in web",
        "13:7 r/k:1 | api/Dockerfile in api",
    ]


MAKEFILE = """\
DOCKER ?= docker
NAME := team/api
TAG = $(shell git describe)
.PHONY: image
image: ## builds
	@$(DOCKER) build -t $(NAME):$(TAG) \\
		--build-arg N=$(N) api
	cd web && docker build -t $(NAME)-web:1 .
web:
	docker build -t team/$@:1 $@
%.image:
	docker build -t $* $*
"""


def test_makefiles(tmp_path: Path) -> None:
    plant(tmp_path, {**BASE, "Makefile": MAKEFILE})
    assert [short(tmp_path, one) for one in found(tmp_path, "Makefile")] == [
        "6:3 team/api:? | api/Dockerfile in api | N=?",
        "8:2 team/api-web:1 | web/Dockerfile in web",
        "10:2 team/web:1 | web/Dockerfile in web",
        "12:2 - | ? $make_names is set nowhere that can be read",
    ]


MARKDOWN = """\
# Build

Say `docker build .` or

```console
user@host:~$ docker build -t <name>:1 \\
    api
Step 1/3 : docker build of nothing .
$ docker build -t two web
```

1. Then

   ```sh
   docker build -t three --platform linux/arm64 .
   ```

Or:

    docker build -t four web

```python
run("docker build -t no .")
```

```dockerfile
RUN docker build -t neither .
```
"""


def test_markdown(tmp_path: Path) -> None:
    plant(tmp_path, {**BASE, "docs/build.md": MARKDOWN})
    assert [short(tmp_path, one) for one in found(tmp_path, "docs/build.md")] == [
        "6:14 - | api/Dockerfile in api",
        "9:3 two | web/Dockerfile in web",
        "15:4 three | Dockerfile in . | linux/arm64",
        "20:5 four | web/Dockerfile in web",
    ]


def test_kinds_by_name() -> None:
    names = [
        "a/build.sh",
        "Makefile",
        "a/x.mk",
        "README.md",
        ".github/workflows/a.yaml",
        "x/action.yml",
        ".gitlab-ci.yml",
        "docker-build-commands.txt",
        "a/b.py",
        "tool",
    ]
    assert [kind_of(name) for name in names] == [
        "script",
        "make",
        "make",
        "markdown",
        "workflow",
        "workflow",
        "pipeline",
        "script",
        "",
        "?",
    ]


def test_programs_without_an_ending_are_read_when_they_are_for_a_shell(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            **BASE,
            "one": "#!/usr/bin/env bash\ndocker build -t a .\n",
            "two": "#!/usr/bin/python3\ndocker build -t a .\n",
        },
    )
    assert [one.tags for one in found(tmp_path, "one", "two")] == [("a",)]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    plant(tmp_path, {".github/workflows/a.yml": "docker: [\n", "big.sh": "docker build .\n" * 100_000})
    told = [one.reason for one in written([".github/workflows/a.yml", "big.sh"], str(tmp_path)).troubles]
    assert len(told) == 2
    assert "not valid YAML" in told[0]
    assert "larger than" in told[1]


SOUP = st.text(st.sampled_from("docker build -t \n\t$(){}\"'`\\|&;<>#=[]*~:@x/.\u00e9"), max_size=200)


@settings(max_examples=150, deadline=None)
@given(text=SOUP, name=st.sampled_from(["a.sh", "Makefile", "a.md", ".gitlab-ci.yml", ".github/workflows/a.yml"]))
def test_any_text_can_be_read(tmp_path_factory: pytest.TempPathFactory, text: str, name: str) -> None:
    root = tmp_path_factory.mktemp("soup")
    lines = text.replace("\n", "\n            ")
    wrapped = {
        ".gitlab-ci.yml": f"build:\n  script:\n    - |\n            docker build .\n            {lines}\n",
        ".github/workflows/a.yml": f"jobs:\n  build:\n    steps:\n      - run: |\n            docker build .\n            {lines}\n",
        "a.md": f"```sh\ndocker build .\n{text}\n```\n",
        "Makefile": f"build:\n\tdocker build .\n{text}\n",
        "a.sh": f"docker build .\n{text}\n",
    }
    plant(root, {"Dockerfile": "FROM a\n", name: wrapped[name]})
    for one in found(root, name):
        length = len(Path(one.file).read_text("utf-8"))
        assert 0 <= one.span.start <= one.span.end <= length
        resolve(one)
        json.dumps([one.tags, one.names, one.hidden, dict(one.args)])


EXTENDED = {
    ".gitlab-ci.yml": """\
include:
  - local: /ci/jobs.yaml
  - project: team/other
    file: x.yml
variables: {TAG: "1"}
.base:
  variables: {DIR: api, NAME: team/base}
  before_script: [cd web]
  script:
    - docker build -t $NAME:$TAG .
one:
  extends: .base
  variables: {NAME: team/one}
two:
  extends: [.base, .remote]
  before_script: []
three:
  script:
    - !reference [.setup, script]
    - [docker build -t team/three:$DIR ., echo]
  extends: .remote
loop: {extends: loop}
""",
    "ci/jobs.yaml": """\
.setup:
  script:
    - cd api
.remote:
  script:
    - docker build -t team/remote:$TAG $DIR
  variables: {DIR: web}
included:
  extends: .remote
""",
}


def test_what_a_pipeline_extends_refers_to_and_includes(tmp_path: Path) -> None:
    plant(tmp_path, {**BASE, **EXTENDED})
    commands = found(tmp_path, ".gitlab-ci.yml", "ci/jobs.yaml")
    assert [(os.path.relpath(one.file, tmp_path), short(tmp_path, one)) for one in commands] == [
        (".gitlab-ci.yml", "10:7 team/base:1 | web/Dockerfile in web"),
        (".gitlab-ci.yml", "10:7 team/one:1 | web/Dockerfile in web"),
        ("ci/jobs.yaml", "6:7 team/remote:1 | web/Dockerfile in web"),
        (".gitlab-ci.yml", "20:8 team/three:web | api/Dockerfile in api"),
        ("ci/jobs.yaml", "6:7 team/remote:1 | web/Dockerfile in web"),
        ("ci/jobs.yaml", "6:7 team/remote:1 | web/Dockerfile in web"),
    ]


def test_a_pipeline_that_would_never_end(tmp_path: Path) -> None:
    """Jobs that extend, and lists that refer to, twenty others each, ten deep."""

    def many(to: int) -> str:
        return f"extends: [{', '.join(f'.j{to}_{n}' for n in range(20))}]" if to < 10 else "variables: {A: b}"

    jobs = "".join(
        f".j{depth}_{n}:\n  {many(depth + 1)}\n  script:\n" + f"    - !reference [.j{depth + 1}_0, script]\n" * 20
        for depth in range(10)
        for n in range(20)
    )
    plant(
        tmp_path,
        {**BASE, ".gitlab-ci.yml": f"include: [local: /.gitlab-ci.yml]\nlast:\n  script: docker build api\n{jobs}"},
    )
    assert [short(tmp_path, one) for one in found(tmp_path, ".gitlab-ci.yml")] == ["3:11 - | api/Dockerfile in api"]
