"""Names for findings that stay the same when lines move, so that baselines and platforms recognise them.

A fingerprint is made of the rule, the file's path in its repository, the stage, the instruction with its blanks
normalised, and an ordinal among findings that agree in all of these; of an image its name, its platform, and the field
or path in it. Neither lines nor messages go in. Changing what
goes in breaks every stored baseline, so it means a new ``VERSION``.
"""

from __future__ import annotations

from collections import Counter

from lucid_audit.finding import Finding, SubjectReport, Suppressed

VERSION = "1"
DIGITS = 32  # hexadecimal: 128 of SHA-256's bits


def named(subject: SubjectReport) -> list[tuple[Finding, Suppressed | None, str]]:
    """Return every finding with its fingerprint, those that a comment silences among them, in the order of their places."""
    from hashlib import sha256  # noqa: PLC0415  (only machine formats need it)

    every: list[tuple[Finding, Suppressed | None]] = [(finding, None) for finding in subject.findings]
    if subject.suppressed:
        every += [(one.finding, one) for one in subject.suppressed]
        every.sort(key=lambda pair: (pair[0].location.line, pair[0].location.column, pair[0].rule))
    seen: Counter[tuple[str, str, str]] = Counter()
    found: list[tuple[Finding, Suppressed | None, str]] = []
    for finding, suppressed in every:
        same = finding.rule, finding.stage, finding.instruction
        image = (subject.name, subject.platform) if subject.kind == "image" else ()
        parts = (VERSION, finding.rule, subject.path or subject.name, *image, *same[1:], str(seen[same]))
        seen[same] += 1
        digest = sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()
        found.append((finding, suppressed, f"v{VERSION}:{digest[:DIGITS]}"))
    return found
