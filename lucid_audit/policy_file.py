"""Finds and reads the policy: ``lucid-audit.yaml``, else ``[tool.lucid-audit]`` in ``pyproject.toml``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from os.path import exists, isfile, join

from lucid_audit.catalogue import schema
from lucid_audit.checks import Check
from lucid_audit.dates import date
from lucid_audit.discover import upwards
from lucid_audit.errors import UsageError
from lucid_audit.policy import Policy, expand
from lucid_audit.record import replace
from lucid_audit.rules import Rule, bind, index
from lucid_audit.schema import nearest, params_schema, validate
from lucid_audit.waiver import Waiver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from lucid_audit.yamlsource import Document

NAMES = ("lucid-audit.yaml", "lucid-audit.yml", ".lucid-audit.yaml")
LIMIT = 1 << 20  # bytes; a policy is written by hand


def find(start: str) -> str | None:
    """Return the nearest policy file in ``start`` or a folder above it, up to the repository's root."""
    for folder in upwards(start):
        for name in NAMES:
            if isfile(join(folder, name)):
                return join(folder, name)
        project = join(folder, "pyproject.toml")
        if _mentions_us(project):
            return project
        if exists(join(folder, ".git")):
            return None
    return None


def _mentions_us(project: str) -> bool:
    try:
        with open(project, "rb") as stream:
            return b"[tool.lucid-audit" in stream.read(LIMIT)
    except OSError:
        return False  # it is not there, or it is somebody else's and not ours to read


def read(
    path: Path, builtin: Mapping[str, Rule], checks: Callable[[], Mapping[str, Check]]
) -> tuple[Policy, Mapping[str, Rule]]:
    """Read and validate a policy; return it with all rules, the built-in ones and those it brings along.

    ``checks`` gives the checks that its own rules may use; it is asked only when there are such rules.

    Raises:
        UsageError: it cannot be read or is not valid; the message has file, line and what was expected.

    """
    document = _document(path)
    if document.data is None:
        return Policy(str(path), str(path.parent)), builtin
    shape = schema("policy")
    shape["properties"]["rules"] = {"type": "object"}  # judged below, when the policy's own rules are known
    validate(document, shape, "the policy")
    data: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in document.data.items()
    }
    waivers = data.pop("waivers", ())
    policy = Policy(path=str(path), folder=str(path.parent), **data)
    rules = index((*builtin.values(), *own_rules(policy, checks()))) if policy.rule_folders else builtin
    if waivers:
        policy = replace(policy, waivers=tuple(_waivers(waivers, rules, document)))
    for name in policy.rules:
        if name not in rules:
            line = document.line(("rules", name))
            raise UsageError(f"{path}:{line}: rules: there is no rule {name!r}{nearest(name, rules)}")
    shape["properties"]["rules"] = rules_schema({name: rules[name] for name in policy.rules})
    validate(document, shape, "the policy")
    return policy, rules


def _waivers(raw: Iterable[Mapping[str, Any]], rules: Mapping[str, Rule], document: Document) -> Iterator[Waiver]:
    for number, one in enumerate(raw):
        where = f"{document.path}:{document.line(('waivers', number))}: waivers"
        try:
            until = date.fromisoformat(one["until"]) if "until" in one else None
        except ValueError:
            raise UsageError(f"{where}: {one['until']!r} is no day") from None
        names = {name: frozenset(expand([name], rules, where)) for name in one["rules"]}
        line = document.line(("waivers", number))
        yield Waiver(names, one["reason"], tuple(one.get("files", ())), tuple(one.get("images", ())), until, line)


def rules_schema(rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Return the schema of a ``rules`` mapping: every rule with the parameters of its check."""
    words: dict[str, Any] = {"enum": ["on", "off", "error", "warning", "note", True, False]}
    shape: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
    for rule in rules.values():
        params = params_schema(rule.check.params)
        params.pop("required", None)
        levels = {"enum": ["error", "warning", "note"]}
        full = {"type": "object", "additionalProperties": False, "properties": {"severity": levels, "params": params}}
        # "if" keeps the message about what was meant: a word or a mapping, not "not valid under any of the schemas".
        shape["properties"][rule.id] = {"if": {"type": "object"}, "then": full, "else": words}
    return shape


def own_rules(policy: Policy, checks: Mapping[str, Check]) -> list[Rule]:
    """Read the rules in the policy's own folders.

    Raises:
        UsageError: a folder or a rule is not valid.

    """
    from pathlib import Path  # noqa: PLC0415  (only for policies with rules of their own)

    found: list[Rule] = []
    for name in policy.rule_folders:
        folder = Path(policy.folder, name)
        if not folder.is_dir():
            raise UsageError(f"{policy.path}: rule_folders: {folder} is not a folder")
        found.extend(read_rule(file, checks) for file in sorted(folder.glob("*.yaml")))
    return found


def read_rule(file: Path, checks: Mapping[str, Check]) -> Rule:
    """Read and validate one rule file.

    Raises:
        UsageError: what is wrong, with file and line.

    """
    document = _document(file)
    validate(document, schema("rule"), "the rule")
    raw = document.data
    if raw["id"] != file.stem:
        raise UsageError(f"{file}:{document.line(('id',))}: id {raw['id']!r} is not the file's name {file.stem!r}")
    where = f"{file}:{document.line(('check',))}"
    if raw["check"] not in checks:
        raise UsageError(f"{where}: there is no check {raw['check']!r}; known: {', '.join(sorted(checks))}")
    rule = bind(raw, checks.get, where)
    shape: dict[str, Any] = {"type": "object", "properties": {"params": params_schema(rule.check.params)}}
    if "params" in raw or shape["properties"]["params"].get("required"):
        validate(document._replace(data={"params": {}, **raw}), shape, "params")
    return rule


def _document(path: Path) -> Document:
    try:
        data = path.read_bytes()
        if len(data) > LIMIT:
            raise UsageError(f"{path}: larger than {LIMIT} bytes")
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8") from None
    from lucid_audit.yamlsource import Document, load  # noqa: PLC0415  (YAML costs more than linting one file)

    if path.suffix != ".toml":
        return load(str(path), text)
    import tomllib  # noqa: PLC0415  (only for a policy in pyproject.toml)

    try:
        tools = tomllib.loads(text).get("tool")
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from None
    table = tools.get("lucid-audit") if isinstance(tools, dict) else None
    return Document(str(path), _plain(table), _toml_lines(text))


def _plain(value: Any) -> Any:
    """Return TOML as YAML is read: dates are strings."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, date) else value


def _toml_lines(text: str) -> dict[tuple[str | int, ...], int]:
    """Return the lines of the table's keys, found by name: ``tomllib`` keeps no places."""
    lines: dict[tuple[str | int, ...], int] = {}
    section: tuple[str | int, ...] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("["):
            names = tuple(part.strip("\"' ") for part in stripped.partition("]")[0].strip("[ ").split("."))
            section = names[2:] if names[:2] == ("tool", "lucid-audit") else None
            if section is not None and stripped.startswith("[["):  # one of an array of tables
                section = (*section, sum(1 for path in lines if path[:-1] == section and isinstance(path[-1], int)))
            if section is not None:
                lines.setdefault(section, number)
        elif section is not None and "=" in stripped:
            key = stripped.partition("=")[0].strip().strip("\"'")
            lines.setdefault((*section, key), number)
    return lines
