"""What makes virtual environments and installs Python packages.

Facts: CPython's ``Lib/venv/__init__.py`` (the program is linked by the name it was called, by its path as found; the
other names are links to that one), PEP 405 (``pyvenv.cfg``), pip's and uv's command lines.
"""

from __future__ import annotations

from posixpath import basename, dirname, join

from lucid_audit.container.tree import Node
from lucid_audit.dockerfile.effects.looks import code_only_looks
from lucid_audit.dockerfile.effects.site import Call, Site, parent
from lucid_audit.regex import regex

VERSIONED = regex(r"python(\d+\.\d+)")
_RELEASES = {"debian11": "3.9", "debian12": "3.11", "debian13": "3.13", "ubuntu22.04": "3.10", "ubuntu24.04": "3.12"}
_SCRIPTS = ("activate", "activate.csh", "activate.fish", "Activate.ps1")
_LOOKS = (
    "--version",
    "-V",
    "list",
    "show",
    "freeze",
    "check",
    "config",
    "cache",
    "debug",
    "help",
    "index",
    "inspect",
    "hash",
)
_ASKS = ("about", "check", "config", "env", "info", "list", "show", "version")  # of poetry, pdm and pipenv
_INSTALLS = ("add", "install", "lock", "sync", "update")


def python(site: Site, call: Call) -> None:
    """Follow the interpreter: ``-m venv``, ``-m pip`` and what only looks; other code may write anything."""
    words = call.words
    at = next(
        (n for n, word in enumerate(words) if word is None or not word.startswith("-") or word in ("-m", "-c")), None
    )
    if at is None:
        return  # python --version
    if words[at] == "-c":
        code = words[at + 1] if at + 1 < len(words) else None
        if code is None or not code_only_looks(code):
            site.doubt(call.name)
    elif words[at] == "-m" and at + 1 < len(words):
        module, rest = words[at + 1], Call("pip", words[at + 2 :], (), call.certain)
        if module in ("venv", "virtualenv"):
            venv(site, rest, call.name)
        elif module == "pip":
            pip(site, rest, site.which(call.name))
        elif module == "ensurepip":
            installed(site, None, "pip")
        elif module != "compileall":
            site.doubt(f"{call.name} -m {module}")
    else:
        site.doubt(call.name)


def venv(site: Site, call: Call, program: str) -> None:
    """Make virtual environments as ``python -m venv`` does."""
    folders = []
    skip = False
    for word in call.words:
        if skip:
            skip = False
        elif word in ("--prompt", "-p", "--python"):
            skip = True
        elif word is None or not word.startswith("-"):
            folders.append(site.path(word))
    known = call.known
    found = site.which(program) if "-p" not in call.words and "--python" not in call.words else None
    for folder in folders:
        if folder is None or known is None or not call.certain:
            site.maybe(folder, "venv")
        elif not site.mounted(folder):
            _environment(site, folder, found, known)


def _environment(site: Site, root: str, program: str | None, options: tuple[str, ...]) -> None:
    version = version_of(site, program) if program is not None else ""
    made = site.tree.folder(root, site.made, 0o755, site.account.uid, site.account.gid)
    folder = site.tree.folder(f"{root}/bin", site.made, 0o755, site.account.uid, site.account.gid)
    if made is None or folder is None:
        return
    if program is None:
        site.maybe(root, "venv")
        folder.children["python"] = folder.children["python3"] = Node("?", site.made)
    else:
        name = basename(program)
        copies = "--copies" in options
        folder.children[name] = site.node("?", 0o755) if copies else Node("l", site.made, 0o777, 0, 0, program)
        for other in ("python", "python3", f"python{version}" if version else "python3"):
            if other != name:
                folder.children[other] = Node("l", site.made, 0o777, 0, 0, name)
    for script in _SCRIPTS:
        folder.children[script] = site.node("f", 0o644)
    if "--without-pip" not in options:
        for script in ("pip", "pip3", *((f"pip{version}",) if version else ())):
            folder.children[script] = site.node("?", 0o755)
    if not version:
        folder.doubt("which Python the environment is made with is not known")
    config = site.node("f", 0o644)
    system = "true" if "--system-site-packages" in options else "false"
    text = f"home = {dirname(program or '')}\ninclude-system-site-packages = {system}\n"
    config.load = (lambda limit: text.encode()[:limit]) if program is not None else None
    made.children["pyvenv.cfg"] = config
    packages = f"{root}/lib/python{version}/site-packages" if version else f"{root}/lib"
    site.tree.folder(packages, site.made, 0o755, site.account.uid, site.account.gid)
    if "--without-pip" not in options or not version:
        site.maybe(packages, "venv")


def version_of(site: Site, program: str) -> str:
    """Return the version of an interpreter, "" when it is not known."""
    walk = site.tree.walk(program)
    for path in (walk.path, program):
        match = VERSIONED.fullmatch(basename(path))
        if match is not None:
            return match[1]
    stage = site.stage_base
    interpreter = stage.interpreter if stage is not None else None
    if interpreter is not None and interpreter.kind == "python" and dirname(program) == dirname(interpreter.path):
        return interpreter.version or ""
    if stage is not None and interpreter is None and dirname(program) in ("/usr/bin", "/bin"):
        return _RELEASES.get(stage.release or "", "")
    return ""


def installed(site: Site, root: str | None, what: str) -> None:
    """Open the folders that packages go to: a virtual environment's, or those of the stage's own interpreter."""
    if root is not None:
        for name in ("bin", "lib", "lib64", "share", "include", "etc"):
            if name in ("bin", "lib") or site.tree.walk(f"{root}/{name}").state == "present":
                site.fill(f"{root}/{name}", what)
        return
    for folder in ("/usr/local/bin", "/usr/local/lib", "/usr/local/share", "/usr/local/include", "/usr/local/etc"):
        site.fill(folder, what)
    for folder in ("/usr/lib/python3", "/usr/lib"):
        if site.tree.walk(folder).state == "present":
            site.maybe(folder, what)
    site.maybe("/usr/bin", what)


def pip(site: Site, call: Call, program: str | None) -> None:
    """Follow pip: where ``install`` puts packages; ``program`` is the pip or python that is called."""
    words = [word for word in call.words if word is None or not word.startswith("-")]
    command = words[0] if words else None
    if command in _LOOKS or (command is None and call.known is not None) or command == "uninstall":
        return
    if command in ("download", "wheel"):
        site.maybe(site.path(call.value("-w", "--wheel-dir", "-d", "--dest") or "."), "pip")
    elif command != "install":
        site.doubt("pip")
    elif not _chosen(site, call):
        if program is None:
            site.doubt("pip")
        else:
            root = dirname(dirname(program))
            own = root in ("/usr", "/") or site.tree.walk(f"{root}/pyvenv.cfg").state == "absent"
            installed(site, None if own else root, "pip")


def _chosen(site: Site, call: Call) -> bool:
    """Open the folder that options of pip install choose; False when there are none."""
    if "--user" in call.words:
        if site.account.home:
            site.fill(f"{site.account.home}/.local", "pip")
        else:
            site.doubt("pip")
        return True
    for options in (("-t", "--target"), ("--prefix",), ("--root",)):
        value = call.value(*options)
        if value is None and not any(word in options for word in call.words):
            continue
        path = site.path(value)
        if path is None:
            site.doubt("pip")
            return True
        site.fill(path, "pip")
        if options[0] == "--prefix":
            installed(site, path, "pip")
        return True
    return False


def uv(site: Site, call: Call) -> None:
    """Follow uv: the interpreter of its environments may be one of its own."""
    words = [word for word in call.words if word is None or not word.startswith("-")]
    if not words or words[0] in ("version", "help", "lock", "export", "tree", "cache"):
        return
    if words[0] in ("sync", "run", "venv", "add"):
        place = words[1] if words[0] == "venv" and len(words) > 1 else site.lookup("UV_PROJECT_ENVIRONMENT") or ".venv"
        path = site.path(place)
        if path is None:
            site.doubt("uv")
            return
        _environment(site, path, _uv_python(site, call), ("--without-pip",))
        installed(site, path, "uv")
        site.maybe(parent(path), "uv")
    elif words[0] == "pip":
        target = call.value("--target", "--prefix")
        if target is not None:
            site.fill(site.path(target) or "/", "uv")
        elif "--system" in call.words or site.lookup("UV_SYSTEM_PYTHON"):
            installed(site, None, "uv")
        else:
            environment = site.lookup("VIRTUAL_ENV")
            installed(site, site.path(environment or ".venv"), "uv")
            installed(site, None, "uv")
    else:
        site.own_python = site.own_python or words[0] == "python"
        site.doubt("uv")


def _uv_python(site: Site, call: Call) -> str | None:
    """Return the interpreter that uv takes: the stage's own, unless another is asked for or may be downloaded."""
    base = site.stage_base
    interpreter = base.interpreter if base is not None else None
    asked = call.value("--python", "-p") is not None or bool(site.lookup("UV_PYTHON")) or site.own_python
    return None if asked or interpreter is None or interpreter.kind != "python" else interpreter.path


def project(site: Site, call: Call) -> None:
    """Follow poetry, pdm and pipenv: an environment in the project, in the user's folder, or the interpreter's own."""
    words = [word for word in call.words if word is None or not word.startswith("-")]
    if not words or words[0] in _ASKS:
        return
    if words[0] not in _INSTALLS:
        site.doubt(f"{call.name} {words[0] or ''}".rstrip())
        return
    site.maybe(site.path("."), call.name)
    if site.account.home:
        site.fill(join(site.account.home, ".cache"), call.name)
    installed(site, None, call.name)
    environment = site.lookup("VIRTUAL_ENV")
    if environment:
        installed(site, site.path(environment), call.name)
