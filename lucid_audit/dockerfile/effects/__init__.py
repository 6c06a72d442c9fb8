"""What RUN does to a tree, as far as its text tells. What cannot be read makes unknown what it could touch.

A command that is known to write only to some folders opens these; any other program may have written anywhere, which
leaves what is known to be there and makes what is not there unknown.
"""

from __future__ import annotations

from posixpath import basename

from lucid_audit.container.tree import Tree
from lucid_audit.dockerfile.effects import files, python
from lucid_audit.dockerfile.effects.commands import ADDS, HANDLERS, HARMLESS, RUNS_OTHERS, SYSTEM
from lucid_audit.dockerfile.effects.site import Account, Call, Site
from lucid_audit.dockerfile.model import Command
from lucid_audit.dockerfile.mounts import parse_mount
from lucid_audit.dockerfile.shell_calls import Redirect, SimpleCommand, plain_command
from lucid_audit.dockerfile.stages import Stage, Step

__all__ = ["Account", "run"]


def run(tree: Tree, stage: Stage, step: Step, account: Account) -> None:
    """Apply the RUN of ``step`` to the tree of its stage."""
    instruction = step.instruction
    if not isinstance(instruction, Command):
        return
    flags = [flag.value.raw for flag in instruction.flags if flag.name == "mount" and flag.value is not None]
    mounts = tuple(mount.target for mount in map(parse_mount, flags) if mount.target)
    site = Site(tree, stage, step, account, mounts)
    command = instruction.command
    if command.exec_form:
        words = tuple(word.raw for word in command.args)
        if words:
            _call(site, Call(basename(words[0]), words[1:], words[1:], True), words[0])
        return
    if tree.walk("/bin/sh").state == "absent":
        return  # the build ends here, which is another rule's matter
    text = command.text
    if instruction.heredocs:
        only = text.lstrip().startswith("<<") and len(instruction.heredocs) == 1
        if not only or instruction.heredocs[0].body.startswith("#!"):
            site.doubt("a here-document")
            return
        text = instruction.heredocs[0].body
    _script(site, text)


def _script(site: Site, text: str) -> None:
    plain = [plain_command(part) for part in text.split("&&")]
    if None not in plain:  # most are such, and reading the others takes ten times as long
        for words in plain:
            if words is not None:
                _words(site, words, words, certain=True, nested=False)
        return
    from lucid_audit.dockerfile.shell import parse_script  # noqa: PLC0415  (only where a stage has commands)

    script = parse_script(text, site.lookup)
    for command in _settled(script.commands):
        _simple(site, command)
    if not script.complete:
        site.doubt("what cannot be read")


def _settled(commands: tuple[SimpleCommand, ...]) -> list[SimpleCommand]:
    """Mark as uncertain what stands in a list with ``||``: it may have failed, and the script went on."""
    found: list[SimpleCommand] = []
    start = 0
    for command in commands:
        if command.operator not in ("&&", "||", "|") and (not found or command.depth <= found[start].depth):
            start = len(found)
        found.append(command)
        if command.operator == "||":
            found[start:] = [one._replace(certain=False) for one in found[start:]]
            start = len(found) - 1  # what follows by && is uncertain too
        elif start and command.operator == "&&" and not found[-2].certain and found[start].operator == "||":
            found[-1] = command._replace(certain=False)
    return found


def _simple(site: Site, command: SimpleCommand) -> None:
    for redirect in command.redirects:
        if redirect.op in (">", ">>", ">|", "&>", "&>>", "<>"):
            _redirected(site, redirect, certain=command.certain)
    if command.argv:
        _words(site, command.argv, command.raw, certain=command.certain, nested=command.depth > 0)


def _words(site: Site, words: tuple[str | None, ...], raw: tuple[str, ...], *, certain: bool, nested: bool) -> None:
    if words[0] is None:
        site.doubt(raw[0])
    elif words[0] == "cd":
        target = words[1] if len(words) > 1 else site.account.home or None
        site.folder = site.path(target) if certain and not nested else None
    else:
        _call(site, Call(basename(words[0]), words[1:], raw[1:], certain), words[0])


def _redirected(site: Site, redirect: Redirect, *, certain: bool) -> None:
    if redirect.target is not None and redirect.target.isdigit():
        return
    if certain:
        files.write(site, redirect.target)
    else:
        site.maybe(site.path(redirect.target), "a redirection")


def _call(site: Site, call: Call, program: str) -> None:
    name = call.name
    if name == "sudo" and call.words and call.words[0] is not None and not call.words[0].startswith("-"):
        first = call.words[0]
        _call(site, Call(basename(first), call.words[1:], call.raw[1:], call.certain), first)
    elif (name.startswith("pip") and name[3:].replace(".", "").isdigit()) or name == "pip":
        python.pip(site, call, site.which(program))
    elif (name.startswith("python") and name[6:].replace(".", "").isdigit()) or name == "python":
        python.python(site, call._replace(name=program))
    elif name == "sed":
        if not any(word is not None and word.startswith(("-i", "--in-place")) for word in call.words):
            return
        for word in call.operands("ef")[0]:
            found = site.tree.walk(site.path(word) or "/").node
            if found is not None:
                found.load = None
    elif name in HANDLERS:
        _handled(site, call)
    elif name in HARMLESS and not _runs_others(call):
        if name in SYSTEM and call.words:
            site.maybe("/etc", name)
        if name == "dpkg" and any(word in ("-i", "--install") for word in call.words):
            site.doubt(name)
    else:
        site.doubt(name)


def _runs_others(call: Call) -> bool:
    """Whether a harmless program may start others, or write after all."""
    if call.name == "find":
        return any(word is None or word.startswith(("-exec", "-ok", "-delete", "-fprint")) for word in call.words)
    if call.name in RUNS_OTHERS:
        return not all(word is not None and word.startswith("-") for word in call.words)
    return call.name == "openssl" and len(call.words) > 1


def _handled(site: Site, call: Call) -> None:
    if call.certain or call.name not in (*ADDS, "rm", "rmdir", "unlink", "mv", "chmod", "chown", "chgrp"):
        HANDLERS[call.name](site, call)
    elif call.name in ADDS:
        for word in call.operands("mtdrgo")[0]:
            site.maybe(site.path(word), call.name)
    elif call.name in ("chmod", "chown", "chgrp"):
        for word in call.operands()[0][1:]:
            found = site.tree.walk(site.path(word) or "/").node
            if found is not None:
                found.mode = found.uid = found.gid = None
    elif call.name == "mv":
        site.doubt("mv")
    else:
        files.perhaps_removed(site, call)
