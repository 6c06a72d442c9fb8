"""What RUN hands to a shell: which shell, which text, which variables are known; and where every character of it stands."""

from __future__ import annotations

import pytest

from lucid_audit.dockerfile.scripts import ShellScript, shell_scripts
from tests.sketch import sketch


def scripts(text: str) -> list[ShellScript]:
    build = sketch(text)
    return list(shell_scripts(build.dockerfile, build.graph))


def texts(text: str) -> list[str]:
    return [one.text for one in scripts(text)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("RUN a \\\n # no\n  b", "#!/bin/sh\na   b"),
        ('SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN a', "#!/bin/bash\na"),
        ('SHELL ["/bin/bash", "-eo", "pipefail", "-c"]\nRUN a', "#!/bin/bash -e\na"),
        ('SHELL ["/usr/bin/env", "LC_ALL=C", "dash", "-c"]\nRUN a', "#!/bin/dash\na"),
        ("# hadolint shell=bash\nRUN a", "#!/bin/bash\na"),
        ('# hadolint shell=bash\nSHELL ["/bin/dash", "-c"]\nRUN a', "#!/bin/dash\na"),
        ("RUN <<EOF\na\nEOF", "#!/bin/sh\na\n"),
        ("RUN <<-EOF\n\ta\n\t\tb\n\tEOF", "#!/bin/sh\na\nb\n"),
        ("RUN <<EOF\n#!/usr/bin/env -S bash -e\na\nEOF", "#!/bin/bash -e\na\n"),
        ("RUN <<EOF\n# shellcheck disable=all\n\na\nEOF", "#!/bin/sh\n# shellcheck disable=all\n\na\n"),
        ("RUN cat <<'EOF' >x && y\na\nEOF", "#!/bin/sh\ncat <<'EOF' >x && y\na\nEOF"),
        ("RUN cat <<A <<-B\na\nA\n\tb\n\tB", "#!/bin/sh\ncat <<A <<-B\na\nA\n\tb\nB"),
        ("ONBUILD RUN a", "#!/bin/sh\na"),
        (
            "ARG b\nENV c=1 d=2\nRUN echo $b $d http_proxy",
            "#!/bin/sh\nexport b=1 d=1 http_proxy=1\necho $b $d http_proxy",
        ),
        ("ARG b\nRUN <<EOF\n# why\necho $b\nEOF", "#!/bin/sh\n# why\nexport b=1\necho $b\n"),
    ],
)
def test_a_script(lines: str, expected: str) -> None:
    assert texts(f"FROM debian:13\n{lines}\n") == [expected]


@pytest.mark.parametrize(
    "lines",
    [
        'FROM debian:13\nRUN ["a"]',
        "FROM debian:13\nRUN <<EOF\n#!/usr/bin/python3\na\nEOF",
        'FROM debian:13\nSHELL ["pwsh", "-c"]\nRUN a',
        "FROM debian:13\n# hadolint shell=powershell\nRUN a",
        "FROM mcr.microsoft.com/windows/nanoserver:ltsc2022\nRUN a",
        'FROM debian:13\nSHELL ["/usr/bin/python3", "-c"]\nRUN a',
    ],
)
def test_no_script_of_a_shell(lines: str) -> None:
    assert not texts(f"{lines}\n")


def test_a_shell_of_another_language_is_said() -> None:
    assert [one.reason for one in scripts('FROM a\nSHELL ["/bin/zsh", "-c"]\nRUN a\n')] == [
        "ShellCheck does not know zsh"
    ]


def test_shell_and_variables_are_inherited_by_stages_but_comments_are_not() -> None:
    text = 'FROM debian:13 AS one\nENV x=1\nSHELL ["/bin/bash", "-c"]\n# hadolint shell=ksh\nRUN a\nFROM one\nRUN echo $x\n'
    assert texts(text) == ["#!/bin/ksh\na", "#!/bin/bash\nexport x=1\necho $x"]


def test_what_is_not_written_stands_at_the_keyword() -> None:
    text = "FROM debian:13\nARG b\nRUN echo $b\n"
    (one,) = scripts(text)
    place = one.span((2, 1), (2, 4))
    assert text[place.start : place.end] == "RUN"
    place = one.span((3, 6), (3, 8))
    assert text[place.start : place.end] == "$b"
    place = one.span((9, 9), (9, 9))  # behind the end
    assert text[place.start : place.end] == "b"
