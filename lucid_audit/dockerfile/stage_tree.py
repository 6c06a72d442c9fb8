"""The file tree of every stage, instruction by instruction, as BuildKit makes it.

Facts: moby/buildkit ``frontend/dockerfile/dockerfile2llb/convert.go`` (WORKDIR makes its folder for the user in force; RUN
starts from the tree of the instruction before it). What RUN does is in ``effects``, COPY and ADD in ``transfer``.
"""

from __future__ import annotations

from lucid_audit.container.access import NAMES, number
from lucid_audit.container.base_tree import base_tree
from lucid_audit.container.tree import Made, Tree
from lucid_audit.dockerfile.effects import Account, run
from lucid_audit.dockerfile.model import Instruction, Plain, Transfer
from lucid_audit.dockerfile.stages import Graph, Stage, Step
from lucid_audit.dockerfile.transfer import Transfers
from lucid_audit.values import Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lucid_audit.dockerfile.resolve import Context

HOMES = {0: "/root", 65532: "/home/nonroot"}
DEPTH = 50  # of FROM and COPY --from chains; a file with more is not followed


class Trees:
    """The trees of a graph. ``context`` is None when it is not known which folder is the build context."""

    def __init__(self, graph: Graph, context: Context | None) -> None:
        self.graph, self.context = graph, context
        self._ends: dict[int, Tree] = {}
        self._busy: set[int] = set()

    def end(self, stage: Stage) -> Tree:
        """Return the tree that a stage leaves; nobody may change it."""
        found = self._ends.get(stage.index)
        if found is None:
            if stage.index in self._busy or len(self._busy) > DEPTH:
                return base_tree(None, stage.label)
            self._busy.add(stage.index)
            found = self._ends[stage.index] = self._build(stage, None)
            self._busy.discard(stage.index)
        return found

    def before(self, stage: Stage, instruction: Instruction) -> Tree:
        """Return the tree just before one of a stage's instructions."""
        return self._build(stage, instruction)

    def _build(self, stage: Stage, stop: Instruction | None) -> Tree:
        parent = stage.parent
        tree = self.end(parent).fork() if parent is not None else base_tree(stage.base, stage.from_.image.raw)
        user = _user_at_end(stage)
        transfers = Transfers(self.graph, self.context, self.end)
        for step in stage.steps:
            instruction = step.instruction
            if instruction is stop:
                break
            if isinstance(instruction, Transfer):
                transfers.apply(tree, step, instruction)
            elif instruction.keyword == "RUN":
                run(tree, stage, step, account(user))
            elif isinstance(instruction, Plain) and instruction.keyword == "WORKDIR":
                _workdir(tree, step, instruction, user)
            elif isinstance(instruction, Plain) and instruction.keyword == "USER":
                user = step.scope.value(instruction.word)
        return tree


def _user_at_end(stage: Stage) -> Value:
    """Return the user in force when a stage begins: its parent's last, else its base's."""
    user: Value | None = stage.base.user if stage.base is not None else None
    for part in stage.lineage():
        if part is stage:
            break
        for step in part.steps:
            if isinstance(step.instruction, Plain) and step.instruction.keyword == "USER":
                user = step.scope.value(step.instruction.word)
    return Unknown("the user of the base image is not known") if user is None else user


def account(user: Value) -> Account:
    """Return who runs an instruction; numbers that only the image's passwd has are not known."""
    if isinstance(user, Unknown):
        return Account(None, None, "")
    name, _, group = user.partition(":")
    uid = number(name) if name else 0
    gid = number(group) if group else uid if name in NAMES or uid == 0 else None
    return Account(uid, gid, HOMES.get(uid, "") if uid is not None else "")


def _workdir(tree: Tree, step: Step, instruction: Plain, user: Value) -> None:
    where = step.destination(instruction.word)
    if isinstance(where, str) and where != "/":
        who = account(user)
        tree.folder(where, Made(instruction.span, "WORKDIR"), 0o755, who.uid, who.gid)
