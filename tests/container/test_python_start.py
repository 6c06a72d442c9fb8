"""What Python is told to run, and what its modules need: folders and archives, names, rights and platforms."""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from importlib.util import MAGIC_NUMBER

import pytest

from lucid_audit.container.config import Container
from lucid_audit.container.import_closure import imported
from lucid_audit.container.launch import launch
from tests.containers import container
from tests.elf import elf
from tests.image_sketch import layer

PYTHON = "/usr/bin/python3.13"
LIBRARY = "/usr/lib/python3.13"
SITE = "/usr/local/lib/python3.13/dist-packages"
PLATFORM = "cpython-313-x86_64-linux-gnu"


def made(
    files: Mapping[str, str | bytes], user: str = "0", modes: Mapping[str, int] | None = None, env: tuple[str, ...] = ()
) -> Container:
    """Return a container with Python and some files."""
    own: dict[str, str | bytes] = {
        PYTHON: elf("amd64"),
        f"{LIBRARY}/os.py": "",
        f"{LIBRARY}/lib-dynload/_ssl.{PLATFORM}.so": elf("amd64", soname="_ssl"),
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, content in {**own, **files}.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(path.strip("/"))
            info.size, info.mode = len(data), (modes or {}).get(path, 0o755)
            archive.addfile(info, io.BytesIO(data))
    base, _ = layer({}, tar=out.getvalue())
    return container(base, workdir="/app", user=user, env=env)


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return out.getvalue()


def ends(files: Mapping[str, str | bytes], *words: str) -> str:
    """Return what is wrong with a command, "" when nothing is."""
    end = launch(made(files), (PYTHON, *words)).end
    return end.words if end is not None else ""


def missing(
    files: Mapping[str, str | bytes], user: str = "0", modes: Mapping[str, int] | None = None
) -> list[tuple[str, str]]:
    """Return what /app/main.py does not find, and where it is not."""
    one = made(files, user, modes)
    interpreter = launch(one, (PYTHON, "main.py")).interpreter
    assert interpreter is not None
    found = imported(one, interpreter)
    assert found is not None
    return [(lack.name, lack.there) for lack in found.missing]


def test_a_folder_needs_main() -> None:
    assert ends({"/app/svc/__main__.py": ""}, "/app/svc") == ""
    assert ends({"/app/svc/main.py": ""}, "/app/svc") == "/app/svc is a folder without __main__.py"


def test_an_archive_needs_main() -> None:
    assert ends({"/app/a.pyz": zipped("__main__.py")}, "a.pyz") == ""
    assert ends({"/app/a.pyz": b"#!/usr/bin/python3\n" + zipped("__main__.py")}, "a.pyz") == ""
    assert ends({"/app/a.pyz": zipped("main.py")}, "a.pyz") == "/app/a.pyz is an archive without __main__.py"
    assert ends({"/app/a.pyz": "no archive"}, "a.pyz") == ""


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("other = 1\n", False),
        ("def thing(): pass\n", True),
        ("from more import *\n", True),
        ("def __getattr__(name): return name\n", True),
        ("globals()['th' + 'ing'] = 1\n", True),
        ("import sys\nsys.modules[__name__] = 1\n", True),
    ],
)
def test_names_of_a_module(source: str, found: bool) -> None:
    files = {"/app/main.py": "from lib import thing\n", f"{SITE}/lib.py": source, f"{SITE}/more.py": "thing = 1\n"}
    assert missing(files) == ([] if found else [("lib.thing", f"not defined in {SITE}/lib.py")])


def test_names_that_are_always_there() -> None:
    assert missing({"/app/main.py": "from lib import __name__, __doc__\n", f"{SITE}/lib.py": ""}) == []


def test_a_submodule_is_no_name() -> None:
    files = {
        "/app/main.py": "from lib import a\nfrom lib import b\n",
        f"{SITE}/lib/__init__.py": "",
        f"{SITE}/lib/a.py": "",
    }
    assert missing(files) == [("lib.b", f"not defined in {SITE}/lib/__init__.py")]


def test_a_module_that_the_user_cannot_read() -> None:
    files, modes = {"/app/main.py": "import lib\n", f"{SITE}/lib.py": "import nothing\n"}, {f"{SITE}/lib.py": 0o600}
    assert missing(files, "65532:65532", modes) == [("lib", f"closed to user 65532 ({SITE}/lib.py)")]
    assert missing(files, "0", modes) == [("nothing", "in no folder of its path")]


@pytest.mark.parametrize("tag", [PLATFORM, "cpython-313", "abi3"])
def test_extension_modules_that_fit(tag: str) -> None:
    assert missing({"/app/main.py": "import fast\n", f"{SITE}/fast.{tag}.so": elf("amd64", soname="x")}) == []


@pytest.mark.parametrize(
    "tag", ["cpython-312-x86_64-linux-gnu", "cpython-313-x86_64-linux-musl", "cpython-313-aarch64-linux-gnu"]
)
def test_extension_modules_for_another_python(tag: str) -> None:
    path = f"{SITE}/fast.{tag}.so"
    assert missing({"/app/main.py": "import fast\n", path: elf("amd64", soname="x")}) == [
        ("fast", f"there for another Python only ({path})")
    ]


def served(files: Mapping[str, str | bytes], *command: str) -> tuple[str, set[str]]:
    """Say how a command ends, and what its imports lack."""
    there = made({"/app/service.py": "import os\napp = 1\n", **files})
    chain = launch(there, (PYTHON, *command))
    found = imported(there, chain.interpreter) if chain.interpreter is not None and chain.end is None else None
    return chain.end.words if chain.end is not None else "", {one.name for one in found.missing} if found else set()


def test_a_server_that_is_run_by_its_name_has_to_be_there() -> None:
    command = ("-m", "gunicorn", "service:app")
    assert served({}, *command)[0].startswith("no module gunicorn in /app, ")
    server = {f"{SITE}/gunicorn/__init__.py": ""}
    assert served(server, *command)[0] == f"{SITE}/gunicorn is a package without __main__.py"
    server[f"{SITE}/gunicorn/__main__.py"] = "import packaging\n"
    assert served(server, *command) == ("", {"packaging"})
    assert served({**server, f"{SITE}/packaging.py": ""}, *command) == ("", set())
    assert served({"/app/gunicorn/__main__.py": ""}, "-m", "gunicorn", "--chdir=/srv", "service:app") == ("", set())


EDITABLE = "MAPPING: dict[str, str] = {'shop': '/src/shop', 'one': '/src/one'}\nNAMESPACES: dict[str, list[str]] = {}\n"
FINDER = f"{SITE}/__editable___shop_1_0_finder.py"
CALL = "import __editable___shop_1_0_finder; __editable___shop_1_0_finder.install()"


def lacks(files: Mapping[str, str | bytes]) -> tuple[list[str], str]:
    """Return what /app/main.py does not find, and why that is not known of more."""
    one = made(files)
    interpreter = launch(one, (PYTHON, "main.py")).interpreter
    found = imported(one, interpreter) if interpreter is not None else None
    assert found is not None
    return [lack.name for lack in found.missing], "; ".join(reason for _, reason in found.unknown)


def test_editable_installs() -> None:
    main = {"/app/main.py": "import shop.store, one, two\n", f"{SITE}/__editable__.shop-1.0.pth": CALL}
    there = {"/src/shop/__init__.py": "", "/src/shop/store.py": "import three\n", "/src/one.py": "import four\n"}
    assert lacks({**main, **there, FINDER: EDITABLE}) == (["two", "three", "four"], "")
    assert lacks({**main, FINDER: EDITABLE}) == (["shop", "one", "two"], "")
    for text in (
        "",
        EDITABLE.replace("= {}", "= {'a.b': ['/src/b']}"),
        "MAPPING = {'a.b': '/src/b'}",
        "MAPPING = {open: 1}",
    ):
        assert lacks({**main, **there, FINDER: text})[1].startswith(f"{FINDER} finds modules by itself"), text
    assert (
        "runs code that may add to the path" in lacks({**main, f"{SITE}/__editable__.shop-1.0.pth": CALL + "; x()"})[1]
    )


def test_setuptools_brings_distutils() -> None:
    shim = "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = 1; enabled and __import__('_distutils_hack').add_shim();"
    files = {"/app/main.py": "import distutils.core\n", f"{SITE}/setuptools/_distutils/__init__.py": ""}
    assert lacks(files) == (["distutils"], "")
    files[f"{SITE}/distutils-precedence.pth"] = shim
    assert lacks(files) == (["distutils.core"], "")
    assert lacks({**files, f"{SITE}/setuptools/_distutils/core.py": ""}) == ([], "")


@pytest.mark.parametrize("line", [
    "import sys; exec('import os\\n\\nif os.getenv(\"COVERAGE_PROCESS_START\"): pass')",
    "import os, sys;exec('if \"COV_CORE_SOURCE\" in os.environ: pass')",
    "import _virtualenv",
    "import sys, types, os;p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('google',))",
])  # fmt: skip
def test_code_that_adds_nothing(line: str) -> None:
    files = {"/app/main.py": "import lib\n", f"{SITE}/x.pth": line}
    assert lacks(files) == (["lib"], "")
    assert lacks({**files, f"{SITE}/x.pth": f"\n{line}\nimport another\n"}) == (
        [], f"{SITE}/x.pth runs code that may add to the path")  # fmt: skip


def test_files_that_add_folders_may_be_unreadable_or_too_large() -> None:
    files: dict[str, str | bytes] = {"/app/main.py": "import lib\n", "/opt/lib.py": "", f"{SITE}/x.pth": "/opt\n"}
    assert lacks(files) == ([], "")
    assert missing(files, "65532:65532", {f"{SITE}/x.pth": 0o600})[0][1].startswith("in no folder of its path")
    assert (
        lacks({**files, f"{SITE}/x.pth": b"/opt\n" + b"#" * (1 << 16)})[1]
        == f"{SITE}/x.pth may add folders to the path"
    )
    assert "byte order mark" in lacks({**files, "/app/main.py": "import no\n", f"{SITE}/x.pth": "\ufeff/opt\n"})[1]
    assert lacks({**files, f"{SITE}/x.pth": b"/opt\0\xff\n"})[0] == ["lib"]


def packed(files: Mapping[str, str]) -> bytes:
    """Return an application in an archive, behind a line for the kernel."""
    out = io.BytesIO(b"#!/usr/bin/python3\n")
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def starts(
    files: Mapping[str, str | bytes], *words: str, env: tuple[str, ...] = ()
) -> tuple[list[tuple[str, str]], str]:
    """Return what a command does not find with who needs it, and what is not known."""
    one = made(files, env=env)
    chain = launch(one, (PYTHON, *words))
    assert chain.end is None, chain.end
    found = imported(one, chain.interpreter) if chain.interpreter is not None else None
    assert found is not None
    return [(lack.where, lack.name) for lack in found.missing], "; ".join(reason for _, reason in found.unknown)


APPLICATION = {"__main__.py": "import shop.store\n", "shop/__init__.py": "", "shop/store.py": "import os, yaml\n",
               "fast.cpython-313-x86_64-linux-gnu.so": "", "../../app/yaml.py": "", "/app/yaml.py": ""}  # fmt: skip


def test_imports_of_an_archive_are_followed_in_it() -> None:
    data = packed(APPLICATION)
    for name in ("a.pyz", "run", "a.zip"):
        lack = (f"/app/{name}/shop/store.py line 1", "yaml")
        assert starts({f"/app/{name}": data}, name) == ([lack], "")
        assert starts({f"/app/{name}": packed({**APPLICATION, "yaml.py": ""})}, name) == ([], "")
        assert starts({f"/app/{name}": data, f"{SITE}/yaml.py": ""}, name) == ([], "")
    main: dict[str, str | bytes] = {"/app/main.py": "import shop.store\nimport fast\n", "/opt/lib.egg": data}
    lacks = [("/app/main.py line 2", "fast"), ("/opt/lib.egg/shop/store.py line 1", "yaml")]
    assert sorted(starts(main, "main.py", env=("PYTHONPATH=/opt/lib.egg",))[0]) == lacks
    assert sorted(starts({**main, f"{SITE}/x.pth": "/opt/lib.egg\n"}, "main.py")[0]) == lacks
    assert starts(main, "main.py")[0] == [("/app/main.py line 1", "shop"), ("/app/main.py line 2", "fast")]


def test_modules_of_an_archive_are_run_by_their_names() -> None:
    data = packed({"shop/__init__.py": "", "shop/__main__.py": "import nothing\n"})
    found = starts({"/opt/lib.zip": data}, "-m", "shop", env=("PYTHONPATH=/opt/lib.zip",))
    assert found[0] == [("/opt/lib.zip/shop/__main__.py line 1", "nothing")]


def test_archives_that_are_damaged_or_bombs() -> None:
    whole: bytes = packed({"__main__.py": "import a\nimport b\n", "a.py": "import c\n", "b.py": "#" * (64 << 20)})
    assert starts({"/app/a.pyz": whole}, "a.pyz")[0] == [("/app/a.pyz/a.py line 1", "c")]
    damaged = bytearray(whole)
    damaged[60:90] = bytes(30)
    assert starts({"/app/a.pyz": bytes(damaged)}, "a.pyz") == ([], "")
    path: dict[str, str | bytes] = {"/app/main.py": "import lib\n", "/opt/x.zip": b"no archive"}
    assert starts(path, "main.py", env=("PYTHONPATH=/opt/x.zip",)) == ([], "/opt/x.zip is not looked into")


def test_archives_that_are_too_large_are_not_known() -> None:
    data = packed({"__main__.py": "import nothing\n"})
    large = {"/app/a.pyz": data + bytes(32 << 20)}
    assert starts(large, "a.pyz") == ([], "it is not looked into")


def test_where_else_a_module_is() -> None:
    main: dict[str, str | bytes] = {"/app/main.py": "import lib\n"}
    begin = "in no folder of its path"

    off = "where /usr/bin/python3.13 does not look"
    old = "/opt/venv/lib/python3.11/site-packages"
    assert missing({**main, "/app/vendor/lib/__init__.py": ""}) == [("lib", f"{begin}; it is in /app/vendor, {off}")]
    assert missing({**main, "/app/vendor/lib.py": "", f"{old}/lib.py": ""}) == [
        ("lib", f"{begin}; it is installed for Python 3.11 in {old}, and /usr/bin/python3.13 is Python 3.13")]  # fmt: skip
    same = old.replace("3.11", "3.13")
    assert missing({**main, f"{same}/lib.py": ""}) == [("lib", f"{begin}; it is in {same}, {off}")]
    assert missing({**main, "/app/vendor/__init__.py": "", "/app/vendor/lib.py": ""}) == [("lib", begin)], (
        "part of a package"
    )
    assert missing({**main, "/app/vendor/lib/readme": ""}) == [("lib", begin)]
    assert missing({**main, f"{SITE}/__editable__.lib-1.0.pth": "/src\n"}) == [
        ("lib", f"{begin}; {SITE}/__editable__.lib-1.0.pth names /src, which is not there")]  # fmt: skip
    assert missing({**main, f"{SITE}/_other.pth": "/src\n"}) == [("lib", begin)]
    finder = {f"{SITE}/__editable__.shop-1.0.pth": CALL, FINDER: EDITABLE.replace("shop", "lib")}
    assert missing({**main, **finder}) == [("lib", f"{begin}; it is installed from /src/lib, which is not there")]
    assert ends({"/opt/x/shop/__main__.py": "", "/opt/x/shop/__init__.py": ""}, "-m", "shop").endswith(
        f"; it is in /opt/x, {off}"
    )


@pytest.mark.parametrize(
    ("number", "version"), [(3394, "3.7"), (3439, "3.10"), (3495, "3.11"), (3531, "3.12"), (3627, "3.14")]
)
def test_byte_code_of_another_python(number: int, version: str) -> None:
    def files(magic: bytes) -> dict[str, str | bytes]:
        return {"/app/main.py": "import lib\n", f"{SITE}/lib.pyc": magic + bytes(20)}

    found = missing(files(number.to_bytes(2, "little") + b"\r\n"))
    assert found == [("lib", f"there as byte code of Python {version} only ({SITE}/lib.pyc)")]
    for fits in ((3571).to_bytes(2, "little") + b"\r\n", b"\xff\xff\r\n", b"x", b"no byte code"):
        assert missing(files(fits)) == []
    assert missing({"/app/main.py": "import lib\n", f"{SITE}/__pycache__/lib.cpython-313.pyc": b"x"})[0][1].startswith(
        "in no folder"
    )


def test_byte_code_of_the_python_at_hand() -> None:
    files: dict[str, str | bytes] = {"/app/main.py": "import lib\n", f"{SITE}/lib.pyc": MAGIC_NUMBER + bytes(20)}
    minor = f"3.{sys.version_info[1]}"
    assert [name for name, _ in missing(files)] == ([] if minor == "3.13" else ["lib"])
    assert minor == "3.13" or f"Python {minor} only" in missing(files)[0][1]


@pytest.mark.parametrize(
    ("target", "source", "mode", "kind"),
    [
        ("main:app", "app = 1\n", 0o644, ""),
        ("main:make(1)", "def make(n): pass\n", 0o644, ""),
        ("main:application", "app = 1\n", 0o644, "module"),
        ("main:application", "globals()['app' + 'lication'] = 1\n", 0o644, ""),
        ("main:application", "from other import *\n", 0o644, ""),
        ("main:app", "app = 1\n", 0o600, "permission"),
    ],
)
def test_a_server_finds_the_name_that_it_is_told_to_take(target: str, source: str, mode: int, kind: str) -> None:
    there = {"/app/main.py": source, "/usr/lib/python3/dist-packages/uvicorn/__main__.py": ""}
    container = made(there, "65532", {"/app/main.py": mode})
    end = launch(container, (PYTHON, "-m", "uvicorn", target)).end
    assert (end.kind if end is not None else "") == kind
