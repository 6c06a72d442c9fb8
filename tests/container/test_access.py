from __future__ import annotations

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.container.access import EXECUTE, READ, WRITE, Who
from lucid_audit.container.tree import Made, Node

MADE = Made(None)
BITS = {READ: os.R_OK, WRITE: os.W_OK, EXECUTE: os.X_OK}


def node(mode: int | None, uid: int | None, gid: int | None, kind: str = "f") -> Node:
    return Node(kind, MADE, mode, uid, gid)


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "who", "bit", "granted"),
    [
        (0o755, 0, 0, Who(65532, 65532), EXECUTE, True),
        (0o644, 0, 0, Who(65532, 65532), EXECUTE, False),
        (0o700, 65532, 0, Who(65532, 65532), EXECUTE, True),
        (0o070, 65532, 65532, Who(65532, 65532), EXECUTE, False),  # the owner's bits count alone
        (0o070, 0, 65532, Who(65532, 65532), EXECUTE, True),
        (0o644, 0, 0, Who(0, 0), EXECUTE, False),  # root runs nothing that nobody may run
        (0o000, 0, 0, Who(0, 0), READ, True),
        (None, 0, 0, Who(65532, 65532), EXECUTE, None),
        (0o700, None, None, Who(65532, 65532), EXECUTE, None),
        (0o755, None, None, Who(None, None), EXECUTE, True),  # everybody may
        (0o750, 0, 0, Who(65532, None), EXECUTE, None),
        (0o640, 0, 70, Who(65532, 65532, (5, 70)), READ, True),
        (0o604, 0, 70, Who(65532, 65532, (70,)), READ, False),  # a member gets the group's bits, however few
        (0o640, 0, 70, Who(65532, 65532, None), READ, None),
        (0o640, 0, 65532, Who(65532, 65532, None), READ, True),
    ],
)
def test_bits(mode: int | None, uid: int | None, gid: int | None, who: Who, bit: int, granted: bool | None) -> None:
    assert who.may(node(mode, uid, gid), bit) is granted


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change owners and users")
@given(
    mode=st.integers(0, 0o777),
    uid=st.sampled_from([0, 7, 65532]),
    gid=st.sampled_from([0, 7, 65532]),
    groups=st.sampled_from([(), (7,), (5, 7)]),
)
def test_the_kernel_agrees(mode: int, uid: int, gid: int, groups: tuple[int, ...]) -> None:
    with TemporaryDirectory() as folder:  # not pytest's, whose parent other runs close again
        Path(folder).chmod(0o755)
        file = Path(folder) / "probe"
        file.write_text("")
        os.chown(file, uid, gid)
        file.chmod(mode)
        really = _asked(file, groups)
    who = Who(65532, 65532, groups)
    assert [who.may(node(mode, uid, gid), bit) for bit in (READ, WRITE, EXECUTE)] == really


def _asked(file: Path, groups: tuple[int, ...]) -> list[bool]:
    """Ask the kernel as another user."""
    code = f"import os; print(*(int(os.access({str(file)!r}, b)) for b in (4, 2, 1)))"
    done = subprocess.run(["/usr/bin/python3", "-c", code], user=65532, group=65532, extra_groups=groups, capture_output=True, text=True, check=True)  # fmt: skip
    return [answer == "1" for answer in done.stdout.split()]
