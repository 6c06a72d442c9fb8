"""What BuildKit refuses: every message, at its exact place. ``⟦`` and ``⟧`` mark the place in the examples."""

from __future__ import annotations

import pytest

from lucid_audit.dockerfile.parser import parse
from lucid_audit.text import SourceText


def problems(marked: str) -> list[tuple[str, str]]:
    """Return every message with the file in which its place is marked."""
    text = marked.replace("⟦", "").replace("⟧", "")
    found = []
    for problem in parse(SourceText("Dockerfile", text)).problems:
        start, end = problem.span
        found.append((problem.message, text[:start] + "⟦" + text[start:end] + "⟧" + text[end:]))
    return found


WHOLE_FILE = [
    ("⟦⟧", "the file has no instruction"),
    ("⟦⟧# only a comment\n\n", "the file has no instruction"),
    ("⟦ARG⟧ a\n", "the file has no FROM, so there is nothing to build"),
    ("⟦RUN⟧ a\nFROM b\n", "RUN stands before the first FROM, where only ARG may stand"),
    ("# escape=`\n⟦# escape=`⟧\nFROM a\n", "the escape directive is given twice"),
    ("FROM a\n⟦RUN " + "x" * 70_000 + "⟧\n", "the line has 70004 bytes; BuildKit reads at most 65535"),
    ("⟦FORM⟧ a\nRUN b\n", "there is no instruction FORM; did you mean FROM?"),
    ("FROM a\n⟦apt-get⟧ install b\n", "there is no instruction apt-get"),
    ("FROM a\n⟦⟧\\\n", "the line continues, but no instruction follows"),
]

INSTRUCTIONS = [
    ("⟦FROM⟧", "FROM needs an image, or an image AS name"),
    ("FROM ⟦a b⟧", "FROM needs an image, or an image AS name"),
    ("FROM ⟦a AS⟧", "FROM needs an image, or an image AS name"),
    ("FROM ⟦a AS b c⟧", "FROM needs an image, or an image AS name"),
    ("FROM ⟦a TO b⟧", "FROM needs an image, or an image AS name"),
    ("FROM a AS ⟦1b⟧", "a stage cannot be named 1b: a letter, then letters, digits, - _ or ."),
    ("FROM a AS ⟦b/c⟧", "a stage cannot be named b/c: a letter, then letters, digits, - _ or ."),
    ("RUN ⟦<<EOF⟧\nx", "the here-document has no end: no line is EOF"),
    ("RUN <<A ⟦<<B⟧\nA\nA", "the here-document has no end: no line is B"),
    ("COPY a ⟦<<EOF⟧\nEOF", "a here-document cannot be the destination"),
    ("⟦COPY⟧", "COPY needs a source and a destination"),
    ("COPY ⟦a⟧", "COPY needs a source and a destination"),
    ("ADD ⟦[\"a\"]⟧", "ADD needs a source and a destination"),
    ("COPY ⟦[\"a\", 1]⟧", "a JSON array here may hold strings only"),
    ("RUN ⟦[[\"a\"]]⟧", "a JSON array here may hold strings only"),
    ("VOLUME ⟦[null]⟧", "a JSON array here may hold strings only"),
    ("HEALTHCHECK CMD ⟦[1]⟧", "a JSON array here may hold strings only"),
    ("SHELL ⟦[1]⟧", "a JSON array here may hold strings only"),
    ("SHELL ⟦bash -c⟧", 'SHELL needs a JSON array: ["program", "argument"]'),
    ("SHELL ⟦[]⟧", "SHELL needs at least a program"),
    ("⟦SHELL⟧", "SHELL needs at least a program"),
    ("⟦ENV⟧", "ENV needs name=value"),
    ("ENV ⟦a⟧", "ENV a has no value: write a=..."),
    ("ENV a=b ⟦c⟧", "c has no value: write c=..."),
    ("LABEL ⟦=a⟧", "LABEL has a value without a name"),
    ("⟦ARG⟧", "ARG needs a name"),
    ("ARG ⟦=a⟧", "ARG has a default without a name"),
    ("⟦USER⟧", "USER needs an argument"),
    ("⟦ONBUILD⟧", "ONBUILD needs an argument"),
    ("ONBUILD ⟦ONBUILD⟧ RUN a", "ONBUILD cannot have ONBUILD as its trigger"),
    ("ONBUILD ⟦from⟧ a", "ONBUILD cannot have FROM as its trigger"),
    ("ONBUILD ⟦MAINTAINER⟧ a", "ONBUILD cannot have MAINTAINER as its trigger"),
    ("ONBUILD ⟦COPPY⟧ a b", "there is no instruction COPPY; did you mean COPY?"),
    ("⟦HEALTHCHECK⟧", "HEALTHCHECK needs NONE or CMD"),
    ("HEALTHCHECK ⟦curl⟧ x", "HEALTHCHECK needs NONE or CMD, not curl"),
    ("HEALTHCHECK ⟦CMD\u00a0x⟧", "HEALTHCHECK needs NONE or CMD, not CMD\u00a0x"),
    ("HEALTHCHECK ⟦CMD⟧", "HEALTHCHECK CMD needs a command"),
    ("HEALTHCHECK ⟦CMD⟧ []", "HEALTHCHECK CMD needs a command"),
    ("HEALTHCHECK NONE ⟦x⟧", "HEALTHCHECK NONE takes nothing after it"),
    ("HEALTHCHECK --interval=⟦5⟧ CMD x", "--interval is a duration such as 30s or 1m30s, not 5"),
    ("HEALTHCHECK --timeout=⟦999us⟧ CMD x", "--timeout cannot be less than 1ms"),
    ("HEALTHCHECK --start-period=⟦-5s⟧ CMD x", "--start-period cannot be less than 1ms"),
    ("HEALTHCHECK --start-interval=⟦3000000h⟧ CMD x", "--start-interval is a duration such as 30s or 1m30s, not 3000000h"),
    ("HEALTHCHECK --retries=⟦-1⟧ CMD x", "--retries cannot be negative"),
    ("HEALTHCHECK --retries=⟦3.0⟧ CMD x", "--retries is a number, not 3.0"),
    ("⟦VOLUME⟧", "VOLUME needs an argument"),
    ("VOLUME [\"/a\", ⟦\" \"⟧]", "a volume cannot be empty"),
    ("STOPSIGNAL ⟦SIGFOO⟧", "SIGFOO is no signal"),
    ("STOPSIGNAL ⟦0⟧", "0 is no signal"),
    ("STOPSIGNAL ⟦SIGRTMIN+16⟧", "SIGRTMIN+16 is no signal"),
    ("EXPOSE 80 ⟦65536⟧", "65536 is no port: a number up to 65535, or a range such as 8000-8010"),
    ("EXPOSE ⟦90-80⟧", "90-80 is no port: a number up to 65535, or a range such as 8000-8010"),
    ("EXPOSE ⟦http⟧", "http is no port: a number up to 65535, or a range such as 8000-8010"),
    ("EXPOSE ⟦/tcp⟧", "/tcp is no port: a number up to 65535, or a range such as 8000-8010"),
    ("EXPOSE ⟦80/icmp⟧", "EXPOSE knows tcp, udp and sctp, not icmp"),
    ("EXPOSE ⟦localhost:80:80⟧", "localhost is no IP address"),
    ("EXPOSE ⟦x:80⟧", "x is no port: a number up to 65535, or a range such as 8000-8010"),
    ("EXPOSE ⟦1-3:80-81⟧", "the ranges 1-3 and 80-81 differ in length"),
]  # fmt: skip

FLAGS = [
    ("COPY ⟦--form=a⟧ b c", "COPY has no flag --form; did you mean --from?"),
    ("USER ⟦--x⟧ b", "USER has no flag --x"),
    ("ONBUILD ⟦--x⟧ USER b", "ONBUILD has no flag --x"),
    ("COPY --chown=1 ⟦--chown=2⟧ b c", "--chown is given twice"),
    ("COPY ⟦--from⟧ b c", "--from needs a value: --from=..."),
    ("COPY ⟦--link=⟧ b c", "--link= has no value; write true or false, or --link alone"),
    ("COPY --link=⟦yes⟧ b c", "--link is true or false, not yes"),
    ("COPY --from=⟦$A⟧ b c", "--from cannot contain a variable; name a stage for it: FROM image AS name"),
    ("COPY --from=⟦\"x${A}\"⟧ b c", "--from cannot contain a variable; name a stage for it: FROM image AS name"),
    ("RUN --network=⟦bridge⟧ x", "--network is default, none or host, not bridge"),
    ("RUN --security=⟦⟧ x", "--security is sandbox or insecure, not empty"),
    ("RUN --mount=⟦⟧ x", "--mount needs fields such as type=cache,target=/path"),
    ("RUN --mount=⟦'a\"b'⟧ x", "--mount needs fields such as type=cache,target=/path"),
    ("RUN --mount=⟦type=cach⟧,target=/x x", "--mount: there is no type cach; did you mean cache?"),
    ("RUN --mount=type=cache,⟦tagret=/x⟧ x", "--mount: there is no option tagret; did you mean target?"),
    ("RUN --mount=type=cache,⟦target⟧ x", "--mount: target needs a value: target=..."),
    ("RUN --mount=type=cache,target=/x,⟦⟧ x", "--mount: a field is empty"),
    ("RUN --mount=⟦from=$A⟧,target=/x x", "--mount: from cannot contain a variable; name a stage for it: FROM image AS name"),
    ("RUN --mount=type=cache,⟦sharing=no⟧ x", "--mount: sharing is shared, private or locked, not no"),
    ("RUN --mount=⟦ro=yes⟧ x", "--mount: readonly is true or false, not yes"),
    ("RUN --mount=type=cache,⟦uid=root⟧ x", "--mount: uid is a number, not root"),
    ("RUN --mount=type=cache,⟦mode=0999⟧ x", "--mount: mode is an octal number such as 0400, not 0999"),
    ("RUN --mount=⟦mode=0400⟧ x", "--mount: mode has no meaning for type=bind, only for secret, ssh or cache"),
    ("RUN --mount=type=cache,⟦size=1g⟧ x", "--mount: size has no meaning for type=cache, only for tmpfs"),
    ("RUN --mount=⟦type=secret⟧ x", "--mount: type=secret needs an id, a source or a target"),
    ("RUN --mount=⟦type=secret,id=a,source=b⟧ x", "--mount: type=secret takes an id or a source, not both"),
    ("RUN --mount=⟦type=secret,id=a,from=b⟧ x", "--mount: type=secret takes no from"),
    ("RUN --mount=⟦\"type=cach\"⟧ x", "--mount: there is no type cach; did you mean cache?"),
    ("RUN --device=⟦⟧ x", "--device needs the name of a device"),
    ("RUN --device=a,⟦b⟧ x", "--device: b is neither the name, which is a, nor required"),
    ("RUN --device=a,⟦required=x⟧ x", "--device: required is true or false, not x"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("marked", "message"), [*WHOLE_FILE, *(("FROM a\n" + text, message) for text, message in INSTRUCTIONS + FLAGS)]
)
def test_refused(marked: str, message: str) -> None:
    assert problems(marked) == [(message, marked)]


@pytest.mark.parametrize(
    "text",
    [
        "RUN", "CMD", "ENTRYPOINT", "CMD []", "ARG a b=c", "ARG --x a", "STOPSIGNAL --x 9", "HEALTHCHECK --x NONE", "RUN -- --x",
        "STOPSIGNAL sigterm", "STOPSIGNAL TERM", "STOPSIGNAL 9", "STOPSIGNAL SIGRTMAX-14", "STOPSIGNAL $S", 'STOPSIGNAL "SIGTERM"',
        "EXPOSE 0 80/TCP 8000-8010/udp 1/sctp 80/", "EXPOSE $P ${P}/x \"80\"", "EXPOSE 127.0.0.1:80:8080 [::1]:80:80 80:80 1-3:80",
        "EXPOSE 00080", "HEALTHCHECK --interval=0 --timeout=1.5s --start-period= --start-interval=1h2m3s4ms5us --retries=0 CMD x",
        "HEALTHCHECK --retries=+3 cmd x", "HEALTHCHECK NONE []", "FROM a aS B-1.c_d", "COPY --link=FALSE --parents a b", "VOLUME $A",
        "ADD --keep-git-dir=true --checksum=x --unpack --exclude=a --exclude=b c d", "COPY --from=0 a b", "FROM --platform=$P a",
        "RUN --mount=type=$T,mode=$M,size=$S a", "RUN --mount=from=a$ b", "RUN --device=a=b,required c",
        "RUN --mount=type=secret,id=a,required,uid=65532,env=X --mount=type=tmpfs,target=/x,size=1g --mount=type=ssh --mount=rw,source=a b",
        "RUN --mount=\"type=bind,source=a b,target=/x\" c", "RUN --security=insecure --network=host x", "ONBUILD RUN --network=none x",
        "MAINTAINER x", "SHELL [\"a\"]", "LABEL a b",
    ],
)  # fmt: skip
def test_accepted(text: str) -> None:
    assert problems(f"FROM a\n{text}\n") == []


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("FROM a\nENV b", "parser"), ("FROM a\nRUN <<A", "parser"), ("", "parser"), ("# escape=x\nFROM a", "parser"),
        ("FROM a\nFOO", "instruction"), ("FROM a\nUSER", "instruction"), ("RUN a", "instruction"), ("ARG a", "instruction"),
        ("FROM a\nONBUILD FOO", "trigger"), ("FROM a\nONBUILD COPY --x a b", "trigger"), ("FROM a\nONBUILD ENV a", "parser"),
        ("FROM a\nONBUILD FROM b", "instruction"),
    ],
)  # fmt: skip
def test_every_problem_knows_where_buildkit_notices_it(text: str, level: str) -> None:
    assert [problem.level for problem in parse(SourceText("Dockerfile", text)).problems] == [level]


def test_problems_are_ordered_by_place() -> None:
    found = parse(SourceText("Dockerfile", "FROM a\nCOPY --x --y b\nRUN " + "x" * 70_000 + "\nFOO\n")).problems
    assert [problem.span.start for problem in found] == sorted(problem.span.start for problem in found)
    assert len(found) == 5
