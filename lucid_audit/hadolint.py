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
_THRESHOLDS = {**_LEVELS, "ignore": "error", "none": "error"}
_REQUIRED, _FORM, _NAMES_RULE = "labels-missing", "label-malformed", "label-unexpected"


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
    head = f"# Written from {os.path.basename(path)}. hadolint judges all stages by all rules, as the strict profile does.\n"
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

    def lines(self) -> Iterator[str]:
        threshold = self.data.get("failure-threshold")
        if threshold in _THRESHOLDS:
            yield f"fail_on: {_THRESHOLDS[threshold]}"
        yield from self._ignored()
        yield from self._rules()
        yield from self._registries()
        known = {
            "failure-threshold",
            "ignored",
            "override",
            "trustedRegistries",
            "label-schema",
            "strict-labels",
            "format",
            "no-color",
        }
        self.left_out += [f"{key}: lucid-audit has no such setting" for key in sorted(map(str, set(self.data) - known))]
        if self.data.get("no-fail") is True:
            self.left_out.append("no-fail: call lucid-audit with || true")

    def _ignored(self) -> Iterator[str]:
        found = list(dict.fromkeys(self._ids(_words(self.data.get("ignored")), "ignored")))
        if found:
            yield "ignore:"
            yield from (f"  - {name}  # {', '.join(codes)}" for name, codes in self._told(found))

    def _told(self, names: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
        for name in names:
            yield name, [code for code, ids in self.codes.items() if name in ids]

    def _ids(self, codes: Iterable[str], where: str) -> Iterator[str]:
        for code in codes:
            if code in self.codes:
                yield from self.codes[code]
            elif code.startswith("SC"):
                self.left_out.append(f"{where}: {code}: ShellCheck is not run")
            else:
                self.left_out.append(f"{where}: {code}: there is no such rule here")

    def _rules(self) -> Iterator[str]:
        entries: dict[str, dict[str, Any]] = {}
        override = self.data.get("override")
        for level, codes in override.items() if isinstance(override, dict) else ():
            for name in self._ids(_words(codes), f"override: {level}"):
                entries.setdefault(name, {})["severity"] = _LEVELS.get(level, "warning")
        schema = self.data.get("label-schema")
        if isinstance(schema, dict) and schema:
            entries.setdefault(_REQUIRED, {})["params"] = {"required": sorted(map(str, schema))}
            forms = [f"{key}={kind}" for key, kind in sorted(schema.items()) if kind in FORMS]
            entries.setdefault(_FORM, {})["params"] = {"forms": forms}
            if self.data.get("strict-labels") is True:
                entries.setdefault(_NAMES_RULE, {})["params"] = {"allowed": sorted(map(str, schema))}
        if entries:
            yield "rules:"
            yield from (f"  {name}: {_flow(entry)}" for name, entry in sorted(entries.items()))

    def _registries(self) -> Iterator[str]:
        registries = _words(self.data.get("trustedRegistries"))
        if registries:
            yield "allowed_bases:"
            yield from (f"  - {_flow(name if name.endswith('*') else name + '/*')}" for name in registries)


def _words(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _flow(value: Any) -> str:
    """Return a value as YAML in one line, which JSON is."""
    return json.dumps(value, ensure_ascii=False)
