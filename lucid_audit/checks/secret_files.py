"""Files that hold secrets, told by their names, and by their content where the name leaves it open."""

from __future__ import annotations

import re
from posixpath import basename

from lucid_audit.regex import rx

READ = 64 * 1024  # bytes of a file that are looked at
# Names that say it all. The second group needs the file's content to tell a secret from a setting.
_NAMES = (
    ("a file of environment secrets", r"\.env(?:\.(?!(?:[\w.-]*[._-])?(?:example|sample|template|tmpl|dist|defaults?|schema|test|md)$)[\w.-]+)?"),
    ("a file of environment secrets", r"[\w.-]*secrets?[\w-]*\.env"),
    ("a private key", r"id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|[\w.-]*priv(?:ate)?[_-]?key[\w-]*\.(?:pem|key|der)"),
    ("stored passwords", r"\.(?:netrc|git-credentials|pgpass|htpasswd)|_netrc"),
)  # fmt: skip
_PATHS = (
    ("cloud credentials", r"\.aws(?:/credentials)?|\.config/gcloud(?:/.*)?|\.azure"),
    ("registry credentials", r"\.docker(?:/config\.json)?"),
    ("cluster credentials", r"\.kube(?:/config)?"),
    ("SSH keys", r"\.ssh"),
    ("the repository with its whole history", r"\.git"),
)
# One of these is in whatever the patterns above find, and looking for them is ten times faster.
_MARKS = (".env", "secret", "id_", "key", "netrc", ".git", ".pgpass", ".htpasswd",
          ".aws", ".config", ".azure", ".docker", ".kube", ".ssh")  # fmt: skip
_CONTENTS = (
    ("a private key", r"[\w.-]+\.(?:pem|key)", rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    ("a registry token", r"\.npmrc", rb"_(?:authToken|auth|password)\s*=\s*(?!\$\{)\S"),
    ("a registry password", r"\.pypirc|pip\.conf", rb"(?m)^\s*password\s*[:=]\s*\S|://[^/\s:$]+:[^@\s$]+@"),
)
_OPEN = (".pem", ".key", ".npmrc", ".pypirc", "pip.conf")


MARKS = (*_MARKS, *_OPEN)  # one of these is in every path that is worth a closer look


def kind_by_name(path: str) -> str:
    """Say what a file is by its name, "" when that says nothing."""
    path = path.rstrip("/")
    if not any(mark in path for mark in _MARKS):
        return ""
    name = basename(path)
    for kind, pattern in _NAMES:
        if rx(pattern).fullmatch(name):
            return kind
    return next((kind for kind, pattern in _PATHS if rx(rf"(?:.*/)?(?:{pattern})").fullmatch(path)), "")


def suspicious(path: str) -> bool:
    """Whether a path is worth a closer look: everything that the other functions find is."""
    return path.endswith(_OPEN) or any(mark in path for mark in _MARKS)


def open_name(path: str) -> bool:
    """Whether only the content tells if a file of this name holds a secret."""
    return path.endswith(_OPEN)


def kind_by_content(path: str, data: bytes) -> str:
    """Say what a file with such a name is by its content, "" when it is no secret."""
    name = basename(path)
    for kind, pattern, content in _CONTENTS:
        if rx(pattern).fullmatch(name):
            return kind if re.search(content, data) is not None else ""
    return ""
