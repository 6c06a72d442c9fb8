"""Reads a hadolint configuration and says the same as a policy.

Facts: hadolint's README, "Configure" (keys of ``.hadolint.yaml``) and "Linting Labels". Its rules are ours by their ``equivalents``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lucid_audit.checks.labels import FORMS
from lucid_audit.errors import UsageError
from lucid_audit.rules import Rule
from lucid_audit.tuples import NamedTuple
from lucid_audit.yamlsource import load

NAMES = (".hadolint.yaml", ".hadolint.yml")
LIMIT = 1 << 20  # bytes; it is written by hand
_LEVELS = {"error": "error", "warning": "warning", "info": "note", "style": "note"}
_THRESHOLDS = {**_LEVELS, "ignore": "note", "none": "note"}  # both: anything fails (verified on 2.15.1)
_OFF = ("DL3057",)  # that hadolint does not report unless it is told to, and strict does
_FORMATS = {
    "tty": "text", "gnu": "text", "json": "json", "checkstyle": "checkstyle", "codeclimate": "gitlab", "gitlab_codeclimate": "gitlab",
    "sarif": "sarif", "junit": "junit",
}  # fmt: skip
_TYPES = {
    "DL3052": "url",
    "DL3053": "rfc3339",
    "DL3054": "spdx",
    "DL3055": "hash",
    "DL3056": "semver",
    "DL3058": "email",
}
_SHELL = {"error": "shell-error", "warning": "shell-warning", "info": "shell-note", "style": "shell-note"}
_REQUIRED, _FORM, _NAMES_RULE = "labels-missing", "label-malformed", "label-unexpected"
_KNOWN = frozenset((
    "failure-threshold", "ignored", "override", "trustedRegistries", "label-schema", "strict-labels", "disable-ignore-pragma", "format",
    "formats", "no-color", "no-fail", "verbose",
))  # fmt: skip
_CALLS = {
    "no-fail": "call lucid-audit with || true",
    "no-color": "call it with --no-color, or set NO_COLOR",
    "verbose": "there is nothing more to tell",
}


class Migrated(NamedTuple):
    """The text of a policy, and what of the configuration it cannot say."""

    text: str
    left_out: tuple[str, ...]


def find(folder: str) -> str | None:
    """Return the configuration in a folder."""
    return next((path for name in NAMES if os.path.isfile(path := os.path.join(folder, name))), None)


def migrate(path: str, rules: Mapping[str, Rule]) -> Migrated:
    """Read a configuration and write the policy.

    Raises:
        UsageError: it cannot be read.

    """
    try:
        with open(path, encoding="utf-8-sig") as stream:
            data = load(path, stream.read(LIMIT)).data or {}
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8") from None
    if not isinstance(data, dict):
        raise UsageError(f"{path}: this is no configuration of hadolint")
    writer = _Writer(data, _by_code(rules))
    body = "\n".join(writer.lines())
    head = f"# Written from {os.path.basename(path)}. hadolint judges all stages by all rules, as the strict profile does.\n# Its ShellCheck is an extra here: pip install 'lucid-audit[shellcheck]'\n"
    return Migrated(f"{head}profile: strict\n{body}\n", tuple(writer.left_out))


def _by_code(rules: Mapping[str, Rule]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for rule in sorted(rules.values(), key=lambda rule: rule.id):
        for code in rule.raw.get("equivalents", {}).get("hadolint", ()):
            found.setdefault(code, []).append(rule.id)
    return found


class _Writer:
    """Writes the policy's sections; what has no place in it goes to ``left_out``."""

    def __init__(self, data: Mapping[str, Any], codes: Mapping[str, Sequence[str]]) -> None:
        self.data, self.codes = data, codes
        self.left_out: list[str] = []
        self.entries: dict[str, dict[str, Any]] = {}
        self.levels = self._levels()

    def lines(self) -> Iterator[str]:
        threshold = str(self.data.get("failure-threshold", "info"))
        if threshold not in _THRESHOLDS:
            self._left("failure-threshold", f"there is no {threshold}")
        yield f"fail_on: {_THRESHOLDS.get(threshold, 'note')}"
        if threshold == "info":
            self._left("failure-threshold", "info: style is a note here, as info is, and fails as well")
        if self.data.get("disable-ignore-pragma") is True:
            yield "suppressions: false"
        self._override()
        yield from self._ignored()
        self._labels()
        if self.entries:
            yield "rules:"
            yield from (f"  {name}: {_flow(entry)}" for name, entry in sorted(self.entries.items()))
        yield from self._registries()
        self._calls()

    def _left(self, key: str, why: str) -> None:
        self.left_out.append(f"{key}: {why}")

    def _calls(self) -> None:
        """Say what is the command line's here, and what is nothing."""
        for key, why in _CALLS.items():
            if self.data.get(key) is True:
                self._left(key, why)
        for name in _words(self.data.get("formats")) or [str(self.data.get("format") or "tty")]:
            ours = _FORMATS.get(name)
            if ours != "text":
                self._left(
                    "format",
                    f"{name}: "
                    + (f"call lucid-audit with --format {ours}" if ours else "there is no such format here"),
                )
        for key in sorted(map(str, set(self.data) - _KNOWN)):
            self._left(key, "lucid-audit has no such setting")

    def _ignored(self) -> Iterator[str]:
        codes = _words(self.data.get("ignored"))
        shell = [code for code in codes if code.startswith("SC")]
        for rule in dict.fromkeys(_SHELL.values()) if shell else ():
            self._params(rule).setdefault("ignore", []).extend(shell)
        given = {code for level in self.levels.values() for code in level}
        codes = [code for code in codes if code not in shell and code not in _TYPES]
        names = list(dict.fromkeys(self._ids(codes, "ignored")))
        names += [name for code in _OFF if code not in given for name in self.codes.get(code, ()) if name not in names]
        if names:
            yield "ignore:"
        for name in names:
            said = [code for code, ids in self.codes.items() if name in ids]
            also = [code for code in said if code not in codes and code not in _OFF]
            if also:
                self._left("ignored", f"{name} also says {', '.join(also)}, which are not told any more either")
            yield f"  - {name}  # {', '.join(said)}"

    def _ids(self, codes: Iterable[str], where: str) -> Iterator[str]:
        for code in codes:
            if code in self.codes:
                yield from self.codes[code]
            else:
                self._left(where, f"{code}: there is no such rule here")

    def _levels(self) -> dict[str, list[str]]:
        override = self.data.get("override")
        found = {str(level): _words(codes) for level, codes in override.items()} if isinstance(override, dict) else {}
        for level in sorted(found.keys() - _LEVELS.keys()):
            self._left("override", f"there is no {level}")
        return {
            level: found[level] for level in reversed(_LEVELS) if level in found
        }  # the most severe has the last word

    def _override(self) -> None:
        level_of = {code: level for level, codes in self.levels.items() for code in codes}
        for code, level in level_of.items():
            if code.startswith("SC"):
                for rule in dict.fromkeys(_SHELL.values()):
                    self._params(rule).setdefault("also" if rule == _SHELL[level] else "ignore", []).append(code)
                continue
            for name in self._ids([code], f"override: {level}"):
                self.entries.setdefault(name, {})["severity"] = _LEVELS[level]
                said = {one for one, ids in self.codes.items() if name in ids}
                others = sorted(one for one in said if level_of.get(one) != level)
                if others:
                    self._left("override", f"{name} is {_LEVELS[level]}, also where it says {', '.join(others)}")

    def _params(self, rule: str) -> dict[str, Any]:
        params: dict[str, Any] = self.entries.setdefault(rule, {}).setdefault("params", {})
        return params

    def _labels(self) -> None:
        schema = self.data.get("label-schema")
        if not isinstance(schema, dict) or not schema:
            if self.data.get("strict-labels") is True:
                self._left("strict-labels", "there is no label-schema, so every label would be refused")
            return
        silent = {kind for code, kind in _TYPES.items() if code in _words(self.data.get("ignored"))}
        for key, kind in sorted(schema.items()):
            if kind not in FORMS:
                self._left("label-schema", f"{key}: there is no type {kind}")
        self._params(_REQUIRED)["required"] = sorted(map(str, schema))
        forms = [f"{key}={kind}" for key, kind in sorted(schema.items()) if kind in FORMS and kind not in silent]
        self._params(_FORM)["forms"] = forms
        if self.data.get("strict-labels") is True:
            self._params(_NAMES_RULE)["allowed"] = sorted(map(str, schema))

    def _registries(self) -> Iterator[str]:
        """Yield globs: hadolint compares registries, and docker.io is also hub.docker.com and a name without one."""
        registries = [
            "docker.io" if name == "hub.docker.com" else name for name in _words(self.data.get("trustedRegistries"))
        ]
        if registries:
            yield "allowed_bases:"
            yield from (f"  - {_flow(name if name == '*' else name + '/*')}" for name in dict.fromkeys(registries))


def _words(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _flow(value: Any) -> str:
    """Return a value as YAML in one line, which JSON is."""
    return json.dumps(value, ensure_ascii=False)
