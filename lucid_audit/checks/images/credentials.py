"""What the content of a kept file says of a secret that its name only promises, or does not promise at all.

Formats: Docker's ``config.json`` ("auths", docker login), the AWS shared credentials file, kubeconfig (v1 ``AuthInfo``),
netrc, service account keys of Google Cloud and OAuth client secrets (both JSON).
"""

from __future__ import annotations

import re

from lucid_audit.checks.secret_files import kind_by_content, kind_by_name, open_name
from lucid_audit.image.entry import Entry
from lucid_audit.tuples import NamedTuple


class Proof(NamedTuple):
    """A secret that files of some names hold when ``content`` is in them. ``telling``: the name alone is reason enough."""

    names: re.Pattern[str]
    kind: str
    content: re.Pattern[bytes]
    telling: bool


_PROOFS = tuple(
    Proof(re.compile(rf".*/(?:{names})"), kind, re.compile(content), telling)
    for names, kind, content, telling in (
        (r"\.docker/config\.json", "registry credentials",
         rb'"(?:auth|identitytoken|registrytoken|password)"\s*:\s*"[^"]', True),
        (r"\.aws/credentials", "cloud credentials", rb"(?m)^\s*aws_(?:secret_access_key|session_token)\s*=\s*\S", True),
        (r"\.kube/config", "cluster credentials",
         rb"(?m)\b(?:token|password|client-key-data)[\"']?\s*:\s*[\"']?[^\s\"']", True),
        (r"(?:[^/]*\.)?kubeconfig|kubeconfig\.ya?ml", "cluster credentials",
         rb"(?m)\b(?:token|password|client-key-data)[\"']?\s*:\s*[\"']?[^\s\"']", False),
        (r"[._]netrc", "stored passwords", rb"\bpassword\s+\S", True),
        (r"\.env(?:\.[^/]*)?", "a file of environment secrets", rb"(?m)^\s*(?:export\s+)?[A-Za-z_]\w*\s*[=:][ \t]*[^\s#]", True),
        (r"[^/]*(?:credentials?|account(?:-key)?|client[-_]secrets?)\.json", "cloud credentials",
         rb'"(?:private_key|client_secret|refresh_token)"\s*:\s*"[^"]', False),
        (r"[^/]*\.(?:p8|pk8)", "a private key", rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----", False),
        (r"[^/]*\.ppk", "a private key", rb"\APuTTY-User-Key-File-", False),
    )
)  # fmt: skip
# Whole endings of paths only: these cost nothing while a layer is read, patterns within a name would.
READS = tuple(
    f"/**/{ending}"
    for ending in (
        "*.pem", "*.key", "*.p8", "*.pk8", "*.ppk", ".npmrc", ".pypirc", "pip.conf", ".docker/config.json",
        ".aws/credentials", ".kube/config", "kubeconfig", "*.kubeconfig", "kubeconfig.yaml", "kubeconfig.yml", ".netrc",
        "_netrc", ".env", ".env.local", ".env.dev", ".env.development", ".env.prod", ".env.production", ".env.staging",
        "*credentials.json", "*credential.json", "*account.json", "*account-key.json", "*client_secret.json",
        "*client_secrets.json", "*client-secret.json",
    )
)  # fmt: skip
_ENDINGS = tuple(path.removeprefix("/**/").removeprefix("*") for path in READS)
# Each path that kind_of finds and suspicious() does not know has one of these in its name.
MARKS = ("kubeconfig", "credential", "account", "client", ".p8", ".pk8", ".ppk")


def kind_of(entry: Entry, content: bytes | None) -> str | None:
    """Say what kind of secret a file is, "" for none, None when only its content would tell and that was not kept."""
    path = entry.path
    if not entry.size:
        return ""
    for proof in _PROOFS if path.endswith(_ENDINGS) or "/.env." in path else ():
        if proof.names.fullmatch(path) is not None:
            named = kind_by_name(path) if proof.telling else ""
            if proof.telling and not named:
                return ""  # a sample, by its name
            if content is None:
                return named or None
            return proof.kind if proof.content.search(content) is not None else ""
    if open_name(path):
        return kind_by_content(path, content) if content is not None else None
    return kind_by_name(path)
