"""What RUN does to a tree."""

from __future__ import annotations

from lucid_audit.container.tree import Tree
from lucid_audit.dockerfile.stages import Step
from lucid_audit.tuples import NamedTuple


class Account(NamedTuple):
    """Who runs something."""

    uid: int | None
    gid: int | None
    home: str


def run(tree: Tree, step: Step, account: Account) -> None:  # noqa: ARG001  (until what a RUN does is read)
    """Apply the RUN of ``step`` to the tree of its stage."""
    from lucid_audit.dockerfile.model import Command  # noqa: PLC0415
    from lucid_audit.dockerfile.placements import only_looks  # noqa: PLC0415

    if isinstance(step.instruction, Command) and not only_looks(step.instruction.command):
        shell = tree.walk("/bin/sh")
        if step.instruction.command.exec_form or shell.state != "absent":
            tree.doubt = "a RUN instruction may have written it"
