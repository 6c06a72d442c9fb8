"""Secrets that a build writes down for good: in the image's environment, in its history, in the file itself.

Messages name the variable and the kind of secret and never the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lucid_audit.checks import Answers, check
from lucid_audit.checks.runtext import global_args
from lucid_audit.dockerfile.build import Build
from lucid_audit.dockerfile.model import Pair, Pairs
from lucid_audit.dockerfile.stages import Scope
from lucid_audit.finding import Hit, Skip
from lucid_audit.record import record
from lucid_audit.regex import rx
from lucid_audit.text import Span
from lucid_audit.values import Unknown

# Words that make a name secret: BuildKit's SecretsUsedInArgOrEnv and two more. ``key`` and ``auth`` mean little alone.
_STRONG = frozenset(
    ("apikey", "credential", "credentials", "passphrase", "password", "pword", "passwd", "secret", "secrets", "token")
)
_WEAK = frozenset(("key", "auth"))
_KINDS_OF_KEY = frozenset(
    ("access", "api", "client", "encryption", "jwt", "master", "private", "secret", "session", "signing", "ssh")
)
# Words that make a name harmless: BuildKit's public, file and version, and what describes a secret instead of being one.
_HARMLESS = frozenset(
    (
        "address", "algorithm", "arn", "audience", "backend", "bits", "class", "contract", "count", "decimals", "dir",
        "directory", "enabled", "endpoint", "expire", "expires", "expiry", "field", "file", "fingerprint", "folder",
        "format", "hasher", "header", "host", "id", "interval", "issuer", "length", "lifetime", "limit", "location",
        "max", "method", "min", "mode", "name", "param", "path", "policy", "port", "prefix", "provider", "public",
        "rotation", "scheme", "scope", "server", "size", "sock", "store", "symbol", "timeout", "ttl", "type", "uri",
        "url", "version",
    )
)  # fmt: skip
_BREAKS = str.maketrans(".-", "__")
_NO_VALUE = r"""(?ix) (?: true|false|yes|no|on|off|none|null|nil|unset|disabled|enabled|optional|required
    | <[^>]*> | \*+ | (?:\.{0,2}/)[\w.@/+-]*\.?[\w/-]* | [a-z]+://[^@\s]* )"""
_NUMBER = r"[\d.]+[smhdkKMG]?"
_FINGERPRINT = r"(?:0x)?[0-9A-Fa-f]{32,64}(?:\s+[0-9A-Fa-f]{32,64})*"
_RANDOM_LOOK = r"(?=[^\s]{12,}$)(?=.*\d)(?=.*[A-Za-z])"

_GIVEN = r"""(([A-Za-z_][\w.-]*)\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,"']+)"""

# What was found, its pattern, and the texts of which every match has one: looking for these is a hundred times faster.
_PATTERNS = (
    ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", "AKIA", "ASIA"),
    ("a GitHub token", r"\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_\w{60,})", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    ("a GitLab token", r"\bglpat-[\w-]{20,}", "glpat-"),
    ("a Slack token", r"\bxox[abprs]-[0-9A-Za-z-]{10,}", "xox"),
    ("an npm token", r"\bnpm_[0-9A-Za-z]{36}\b", "npm_"),
    ("a PyPI token", r"\bpypi-AgE[\w-]{50,}", "pypi-"),
    ("a Google API key", r"\bAIza[\w-]{35}", "AIza"),
    ("a Stripe key", r"\b[sr]k_live_[0-9A-Za-z]{16,}", "_live_"),
    ("a private key", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----", "PRIVATE KEY"),
    ("a JSON Web Token", r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}", "eyJ"),
    ("a password in a URL", r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'$<{]*:([^\s/@\"'$<{*]+)@(?!sha256:)[\w\[]", "@"),
)  # fmt: skip


def secret_name(name: str) -> str:
    """Return what kind of secret a variable's name promises: "strong", "weak" or "" (none)."""
    words = _words(name)
    if words & _HARMLESS:
        return ""
    if words & _STRONG:
        return "strong"
    if words & _WEAK:
        return "strong" if words & _KINDS_OF_KEY and "key" in words else "weak"
    return ""


def _words(name: str) -> set[str]:
    return set(name.lower().translate(_BREAKS).split("_"))


def is_value(name: str, value: str) -> bool:
    """Whether a literal is a secret for a variable of that name, and not a switch, a number, a path or an address."""
    kind = secret_name(name)
    value = value.strip()
    if not kind or not value or rx(_NO_VALUE).fullmatch(value):
        return False
    words = _words(name)
    if kind == "weak":
        return bool(rx(_RANDOM_LOOK).match(value)) and not rx(_FINGERPRINT).fullmatch(value)
    return not rx(_NUMBER).fullmatch(value) or bool(words & {"password", "passwd", "pword", "passphrase"})


@record
class SecretVariable:
    """``where``: "image" (ENV of the final image) or "build" (ARG anywhere, ENV of the stages that are thrown away)."""

    where: str


@check("secret-variable")
def secret_variable(build: Build, params: SecretVariable) -> Answers:
    """Judge variables by their names, as BuildKit's SecretsUsedInArgOrEnv does, and by whether the value is one."""
    final = {stage.index for stage in build.target.lineage()} if build.target is not None else set()
    if params.where == "image":
        for _, step in build.final_steps("ENV"):
            yield from _env(step.instruction, step.scope, "stays in the image's configuration")
        return
    for instruction in global_args(build):
        yield from _arg(instruction)
    for stage, step in build.steps("ARG", "ENV"):
        if step.instruction.keyword == "ARG":
            yield from _arg(step.instruction)
        elif stage.index not in final:
            yield from _env(step.instruction, step.scope, "stays in the file and in the build cache")


def _env(instruction: object, scope: Scope, stays: str) -> Answers:
    for pair in _pairs(instruction):
        name = scope.text(pair.key) or pair.key.raw
        if pair.value is None or not secret_name(name):
            continue
        value = scope.value(pair.value)
        if isinstance(value, Unknown):
            if secret_name(name) == "strong":
                yield Skip(pair.key.span, f"ENV {name}: {value.reason}")
        elif is_value(name, value):
            yield Hit(pair.key.span, what=f"ENV {name}", stays=stays)


def _arg(instruction: object) -> Iterator[Hit]:
    for pair in _pairs(instruction):
        name = pair.key.raw
        raw = pair.value.raw.strip("\"'") if pair.value is not None else ""
        if (is_value(name, raw) and "$" not in raw) or (not raw and secret_name(name) == "strong"):
            yield Hit(pair.key.span, what=f"ARG {name}", stays="stays in the build's history and provenance")


def _pairs(instruction: object) -> tuple[Pair, ...]:
    return instruction.pairs if isinstance(instruction, Pairs) else ()


@check("secret-literal")
def secret_literal(build: Build) -> Answers:
    """Judge every instruction of the file by the shapes of well-known tokens, keys and passwords in URLs."""
    text = build.dockerfile.source.text
    patterns = [(what, pattern) for what, pattern, *marks in _PATTERNS if any(mark in text for mark in marks)]
    for instruction in build.dockerfile.instructions if patterns else ():
        start, end = instruction.span
        for what, pattern in patterns:
            match = rx(pattern).search(text, start, end)
            if match is not None and not _placeholder(match):
                yield Hit(Span(match.start(), match.end()), what=what, keyword=instruction.keyword)


def token_in(text: str) -> str:
    """Return what kind of well-known token, key or password in a URL a text holds, "" when it holds none."""
    for what, pattern, *marks in _PATTERNS:
        if any(mark in text for mark in marks):
            match = rx(pattern).search(text)
            if match is not None and not _placeholder(match):
                return what
    return ""


def masked(text: str) -> str:
    """Return a text without the secrets in it: tokens, and what is given to names that promise a secret."""
    for _, pattern, *marks in _PATTERNS:
        if any(mark in text for mark in marks):
            text = rx(pattern).sub(lambda found: found[0].replace(found[found.lastindex or 0], "***"), text)
    return rx(_GIVEN).sub(
        lambda given: f"{given[1]}***" if is_value(given[2], given[3].strip("\"'")) else given[0], text
    )


def _placeholder(match: re.Match[str]) -> bool:
    """Whether a match is documentation: AWS's own example keys, or a password that says it is none."""
    found = match[match.lastindex or 0].lower()
    return "example" in found or found in ("password", "pass", "xxx", "secret", "changeme", "...")
