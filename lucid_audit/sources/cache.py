"""The cache of what was read: facts of layers, and small verified blobs, in one SQLite file of the user's.

Everything in it is addressed by digest, so nothing grows stale; facts also by the version of their shape and by what was
to be kept. Layers are kept under their diff_id, so one layer has one entry however it was packed. Several processes may
use the file at once. It is never believed: blobs are hashed again, facts carry a checksum, and whatever cannot be read is
read from the image again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock
from time import time
from typing import NamedTuple

from lucid_audit.cachefolder import cache_folder
from lucid_audit.container.learned import VERSION as LEARNED
from lucid_audit.image.descriptor import matches
from lucid_audit.image.layer import Layer
from lucid_audit.image.layer_json import VERSION, dump, dump_learned, load
from lucid_audit.image.texts import dump as dump_texts

FILE = "facts.sqlite"
TABLES = 4  # the version of the tables below; a file with another one is started anew
SIZE_LIMIT = 512 << 20  # bytes; what was used longest ago goes first
_WAIT = 5.0  # seconds for another process's lock
_COLUMNS = {
    "blobs": "digest TEXT PRIMARY KEY, data BLOB NOT NULL, used REAL NOT NULL",
    "packed": "digest TEXT PRIMARY KEY, diff_id TEXT NOT NULL, size INTEGER NOT NULL, compression TEXT NOT NULL",
    "facts": "key TEXT PRIMARY KEY, diff_id TEXT NOT NULL, data BLOB NOT NULL, used REAL NOT NULL, more INTEGER NOT NULL",
    # Tables of their own, as a row is written whole when anything in it changes.
    "texts": "key TEXT PRIMARY KEY, diff_id TEXT NOT NULL, data BLOB NOT NULL",
    "learned": "key TEXT PRIMARY KEY, diff_id TEXT NOT NULL, data BLOB NOT NULL",
}
_SHAPE = tuple(f"CREATE TABLE IF NOT EXISTS {table} ({columns})" for table, columns in _COLUMNS.items())
_DROP = tuple(f"DROP TABLE IF EXISTS {table}" for table in _COLUMNS)


class Usage(NamedTuple):
    """What the cache holds. ``size`` in bytes on disk."""

    file: Path
    size: int
    layers: int
    blobs: int


def default_folder(environ: Mapping[str, str]) -> Path | None:
    """Return the cache's folder, None when there is nowhere to put it."""
    folder = cache_folder(environ)
    return Path(folder) if folder else None


class Cache:
    """Facts and blobs by digest. No method raises: a cache that does not work is one that is empty.

    ``wanted`` is the key of the set of files that are kept (``Wanted.key``): other wishes, other facts.
    """

    def __init__(self, folder: Path | None, wanted: str = "") -> None:
        self._lock = Lock()
        self._used: set[str] = set()  # keys of facts
        self._key = f"{VERSION}:{sha256(wanted.encode()).hexdigest()[:16]}"
        self._file = folder / FILE if folder is not None else None
        self._connection = self._open() if self._file is not None else None

    def _open(self) -> sqlite3.Connection | None:
        for _ in range(2):
            try:
                return self._connect()
            except sqlite3.OperationalError:  # locked, or not to be written: it is somebody's, so it stays
                continue
            except sqlite3.DatabaseError:  # damaged, or not a database at all: start anew
                self._remove()
            except OSError:
                break
        return None

    def _connect(self) -> sqlite3.Connection:
        file = self._file
        assert file is not None
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(file, timeout=_WAIT, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")  # what a power cut loses is read again
            connection.execute("BEGIN IMMEDIATE")  # before the look: another process may be making the tables just now
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            for statement in (*(() if version == TABLES else _DROP), *_SHAPE, f"PRAGMA user_version={TABLES}"):
                connection.execute(statement)
            connection.execute("COMMIT")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _remove(self) -> None:
        if self._file is not None:
            for suffix in ("", "-wal", "-shm"):
                with suppress(OSError):
                    os.unlink(f"{self._file}{suffix}")

    def _ask(self, statement: str, *values: object) -> tuple[object, ...] | None:
        with self._lock:
            if self._connection is None:
                return None
            try:
                row: tuple[object, ...] | None = self._connection.execute(statement, values).fetchone()
            except (sqlite3.OperationalError, sqlite3.ProgrammingError, ValueError, OverflowError):
                return None  # locked, full, not to be written; or no value that can be kept
            except sqlite3.DatabaseError:
                self._remove()  # damaged: the next run starts anew
                return None
        return row

    @property
    def works(self) -> bool:
        """Whether anything can be found here."""
        return self._connection is not None

    def blob(self, digest: str) -> bytes | None:
        """Return a small blob: a manifest or a configuration."""
        row = self._ask("SELECT data FROM blobs WHERE digest = ?", digest)
        data = row[0] if row is not None else None
        if not isinstance(data, bytes) or not matches(digest, data):
            return None
        self._ask("UPDATE blobs SET used = ? WHERE digest = ?", time(), digest)
        return data

    def put_blob(self, digest: str, data: bytes) -> None:
        """Keep a small blob that was verified."""
        self._ask("INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)", digest, data, time())

    def layer(self, digest: str) -> Layer | None:
        """Return the facts of a layer by the digest of its blob, packed or not."""
        row = self._ask("SELECT diff_id, size, compression FROM packed WHERE digest = ?", digest)
        if row is None:
            return None
        diff_id, size, compression = row
        key = f"{self._key}:{diff_id}"
        found = self._ask("SELECT data FROM facts WHERE key = ?", key)
        if found is None or not isinstance(found[0], bytes):
            return None

        def texts() -> bytes:
            row = self._ask("SELECT data FROM texts WHERE key = ?", key)
            return row[0] if row is not None and isinstance(row[0], bytes) else b""

        def learned() -> bytes:
            row = self._ask("SELECT data FROM learned WHERE key = ?", f"{LEARNED}:{key}")
            return row[0] if row is not None and isinstance(row[0], bytes) else b""

        layer = load(
            found[0], texts, learned, digest=digest, diff_id=str(diff_id), size=size, compression=str(compression)
        )
        if layer is not None:
            self._used.add(key)
        return layer

    def put_layer(self, layer: Layer) -> None:
        """Keep the facts of a layer that was verified; its unpacked form is known then too."""
        key = f"{self._key}:{layer.diff_id}"
        texts = dump_texts(layer.texts.kept)
        self._ask("INSERT OR REPLACE INTO texts VALUES (?, ?, ?)", key, layer.diff_id, texts)
        values = key, layer.diff_id, dump(layer), time(), len(texts)
        self._ask("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?, ?)", *values)
        for digest, size, kind in (
            (layer.diff_id, layer.unpacked, "tar"),
            (layer.digest, layer.size, layer.compression),
        ):
            self._ask("INSERT OR REPLACE INTO packed VALUES (?, ?, ?, ?)", digest, layer.diff_id, size, kind)
        self._prune()

    def put_learned(self, layer: Layer) -> None:
        """Keep what was learned of a layer's files since it was read."""
        if layer.learned.changed:
            values = f"{LEARNED}:{self._key}:{layer.diff_id}", layer.diff_id, dump_learned(layer.learned)
            self._ask("INSERT OR REPLACE INTO learned VALUES (?, ?, ?)", *values)
            layer.learned.changed = False

    def _note_used(self) -> None:
        """Write down what was used, in one go."""
        used, self._used = sorted(self._used), set()
        for at in range(0, len(used), 500):  # SQLite takes so many values at least
            some = used[at : at + 500]
            self._ask(f"UPDATE facts SET used = ? WHERE key IN ({','.join('?' * len(some))})", time(), *some)  # noqa: S608  (question marks)

    def _prune(self) -> None:
        """Drop the older half when there is too much; the newest row always stays."""
        self._note_used()
        for table, held, limit in (
            ("facts", "length(data) + more", SIZE_LIMIT),
            ("blobs", "length(data)", SIZE_LIMIT // 8),
        ):
            row = self._ask(f"SELECT sum({held}) FROM {table}")  # noqa: S608  (two constants)
            if row is not None and isinstance(row[0], int) and row[0] > limit:
                self._ask(f"DELETE FROM {table} WHERE used <= (SELECT (min(used) + max(used)) / 2 FROM {table})"  # noqa: S608
                          f" AND used < (SELECT max(used) FROM {table})")  # fmt: skip
                for of_layers in ("packed", "texts", "learned"):
                    self._ask(f"DELETE FROM {of_layers} WHERE diff_id NOT IN (SELECT diff_id FROM facts)")  # noqa: S608  (as above)

    def usage(self) -> Usage:
        """Say what is held."""
        counts = [self._ask(f"SELECT count(*) FROM {table}") for table in ("facts", "blobs")]  # noqa: S608  (two constants)
        layers, blobs = (row[0] if row is not None and isinstance(row[0], int) else 0 for row in counts)
        size = 0
        if self._file is not None:
            for suffix in ("", "-wal", "-shm"):
                with suppress(OSError):
                    size += os.stat(f"{self._file}{suffix}").st_size
        return Usage(self._file or Path(), size, layers, blobs)

    def clear(self) -> None:
        """Forget everything."""
        self.close()
        self._remove()

    def close(self) -> None:
        """Release the file; a closed cache is an empty one."""
        self._note_used()
        with self._lock:
            if self._connection is not None:
                with suppress(sqlite3.Error):
                    self._connection.close()
            self._connection = None
