"""The subject of Dockerfile checks: one file with its graph, its possible contexts and the containers it predicts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from lucid_audit.container.config import Container
from lucid_audit.container.predicted import PredictedFiles
from lucid_audit.dockerfile.context import Context, ContextSet
from lucid_audit.dockerfile.graph import build_graph
from lucid_audit.dockerfile.model import Dockerfile, Instruction, Transfer
from lucid_audit.dockerfile.placements import files_of
from lucid_audit.dockerfile.predict import predict
from lucid_audit.dockerfile.stage_tree import Trees
from lucid_audit.dockerfile.stages import Graph, Settings, Stage, Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lucid_audit.dockerfile.scripts import Examiner
    from lucid_audit.dockerfile.suppressions import Silent, Suppression


class Build:
    """One Dockerfile as one build would see it. Everything derived is computed when first asked and then kept."""

    def __init__(self, dockerfile: Dockerfile, settings: Settings, contexts: ContextSet | None = None) -> None:
        """``contexts`` is None when nothing is known of the build context (standard input)."""
        self.dockerfile = dockerfile
        self.settings = settings
        self.contexts = contexts
        self.silent: Silent | None = None  # what the engine found out about comments that silence
        self.examiner: Examiner | None = None  # of shell scripts, where that is asked for
        self.known: frozenset[str] = frozenset()  # ids of rules, also of those that this run does not judge by
        self._steps: dict[tuple[str, ...], list[tuple[Stage, Step]]] = {}
        self._final_steps: dict[tuple[str, ...], list[tuple[Stage, Step]]] = {}

    @cached_property
    def graph(self) -> Graph:
        """The stages and their scopes."""
        return build_graph(self.dockerfile, self.settings)

    @cached_property
    def suppressions(self) -> tuple[Suppression, ...]:
        """The comments that silence findings; few files have a word of one."""
        text = self.dockerfile.source.text
        if "ignore" not in text and "disable" not in text and "skip" not in text.lower():
            return ()
        from lucid_audit.dockerfile.suppressions import suppressions  # noqa: PLC0415  (most files need none of it)

        return tuple(suppressions(self.dockerfile))

    @property
    def target(self) -> Stage | None:
        """The stage that is built."""
        return self.graph.target

    @cached_property
    def container(self) -> Container | None:
        """The container that the target gives; None when the file has no stage."""
        return predict(self.graph.target, self.trees) if self.graph.target is not None else None

    @cached_property
    def trees(self) -> Trees:
        """The file trees of the stages."""
        return Trees(self.graph, self._context())

    def _context(self) -> Context | None:
        """Return the context that the build surely has: the declared one, or the only one that has all that is copied."""
        if self.contexts is None:
            return None
        if len(self.contexts.candidates) == 1:
            return self.contexts.candidates[0]
        whole = [context for context in self.contexts.candidates if self._has_all(context)]
        return whole[0] if len(whole) == 1 else None

    def _has_all(self, context: Context) -> bool:
        for _, step in self.steps("COPY", "ADD"):
            instruction = step.instruction
            if isinstance(instruction, Transfer) and instruction.from_ is None:
                heredocs = {heredoc.word for heredoc in instruction.heredocs}
                for word in instruction.sources:
                    text = step.scope.text(word) if word.span not in heredocs else None
                    if text and context.match(text).kind in ("missing", "ignored"):
                        return False
        return True

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that the target is built from, in file order."""
        return tuple(self.graph.reaching())

    def steps(self, *keywords: str) -> Sequence[tuple[Stage, Step]]:
        """Return the steps of these keywords in the stages that reach the target."""
        found = self._steps.get(keywords)
        if found is None:  # a hundred checks ask, and they have two dozen questions
            found = self._steps[keywords] = [
                (stage, step)
                for stage in self.stages
                for step in stage.steps
                if step.instruction.keyword in keywords and not step.onbuild
            ]
        return found

    def final_steps(self, *keywords: str) -> Sequence[tuple[Stage, Step]]:
        """Return the steps of these keywords that end up in the final image: the target and the stages it is FROM."""
        found = self._final_steps.get(keywords)
        if found is None:
            found = self._final_steps[keywords] = [
                (stage, step)
                for stage in (self.target.lineage() if self.target is not None else ())
                for step in stage.steps
                if not keywords or step.instruction.keyword in keywords
            ]
        return found

    def files_before(self, stage: Stage, instruction: Instruction) -> PredictedFiles:
        """Return what is known of a stage's files just before one of its instructions."""
        return files_of(stage, self.trees, instruction)
