"""The dynamic linker's search, in images made of a few files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from lucid_audit.container.linker import linked
from lucid_audit.container.program import Program
from tests.container.test_ld_cache import cache
from tests.image_sketch import image

LOADER = "/lib64/ld-linux-x86-64.so.2"
MUSL = "/lib/ld-musl-x86_64.so.1"


def run(files: Mapping[str, Any], *, env: Sequence[str] = (), loader: str = LOADER, modules: Sequence[str] = (), user: str = "0",
        **program: Any) -> tuple[list[str], list[str], list[str]]:  # fmt: skip
    """Return the paths that are loaded, what is said to be lacking, and doubts."""
    own = {"/app/run": {"elf": "amd64", "interpreter": loader, **program}, loader: {"elf": "amd64"}}
    made = image(
        {"platform": "linux/amd64", "config": {"Env": list(env), "User": user}, "layers": [{"files": {**own, **files}}]}
    )
    container = made.container
    found = container.files.program(container.files.walk("/app/run"))
    assert isinstance(found, Program)
    result = linked(container, "/app/run", found, modules)
    lacks = [lack.words for lack in result.lacks if not lack.doubt]
    return [one.path for one in result.libraries], lacks, [lack.doubt for lack in result.lacks if lack.doubt]


def lib(soname: str, **more: Any) -> dict[str, Any]:
    return {"elf": "amd64", "soname": soname, **more}


@pytest.mark.parametrize(
    "folder", ["/lib", "/usr/lib", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/usr/lib64"]
)
def test_system_folders(folder: str) -> None:
    assert run({f"{folder}/libx.so.1": lib("libx.so.1")}, needed=["libx.so.1"]) == ([f"{folder}/libx.so.1"], [], [])


def test_the_folder_for_what_is_built_here_counts_only_with_the_cache() -> None:
    files: dict[str, Any] = {"/usr/local/lib/libx.so.1": lib("libx.so.1")}
    words = "/app/run needs libx.so.1, which is at /usr/local/lib/libx.so.1 only, where the loader does not look"
    assert run(files, needed=["libx.so.1"]) == ([], [words], [])
    other = cache({"libc.so.6": "/lib/libc.so.6"}).decode("latin-1")
    stale = {**files, "/etc/ld.so.cache": other}
    assert run(stale, needed=["libx.so.1"]) == ([], [f"{words}: /etc/ld.so.cache does not list it"], [])
    listed = {**files, "/etc/ld.so.cache": cache({"libx.so.1": "/usr/local/lib/libx.so.1"}).decode("latin-1")}
    assert run(listed, needed=["libx.so.1"]) == (["/usr/local/lib/libx.so.1"], [], [])


def test_the_order_of_places() -> None:
    places = ("/rpath", "/env", "/cache", "/lib")
    files: dict[str, Any] = {f"{place}/libx.so.1": lib("libx.so.1") for place in places}
    files["/etc/ld.so.cache"] = cache({"libx.so.1": "/cache/libx.so.1"}).decode("latin-1")
    env = ["LD_LIBRARY_PATH=/env"]
    assert run(files, env=env, needed=["libx.so.1"], rpath="/rpath")[0] == ["/rpath/libx.so.1"]
    assert run(files, env=env, needed=["libx.so.1"], runpath="/rpath")[0] == ["/env/libx.so.1"]
    assert run(files, needed=["libx.so.1"], runpath="/rpath")[0] == ["/rpath/libx.so.1"]
    assert run(files, needed=["libx.so.1"])[0] == ["/cache/libx.so.1"]
    assert run({**files, "/cache/libx.so.1": {"whiteout": True}}, needed=["libx.so.1"])[0] == ["/lib/libx.so.1"]


def test_rpath_is_handed_down_and_runpath_is_not() -> None:
    files = {"/own/liba.so.1": lib("liba.so.1", needed=["libb.so.1"]), "/own/libb.so.1": lib("libb.so.1")}
    assert run(files, needed=["liba.so.1"], rpath="/own") == (["/own/liba.so.1", "/own/libb.so.1"], [], [])
    loaded, lacks, _ = run(files, needed=["liba.so.1"], runpath="/own")
    assert loaded == ["/own/liba.so.1"]
    assert lacks == ["/own/liba.so.1 needs libb.so.1, which is at /own/libb.so.1 only, where the loader does not look"]


def test_origin_and_lib() -> None:
    files = {"/app/lib/x86_64-linux-gnu/libx.so.1": lib("libx.so.1")}
    assert run(files, needed=["libx.so.1"], runpath="${ORIGIN}/$LIB")[1] == []
    assert run({"/app/own/libx.so.1": lib("libx.so.1")}, needed=["libx.so.1"], runpath="$ORIGIN/own")[1] == []


def test_what_is_loaded_answers_by_its_names() -> None:
    """The second library finds the first by its soname, wherever that was."""
    files = {
        "/own/one.so": lib("libone.so.1"),
        "/lib/libtwo.so.1": lib("libtwo.so.1", needed=["libone.so.1"]),
    }
    assert run(files, needed=["/own/one.so", "libtwo.so.1"]) == (["/own/one.so", "/lib/libtwo.so.1"], [], [])


def test_another_machine_is_passed_over() -> None:
    files = {"/lib/libx.so.1": {**lib("libx.so.1"), "elf": "arm64"}, "/usr/lib/libx.so.1": lib("libx.so.1")}
    assert run(files, needed=["libx.so.1"])[0] == ["/usr/lib/libx.so.1"]
    del files["/usr/lib/libx.so.1"]
    assert run(files, needed=["libx.so.1"])[1] == [
        "/app/run needs libx.so.1, which is at /lib/libx.so.1 but made for arm64"
    ]


def test_a_text_ends_the_search() -> None:
    files = {"/lib/libx.so.1": "INPUT(-lx)", "/usr/lib/libx.so.1": lib("libx.so.1")}
    assert run(files, needed=["libx.so.1"])[1] == ["/app/run needs libx.so.1, but /lib/libx.so.1 is no library"]


def test_what_the_user_cannot_read_is_passed_over() -> None:
    files = {"/lib/libx.so.1": {**lib("libx.so.1"), "mode": "0700"}}
    assert run(files, needed=["libx.so.1"], user="65532:65532")[1] == [
        "/app/run needs libx.so.1, which is at /lib/libx.so.1 but closed to user 65532"
    ]
    assert run(files, needed=["libx.so.1"])[1] == []


def test_versions() -> None:
    libc = lib("libc.so.6", gives=["libc.so.6", "GLIBC_2.9", "GLIBC_2.36", "GLIBC_PRIVATE"])
    files = {"/lib/libc.so.6": libc}
    for wanted, words in (
        ("GLIBC_2.9", None),
        ("GLIBC_2.38", "goes up to GLIBC_2.36"),
        ("GLIBC_2.10", "has no GLIBC_2.10"),
        ("GLIBC_ABI_DT_RELR", "has no GLIBC_ABI_DT_RELR"),
    ):
        lacks = run(files, needed=["libc.so.6"], wants={"libc.so.6": [wanted]})[1]
        assert lacks == ([f"/app/run needs {wanted} of libc.so.6, and /lib/libc.so.6 {words}"] if words else [])
    assert run({"/lib/libc.so.6": lib("libc.so.6")}, needed=["libc.so.6"], wants={"libc.so.6": ["GLIBC_2.38"]})[1] == []


def test_musl_has_names_and_folders_of_its_own() -> None:
    names = ["libc.so", "libpthread.so.0", "libc.musl-x86_64.so.1"]
    assert run({}, loader=MUSL, needed=names) == ([], [], [])
    files = {"/usr/local/lib/libx.so.1": lib("libx.so.1")}
    assert run(files, loader=MUSL, needed=["libx.so.1"], wants={"libx.so.1": ["X_9"]})[1] == []
    own = {"/etc/ld-musl-x86_64.path": "/opt/lib\n", "/opt/lib/libx.so.1": lib("libx.so.1")}
    assert run(own, loader=MUSL, needed=["libx.so.1"])[0] == ["/opt/lib/libx.so.1"]
    assert run({**files, **own, "/opt/lib/libx.so.1": {"whiteout": True}}, loader=MUSL, needed=["libx.so.1"])[1] != []


def test_a_library_of_musl_is_not_there_for_glibc() -> None:
    assert run({}, needed=["libc.musl-x86_64.so.1"])[1] == [
        "/app/run needs libc.musl-x86_64.so.1, which is not in the image"
    ]


def test_preloaded() -> None:
    files = {"/opt/libx.so": lib("libx.so.1")}
    assert run(files, env=["LD_PRELOAD=/opt/libx.so /opt/gone.so"], needed=["libx.so.1"]) == (["/opt/libx.so"], [], [])


def test_what_is_not_known() -> None:
    doubts = run({}, loader="/nix/store/x/ld-linux-x86-64.so.2", needed=["libx.so.1"])[2]
    assert doubts == ["the loader /nix/store/x/ld-linux-x86-64.so.2 may look in folders of its own"]
    files = {"/usr/lib/glibc-hwcaps/x86-64-v3/libx.so.1": lib("libx.so.1")}
    assert run(files, needed=["libx.so.1"])[1:] == (
        [], ["/usr/lib/glibc-hwcaps/x86-64-v3/libx.so.1 may be loaded for /app/run by other means"]
    )  # fmt: skip
    assert run({}, needed=["libnvidia-ml.so.1"])[1:] == (
        [], ["the container runtime may mount libnvidia-ml.so.1 from the host"]
    )  # fmt: skip
    assert run({}, needed=["libx.so.1"], rpath="$OTHER/x")[1:] == ([], ["where $OTHER/x leads is not known"])


def test_modules_are_loaded_into_the_program() -> None:
    """What the program or an earlier module brought is there for the next; what lies anywhere may be loaded by hand."""
    files = {
        "/lib/libx.so.1": lib("libx.so.1"),
        "/site/a.so": {"elf": "amd64", "needed": ["libx.so.1", "libown.so.1"], "rpath": "$ORIGIN/libs"},
        "/site/libs/libown.so.1": lib("libown.so.1"),
        "/site/b.so": {"elf": "amd64", "needed": ["libown.so.1", "libgone.so.1", "libhand.so.1"]},
        "/site/c/libhand.so.1": lib("libhand.so.1"),
    }
    loaded, lacks, doubts = run(files, needed=["libx.so.1"], modules=["/site/a.so", "/site/b.so"])
    assert loaded == ["/site/libs/libown.so.1"]
    assert lacks == ["/site/b.so needs libgone.so.1, which is not in the image"]
    assert doubts == ["/site/c/libhand.so.1 may be loaded for /site/b.so by other means"]


def test_a_module_of_another_machine_is_not_loaded() -> None:
    files = {"/site/a.so": {"elf": "arm64", "needed": ["libx.so.1"]}}
    assert run(files, modules=["/site/a.so"]) == (
        [],
        ["/site/a.so is made for arm64, the program that loads it for amd64"],
        [],
    )


def test_where_another_may_be_found_first_versions_are_not_judged() -> None:
    """A volume may have the library too, and its folder comes before the system's."""
    files = {"/lib/libx.so.1": lib("libx.so.1", gives=["X_1"]), "/proc/x": ""}
    loaded, lacks, doubts = run(
        files, env=["LD_LIBRARY_PATH=/proc/lib"], needed=["libx.so.1"], wants={"libx.so.1": ["X_2"]}
    )
    assert (loaded, lacks) == (["/lib/libx.so.1"], [])
    assert doubts == ["/proc/lib/libx.so.1 lies where the runtime mounts something"]


@pytest.mark.parametrize(
    ("rights", "reason"),
    [
        ({"mode": "4755"}, "is set-user-ID"),
        ({"mode": "2755"}, "is set-group-ID"),
        ({"capability": "0100000200040000000000000000000000000000"}, "has capabilities of its own"),  # net_bind_service
    ],
)
def test_with_other_rights_the_environment_does_not_count(rights: dict[str, str], reason: str) -> None:
    files: dict[str, Any] = {"/opt/libx.so.1": lib("libx.so.1"), "/app/libo.so.1": lib("libo.so.1")}
    more: dict[str, Any] = {"env": ["LD_LIBRARY_PATH=/opt"], "needed": ["libx.so.1"], **rights}
    because = f"where the loader does not look: /app/run {reason}, so LD_LIBRARY_PATH does not count"
    words = f"/app/run needs libx.so.1, which is at /opt/libx.so.1 only, {because}"
    assert run(files, user="1000:1000", **more) == ([], [words], [])
    assert run(files, user="0:0", **more) == (["/opt/libx.so.1"], [], [])  # it gains nothing
    origin = run(files, user="1000:1000", needed=["libo.so.1"], runpath="$ORIGIN", **rights)
    because = f"/app/run {reason}, so neither LD_LIBRARY_PATH nor $ORIGIN counts"
    assert origin[1] == [
        f"/app/run needs libo.so.1, which is at /app/libo.so.1 only, where the loader does not look: {because}"
    ]


def test_capabilities_that_an_engine_takes_away_give_none() -> None:
    files: dict[str, Any] = {"/opt/libx.so.1": lib("libx.so.1")}
    more: dict[str, Any] = {"env": ["LD_LIBRARY_PATH=/opt"], "needed": ["libx.so.1"], "user": "1000:1000"}
    admin = "0100000200100000000000000000000000000000"  # net_admin
    assert run(files, capability=admin, **more) == (["/opt/libx.so.1"], [], [])
    assert run(files, mode="4755", uid=1000, **more) == (["/opt/libx.so.1"], [], [])  # its own


def test_a_folder_of_ldconfig_that_the_cache_is_older_than() -> None:
    files: dict[str, Any] = {
        "/opt/lib/libx.so.1": lib("libx.so.1"),
        "/etc/ld.so.conf": "include /etc/ld.so.conf.d/*.conf\n",
        "/etc/ld.so.conf.d/own.conf": "# own\n/opt/lib\n",
    }
    words = "/app/run needs libx.so.1, which is at /opt/lib/libx.so.1 only, where the loader does not look"
    names = "/etc/ld.so.conf.d/own.conf names the folder, but /etc/ld.so.cache"
    told = f"{words}: {names} is not in the image, and ldconfig has to write it"
    assert run(files, needed=["libx.so.1"]) == ([], [told], [])
    files["/etc/ld.so.cache"] = cache({"libc.so.6": "/lib/libc.so.6"}).decode("latin-1")
    told = f"{words}: {names} was made before, and ldconfig has to write it"
    assert run(files, needed=["libx.so.1"]) == ([], [told], [])
    files["/etc/ld.so.conf"] = "/usr/local/lib\n"
    told = f"{words}: /etc/ld.so.cache does not list it"
    assert run(files, needed=["libx.so.1"]) == ([], [told], [])
