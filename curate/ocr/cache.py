"""What pictures were read already: one SQLite file that runs and processes share.

An entry is named by the picture's bytes and the engine's signature and holds what the engine gave, before reading
order and paragraphs: those may change without reading anything again. A cache only saves work. Whatever is wrong with
it (damaged, locked for long, a full disk) makes a run slower, never different.
"""

from __future__ import annotations

import logging
import sqlite3
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import orjson

from curate.records import Line

NAME = "ocr.sqlite"
"""File name below the cache folder."""

WAIT = 30.0
"""Seconds to wait for another process that writes."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS engine (id INTEGER PRIMARY KEY, signature TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS reading (
    engine INTEGER NOT NULL, picture BLOB NOT NULL, added INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (engine, picture)
) WITHOUT ROWID;
"""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Reading:
    """What an engine gave for one picture of `width` x `height` pixels."""

    width: int
    height: int
    lines: tuple[Line, ...]


class Holding(NamedTuple):
    """How much a cache holds of one engine."""

    signature: str
    pictures: int
    size: int
    """Bytes."""
    oldest: int | None
    newest: int | None
    """Seconds since 1970; None where it holds nothing."""


class ReadingCache:
    """A cache of readings.

    Args:
        folder: Where the file lies; made when missing.
        strict: For who asks about the cache itself: nothing is made, mended or set aside when it is opened, and
            whatever is wrong is raised as `sqlite3.Error` (an `OperationalError` where the file cannot be used just
            now, else it is damaged).
    """

    def __init__(self, folder: Path, *, strict: bool = False) -> None:
        self.path = folder / NAME
        self._strict = strict
        self._connection = _connect(self.path) if strict else self._open()

    def get(self, sha256: str, engine: str) -> Reading | None:
        """Give what `engine` read in a picture; None where it is not known or the entry is damaged."""
        sql = "SELECT value FROM reading WHERE picture = ? AND engine = (SELECT id FROM engine WHERE signature = ?)"
        rows: list[tuple[bytes]] = self._try(lambda db: db.execute(sql, (bytes.fromhex(sha256), engine)).fetchall(), [])
        return _unpack(rows[0][0]) if rows else None

    def put(self, readings: Iterable[tuple[str, Reading]], engine: str) -> None:
        """Keep readings, each with its picture's SHA-256, in one transaction."""
        now = int(time.time())
        rows = [(bytes.fromhex(sha256), now, _pack(reading)) for sha256, reading in readings]

        def write(db: sqlite3.Connection) -> None:
            with db:
                db.execute("INSERT OR IGNORE INTO engine (signature) VALUES (?)", (engine,))
                (number,) = db.execute("SELECT id FROM engine WHERE signature = ?", (engine,)).fetchone()
                db.executemany("INSERT OR REPLACE INTO reading VALUES (?, ?, ?, ?)", [(number, *row) for row in rows])

        self._try(write, None)

    def holdings(self) -> list[Holding]:
        """Count pictures and bytes by engine."""
        sql = """SELECT signature, count(picture), coalesce(sum(length(value) + length(picture)), 0),
                        min(added), max(added)
                 FROM engine LEFT JOIN reading ON reading.engine = engine.id GROUP BY engine.id ORDER BY signature"""
        rows: list[tuple[str, int, int, int | None, int | None]]
        rows = self._try(lambda db: db.execute(sql).fetchall(), [])
        return [Holding(*row) for row in rows]

    def damaged(self) -> dict[str, int]:
        """Read every entry, change none, and count those that are damaged by their engine's signature."""
        found: list[tuple[int, bytes]] = self._try(_damaged, [])
        names: list[tuple[int, str]] = self._try(
            lambda db: db.execute("SELECT id, signature FROM engine").fetchall(), []
        )
        signatures = dict(names)
        return dict(Counter(signatures.get(engine, "") for engine, _ in found))

    def verify(self) -> int:
        """Read every entry, remove those that are damaged and give their number."""
        found: list[tuple[int, bytes]] = self._try(_damaged, [])
        return self._delete("DELETE FROM reading WHERE engine = ? AND picture = ?", found)

    def clear(self) -> int:
        """Remove all entries and give their number."""
        removed = self._delete("DELETE FROM reading", [()])
        self.prune()
        return removed

    def prune(self, *, keep: str | None = None, older_than: float | None = None) -> int:
        """Remove entries and give their number.

        Args:
            keep: Remove what other engines than that of this signature read.
            older_than: Remove what was read more than this many seconds ago.
        """
        removed = 0
        if keep is not None:
            sql = "DELETE FROM reading WHERE engine NOT IN (SELECT id FROM engine WHERE signature = ?)"
            removed += self._delete(sql, [(keep,)])
        if older_than is not None:
            removed += self._delete("DELETE FROM reading WHERE added < ?", [(int(time.time() - older_than),)])
        self._delete("DELETE FROM engine WHERE id NOT IN (SELECT engine FROM reading)", [()])
        self._try(lambda db: db.execute("VACUUM"), None)
        self._try(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall(), None)
        return removed

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _delete(self, sql: str, parameters: Sequence[tuple[object, ...]]) -> int:
        def delete(db: sqlite3.Connection) -> int:
            with db:
                return max(0, db.executemany(sql, parameters).rowcount)

        return self._try(delete, 0)

    def _open(self) -> sqlite3.Connection | None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return _connect(self.path)
        except sqlite3.OperationalError as error:
            _log.warning("the OCR cache %s cannot be used (%s); going on without", self.path, error)
        except sqlite3.DatabaseError:
            _log.warning("the OCR cache %s is damaged; it is set aside and a new one begun", self.path)
            self.path.replace(self.path.with_suffix(".damaged"))
            return _connect(self.path)
        except OSError as error:
            _log.warning("the OCR cache %s cannot be used (%s); going on without", self.path, error.strerror)
        return None

    def _try(self, work: Callable[[sqlite3.Connection], _T], otherwise: _T) -> _T:
        if self._connection is None:
            return otherwise
        try:
            return work(self._connection)
        except sqlite3.Error as error:
            if self._strict:
                raise
            _log.warning("the OCR cache %s failed (%s); going on without", self.path, error)
            return otherwise


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=WAIT)
    try:
        # With a write-ahead log readers never wait, and a process that is killed leaves no half-written entry.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def files(folder: Path) -> list[Path]:
    """Give the files of a cache: the database, what SQLite keeps beside it, and a damaged one that was set aside."""
    return sorted(folder.glob(f"{NAME}*")) + sorted(folder.glob(Path(NAME).with_suffix(".damaged").name))


def _damaged(db: sqlite3.Connection) -> list[tuple[int, bytes]]:
    """Engine and picture of each entry that is damaged; the entries are looked at one by one."""
    (state,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if state != "ok":
        raise sqlite3.DatabaseError(state)
    entries = db.execute("SELECT engine, picture, value FROM reading")
    return [(engine, picture) for engine, picture, value in entries if _unpack(value) is None]


def _pack(reading: Reading) -> bytes:
    lines = [[line.text, line.score, line.polygon] for line in reading.lines]
    return zlib.compress(orjson.dumps([reading.width, reading.height, lines]), 6)


def _unpack(value: bytes) -> Reading | None:
    """Undo `_pack`; zlib's own checksum tells whether the entry is whole."""
    try:
        width, height, lines = orjson.loads(zlib.decompress(value))
        return Reading(width, height, tuple(Line(text, score, tuple(polygon)) for text, score, polygon in lines))
    except (zlib.error, ValueError, TypeError):
        return None
