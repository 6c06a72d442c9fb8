"""Writes docs/parity.md: every rule of other linters, and which of ours says the same, or why none does.

What is the same comes from the rules' ``equivalents``. Only what we decided not to have, and where we decide otherwise, is written here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lucid_audit.rules import Rule

TOOLS = {
    "hadolint": "hadolint 2.15",
    "buildkit": "BuildKit's build checks (Dockerfile frontend 1.26)",
    "trivy": "Trivy's Dockerfile checks 2.2",
    "checkov": "Checkov 3.3, Dockerfile",
    "dockle": "Dockle 0.4",
}


def _range(head: str, *numbers: int | range) -> list[str]:
    digits = 4 if head == "DL" else 0
    every = [number for one in numbers for number in (one if isinstance(one, range) else (one,))]
    return [f"{head}{number:0{digits}}" for number in every]


IDS: Mapping[str, list[str]] = {
    "hadolint": [
        *_range("DL", 1000, 1001, range(3000, 3005), range(3006, 3017), range(3018, 3031), range(3032, 3039), range(3040, 3068)),
        *_range("DL", 4000, 4001, range(4003, 4007)),
        "SC",
    ],
    "buildkit": [
        "ConsistentInstructionCasing", "CopyIgnoredFile", "DuplicateStageName", "ExposeInvalidFormat", "ExposeProtoCasing", "FromAsCasing",
        "FromPlatformFlagConstDisallowed", "InvalidBaseImagePlatform", "InvalidDefaultArgInFrom", "InvalidDefinitionDescription",
        "JSONArgsRecommended", "LegacyKeyValueFormat", "MaintainerDeprecated", "MultipleInstructionsDisallowed", "NoEmptyContinuation",
        "RedundantTargetPlatform", "ReservedStageName", "SecretsUsedInArgOrEnv", "StageNameCasing", "UndefinedArgInFrom", "UndefinedVar",
        "WorkdirRelativePath",
    ],
    "trivy": [f"DS-{number:04}" for number in (1, 2, *range(4, 18), *range(19, 28), 29, 30, 31)],
    "checkov": [*_range("CKV_DOCKER_", range(1, 12)), *_range("CKV2_DOCKER_", range(1, 18))],
    "dockle": [*(f"CIS-DI-{number:04}" for number in range(1, 12)), *(f"DKL-DI-{number:04}" for number in range(1, 7)), *(f"DKL-LI-{number:04}" for number in range(1, 4))],
}  # fmt: skip

NOT_HERE: Mapping[str, Mapping[str, str]] = {
    "hadolint": {
        "DL1000": "a file that cannot be read is a problem with exit code 3, not a finding; so are the errors of BuildKit's parser",
        "DL3061": "an instruction before FROM is an error of BuildKit, and so a problem with exit code 3",
    },
    "buildkit": {
        "InvalidDefinitionDescription": "experimental there; how a comment above a stage begins breaks nothing",
    },
    "dockle": {
        "CIS-DI-0002": "not a property of an image: Dockle does not check it either",
        "CIS-DI-0003": "not a property of an image: Dockle does not check it either",
        "CIS-DI-0004": "known vulnerabilities are a scanner's matter",
        "CIS-DI-0005": "whether the client verifies signatures is a setting of the client, not of the image",
        "CIS-DI-0011": "not a property of an image: Dockle does not check it either",
        "DKL-LI-0001": "/etc/shadow of an image is not judged: without a log-in program nobody uses it",
        "DKL-LI-0002": "/etc/passwd is read for the final user only",
    },
}

# Where tools disagree with each other or with the build, and what is decided here.
DECISIONS: tuple[tuple[str, str], ...] = (
    ("which stages", "Only stages that the target needs are judged: a stage that is not built breaks nothing. hadolint and Trivy judge all."),
    ("final-user-root", "The user that the container really has: inherited by FROM and from the base, a missing USER counted. hadolint looks at each stage's USER, Trivy and Checkov at the last of the file."),
    ("final-user-not-numeric", "Only the final user. hadolint reports every USER."),
    ("base-untagged, base-latest", "After variables are expanded, in FROM, COPY --from and mounts; not what names a stage. hadolint is silent on a variable (`ARG T=latest`, `FROM x:$T`); Checkov takes the port of a registry for a tag. Distroless repositories have no version in their tags: latest is fine there."),
    ("copy-from-unknown", "An image in COPY --from is allowed without a tag and then reported as untagged. hadolint wants a stage."),
    ("command-in-shell-form, command-needs-shell", "Only the ENTRYPOINT and CMD in force. `exec program` is fine; so is one's own SHELL, but not where the image has no shell. hadolint ignores both."),
    ("health-check-needs-shell", "A health check in shell form is wrong where there is no shell. hadolint reports all of them."),
    ("base-not-allowed", "docker.io, hub.docker.com and no registry at all are one registry."),
    ("command-repeated", "The one without effect is reported, as BuildKit does. hadolint and Trivy report the last."),
    ("copy-many-to-file, copy-many-without-slash", "A pattern counts as several sources, and a folder that is there needs no slash."),
    ("copy-root-to-root", "Where the final base has no shell of its own. hadolint reports every copy of / to /."),
    ("copy-relative-destination", "Reported where the base's WORKDIR is not known; ADD as well as COPY. hadolint reports known bases too."),
    ("workdir-relative", "The first WORKDIR of a lineage, as BuildKit does. hadolint reports every one."),
    ("add-instead-of-copy", "Archives and addresses are what ADD is for, also in a variable or from git. Checkov reports every ADD."),
    ("final-platform-constant", "Only what the final image is made of. BuildKit's exemption by the stage's name is not taken over."),
    ("secret-in-build, secret-in-env", "Whole words of a name; public, file and the like make it harmless, USERNAME is no secret. hadolint looks for parts of words."),
    ("folder-changed-in-run", "A RUN that begins with cd and stays there. hadolint and Trivy report every cd."),
    ("pipe-hides-failure", "echo, printf and cat do not fail before a pipe; `set -o pipefail` counts, an inherited SHELL too. hadolint looks at SHELL of the same stage only, and takes a pipe in $( ) for one of the command."),
    ("os-packages-unpinned and the like", "One finding for each call. What a variable hides is skipped with a reason."),
    ("apt-lists-left, package-cache-left", "What removes the files counts, wherever it is said; `rm -rf /tmp/x` does not. hadolint takes any `rm -rf` for cleaning."),
    ("runs-apart", "Only stages whose layers are in the image. hadolint reports builders too."),
    ("archive-unpacked-later", "Only what ADD would unpack: tar archives. hadolint also names zip files."),
    ("redundant-target-platform", "Not where ARG gives TARGETPLATFORM a default: that is another, worse finding."),
    ("env-self-reference", "Only where the variable was not set before."),
    ("health-check-missing", "A note for the final container; a base may have a health check."),
    ("shell-error, shell-warning, shell-note", "Every remark of ShellCheck at its own line. hadolint keeps one of each RUN, at the instruction's line."),
    ("labels-missing, label-malformed, label-unexpected", "Labels of the final image. hadolint judges stages. Versions and days follow their standards strictly. An SPDX expression is fine, as the OCI specification says; hadolint knows single ids only."),
    ("label-key-invalid", "Docker's own extension keys are free."),
    ("os-packages-unpinned", "apt-get, apt, apk and zypper."),
    ("onbuild-invalid", "Also what is wrong inside the trigger."),
    ("duplicate-stage-name, reserved-stage-name", "Names are compared without case, as BuildKit does."),
)  # fmt: skip


def table(rules: Mapping[str, Rule]) -> dict[str, dict[str, list[str]]]:
    """Return for every tool its ids, with the rules that name each."""
    found: dict[str, dict[str, list[str]]] = {tool: {name: [] for name in ids} for tool, ids in IDS.items()}
    for rule_id, rule in sorted(rules.items()):
        for tool, names in rule.raw.get("equivalents", {}).items():
            for name in names:
                found[tool].setdefault(name, []).append(rule_id)
    return found


def page(rules: Mapping[str, Rule]) -> str:
    """Return the page."""
    return "\n".join(_lines(rules)) + "\n"


def _lines(rules: Mapping[str, Rule]) -> Iterator[str]:
    yield "# Rules of other linters\n"
    yield "Which of our rules says what a rule of another tool says. `# hadolint ignore=…` and `# check=skip=…` work through this table, and"
    yield "`lucid-audit init --from hadolint` reads it. Rules that only concern builders or taste are on in the `strict` profile.\n"
    every = table(rules)
    yield "| tool | rules | said here too | left out, with the reason |"
    yield "| --- | --- | --- | --- |"
    for tool, names in every.items():
        left = len(NOT_HERE.get(tool, {}))
        yield f"| {TOOLS[tool]} | {len(names)} | {len(names) - left} | {left} |"
    for tool, names in every.items():
        yield f"\n## {TOOLS[tool]}\n\n| theirs | ours |\n| --- | --- |"
        for name, ours in names.items():
            links = ", ".join(f"[{one}](rules/{one}.md)" for one in ours)
            shown = "SC… (ShellCheck)" if name == "SC" else name
            yield f"| {shown} | {links or 'none: ' + NOT_HERE[tool][name]} |"
    yield "\n## Where tools disagree\n\n| rule | what is decided here |\n| --- | --- |"
    for name, text in DECISIONS:
        yield f"| {name} | {text} |"
