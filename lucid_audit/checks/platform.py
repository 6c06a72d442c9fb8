"""Which platform stages run on: final stages and copied files that are for another platform than the image."""

from __future__ import annotations

from posixpath import basename, dirname, normpath

from lucid_audit.checks import Answers, check
from lucid_audit.checks.automatic import declared_platforms
from lucid_audit.checks.runtext import called, closure, stage_text
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Pairs, Transfer
from lucid_audit.dockerfile.stages import SCRATCH, Stage, Step
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.regex import rx
from lucid_audit.text import Span
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

_TARGET = frozenset(("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT"))
_BUILD = frozenset(("BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT"))
_CROSS = (
    r"TARGET(?:PLATFORM|ARCH|OS|VARIANT)|\bGO(?:ARCH|OS)\b|CARGO_BUILD_TARGET|CARGO_TARGET|--platform\b"
    r"|--python-platform|\bxx-|\b(?:cargo|rustc|rustup|clang|zig|cross|bun|deno)\b[^;&|\n]*\btarget\b"
    r"|--add-architecture|\w:(?:arm64|amd64|armhf)\b|--arch\b|npm_config_arch|--cpu\b|dotnet[^;&|\n]*\s(?:-a|-r|--runtime)\s"
    r"|-linux-(?:gnu|musl)\w*-(?:gcc|g\+\+|ld|strip)|CROSS_COMPILE|--host="
)
# pip reads none of BuildKit's variables: declaring one is no sign.
_CROSS_PYTHON = r"\$\{?TARGET|--platform\b|--python-platform|_PYTHON_HOST_PLATFORM|crossenv"
_PYTHON = "Python packages"
_PACKAGES = r"/(?:site|dist)-packages(?:/|$)|/lib/python\d[^/]*(?:/|$)|/\.local(?:/|$)|/\.?venv(?:/|$)"
_LIBRARIES = r"/(?:usr/(?:local/)?)?lib(?:32|64)?(?:/|$)"
_NEUTRAL = r"\.(?:m?js|css|html?|json|map|jar|war|py|sh|txt|pem|crt|conf|ya?ml|toml|xml|svg|png|wasm|sql|md)$|/(?:zoneinfo|terminfo)(?:/|$)"
_COMPILED = r"\b(?:go\s+build|gcc|g\+\+|cc|clang|rustc)\b[^;&|\n]*?\s-o[ =]?\s*([^\s;&|]+)"
_INSTALLED = r"\bpip3?\s+install\b[^;&|\n]*?(?:--target|--prefix|\s-t)[ =]([^\s;&|]+)"


class _Pin(NamedTuple):
    """A stage's fixed platform: ``build`` when it is the building machine's, else ``platform`` is the constant."""

    build: bool
    platform: str
    span: Span


def _pin(build: Build, stage: Stage) -> _Pin | Unknown | None:
    """Return what fixes a stage's platform; None when the stage follows what is asked for."""
    root = stage.root
    word = root.from_.platform
    if word is None or root.image == SCRATCH:  # nothing is in scratch, and the image is labelled as asked
        return None
    names = closure(build, word.raw)
    if names & _TARGET or any(closure(build, part.from_.image.raw) & _TARGET for part in stage.lineage()):
        return None
    if names & _BUILD:
        return _Pin(True, word.raw, word.span)
    value = root.platform
    if isinstance(value, Unknown):
        return value
    return _Pin(False, value, word.span) if value else None


def _same(left: str, right: str) -> bool:
    """Variants matter only where both name one: linux/arm64 is linux/arm64/v8."""
    one, other = left.split("/"), right.split("/")
    return one[:2] == other[:2] and (len(one) < 3 or len(other) < 3 or one[2] == other[2])


@record
class PlatformPinned:
    """``contradicts``: judge pins that are wrong for a declared platform; else pins where no platform is declared."""

    contradicts: bool


@check("final-platform-pinned")
def final_platform_pinned(build: Build, params: PlatformPinned) -> Answers:
    """Judge whether the final stage is for the platform that is asked for."""
    if build.target is None:
        return
    pin = _pin(build, build.target)
    if isinstance(pin, Unknown):
        if params.contradicts:
            yield Skip((build.target.root.from_.platform or build.target.from_.image).span, pin.reason)
    elif pin is not None:
        declared = declared_platforms(build)
        if pin.build:
            if params.contradicts:
                yield Hit(pin.span, pinned=f"the machine that builds ({pin.platform})", others="any other platform")
            return
        others = [platform for platform in declared if not _same(platform, pin.platform)]
        if params.contradicts and others:
            yield Hit(pin.span, pinned=pin.platform, others=", ".join(others))
        elif not params.contradicts and not declared:
            yield Hit(pin.span, pinned=pin.platform, others="any other platform")


@check("target-platform-redundant")
def target_platform_redundant(build: Build) -> Answers:
    """Judge ``--platform=$TARGETPLATFORM``, which is what FROM does by itself; a default or argument gives it meaning."""
    for stage in build.stages:
        word = stage.from_.platform
        if word is not None and word.raw in ("$TARGETPLATFORM", "${TARGETPLATFORM}"):
            value = build.graph.globals.values.get("TARGETPLATFORM")
            if isinstance(value, Unknown) or value == build.settings.platform:
                yield Hit(word.span)


@check("copied-platform-pinned")
def copied_platform_pinned(build: Build) -> Answers:
    """Judge native files that come from a stage fixed to one platform in which nothing builds for another."""
    final = _pin(build, build.target) if build.target is not None else None
    for _, step in build.final_steps("COPY"):
        instruction = step.instruction
        word = instruction.from_ if isinstance(instruction, Transfer) else None
        stage = build.graph.stage(word.raw) if word is not None else None
        if not isinstance(instruction, Transfer) or stage is None:
            continue
        pin = _pin(build, stage)
        if not isinstance(pin, _Pin) or _intended(build, pin, final):
            continue
        text = stage_text(stage)
        for source in instruction.sources:
            path = step.scope.text(source)
            what = _native(normpath("/" + path.lstrip("/")), text) if path else ""
            if what and not rx(_CROSS_PYTHON if what == _PYTHON else _CROSS).search(text):
                yield Hit(source.span, what=what, path=path, stage=called(stage), platform=pin.platform)
                break


def _intended(build: Build, pin: _Pin, final: _Pin | Unknown | None) -> bool:
    """Whether a fixed platform is that of the image: the only declared one, or the one the final stage is fixed to."""
    if pin.build:
        return False
    if isinstance(final, _Pin) and not final.build and _same(final.platform, pin.platform):
        return True
    declared = declared_platforms(build)
    return bool(declared) and all(_same(platform, pin.platform) for platform in declared)


def _native(path: str, text: str) -> str:
    """Name what a path holds when that is surely or probably built for one architecture, else ""."""
    if rx(_NEUTRAL).search(path):
        return ""
    if rx(_PACKAGES).search(path) or any(normpath(found) == path for found in rx(_INSTALLED).findall(text)):
        return _PYTHON
    if "/node_modules" in path:
        return "Node modules"
    if basename(path) in ("bin", "sbin") or basename(dirname(path)) in ("bin", "sbin") or "/target/release/" in path:
        return "a program"
    if any(basename(found) == basename(path) for found in rx(_COMPILED).findall(text)):
        return "a program"
    return "libraries" if rx(_LIBRARIES).match(path) else ""


_TRIPLET = r"\b(x86_64|aarch64|arm|i386|riscv64|powerpc64le|s390x)-linux-(?:gnu|musl)(?:eabi(?:hf)?)?\b"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i386": "386", "powerpc64le": "ppc64le"}


@check("triplet-hard-coded")
def triplet_hard_coded(build: Build) -> Answers:
    """Judge Debian's architecture names in paths and variables of the final image (https://wiki.debian.org/Multiarch/Tuples)."""
    if build.target is None or "-linux-" not in build.dockerfile.source.text:
        return
    pin = _pin(build, build.target)
    known = (pin.platform,) if isinstance(pin, _Pin) and not pin.build else declared_platforms(build)
    for stage, step in build.final_steps("COPY", "ENV"):
        found = _triplets(step)
        if len(found) == 1:  # several name every architecture there is
            (triplet, span), *_ = found.items()
            name = triplet.partition("-")[0]
            architecture = _ARCHITECTURES.get(name, name)
            others = [platform for platform in known if platform.split("/")[1:2] != [architecture]]
            if (others or not known) and architecture not in stage.name and name not in stage.name:
                where = ", ".join(others) or "any other platform"
                yield Hit(span, triplet=triplet, platform=f"linux/{architecture}", others=where)


def _triplets(step: Step) -> dict[str, Span]:
    """Return the architecture names in an instruction's paths or values, each with the first word that has it."""
    instruction = step.instruction
    if isinstance(instruction, Transfer):
        words = [*instruction.sources, instruction.destination]
    elif isinstance(instruction, Pairs):
        words = [pair.value for pair in instruction.pairs if pair.value is not None]
    else:
        words = []
    found: dict[str, Span] = {}
    for word in words:
        for match in rx(_TRIPLET).finditer(step.scope.text(word) or word.raw):
            found.setdefault(match[0], word.span)
    return found
