"""``COPY --link``: files of a layer of their own lie over what is there; nothing of that is looked at."""

from __future__ import annotations

from lucid_audit.container.tree import Node, Tree
from tests.sketch import sketch

CONTEXT = {"tool": "", "lib.so": "", "conf/a.ini": ""}


def tree(*lines: str) -> Tree:
    build = sketch("\n".join((*lines, "")), {"context": CONTEXT})
    assert build.target is not None
    return build.trees.end(build.target)


def node(found: Tree, path: str) -> Node:
    entry = found.walk(path, follow=False).node
    assert entry is not None
    return entry


def test_a_link_on_the_way_becomes_a_folder() -> None:
    plain = tree("FROM gcr.io/distroless/python3-debian13", "COPY lib.so /lib/")
    assert plain.walk("/usr/lib/lib.so").state == "present"
    linked = tree("FROM gcr.io/distroless/python3-debian13", "COPY --link lib.so /lib/")
    assert node(linked, "/lib").kind == "d"
    assert linked.walk("/lib/lib.so").path == "/lib/lib.so"
    assert linked.walk("/lib/python3.13").state == "absent"
    assert linked.walk("/usr/lib/lib.so").state != "present"


def test_folders_on_the_way_get_the_attributes_of_new_ones() -> None:
    """As BuildKit 0.11.2 showed: after COPY --link foo.txt /tmp/foo.txt, /tmp is drwxr-xr-x."""
    for copy, mode in (
        ("COPY tool /tmp/", 0o1777),
        ("COPY --link tool /tmp/", 0o755),
        ("COPY --link --chmod=755 tool /tmp/", 0o1777),
    ):
        assert node(tree("FROM gcr.io/distroless/static-debian13", copy), "/tmp").mode == mode, copy
    owned = tree(
        "FROM gcr.io/distroless/static-debian13", "WORKDIR /srv/app", "COPY --link --chown=7:8 conf/ /srv/app/conf/"
    )
    assert [(node(owned, path).uid, node(owned, path).gid) for path in ("/srv/app", "/srv/app/conf/a.ini")] == [
        (7, 8)
    ] * 2


def test_a_folder_of_that_name_is_replaced_by_a_file() -> None:
    """Without a slash the destination is the file: whether a folder is there is not looked at."""
    above = ("FROM scratch", "WORKDIR /app", "COPY conf/ /app/")
    assert tree(*above, "COPY tool /app").walk("/app/tool").state == "present"
    assert node(tree(*above, "COPY --link tool /app"), "/app").kind == "f"
    kept = tree(*above, "COPY --link tool /app/")
    assert kept.walk("/app/a.ini").state == kept.walk("/app/tool").state == "present"


def test_what_a_base_may_have_stays_unknown() -> None:
    for copy in ("COPY conf/ /usr/share/conf/", "COPY --link conf/ /usr/share/conf/"):
        found = tree("FROM python:3.13", copy)
        assert found.walk("/usr/share/conf/a.ini").state == "present", copy
        assert found.walk("/usr/share/conf/b.ini").state == "unknown", copy
        assert found.walk("/usr/share/other").state == "unknown", copy


def test_folders_that_come_with_a_folder_may_have_been_there() -> None:
    build = sketch("FROM python:3.13\nCOPY root/ /\n", {"context": {"root/usr/share/conf/a.ini": ""}})
    assert build.target is not None
    found = build.trees.end(build.target)
    assert found.walk("/usr/share/conf/a.ini").state == "present"
    assert found.walk("/usr/share/conf/b.ini").state == "unknown"
