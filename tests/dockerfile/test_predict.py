"""The predicted container: what is inherited, what the last instruction decides, and where every value comes from."""

from __future__ import annotations

from lucid_audit.container.config import Container
from lucid_audit.container.execute import effective, find_program, search_path
from lucid_audit.container.files import State
from lucid_audit.text import Span
from lucid_audit.values import Unknown
from tests.sketch import sketch

PYTHON = "FROM gcr.io/distroless/python3-debian13\n"


def predicted(text: str) -> Container:
    container = sketch(text).container
    assert container is not None
    return container


def argv(text: str) -> tuple[str, ...] | None:
    found = effective(predicted(text)).known()
    return found.known() if found is not None else None


def test_the_base_gives_what_nothing_sets() -> None:
    container = predicted(PYTHON + 'CMD ["main.py"]\n')
    assert container.user.inherited
    assert container.user.value in ("", "0")
    assert argv(PYTHON + 'CMD ["main.py"]\n') == ("/usr/bin/python3.13", "main.py")
    assert container.env["LANG"].value == "C.UTF-8"


def test_an_entrypoint_empties_a_cmd_of_another_stage_only() -> None:
    assert argv('FROM scratch AS a\nCMD ["/x"]\nFROM a\nENTRYPOINT ["/y"]\n') == ("/y",)
    assert argv('FROM scratch\nCMD ["x"]\nENTRYPOINT ["/y"]\n') == ("/y", "x")
    assert argv(PYTHON + 'ENTRYPOINT []\nCMD ["/y"]\n') == ("/y",)


def test_the_last_one_wins_and_knows_its_place() -> None:
    text = "FROM scratch\nUSER 1\nUSER 2:3\nWORKDIR /a\nWORKDIR b\n"
    container = predicted(text)
    assert container.user.value == "2:3"
    place = container.user.place
    assert isinstance(place, Span)
    assert text[place.start : place.end] == "2:3"
    assert container.previous_user is not None
    assert container.previous_user.value == "1"
    assert container.workdir.value == "/a/b"


def test_an_unknown_base_leaves_everything_unknown() -> None:
    container = predicted("FROM registry.example.com/x:1\nENV A=1\n")
    for traced in (container.user, container.entrypoint, container.cmd, container.health, container.workdir):
        assert isinstance(traced.value, Unknown)
    assert container.env["A"].value == "1"
    assert container.env_open
    assert isinstance(search_path(container), Unknown)


def test_health() -> None:
    found = predicted('FROM scratch\nHEALTHCHECK --interval=1m30s --retries=5 CMD ["/x"]\n').health.known()
    assert found is not None
    assert (found.interval, found.timeout, found.retries) == (90.0, None, 5)
    off = predicted("FROM scratch AS a\nHEALTHCHECK CMD x\nFROM a\nHEALTHCHECK NONE\n").health.known()
    assert off is not None
    assert off.argv is None


def test_files_have_three_answers() -> None:
    container = predicted(
        "FROM golang:1.24 AS build\n"
        + PYTHON
        + "COPY --from=build /usr/bin/curl /usr/bin/curl\nCOPY --from=build /out /opt\n"
    )
    states = {
        path: container.files.find(path).state for path in ("/usr/bin/curl", "/bin/sh", "/opt/x", "/usr/bin/python3")
    }
    assert states == {
        "/usr/bin/curl": State.PRESENT,
        "/bin/sh": State.ABSENT,
        "/opt/x": State.UNKNOWN,
        "/usr/bin/python3": State.PRESENT,
    }


def test_programs_are_found_along_path_through_a_merged_usr() -> None:
    container = predicted(PYTHON + "COPY --from=busybox:1 /bin/wget /bin/wget\n")
    assert find_program(container, "wget").state is State.PRESENT
    assert container.files.find("/usr/bin/wget").state is State.PRESENT
    assert find_program(container, "curl").state is State.ABSENT
    assert find_program(container, "python3").state is State.PRESENT


def test_a_run_that_cannot_be_read_makes_absence_unknown() -> None:
    container = predicted(PYTHON + 'RUN ["/usr/bin/python3", "/setup.py"]\n')
    assert container.files.find("/usr/bin/curl").state is State.UNKNOWN
    assert container.files.find("/usr/bin/python3").state is State.PRESENT
