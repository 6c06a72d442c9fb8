"""The cache: several processes, every kind of damage, and that it is never believed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lucid_audit.image.descriptor import Descriptor, sha256
from lucid_audit.image.layer import Layer, read_layer
from lucid_audit.image.wanted import wanted
from lucid_audit.sources import cache as cache_module
from lucid_audit.sources.cache import FILE, Cache, default_folder
from tests.sources.builder import noise, tar

BLOB = b'{"schemaVersion": 2}'


def layer(name: str = "a", size: int = 100) -> Layer:
    data = tar({name: noise(name, size)})
    return read_layer(iter([data]), Descriptor("", sha256(data), len(data)), wanted(()))


LAYER = layer()


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    made = Cache(tmp_path)
    yield made
    made.close()


def again(folder: Path, key: str = "") -> tuple[bytes | None, Layer | None]:
    """Return what another run finds."""
    with closing(Cache(folder, key)) as other:
        return other.blob(sha256(BLOB)), other.layer(LAYER.digest)


def filled(folder: Path) -> Path:
    with closing(Cache(folder)) as made:
        made.put_blob(sha256(BLOB), BLOB)
        made.put_layer(LAYER)
        assert made.layer(LAYER.digest) is not None
    return folder / FILE


def change(file: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement, values)


def test_what_is_put_is_found(cache: Cache, tmp_path: Path) -> None:
    assert cache.blob(sha256(BLOB)) is None
    filled(tmp_path)
    blob, found = again(tmp_path)
    assert blob == BLOB
    assert found is not None
    assert (found.entries, found.diff_id, found.size) == (LAYER.entries, LAYER.diff_id, LAYER.size)
    assert (cache.usage().layers, cache.usage().blobs, cache.usage().file) == (1, 1, tmp_path / FILE)
    assert cache.usage().size > 0


def test_only_its_user_may_look(tmp_path: Path) -> None:
    filled(tmp_path / "deep/below")
    assert (tmp_path / "deep/below").stat().st_mode & 0o077 == 0


def test_other_wishes_other_facts(tmp_path: Path) -> None:
    filled(tmp_path)
    assert again(tmp_path, "/etc/passwd") == (BLOB, None)


def test_another_version_of_the_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path)
    monkeypatch.setattr(cache_module, "VERSION", "0")
    assert again(tmp_path) == (BLOB, None)


def test_another_version_of_the_tables(tmp_path: Path) -> None:
    file = tmp_path / FILE
    change(file, "CREATE TABLE blobs (name TEXT)")
    change(file, "PRAGMA user_version = 99")
    filled(tmp_path)
    assert again(tmp_path)[0] == BLOB
    assert again(tmp_path)[1] is not None


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000, bytes(8192)])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    filled(tmp_path)
    assert again(tmp_path)[0] == BLOB


def test_damage_in_the_middle_heals(tmp_path: Path) -> None:
    file = filled(tmp_path)
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)
    for _ in range(2):
        again(tmp_path)
    filled(tmp_path)
    assert again(tmp_path)[0] == BLOB


def test_a_file_cut_short(tmp_path: Path) -> None:
    file = filled(tmp_path)
    os.truncate(file, file.stat().st_size // 2)
    again(tmp_path)
    filled(tmp_path)
    assert again(tmp_path)[0] == BLOB


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE facts SET data = substr(data, 1, 50)",
        "UPDATE facts SET data = x''",
        "UPDATE facts SET data = 5",
        "UPDATE facts SET data = 'text'",
        "UPDATE facts SET data = zeroblob(500)",
        "UPDATE packed SET size = 'large'",
        "UPDATE packed SET diff_id = 'sha256:other'",
    ],
)
def test_a_damaged_row_of_facts(tmp_path: Path, statement: str) -> None:
    change(filled(tmp_path), statement)
    assert again(tmp_path) == (BLOB, None)
    filled(tmp_path)
    assert again(tmp_path)[1] is not None


@pytest.mark.parametrize("value", [b"", b"other", 5, None, "text"])
def test_a_damaged_blob(tmp_path: Path, value: object) -> None:
    file = filled(tmp_path)
    change(file, "UPDATE OR IGNORE blobs SET data = ?", value) if value is not None else None
    assert again(tmp_path)[0] == (BLOB if value is None else None)


@pytest.mark.parametrize("digest", ["", "md5:0", "sha256:'; DROP TABLE blobs; --", "\udcff"])
def test_names_that_are_no_digests(cache: Cache, digest: str) -> None:
    cache.put_blob(digest, BLOB)
    assert cache.blob(digest) is None
    assert cache.layer(digest) is None
    cache.put_blob(sha256(BLOB), BLOB)
    assert cache.blob(sha256(BLOB)) == BLOB


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "full" / FILE).mkdir(parents=True)
    for folder in (tmp_path / "file", tmp_path / "file/below", tmp_path / "full", Path("/proc/none"), None):
        with closing(Cache(folder)) as made:
            made.put_blob(sha256(BLOB), BLOB)
            made.put_layer(LAYER)
            assert made.blob(sha256(BLOB)) is None
            assert made.layer(LAYER.digest) is None
            assert (made.usage().layers, made.usage().blobs) == (0, 0)
    with closing(Cache(None)) as made:
        assert made.usage().size == 0


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder where every user may look; that of the tests is its owner's."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_a_folder_that_may_not_be_written(public: Path) -> None:
    file = filled(public)
    program = f"""
import os, sys
from pathlib import Path
from lucid_audit.sources.cache import Cache
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
cache = Cache(Path({str(public)!r}))
cache.put_blob("sha256:" + "0" * 64, b"x")
print(cache.usage().blobs)
cache.clear()
"""
    for path in (public, *public.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    public.chmod(0o755)
    assert (done.returncode, done.stderr) == (0, "")
    assert file.exists()


def test_a_lock_of_another_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = filled(tmp_path)
    monkeypatch.setattr(cache_module, "_WAIT", 0.05)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        before = file.stat().st_ino
        again(tmp_path)
        assert file.stat().st_ino == before
        other.execute("ROLLBACK")
    assert again(tmp_path)[0] == BLOB


WORK = """
import sys
from pathlib import Path
from lucid_audit.image.descriptor import sha256
from lucid_audit.sources.cache import Cache
from tests.sources.test_cache import layer
folder, own = Path(sys.argv[1]), sys.argv[2]
for number in range(15):
    cache = Cache(folder)
    data = f"{own} {number}".encode()
    cache.put_blob(sha256(data), data)
    cache.put_layer(layer(f"{own}{number}"))
    assert cache.blob(sha256(data)) == data, data
    cache.close()
"""


def test_several_processes_at_once(tmp_path: Path) -> None:
    words = [sys.executable, "-c", WORK, str(tmp_path)]
    running = [subprocess.Popen([*words, str(number)], stderr=subprocess.PIPE, text=True) for number in range(4)]
    for process in running:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    with closing(Cache(tmp_path)) as cache:
        assert (cache.usage().layers, cache.usage().blobs) == (60, 60)


def test_several_threads_at_once(cache: Cache) -> None:
    failed: list[bytes] = []

    def work(own: int) -> None:
        for number in range(50):
            data = f"{own} {number}".encode()
            cache.put_blob(sha256(data), data)
            if cache.blob(sha256(data)) != data:
                failed.append(data)

    threads = [threading.Thread(target=work, args=(own,)) for own in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert cache.usage().blobs == 200


def test_clear(cache: Cache, tmp_path: Path) -> None:
    filled(tmp_path)
    cache.clear()
    assert list(tmp_path.iterdir()) == []
    cache.put_blob(sha256(BLOB), BLOB)
    assert cache.blob(sha256(BLOB)) is None
    cache.clear()
    assert again(tmp_path) == (None, None)


def test_what_was_used_longest_ago_goes_first(cache: Cache, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = [1000.0]
    monkeypatch.setattr(cache_module, "time", lambda: now[0])
    layers = [layer(str(number)) for number in range(6)]
    for one in layers:
        now[0] += 1
        cache.put_layer(one)
        data = one.digest.encode()
        cache.put_blob(sha256(data), data)
    now[0] += 1
    assert cache.layer(layers[0].digest) is not None
    assert cache.blob(sha256(layers[0].digest.encode())) is not None
    monkeypatch.setattr(cache_module, "SIZE_LIMIT", 500)
    now[0] += 1
    newest = layer("newest")
    cache.put_layer(newest)
    kept = [one for one in (*layers, newest) if cache.layer(one.digest) is not None]
    assert layers[0] in kept
    assert newest in kept
    assert layers[1] not in kept
    assert cache.blob(sha256(layers[0].digest.encode())) is not None
    assert cache.blob(sha256(layers[1].digest.encode())) is None
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        assert connection.execute("SELECT count(*) FROM packed").fetchone()[0] == len(kept)


def test_pruning_leaves_the_newest(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "SIZE_LIMIT", 1)
    for number in range(5):
        cache.put_layer(layer(str(number)))
    assert cache.layer(layer("4").digest) is not None


def test_where_it_is() -> None:
    assert default_folder({"LUCID_AUDIT_CACHE": "/c", "HOME": "/h"}) == Path("/c")
    assert default_folder({"XDG_CACHE_HOME": "/x", "HOME": "/h"}) == Path("/x/lucid-audit")
    assert default_folder({"HOME": "/h"}) == Path("/h/.cache/lucid-audit")
