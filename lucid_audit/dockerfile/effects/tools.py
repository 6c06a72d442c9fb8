"""Package managers, compilers and downloads: which folders they write to, and the few files that are sure."""

from __future__ import annotations

from posixpath import basename

from lucid_audit.dockerfile.effects.site import Call, Site, parent

# What Debian and Alpine packages of these names are installed for, at the same path in both unless it says otherwise.
_PROGRAMS = {
    "bash": "/bin/bash",
    "ca-certificates": "/etc/ssl/certs/ca-certificates.crt",
    "curl": "/usr/bin/curl",
    "dumb-init": "/usr/bin/dumb-init",
    "ffmpeg": "/usr/bin/ffmpeg",
    "gcc": "/usr/bin/gcc",
    "git": "/usr/bin/git",
    "jq": "/usr/bin/jq",
    "make": "/usr/bin/make",
    "nginx": "/usr/sbin/nginx",
    "nodejs": "/usr/bin/node",
    "openssl": "/usr/bin/openssl",
    "python3": "/usr/bin/python3",
    "tor": "/usr/bin/tor",
    "tzdata": "/usr/share/zoneinfo/UTC",
    "unzip": "/usr/bin/unzip",
    "wget": "/usr/bin/wget",
    "xz-utils": "/usr/bin/xz",
}
_TINI = {"apk": "/sbin/tini"}
_INSTALLS = {
    "apt-get": ("install", "upgrade", "dist-upgrade", "build-dep"),
    "apt": ("install", "upgrade", "full-upgrade", "build-dep"),
    "aptitude": ("install", "upgrade"),
    "apk": ("add", "upgrade", "fix"),
    "dnf": ("install", "upgrade", "update", "groupinstall"),
    "microdnf": ("install", "update", "upgrade"),
    "yum": ("install", "update", "upgrade", "groupinstall"),
    "tdnf": ("install", "update"),
    "zypper": ("install", "in", "update"),
}
_REMOVES = ("remove", "purge", "autoremove", "del", "erase")


def packages(site: Site, call: Call) -> None:
    """Follow a distribution's package manager."""
    words = [word for word in call.words if word is None or not word.startswith("-")]
    command = words[0] if words else ""
    if command in _REMOVES:
        site.system(call.name)
        return
    if command is not None and command not in _INSTALLS[call.name]:
        return
    site.system(call.name)
    for word in words[1:] if call.certain else ():
        name = (word or "").partition("=")[0].partition(":")[0]
        path = _TINI.get(call.name, "/usr/bin/tini") if name == "tini" else _PROGRAMS.get(name)
        if path is not None and site.tree.walk(path).state != "present":
            site.put(path, site.node("?", 0o644 if path.startswith(("/etc", "/usr/share")) else 0o755), call.name)


def go(site: Site, call: Call) -> None:
    """Follow ``go build -o``; modules and the cache lie below GOPATH and the user's folder."""
    words = call.words
    if words[:1] in (("build",), ("install",)):
        out = call.value("-o")
        if words[0] == "install":
            site.maybe("/go", "go")
        elif "-o" not in words:
            site.maybe(site.path("."), "go")
        elif out is None or out.endswith("/") or not call.certain:
            site.maybe(None if out is None else site.path(out), "go")
        else:
            _program(site, site.path(out), "go build")
    if site.account.home:
        site.maybe(site.account.home, "go")
    site.maybe("/go", "go")
    if words[:1] not in (("build",), ("install",), ("mod",), ("version",), ("env",), ("get",), ("vet",), ("test",)):
        site.doubt("go")


def _program(site: Site, path: str | None, what: str) -> None:
    if path is None:
        site.doubt(what)
        return
    walk = site.tree.walk(path)
    if walk.node is not None and walk.node.kind == "d":
        site.maybe(path, what)
    else:
        site.put(path, site.node("f", 0o755), what)


def cargo(site: Site, call: Call) -> None:
    """Follow cargo: everything goes to the target folder and cargo's own home."""
    target = call.value("--target-dir") or site.lookup("CARGO_TARGET_DIR") or "target"
    path = site.path(target)
    if path is not None:
        site.fill(path, "cargo")
    else:
        site.doubt("cargo")
    site.maybe(site.path("."), "cargo")
    site.maybe("/usr/local/cargo", "cargo")
    if call.words[:1] not in (("build",), ("fetch",), ("chef",), ("init",), ("new",), ("test",), ("--version",)):
        site.doubt("cargo")


def node(site: Site, call: Call) -> None:
    """Follow npm, yarn and pnpm; scripts of a project are taken to write below it."""
    if "-g" in call.words or "--global" in call.words or call.words[:2] == ("global", "add"):
        site.fill("/usr/local/lib/node_modules", call.name)
        site.maybe("/usr/local/bin", call.name)
    prefix = call.value("--prefix", "-C", "--cwd")
    path = site.path(prefix or ".")
    if path is None:
        site.doubt(call.name)
        return
    site.maybe(path, call.name)
    if call.words[:1] in (("ci",), ("install",), ("i",)) and call.certain and "-g" not in call.words:
        site.fill(f"{path.rstrip('/')}/node_modules", call.name)
    if site.account.home:
        site.maybe(site.account.home, call.name)


def download(site: Site, call: Call) -> None:
    """Follow curl and wget: the file that they are told to write."""
    if call.name == "curl":
        names = [call.value("-o", "--output")] if _has(call, "-o", "--output") else []
        remote = any(word is not None and (word == "--remote-name" or _short(word, "O")) for word in call.words)
        plain = not names and not remote
    else:
        names = [call.value("-O", "--output-document")] if _has(call, "-O", "--output-document") else []
        plain, remote = False, not names
    if plain or names == ["-"]:
        return
    if remote or None in names or not call.certain:
        site.maybe(site.path(call.value("-P", "--directory-prefix") or "."), call.name)
        return
    path = site.path(names[0])
    if path is not None and not path.startswith("/dev/"):
        site.put(path, site.node("f", 0o644), call.name)
    elif path is None:
        site.doubt(call.name)


def _has(call: Call, short: str, long: str) -> bool:
    return any(
        word is not None and (word == long or word.startswith(f"{long}=") or _short(word, short[1]))
        for word in call.words
    )


def _short(word: str, letter: str) -> bool:
    """Whether a word is a bundle of short options with a letter in it."""
    return word.startswith("-") and not word.startswith("--") and letter in word[1:]


def unpack(site: Site, call: Call) -> None:
    """Follow tar and unzip: what an archive has is not listed."""
    if call.name == "tar" and not _extracts(call.words):
        first = call.words[0] if call.words else ""
        out = call.value("-f", "--file") or (call.words[1] if first and "f" in first and len(call.words) > 1 else None)
        site.maybe(None if out is None else site.path(out), "tar")
        return
    path = site.path(call.value("-C", "--directory", "-d") or ".")
    if path is None:
        site.doubt(call.name)
    elif site.tree.walk(path).state == "present":
        site.maybe(path, call.name)
    else:
        site.fill(path, call.name)


def _extracts(words: tuple[str | None, ...]) -> bool:
    """Whether tar is told to extract: the letters of its first word may come without a hyphen."""
    if words[:1] and words[0] and not words[0].startswith("-") and "x" in words[0]:
        return True
    return any(word in ("--extract", "--get") or (word is not None and _short(word, "x")) for word in words)


def clone(site: Site, call: Call) -> None:
    """Follow git: a clone makes a folder, everything else works in the current one."""
    words = [word for word in call.words if word is None or not word.startswith("-")]
    if words[:1] == ["clone"]:
        target = words[-1] if len(words) > 2 else basename((words[-1] or "").removesuffix(".git"))
        path = site.path(target)
        if path is None or None in words:
            site.maybe(site.path("."), "git")
        elif call.value("-b", "--branch", "--depth") is None or len(words) > 2:
            site.maybe(parent(path), "git")
            site.fill(path, "git")
        else:
            site.maybe(parent(path), "git")
    else:
        site.maybe(site.path("."), "git")


def accounts(site: Site, call: Call) -> None:
    """Follow useradd, adduser, groupadd and the like: lines in /etc, and perhaps a home folder."""
    for path in ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"):
        found = site.tree.walk(path).node
        if found is not None:
            found.load = None
    if call.name in ("useradd", "adduser"):
        home = call.value("-d", "--home-dir", "--home", "-h")
        site.maybe("/home", call.name)
        if home:
            site.maybe(parent(site.path(home) or "/home/x"), call.name)
