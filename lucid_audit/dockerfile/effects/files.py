"""Commands that make, move and change files: POSIX utilities as GNU coreutils and busybox have them."""

from __future__ import annotations

from posixpath import normpath

from lucid_audit.container.access import number
from lucid_audit.container.tree import Node
from lucid_audit.dockerfile.effects.site import Call, Site, parent, under
from lucid_audit.dockerfile.globs import element, has_wildcards
from lucid_audit.regex import regex

_SYMBOLIC = regex(r"([ugoa]*)([-+=])([rwxX]*)")
_BITS = {"r": 4, "w": 2, "x": 1}
_SHIFTS = {"u": 6, "g": 3, "o": 0}


def mkdir(site: Site, call: Call) -> None:
    """Make folders."""
    mode = call.value("-m", "--mode")
    bits = int(mode, 8) if mode and mode.isdigit() and not set(mode) & {"8", "9"} else None if mode else 0o755
    for word in call.operands("m")[0]:
        path = site.path(word)
        if path is None or has_wildcards(word or ""):
            site.maybe(None if path is None else parent(path), "mkdir")
        elif not site.mounted(path):
            fresh = site.tree.walk(path).state == "absent"
            folder = site.tree.folder(path, site.made, 0o755, site.account.uid, site.account.gid)
            if folder is not None and fresh:
                folder.mode = bits


def touch(site: Site, call: Call) -> None:
    """Make an empty file where there was nothing."""
    for word in call.operands("dtr")[0]:
        path = site.path(word)
        if path is None or has_wildcards(word or ""):
            site.maybe(None if path is None else parent(path), "touch")
        elif site.tree.walk(path).state != "present":
            node = site.node("f", 0o644)
            node.load = None if site.tree.walk(path).state == "unknown" else _nothing
            site.put(path, node, "touch")


def _nothing(_: int) -> bytes:
    return b""


def write(site: Site, target: str | None) -> None:
    """Write a file by redirection; its content is not followed."""
    path = site.path(target)
    if path is None:
        site.doubt("a redirection")
    elif not path.startswith(("/dev/", "/proc/")):
        old = site.tree.walk(path).node
        if old is not None and old.kind == "f":
            old.load = None
        else:
            site.put(path, site.node("f", 0o644), "a redirection")


def tee(site: Site, call: Call) -> None:
    """Write each file that is named."""
    for word in call.operands()[0]:
        write(site, word)


def link(site: Site, call: Call) -> None:
    """Link: ``-s`` stores its target as written; without it both names are one file."""
    operands, options = call.operands("tS")
    if "-t" in options or "--target-directory" in options or "-r" in options or "--relative" in options:
        site.doubt("ln")
        return
    if not operands or None in operands or any(has_wildcards(word or "") for word in operands):
        site.maybe(site.path(operands[-1]) if operands else None, "ln")
        return
    words = [str(word) for word in operands]
    to = site.path(words[-1] if len(words) > 1 else under(".", words[0]))
    for target in words[:-1] or words:
        place = to
        if place is not None and _is_folder(site, place, follow="-n" not in options and "-T" not in options):
            place = under(place, target)
        if options & {"-s", "--symbolic"}:
            node = Node("l", site.made, 0o777, site.account.uid, site.account.gid, target)
            if place is not None and (
                options & {"-f", "--force"} or site.tree.walk(place, follow=False).state != "present"
            ):
                site.put(place, node, "ln")
        else:
            _place(site, site.path(target), place, "ln", keep=True)


def _is_folder(site: Site, path: str, *, follow: bool = True) -> bool:
    walk = site.tree.walk(path, follow=follow)
    return walk.node is not None and walk.node.kind == "d"


def copy(site: Site, call: Call) -> None:
    """Copy files and folders."""
    _transfer(site, call, moves=False)


def move(site: Site, call: Call) -> None:
    """Move files and folders."""
    _transfer(site, call, moves=True)


def _transfer(site: Site, call: Call, *, moves: bool) -> None:
    operands, options = call.operands("tS")
    if len(operands) < 2 or options & {"-t", "--target-directory", "--parents", "-s", "-T", "-u", "-n"}:
        site.doubt(call.name)
        return
    to = site.path(operands[-1])
    folder = to is not None and ((operands[-1] or "").endswith("/") or len(operands) > 2 or _is_folder(site, to))
    keep = moves or bool(options & {"-a", "-p", "--archive"})
    links = moves or bool(
        options & {"-a", "-r", "-R", "-d", "-P", "--archive", "--recursive"} and not options & {"-L", "-H"}
    )
    for word in operands[:-1]:
        source = site.path(word)
        if source is None or to is None or has_wildcards(word or "") or has_wildcards(operands[-1] or ""):
            site.maybe(to, call.name)
            if moves and source is not None:
                _doubted(site, parent(source), "mv")
            continue
        contents = (word or "").endswith("/.")
        known = folder or site.tree.walk(to).state != "unknown"
        if contents:
            _place(site, source, to, call.name, keep=keep)
        elif known:
            _place(site, source, under(to, source) if folder else to, call.name, keep=keep, links=links)
        else:
            site.maybe(parent(to), call.name)
        if moves:
            _remove(site, source)


def _place(site: Site, source: str | None, to: str | None, what: str, *, keep: bool, links: bool = False) -> None:
    """Place a copy of a source at a path; what is not known of it stays so. ``links``: a link is copied as a link."""
    if source is None or to is None:
        site.maybe(to, what)
        return
    walk = site.tree.walk(source, follow=not links)
    if walk.node is None or walk.node.kind == "?" or site.mounted(source):
        if walk.state != "absent" or site.mounted(source):
            node = Node("?", site.made)
            node.open = f"what {what} in a RUN copies to {to} is not listed"
            site.put(to, node, what)
        return

    def change(node: Node) -> None:
        node.made = site.made
        if not keep:
            node.uid, node.gid = site.account.uid, site.account.gid
        if site.tree.doubt and node.kind == "d":
            node.doubt(site.tree.doubt)

    site.put(to, walk.node.copied(change), what)


def remove(site: Site, call: Call) -> None:
    """Remove what is named, and what a wildcard is known to match."""
    for word in call.operands()[0]:
        path = site.path(word)
        if path is None:
            site.doubt("rm") if word is None else None
        elif has_wildcards(word or ""):
            folder, _, pattern = path.rpartition("/")
            walk = site.tree.walk(folder or "/")
            match = element(pattern)
            if has_wildcards(folder):
                _doubted(site, folder[: folder.index("*")].rpartition("/")[0] if "*" in folder else "/", "rm")
            elif walk.node is not None and walk.node.kind == "d" and match is not None:
                for name in [name for name in walk.node.children if match.fullmatch(name)]:
                    del walk.node.children[name]
        else:
            _remove(site, path)


def _remove(site: Site, path: str) -> None:
    if not site.mounted(path):
        site.tree.remove(path)


def perhaps_removed(site: Site, call: Call) -> None:
    """Note that a removal may have happened: what it names is not known any more."""
    for word in call.operands()[0]:
        path = site.path(word)
        if path is None or has_wildcards(word or ""):
            site.doubt("rm")
        else:
            _doubted(site, path, "rm")


def _doubted(site: Site, path: str, what: str) -> None:
    """Forget an entry: it may be there or not."""
    walk = site.tree.walk(path, follow=False)
    if walk.state == "present" and walk.through and not site.mounted(path):
        folder = walk.through[-1][1]
        folder.children.pop(path.rpartition("/")[2], None)
        folder.doubt(f"{what} in a RUN may have removed it")


def chmod(site: Site, call: Call) -> None:
    """Change permission bits, octal and symbolic; a clause such as ``-w`` looks like an option and is not followed."""
    operands, options = call.operands()
    for word in operands[1:]:
        for node in _affected(site, word, deep=bool(options & {"-R", "--recursive"})):
            node.mode = changed(node, operands[0])


def changed(node: Node, mode: str | None) -> int | None:
    """Return an entry's permission bits after a chmod, None when they are not known."""
    if mode is None:
        return None
    if mode.isdigit() and not set(mode) & {"8", "9"}:
        return int(mode, 8)
    bits = node.mode
    for clause in mode.split(","):
        match = _SYMBOLIC.fullmatch(clause)
        if match is None or bits is None:
            return None
        which, sign, letters = match[1] or "a", match[2], match[3]
        for who in _SHIFTS if "a" in which else which:
            given = 0
            for letter in letters:
                if letter != "X" or node.kind == "d" or bits & 0o111:
                    given |= _BITS[letter.lower()] << _SHIFTS[who]
            whole = 7 << _SHIFTS[who]
            bits = bits | given if sign == "+" else bits & ~given if sign == "-" else bits & ~whole | given
    return bits


def chown(site: Site, call: Call) -> None:
    """Change owners; names but root's are not looked up."""
    operands, options = call.operands()
    if not operands or any(option.startswith("--reference") for option in options):
        return
    owner = operands[0] or "?"
    user, _, group = owner.replace(".", ":").partition(":") if call.name == "chown" else ("", ":", owner)
    for word in operands[1:]:
        for node in _affected(site, word, deep=bool(options & {"-R", "--recursive"})):
            if user:
                node.uid = number(user)
            if group:
                node.gid = number(group)


def _affected(site: Site, word: str | None, *, deep: bool) -> list[Node]:
    """Return the entries that a change of attributes reaches; of a wildcard those that are known."""
    path = site.path(word)
    if path is None or site.mounted(path):
        return []
    if has_wildcards(word or ""):
        folder, _, pattern = path.rpartition("/")
        walk, match = site.tree.walk(folder or "/"), element(pattern)
        inside = walk.node.children if walk.node is not None and walk.node.kind == "d" else {}
        top = [(normpath(f"{folder}/{name}"), node) for name, node in inside.items() if match and match.fullmatch(name)]
    else:
        walk = site.tree.walk(path)
        top = [(path, walk.node)] if walk.node is not None else []
    found = [node for _, node in top]
    for at, node in top if deep else ():
        found.extend(inner for _, inner in site.tree.below(at, node))
    return found


def install(site: Site, call: Call) -> None:
    """Copy with a mode, 0755 by default, or make folders with ``-d``."""
    operands, options = call.operands("mogtS")
    mode = call.value("-m", "--mode")
    bits = int(mode, 8) if mode and mode.isdigit() else None if mode else 0o755
    if options & {"-d", "--directory"}:
        for word in operands:
            path = site.path(word)
            if path is None:
                site.doubt("install")
            else:
                site.tree.folder(path, site.made, bits, None, None)
        return
    if len(operands) < 2 or options & {"-t", "--target-directory"}:
        site.doubt("install")
        return
    to = site.path(operands[-1])
    folder = to is not None and ((operands[-1] or "").endswith("/") or len(operands) > 2 or _is_folder(site, to))
    for word in operands[:-1]:
        source = site.path(word)
        if source is None or to is None or has_wildcards(word or ""):
            site.maybe(to, "install")
            continue
        place = under(to, source) if folder else to
        _place(site, source, place, "install", keep=False)
        node = site.tree.walk(place).node
        if node is not None:
            node.mode = bits
