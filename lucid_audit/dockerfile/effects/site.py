"""Where a command of a RUN works: the tree, the folder and the user, and what it can say about them."""

from __future__ import annotations

from posixpath import basename, dirname, join, normpath

from lucid_audit.container.tree import Made, Node, Tree
from lucid_audit.dockerfile.stages import DEFAULT_PATH, Stage, Step
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown

_SYSTEM = ("/usr", "/etc", "/var", "/lib", "/lib64", "/bin", "/sbin", "/run")


class Account(NamedTuple):
    """Who runs a command, None and "" where that is not known."""

    uid: int | None
    gid: int | None
    home: str


class Call(NamedTuple):
    """One simple command. ``certain``: it surely runs, with exactly these words; None stands for a word nobody knows."""

    name: str
    words: tuple[str | None, ...]
    raw: tuple[str, ...]
    certain: bool

    @property
    def known(self) -> tuple[str, ...] | None:
        """The words when all are known."""
        return None if None in self.words else tuple(str(word) for word in self.words)

    def operands(self, takes: str = "") -> tuple[list[str | None], set[str]]:
        """Return operands and options, GNU fashion. ``takes`` are letters whose value is the next word when not attached."""
        operands: list[str | None] = []
        options: set[str] = set()
        skip = done = False
        for word in self.words:
            if skip:
                skip = False
            elif word is None or done or not word.startswith("-") or word == "-":
                operands.append(word)
            elif word == "--":
                done = True
            elif word.startswith("--"):
                options.add(word.partition("=")[0])
            else:
                options.update(f"-{letter}" for letter in word[1:])
                skip = word[-1] in takes
        return operands, options

    def value(self, *options: str) -> str | None:
        """Return the value of an option written ``-o v``, ``-ov``, ``--opt v`` or ``--opt=v``; None when it is not given."""
        words = self.words
        for at, word in enumerate(words):
            for option in options:
                if (word == option or _bundled(word, option)) and at + 1 < len(words):
                    return words[at + 1]
                if word is not None and option.startswith("--") and word.startswith(f"{option}="):
                    return word[len(option) + 1 :]
                if word is not None and not option.startswith("--") and len(option) == 2 and word.startswith(option):
                    return word[2:]
        return None


def _bundled(word: str | None, option: str) -> bool:
    """Whether a short option is the last of several in one word, as in ``curl -fsSLo FILE``."""
    return (
        word is not None
        and len(word) > 2
        and word[0] == "-"
        and word[1] != "-"
        and len(option) == 2
        and word[-1] == option[1]
    )


class Site:
    """The state of one RUN: its tree, where it stands in it, and what lies over the tree while it runs."""

    def __init__(self, tree: Tree, stage: Stage, step: Step, account: Account, mounts: tuple[str, ...]) -> None:
        self.tree, self.step, self.account, self.mounts = tree, step, account, mounts
        self.stage_base = stage.base
        self.own_python = bool(tree.doubt)  # a Python may be installed that the base has not
        self.made = Made(step.instruction.span, "RUN")
        self.folder: str | None = step.workdir if isinstance(step.workdir, str) else None

    def lookup(self, name: str) -> str | None:
        """Return a variable of the build, None when its value is not known."""
        if name == "HOME" and self.step.scope.lookup(name) is None:
            return self.account.home or None
        if name == "PWD":
            return self.folder
        value = self.step.scope.lookup(name)
        if value is None and not self.step.scope.open:
            return ""
        return value if isinstance(value, str) else None

    def path(self, word: str | None) -> str | None:
        """Return a word as an absolute path of the tree; None when it is not known or not part of the tree."""
        if not word:
            return None
        if word == "~" or word.startswith("~/"):
            if not self.account.home:
                return None
            word = self.account.home + word[1:]
        if not word.startswith("/") and self.folder is None:
            return None
        return normpath("/" + join(self.folder or "/", word).lstrip("/"))

    def mounted(self, path: str) -> bool:
        """Whether a path lies below a mount, which leaves no trace in the tree."""
        return any(path == mount or path.startswith(mount.rstrip("/") + "/") for mount in self.mounts)

    def node(self, kind: str, mode: int | None) -> Node:
        """Return a new entry owned by who runs the command."""
        return Node(kind, self.made, mode, self.account.uid, self.account.gid)

    def doubt(self, what: str) -> None:
        """Say that anything may have been written anywhere."""
        self.tree.doubt = self.tree.doubt or f"{what} in a RUN may have written it"

    def maybe(self, path: str | None, what: str) -> None:
        """Say that a command may have written at or below a path; an unknown one may be any."""
        if path is None:
            self.doubt(what)
        elif not self.mounted(path):
            self.tree.uncertain(path, f"what {what} in a RUN writes to {path} is not listed")

    def fill(self, path: str, what: str, mode: int | None = 0o755) -> None:
        """Make a folder of which nobody lists the contents."""
        if not self.mounted(path) and self.tree.folder(path, self.made, mode, self.account.uid, self.account.gid):
            self.maybe(path, what)

    def put(self, path: str | None, node: Node, what: str) -> None:
        """Place one entry, made by the command ``what``."""
        if path is None:
            self.doubt(what)
        elif not self.mounted(path):
            walk = self.tree.walk(path)
            place = walk.path if walk.hops and node.kind != "l" else path
            node.made = Made(self.made.span, what)
            self.tree.put(place, node, self.made)

    def system(self, what: str) -> None:
        """Open the folders that packages of a distribution install to; not /usr/local, /opt and /srv (Debian policy 9.1.2)."""
        reason = f"what {what} in a RUN installs is not listed"
        for path in _SYSTEM:
            walk = self.tree.walk(path)
            if walk.node is None or walk.node.kind != "d":
                self.tree.uncertain(path, reason)
                continue
            walk.node.doubt(reason)
            for name, child in walk.node.children.items():
                if not (walk.path == "/usr" and name == "local"):
                    _open(child, reason)

    def which(self, program: str) -> str | None:
        """Return the path by which a program is called, None when that is not known."""
        if "/" in program:
            return self.path(program)
        value = self.step.scope.lookup("PATH")
        if isinstance(value, Unknown):
            return None
        for folder in (value or DEFAULT_PATH).split(":"):
            walk = self.tree.walk(f"{folder}/{program}")
            if walk.state == "present" and folder:
                return f"{folder.rstrip('/')}/{program}"
            if (
                walk.state == "unknown"
                and walk.link is None
                and not folder.startswith(("/usr/local/sbin", "/usr/sbin", "/sbin"))
            ):
                return None
        return None


def _open(node: Node, reason: str) -> None:
    if node.kind == "d":
        node.doubt(reason)
        for child in node.children.values():
            _open(child, reason)


def under(folder: str, name: str) -> str:
    """Return the path of a source's name in a folder."""
    return f"{folder.rstrip('/')}/{basename(name.rstrip('/'))}"


def parent(path: str) -> str:
    """Return the folder of a path."""
    return dirname(path) or "/"
