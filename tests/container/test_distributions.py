"""What distributions say of themselves: markers, extras, tags, and metadata that somebody wrote to harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.container.distributions import Installed, _headers, _misfit, _needs, normal, tops
from lucid_audit.container.files import Files
from lucid_audit.container.tree import Walk


class None_(Files):  # noqa: N801
    def walk(self, path: str) -> Walk:
        return Walk("absent", path)


def needs(*lines: str, **installed: str) -> list[str]:
    have = {normal(name): Installed(normal(name), version, "", "") for name, version in installed.items()}
    return _needs(None_(), have, "\n".join(lines).encode(), "3.11", "x86_64")


@pytest.mark.parametrize(
    ("line", "lacks"),
    [
        ("scales", True),
        ("scales; python_version >= '3.11'", True),
        ("scales; python_version < '3.11'", False),
        ("scales; sys_platform == 'win32'", False),
        ("scales; platform_machine == 'x86_64' and implementation_name == 'cpython'", True),
        ("scales; python_full_version >= '3.11.4'", False),
        ("scales; platform_release >= '5'", False),
        ("scales; extra == 'all'", False),
        ("scales; python_version >= '3.8' and extra == 'all'", False),
        ("scales; nonsense == 'x'", False),
        ("scales ==", False),
        ("", False),
    ],
)
def test_markers_are_those_of_the_image(line: str, lacks: bool) -> None:
    assert needs(f"Requires-Dist: {line}") == (["requires scales, which is not installed"] if lacks else [])


@pytest.mark.parametrize(("version", "lacks"), [("3.11.2", True), ("3.11.3", False), ("3.11", False)])
def test_all_numbers_of_the_interpreter_count_where_they_are_known(version: str, lacks: bool) -> None:
    line = b"Requires-Dist: scales; python_full_version < '3.11.3'"
    assert bool(_needs(None_(), {}, line, version, "x86_64")) is lacks
    assert bool(_needs(None_(), {}, b"Requires-Python: >=3.11.3", version, "x86_64")) is (version == "3.11.2")


def test_versions() -> None:
    assert needs("Requires-Dist: a-b>=2", a_b="2.0rc1") == ["requires a-b>=2, and 2.0rc1 is installed"]
    assert needs("Requires-Dist: A.B~=1.4", a_b="1.9") == []
    assert needs("Requires-Dist: a-b>=2", a_b="nonsense") == []
    assert needs("Requires-Dist: a-b==1.0", a_b="1.0+local") == []
    assert needs("Requires-Python: >=3.11.4") == []
    assert needs("Requires-Python: >=3.12") == ["requires Python >=3.12, and this is Python 3.11"]
    assert needs("Requires-Python: nonsense") == []
    assert needs("Name: x", "", "Requires-Dist: in-the-description") == []


@pytest.mark.parametrize(
    ("tag", "libc", "fits"),
    [
        ("py3-none-any", "manylinux", True),
        ("py2.py3-none-any", "", True),
        ("py2-none-any", "", False),
        ("cp311-cp311-manylinux_2_17_x86_64", "manylinux", True),
        ("cp310-cp310-manylinux_2_17_x86_64", "manylinux", False),
        ("cp38-abi3-manylinux2014_x86_64", "manylinux", True),
        ("cp312-abi3-manylinux2014_x86_64", "manylinux", False),
        ("cp311-cp311-linux_x86_64", "manylinux", True),
        ("cp311-cp311-musllinux_1_2_x86_64", "manylinux", False),
        ("cp311-cp311-musllinux_1_2_x86_64", "musl", True),
        ("cp311-cp311-musllinux_1_2_x86_64", "", True),
        ("cp311-cp311-manylinux_2_17_aarch64", "manylinux", False),
        ("py3-none-manylinux1_x86_64", "manylinux", True),
        ("pp39-pypy39_pp73-linux_x86_64", "", True),
        ("nonsense", "", True),
    ],
)
def test_tags(tag: str, libc: str, fits: bool) -> None:
    assert (_misfit([tag], "3.11", "x86_64", libc) == "") is fits
    assert _misfit([tag, "py3-none-any"], "3.11", "x86_64", libc) == ""


def test_the_first_parts_of_a_record() -> None:
    record = b"a/__init__.py,sha256=x,1\na/b.py,,\nsix.py,,\nx-1.dist-info/RECORD,,\n../../bin/x,,\n"
    assert tops(record) == ["a", "six.py"]
    assert tops("\n".join(tops(record)).encode()) == ["a", "six.py"]


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    tops(data)
    _headers(data)
    needs("Requires-Dist: " + data.decode("latin-1").replace("\n", " "), "Requires-Python: " + data.decode("latin-1"))
    _misfit([data.decode("latin-1")], "3.11", "x86_64", "musl")
