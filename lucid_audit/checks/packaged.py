"""Packages that RUN installs: whether their versions are said, and whether lists and downloads are left in the layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lucid_audit.checks import Answers, check
from lucid_audit.checks.called import has
from lucid_audit.checks.runs import Ran, calls, runs
from lucid_audit.dockerfile.build import Build
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.regex import rx

_TAKES = {  # letters of options whose value is the next word
    "apt-get": "oct", "apt": "oct", "apk": "Xpt", "yum": "c", "dnf": "c", "zypper": "", "pip": "rctief", "pip3": "rctief",
    "npm": "", "yarn": "", "gem": "vni", "go": "", "cargo": "",
}  # fmt: skip
_LONG = frozenset((
    "--repository", "--virtual", "--target", "--prefix", "--requirement", "--constraint", "--index-url", "--extra-index-url",
    "--find-links", "--python", "--platform", "--only-binary", "--no-binary", "--root", "--registry", "--version", "--option",
    "--target-release", "--root-dir", "--cache-dir", "--trusted-host", "--implementation", "--abi", "--python-version", "--editable",
))  # fmt: skip
_REPOSITORY = r"(?:git|hg|svn|bzr)\+\w+:"
_REVISION = r"\w+\+\w+://(?:[^/@]*@)?[^@]+@.+"  # pip, "VCS Support"
_PLACE = r"[./~]|https?:|git[+@]|file:|.*\.(?:whl|gz|tgz|deb|rpm|apk|gem|zip|tar)$|.*@.*://"


@record
class Pinned:
    """``programs`` with ``subcommands``; a package with a version matches the pattern ``pin``, or an option of ``by`` says it."""

    programs: tuple[str, ...]
    subcommands: tuple[str, ...]
    pin: str
    by: tuple[str, ...] = ()


@check("packages-pinned")
def packages_pinned(build: Build, params: Pinned) -> Answers:
    """Judge packages that are installed by name alone; one finding for one call."""
    for _, ran in calls(build, *params.programs):
        names, unknown = _installed(ran, params.subcommands)
        if has(ran, params.by):
            continue
        loose = [name for name in names if not _fixed(name, params.pin, ran.call.name)]
        if loose:
            more = f" and {len(loose) - 1} more" if len(loose) > 1 else ""
            yield Hit(ran.span, package=loose[0] + more, call=ran.call.name)
        elif unknown and not names:
            yield Skip(ran.span, f"which packages {ran.call.name} installs is not known: {unknown}")


def _fixed(name: str, pin: str, program: str) -> bool:
    """Whether a word says which version it means: a version, a file or an address; of a repository only with a revision."""
    if rx(_REPOSITORY).match(name) is not None:
        revision = _REVISION if program.startswith("pip") else r".+#.+"
        return rx(revision).fullmatch(name) is not None
    return rx(pin).fullmatch(name) is not None or rx(_PLACE).match(name) is not None


def _installed(ran: Ran, subcommands: tuple[str, ...]) -> tuple[list[str], str]:
    """Return the packages of a call, and a word that is not known."""
    words, unknown = list(ran.call.words), ""
    names: list[str] = []
    asked = subcommands == ()
    skip = listed = one = False
    takes = _TAKES.get(ran.call.name, "")
    for number, word in enumerate(words):
        if skip:
            skip = False
        elif word is None:
            unknown = unknown or ran.call.raw[number]
        elif word.startswith("-"):
            skip = word in _LONG or (len(word) == 2 and word[1] in takes)
            listed = (
                listed
                or word.split("=")[0] in ("-r", "--requirement", "-c", "--constraint", "-e", "--editable")
                or word.startswith("-r")
            )
        elif not asked:
            if word not in subcommands:
                return [], ""
            asked, one = True, word == "run"  # of what is run, the first word only
        elif not (one and names):
            names.append(word)
    return ([] if listed else names) if asked else [], unknown if asked else ""


@record
class Left:
    """``programs`` with ``subcommands`` that leave files at ``path``.

    ``cleaned``: patterns of whole calls that take them away again later in the same RUN; ``kept_out``: options that leave none; ``mounts``: places
    of single programs below ``path`` that may be mounts.
    """

    programs: tuple[str, ...]
    subcommands: tuple[str, ...]
    path: str
    cleaned: tuple[str, ...]
    kept_out: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()


@check("package-files-left")
def package_files_left(build: Build, params: Left) -> Answers:
    """Judge RUNs that leave lists or downloads of packages in their layer: what a later RUN removes is in the image all the same."""
    for run in runs(build):
        if run.mounted(params.path) or any(run.mounted(place) for place in params.mounts):
            continue
        for number, ran in enumerate(run.calls):
            leaves = ran.call.name in params.programs and _does(ran, params.subcommands)
            kept_out = set(params.kept_out) & set(ran.call.words)
            if leaves and not kept_out and not _cleaned(run.calls[number + 1 :], params.cleaned):
                yield Hit(ran.span, call=ran.call.name, path=params.path)
                break


@record
class Update:
    """``programs`` whose ``updates`` want one of ``installs`` in the same RUN."""

    programs: tuple[str, ...]
    updates: tuple[str, ...]
    installs: tuple[str, ...]


@check("update-alone")
def update_alone(build: Build, params: Update) -> Answers:
    """Judge an update of the package lists in a RUN of its own: that layer is cached, and the next installs from old lists."""
    for run in runs(build):
        updates = [ran for ran in run.calls if ran.call.name in params.programs and _does(ran, params.updates)]
        if updates and not any(ran.call.name in params.programs and _does(ran, params.installs) for ran in run.calls):
            known = all(None not in ran.call.words[:1] for ran in run.calls)
            if known and len(run.calls) == len(updates):
                yield Hit(updates[0].span, call=updates[0].call.name)


def _does(ran: Ran, subcommands: tuple[str, ...]) -> bool:
    return next(_operands(ran), "") in subcommands


def _operands(ran: Ran) -> Iterator[str]:
    skip = False
    for word in ran.call.words:
        if skip:
            skip = False
        elif word is not None and not word.startswith("-"):
            yield word
        elif word in ("-o", "-c", "-t"):
            skip = True


def _cleaned(later: Sequence[Ran], patterns: tuple[str, ...]) -> bool:
    text = [" ".join((ran.call.name, *ran.call.raw)) for ran in later]
    return any(rx(pattern).search(one) for pattern in patterns for one in text)
