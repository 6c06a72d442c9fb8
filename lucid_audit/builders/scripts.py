"""Build commands in shell text, followed as far as text can be: folders, variables, lists, loops over them.

A command in a branch or a function is a build that somebody may run, so it counts; what the branch sets is not known after it.
"""

from __future__ import annotations

import os
import re

from lucid_audit.builders.built import Session, built
from lucid_audit.builders.called import program
from lucid_audit.builders.command import GENERATED, BuildCommand, Words, args, given, platforms, tagged
from lucid_audit.builders.expand import Values
from lucid_audit.builders.pieces import PARENTHESES, Function, Loop, Piece, Placed, functions, loops, placed, split
from lucid_audit.dockerfile.shell import parse_script
from lucid_audit.dockerfile.shell_match import ScriptError, matching
from lucid_audit.record import replace
from lucid_audit.tuples import NamedTuple
from lucid_audit.values import Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lucid_audit.dockerfile.shell_calls import SimpleCommand

COMMANDS = 500  # of one file
STEPS = 20_000  # commands that are followed before functions are no longer
_ARRAY = re.compile(r"(?m)^[ \t]*(?:declare -a |readonly |local |export )?([A-Za-z_]\w*)=\(([^()]*)\)")
_WHOLE_ARRAY = re.compile(r'"?\$\{([A-Za-z_]\w*)\[[@*]\]\}"?')
_CLOSED = re.compile(r"(?:^|[\n;])[ \t]*(?:fi|done|esac|else|elif|\})(?![\w-])|;;|\)")
_SUBSTITUTED = re.compile(PARENTHESES)
DEPTH = 5  # of lists in lists
LIST = 50  # words that a loop goes through
_SETTERS = frozenset(("export", "local", "readonly", "declare", "typeset"))
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


class _Moved(NamedTuple):
    """A ``cd`` in a compound command: how deep, what counts after it, and where the subshell ends, -1 when it is none."""

    depth: int
    after: tuple[str, ...]
    start: int
    end: int


class Shell:
    """One shell session in a file: pieces of text that run one after the other."""

    def __init__(
        self,
        file: str,
        root: str,
        folders: Sequence[str],
        known: Mapping[str, Value] | None = None,
        *,
        kind: str,
        script: bool = False,
        made: bool = False,
    ) -> None:
        self.file, self.root, self.kind = file, root, kind
        self.folders = tuple(dict.fromkeys(folders))
        self.values = Values(known or {}, file if script else "", root)
        self.made = made
        self._stack: list[_Moved] = []
        self._arrays: dict[str, str] = {}
        self._piece = Piece("", 0)
        self._loops: list[Loop] = []
        self._functions: list[Function] = []
        self._bodies: dict[str, list[Placed]] = {}
        self._reached: set[str] = set()
        self._called: list[str] = []  # the functions that are being followed
        self._local: list[str] = []  # names that they have made their own
        self._base = 0  # how deep the body of the function stands
        self._pushed: list[tuple[str, ...]] = []
        self._every: list[Loop] = []
        self._steps = 0
        self._found = 0

    def run(self, piece: Piece) -> Iterator[BuildCommand]:
        """Yield the build commands of one piece."""
        self._piece, text = piece, piece.text
        self.made = self.made or GENERATED.search(text) is not None
        self._arrays = dict(_ARRAY.findall(text))
        script = parse_script(text)
        self._every = list(loops(text))
        self._loops, self._functions = list(self._every), list(functions(text))
        self._bodies = {}
        yield from self._walk(list(placed(text, script.commands)), 0)
        self._leave(-1)
        for name in [one for one in self._bodies if one not in self._reached]:  # they may be called from elsewhere
            yield from self._walk(self._bodies[name], 0, inside=True)
            self._leave(-1)

    def _several(self, text: str, depth: int = 0) -> list[str]:
        """Return the words of a list as they are now, none when one of them is not known."""
        found: list[str] = []
        for raw in split(text):
            array = _WHOLE_ARRAY.fullmatch(raw)
            if array is not None:
                found += self._several(self._arrays.get(array[1], "?"), depth + 1) if depth < DEPTH else []
                continue
            words = self.values.words(raw, self._here())
            if isinstance(words, Unknown) or any(mark in word for word in words for mark in "*?{"):
                return []
            found += words
        return found[:LIST]

    def _walk(self, commands: Sequence[Placed], certain: int, *, inside: bool = False) -> Iterator[BuildCommand]:
        at = 0
        while at < len(commands) and self._found < COMMANDS:
            command = commands[at]
            body = None if inside or self._called else self._function_at(command.start)
            if body is not None:
                last = next((n for n in range(at, len(commands)) if commands[n].start >= body.end), len(commands))
                self._bodies[body.name] = list(commands[at:last])
                at = max(last, at + 1)
                continue
            loop = self._loop_at(command.start)
            if loop is None:
                yield from self._command(command, certain)
                at += 1
                continue
            stop = at
            while stop < len(commands) and commands[stop].start < loop.end:
                stop += 1
            stop = max(stop, at + 1)
            self._loops.remove(loop)
            before = list(self._loops)
            values = self._several(loop.words)
            every: list[str | None] = [*values] or [None]
            for value in every:
                self._loops = list(before)
                self.values.known[loop.name] = (
                    value if value is not None else Unknown(f"what ${loop.name} goes through is not known")
                )
                yield from self._walk(commands[at:stop], command.command.depth if values else certain, inside=inside)
            self._loops = [one for one in before if not loop.start <= one.start < loop.end]
            self.values.known[loop.name] = Unknown(f"${loop.name} belongs to a loop")
            at = stop

    def _function_at(self, at: int) -> Function | None:
        return next((one for one in self._functions if one.start <= at < one.end), None)

    def _call(self, name: str, command: SimpleCommand) -> Iterator[BuildCommand]:
        """Follow a function of this script with the words that it is called with."""
        body, known = self._bodies[name], self.values.known
        before, loops_left, stack, base, local = dict(known), list(self._loops), self._stack, self._base, self._local
        for number, value in enumerate(self.values.arguments(command.raw[1:], self._here()), 1):
            known[str(number)] = value
        self._called.append(name)
        self._reached.add(name)
        self._stack, self._local, self._base = [], [], body[0].command.depth if body else 0
        self._loops = [one for one in self._every if body and body[0].start <= one.end]
        yield from self._walk(body, self._base)
        self._leave(self._base)
        for own in (*map(str, range(1, 10)), *self._local):
            known.pop(own, None)
            if own in before:
                known[own] = before[own]
        self._called.pop()
        self._stack, self._loops, self._base, self._local = stack, loops_left, base, local

    def _loop_at(self, at: int) -> Loop | None:
        return next((one for one in self._loops if one.start <= at < one.end), None)

    def _command(self, one: Placed, certain: int) -> Iterator[BuildCommand]:
        command = one.command
        self._steps += 1
        self._leave(command.depth, one.start)
        surely = command.certain or (command.depth <= certain and command.operator != "||")
        name = command.argv[0] if command.argv else ""
        if not command.argv:
            for variable, raw in one.written:
                self.values.assign(variable, raw, self._here(), surely=surely)
            return
        if name in self._bodies and name not in self._called and len(self._called) < DEPTH and self._steps < STEPS:
            yield from self._call(str(name), command)
        elif name in _SETTERS:
            for raw in command.raw[1:]:
                pair = _ASSIGNED.fullmatch(raw)
                if self._called and name != "export":
                    self._local.append(pair[1] if pair is not None else raw)
                if pair is not None and not pair[2].startswith("("):
                    self.values.assign(pair[1], pair[2], self._here(), surely=surely)
        elif name == "read":
            self._read(command)
        elif name == "shift":
            self.values.shift(once=len(command.raw) == 1)
        elif name in ("cd", "pushd", "popd"):
            self._move(command, name)
        elif "build" in (text := " ".join(command.raw)) or "bud" in text or "executor" in text:
            yield from self._build(command)

    def _read(self, command: SimpleCommand) -> None:
        """Follow ``IFS=: read -r a b <<< "$x"``; anything else is asked for when the script runs."""
        names = [raw for raw in command.raw[1:] if re.fullmatch(r"[A-Za-z_]\w*", raw)]
        given = next((one for one in command.redirects if one.op == "<<<"), None)
        text: Value = Unknown("it is asked for when the script runs")
        if given is not None:
            written = self._piece.text[given.span[0] : given.span[1]].removeprefix("<<<").strip()
            text = self.values.text(written, self._here())
        separator = next((value for name, value in command.assignments if name == "IFS"), None)
        self.values.taken_apart(names, text, separator)

    def _here(self) -> str:
        return self.folders[0] if self.folders else ""

    def _move(self, command: SimpleCommand, name: str) -> None:
        """Follow ``cd``; out of the subshell, branch or function that it stands in, the folder is another matter."""
        at = command.spans[0][0]
        if name == "pushd":
            self._pushed.append(self.folders)
        elif name == "popd":
            self.folders = self._pushed.pop() if self._pushed else ()
            return
        if command.depth > self._base and not (self._stack and self._stack[-1].depth >= command.depth):
            before = self._piece.text[:at].rstrip()
            end = -1
            if before.endswith("("):
                try:
                    end = matching(self._piece.text, len(before) - 1)
                except ScriptError:
                    end = len(self._piece.text)
            self._stack.append(_Moved(command.depth, self.folders if end >= 0 else (), at, end))
        if command.operator == "|" or len(command.raw) < 2 or command.raw[-1] == "-":
            self.folders = ()
            return
        target = self.values.text(command.raw[-1], self._here())
        moved = [os.path.normpath(os.path.join(one, target)) for one in self.folders] if isinstance(target, str) else []
        if isinstance(target, str) and os.path.isabs(target):
            moved = [os.path.normpath(target)]
        self.folders = tuple(dict.fromkeys(one for one in moved if os.path.isdir(one) and _in(one, self.root)))

    def _leave(self, depth: int, at: int = -1) -> None:
        """Forget moves of compound commands that are over."""
        while self._stack:
            top = self._stack[-1]
            if top.end >= 0 and at >= 0:
                over = at > top.end
            else:
                between = _SUBSTITUTED.sub("", self._piece.text[top.start : max(at, top.start)])
                over = top.depth > depth or _CLOSED.search(between) is not None
            if not over:
                break
            self.folders = self._stack.pop().after

    def _build(self, command: SimpleCommand) -> Iterator[BuildCommand]:
        read = [self.values.words(raw, self._here()) for raw in command.raw]
        words = Words(command.raw, read)
        called, start = program(words)
        if not called:
            return
        found = given(words, start, called)
        made = built(Session(self.file, self.kind, self.folders), found, called)
        if made is None:
            return
        self._found += 1
        span = self._piece.place(command.spans[0][0], command.spans[-1][1])
        tags, names, hidden = tagged(found, lambda raw: self.values.text(raw, self._here()))
        target = found.last("--target")
        yield replace(
            made, span=span, tags=tags, names=names, hidden=hidden, platforms=platforms(found), args=args(found),
            target=target if target is not None else "", open=made.open or found.open, made=self.made,
        )  # fmt: skip


def _in(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root.rstrip('/')}/")
