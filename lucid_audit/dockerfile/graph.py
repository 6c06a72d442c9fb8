"""Build the graph of stages from a parsed file: evaluate FROM, ARG, ENV and WORKDIR in order.

Source of the order of evaluation: BuildKit ``frontend/dockerfile/dockerfile2llb/convert.go``.
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import join, normpath

from lucid_audit.bases import Base
from lucid_audit.dockerfile.model import (
    Command,
    Dockerfile,
    From,
    Instruction,
    Onbuild,
    Pairs,
    Plain,
    SyntaxProblem,
    Transfer,
)
from lucid_audit.dockerfile.mounts import parse_mount
from lucid_audit.dockerfile.stages import (
    AUTOMATIC,
    DEFAULT_PATH,
    Edge,
    Graph,
    Scope,
    Settings,
    Stage,
    Step,
    find_stage,
)
from lucid_audit.reference import ImageRef, parse
from lucid_audit.values import Unknown, Value


def build_graph(dockerfile: Dockerfile, settings: Settings) -> Graph:
    """Evaluate a parsed file for one set of build arguments, one platform and one target. Never raises."""
    scope = _globals(dockerfile, settings)
    stages: list[Stage] = []
    for from_, own in _sections(dockerfile):
        stages.append(_stage(from_, own, stages, scope, settings))
    edges = tuple(tuple(_edges(stage, stages, settings)) for stage in stages)
    problems = list(_cycles(stages, edges))
    target = stages[-1] if stages else None
    if settings.target and stages:
        target = find_stage(stages, settings.target)
        if target is None:
            problems.append(SyntaxProblem(f"target stage {settings.target} is not in this file", stages[-1].from_.span))
    reached = _reach(edges, target.index) if target is not None else frozenset[int]()
    return Graph(dockerfile, settings, scope, tuple(stages), edges, target, reached, tuple(problems))


def _sections(dockerfile: Dockerfile) -> Iterator[tuple[From, list[Instruction]]]:
    """Yield every FROM with the instructions up to the next one."""
    current: From | None = None
    own: list[Instruction] = []
    for instruction in dockerfile.instructions:
        if isinstance(instruction, From):
            if current is not None:
                yield current, own
            current, own = instruction, []
        elif current is not None:
            own.append(instruction)
    if current is not None:
        yield current, own


def _globals(dockerfile: Dockerfile, settings: Settings) -> Scope:
    """Evaluate the ARGs before the first FROM over the automatic platform ARGs (``buildMetaArgs``)."""
    values: dict[str, Value] = {}
    undecided = Unknown("the platform is chosen when the image is built")
    for name in AUTOMATIC:
        values["BUILD" + name] = undecided
        values["TARGET" + name] = undecided
    values["TARGETSTAGE"] = settings.target or "default"
    # whoever declares one platform builds for that one
    platform = settings.platform or (settings.platforms[0] if len(settings.platforms) == 1 else "")
    if platform:
        system, _, rest = platform.partition("/")
        architecture, _, variant = rest.partition("/")
        parts = (platform, system, "", architecture, variant)
        values.update({"TARGET" + name: part for name, part in zip(AUTOMATIC, parts, strict=True)})
    scope = Scope(values, "", dockerfile.escape)
    for instruction in dockerfile.instructions:
        if isinstance(instruction, From):
            break
        if isinstance(instruction, Pairs) and instruction.keyword == "ARG":
            scope = _declare(instruction, scope, settings, scope)
    return scope


def _declare(instruction: Pairs, scope: Scope, settings: Settings, inherited: Scope) -> Scope:
    """Apply one ARG: a build argument wins, then the default, then the global value, else it cannot be known."""
    values = dict(scope.values)
    for pair in instruction.pairs:
        name = pair.key.raw
        if name in settings.build_args:
            values[name] = settings.build_args[name]
        elif pair.value is not None:
            values[name] = Scope(values, scope.open, scope.escape).value(pair.value)
        elif name in inherited.values:
            values[name] = inherited.values[name]
        elif name not in values:
            values[name] = Unknown(f"ARG {name} has no default; only a build argument gives it a value")
    return Scope(values, scope.open, scope.escape)


def _stage(from_: From, own: list[Instruction], earlier: list[Stage], scope: Scope, settings: Settings) -> Stage:
    name = from_.name.raw.lower() if from_.name is not None else ""
    image = scope.value(from_.image)
    instead = settings.named(name) if name else None
    if instead is not None:  # the whole stage is what the context is
        image, own = instead, []
    elif isinstance(image, str):
        image = settings.named(image) or image
    parent = find_stage(earlier, image) if isinstance(image, str) and instead is None and not image.isdigit() else None
    platform = scope.value(from_.platform) if from_.platform is not None else None
    ref: ImageRef | None = None
    base: Base | None = None
    if parent is not None:
        base, start, workdir = parent.base, _inherited(parent), parent.workdir
    else:
        if isinstance(image, str):
            ref = parse(image)
            base = settings.bases.lookup(ref, settings.as_of) if ref is not None else None
        start, workdir = _start(base, image, scope.escape)
    triggers = (
        [step.instruction.trigger for step in parent.steps if isinstance(step.instruction, Onbuild)] if parent else []
    )
    steps: list[Step] = []
    current = start
    for count, instruction in enumerate((*triggers, *own)):
        steps.append(Step(instruction, current, workdir, count < len(triggers)))
        current, workdir = _advance(instruction, current, workdir, settings, scope)
    return Stage(len(earlier), name, from_, image, parent, ref, base, platform, tuple(steps), current, workdir)


def _inherited(parent: Stage) -> Scope:
    """Return the variables that ``FROM parent`` starts with: all of its environment, the image's own set once more.

    So an ARG that hid an ENV of the same name does so in its own stage only.
    """
    steps = [step for step in parent.steps if isinstance(step.instruction, Pairs) and step.instruction.keyword == "ARG"]
    hidden = {pair.key.raw for step in steps if isinstance(step.instruction, Pairs) for pair in step.instruction.pairs}
    if not hidden:
        return parent.end
    values = dict(parent.end.values)
    if parent.base is not None:
        values.update({name: value for name, value in parent.base.env.items() if name in hidden})
    for step in parent.all_steps():
        if isinstance(step.instruction, Pairs) and step.instruction.keyword == "ENV":
            for pair in step.instruction.pairs:
                if pair.value is not None and pair.key.raw in hidden:
                    values[pair.key.raw] = step.scope.value(pair.value)
    return Scope(values, parent.end.open, parent.end.escape)


def _start(base: Base | None, image: Value, escape: str) -> tuple[Scope, Value]:
    """Return the variables and the working directory that a base image gives."""
    if base is None:
        name = image if isinstance(image, str) else "the base image"
        reason = f"{name} may set it"
        return Scope({}, reason, escape), Unknown(reason.replace("it", "the working directory"))
    values: dict[str, Value] = dict(base.env)
    if base.env_complete:
        values.setdefault("PATH", DEFAULT_PATH)
    reason = "" if base.env_complete else f"{base.ref.familiar} may set it"
    return Scope(values, reason, escape), base.workdir or "/"


def _advance(
    instruction: Instruction, scope: Scope, workdir: Value, settings: Settings, inherited: Scope
) -> tuple[Scope, Value]:
    """Return what is in force after one instruction."""
    if isinstance(instruction, Pairs):
        if instruction.keyword == "ARG":
            return _declare(instruction, scope, settings, inherited), workdir
        if instruction.keyword == "ENV":
            # All pairs of one ENV see the environment before it (Dockerfile reference, "Environment replacement").
            values = dict(scope.values)
            for pair in instruction.pairs:
                if pair.value is not None and (name := scope.text(pair.key)) is not None:
                    values[name] = scope.value(pair.value)
            return Scope(values, scope.open, scope.escape), workdir
    elif isinstance(instruction, Plain) and instruction.keyword == "WORKDIR":
        return scope, _enter(scope.value(instruction.word), workdir)
    return scope, workdir


def _enter(path: Value, workdir: Value) -> Value:
    if isinstance(path, Unknown) or (path and path.startswith("/")):
        return path if isinstance(path, Unknown) else normpath("/" + path.lstrip("/"))
    return workdir if isinstance(workdir, Unknown) else normpath(join(workdir, path))


def _edges(stage: Stage, stages: list[Stage], settings: Settings) -> Iterator[Edge]:
    """Yield what a stage is built from, in order of appearance; named contexts that are no images are nothing to build."""
    for edge in _needs(stage, stages):
        instead = settings.named(edge.name) if edge.stage is None and edge.kind != "base" else None
        if instead is None or isinstance(instead, str):
            yield edge if instead is None else edge._replace(name=instead)


def _needs(stage: Stage, stages: list[Stage]) -> Iterator[Edge]:
    if isinstance(stage.image, str):
        yield Edge("base", stage.image, stage.parent.index if stage.parent else None, stage.from_.image.span)
    for step in stage.steps:
        instruction = step.instruction
        if isinstance(instruction, Onbuild):
            continue
        if isinstance(instruction, Transfer) and (word := instruction.from_) is not None:
            found = find_stage(stages, word.raw)
            yield Edge("copy", word.raw, found.index if found else None, word.span)
        elif isinstance(instruction, Command) and instruction.keyword == "RUN":
            for flag in instruction.flags:
                if flag.name == "mount" and flag.value is not None:
                    source = parse_mount(flag.value.raw).from_
                    if source:
                        # Unlike COPY, a mount takes no index (BuildKit detectRunMount): a number names an image.
                        found = find_stage(stages, source) if not source.isdigit() else None
                        yield Edge("mount", source, found.index if found else None, flag.value.span)


def _reach(edges: tuple[tuple[Edge, ...], ...], target: int) -> frozenset[int]:
    """Return the indices of the stages that the target needs, itself included."""
    seen = {target}
    pending = [target]
    while pending:
        for edge in edges[pending.pop()]:
            if edge.stage is not None and edge.stage not in seen:
                seen.add(edge.stage)
                pending.append(edge.stage)
    return frozenset(seen)


def _cycles(stages: list[Stage], edges: tuple[tuple[Edge, ...], ...]) -> Iterator[SyntaxProblem]:
    """Yield every need that cannot be met: a stage that needs itself, directly or through others, or a later one."""
    for stage in stages:
        for edge in edges[stage.index]:
            if edge.stage is None or edge.stage < stage.index:
                continue
            other = stages[edge.stage]
            if edge.stage == stage.index:
                yield SyntaxProblem(f"stage {stage.label} copies from itself", edge.span)
            elif stage.index in _reach(edges, edge.stage):
                yield SyntaxProblem(f"stages {stage.label} and {other.label} need each other", edge.span)
            else:
                yield SyntaxProblem(f"stage {other.label} is defined after {stage.label}, which needs it", edge.span)
