"""Sources come back as they went in, from memory and from the cache; what did not fit is not there, and that is said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lucid_audit.image.limits import Limits
from lucid_audit.image.texts import ARCHIVE_LIMIT, FILE_LIMIT, Kept, Texts, TextsWriter, dump, load, text_limit
from tests.image.test_layer import read
from tests.image_sketch import archive

FILES = st.dictionaries(
    st.text(min_size=1, max_size=8), st.one_of(st.binary(max_size=99), st.just(b"x" * 20_000)), max_size=9
)


@given(FILES)
def test_every_source_comes_back(files: dict[str, bytes]) -> None:
    writer = TextsWriter(1 << 20)
    for path, content in files.items():
        writer.add(path, content)
    texts = writer.finish()
    again = Texts(lambda: load(dump(texts.kept)))
    for one in (texts, again):
        assert {path: one.get(path) for path in files} == files
        assert one.get("no such path") is None
        assert not one.kept.full


@given(st.binary(max_size=200), st.integers(0, 5_000), st.integers(1, 255))
def test_damage_is_nothing(noise: bytes, at: int, change: int) -> None:
    assert load(noise) == Kept({}, (), full=True)
    writer = TextsWriter(1 << 20)
    writer.add("/a.py", noise)
    data = bytearray(dump(writer.finish().kept))
    data[at % len(data)] ^= change
    assert load(bytes(data)) == Kept({}, (), full=True)


def test_the_limit() -> None:
    writer = TextsWriter(10)
    writer.add("/a.py", b"a" * (1 << 18))
    writer.add("/b.py", b"b")
    texts = writer.finish()
    assert texts.get("/a.py") is not None
    assert texts.get("/b.py") is None
    assert texts.kept.full


def test_what_a_layer_keeps() -> None:
    layer = read(
        archive(
            {
                "/a/m.py": "import x\n",
                "/a/run": {"text": "#!/bin/python\nx", "mode": "0755"},
                "/a/note": "#!/bin/python\nx",
                "/a/x.py": {"text": "#!/bin/python\nx", "mode": "0755"},
                "/a/photo.jpg": "xxxx",
            }
        )
    )
    assert set(layer.texts.kept.places) == {"/a/m.py", "/a/run", "/a/x.py"}
    assert layer.texts.get("/a/run") == b"#!/bin/python\nx"
    assert set(layer.programs) == {"/a/run", "/a/x.py"}
    nothing = read(archive({"/a/m.py": "x" * 999_999, "/a/n.py": "import x\n"}), limits=Limits(texts=0))
    assert nothing.texts.kept.full


def test_names() -> None:
    assert text_limit("/x/METADATA") == text_limit("/x.mjs") == FILE_LIMIT
    assert text_limit("/app.jar") == ARCHIVE_LIMIT
    assert not text_limit("/x.so")
