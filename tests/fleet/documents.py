"""Reports of fleets that no run has made: what renderers have to stand."""

from __future__ import annotations

from typing import Any

from lucid_audit.fleet.document import document
from lucid_audit.fleet.plan import Plan
from lucid_audit.fleet.requirements import REQUIREMENTS
from tests.sketch import AS_OF

HOSTILE = "<script>alert('x')</script>\x1b[31m\u202e\"'&`|\n::error::"


def service(name: str, verdicts: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """Return one service's answer; verdicts that are not given are passes."""
    requirements = {
        one.name: {"verdict": (verdicts or {}).get(one.name, "pass"), "why": [f"rule: {HOSTILE}"] if verdicts else []}
        for one in REQUIREMENTS
    }
    found = {
        "name": name, "image": f"team/{name}:1", "file": f"{name}/Dockerfile", "context": name, "platforms": ["linux/arm64"],
        "port": 8080, "health": "", "tags": [], "phase": "1", "line": 1, "base": "", "requirements": requirements, "judged": "image",
        "dockerfile": None, "images": [subject(name)], "layers": [], "drift": [], "proof": [{"of": HOSTILE, "lines": [["starts", HOSTILE], ["", HOSTILE]]}],
    }  # fmt: skip
    return {**found, **changes}


def subject(name: str) -> dict[str, Any]:
    location = {"line": 1, "column": 1, "end_line": 1, "end_column": 2}
    finding = {
        "rule": "r",
        "severity": "note",
        "message": HOSTILE,
        "fingerprint": "v1:0",
        "suppressed": None,
        "location": location,
    }
    return {
        "kind": "image", "name": name, "platform": "linux/arm64", "facts": {"user": HOSTILE}, "findings": [finding],
        "skipped": [], "problems": [],
    }  # fmt: skip


def layers(*digests: str) -> list[dict[str, Any]]:
    return [
        {"platform": "linux/arm64", "digest": one, "diff_id": one, "size": 1_000_000, "created_by": HOSTILE}
        for one in digests
    ]


def hostile() -> dict[str, Any]:
    """Return a report in which every value that may be is hostile."""
    services = [
        service("good", layers=layers("sha256:a", "sha256:b")),
        service("bad", {"user": "fail", "starts": "unknown"}, layers=layers("sha256:a", "sha256:c"), tags=[HOSTILE], image=HOSTILE,
                file=HOSTILE, phase=HOSTILE, drift=[{"what": HOSTILE, "dockerfile": HOSTILE, "image": HOSTILE}]),
        service("=formula", {"shell": "fail"}, image="=cmd|' /C calc'!A0"),
    ]  # fmt: skip
    return document(Plan("plan<b>.yaml", ".", ()), services, AS_OF)
