"""All builds that the compose and bake files of one folder declare."""

from __future__ import annotations

from lucid_audit.builders.builder import Builder, Draft, Trouble, finish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def declared(folder: str, names: Sequence[str], root: str) -> tuple[list[Builder], list[Trouble]]:
    """Return the builders and what could not be used, in the order of the files' names."""
    yaml = sorted(name for name in names if name.endswith((".yaml", ".yml")))
    bake = {name for name in names if name not in yaml}
    drafts: list[Draft] = []
    troubles: list[Trouble] = []
    if yaml:
        from lucid_audit.builders.compose import Compose  # noqa: PLC0415

        compose = Compose(folder, root)
        drafts += compose.services(yaml)
        troubles += compose.troubles
    if bake:
        from lucid_audit.builders.bake import Bake  # noqa: PLC0415

        bakes = Bake(folder, root)
        services = {draft.name: draft for draft in reversed(drafts)}  # the main file's come first and win
        drafts += bakes.targets(bake, services)
        troubles += bakes.troubles
    builders: list[Builder] = []
    for draft in drafts:
        found = finish(draft, root)
        if isinstance(found, Trouble):
            troubles.append(found)
        elif found is not None:
            builders.append(found)
    return builders, troubles
