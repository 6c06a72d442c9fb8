"""A policy's waivers, judged themselves: whether their day has passed, and whether they waive anything."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.container.config import Field
from lucid_audit.finding import Hit
from lucid_audit.waiver import Waivers


@check("waiver-in-force")
def waiver_in_force(waivers: Waivers) -> Answers:
    """Judge waivers that ended while there still is something to waive."""
    for number, one in enumerate(waivers.applied):
        if one.missed:
            found = "1 finding counts" if one.missed == 1 else f"{one.missed} findings count"
            yield Hit(Field(f"waivers.{number}"), until=one.waiver.until, found=found, reason=one.waiver.reason)


@check("waiver-used")
def waiver_used(waivers: Waivers) -> Answers:
    """Tell which waivers waive nothing of what they cover."""
    for number, one in enumerate(waivers.applied):
        for name in one.idle:
            yield Hit(Field(f"waivers.{number}"), name=name)
