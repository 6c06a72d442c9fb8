"""Files of a distroless base that COPY or ADD replaces: what its own packages brought, and now no longer is."""

from __future__ import annotations

from lucid_audit.checks import Answers, check
from lucid_audit.dockerfile.build import Build
from lucid_audit.finding import Hit
from lucid_audit.record import record
from lucid_audit.text import Span


@record
class BaseFiles:
    """``without``: paths, and folders by a closing slash, of which other rules speak."""

    without: tuple[str, ...] = ()


@check("base-file-replaced")
def base_file_replaced(build: Build, params: BaseFiles) -> Answers:
    """Judge the files and links of a catalogued distroless base that an instruction of the final image has replaced."""
    target = build.target
    base = target.root.base if target is not None else None
    if target is None or base is None or not base.distroless or build.container is None:
        return
    tree = build.trees.end(target)
    replaced: dict[Span, list[str]] = {}
    for path, entry in sorted(base.entries.items()):
        if entry.kind == "d" or any(path == one or (one[-1] == "/" and path.startswith(one)) for one in params.without):
            continue
        node = tree.walk(path, follow=False).node
        if node is not None and node.made.span is not None and node.kind in ("f", "l"):
            replaced.setdefault(node.made.span, []).append(path)
    for span, paths in replaced.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield Hit(span, path=paths[0], more=more, image=base.ref.familiar)
