"""What was asked and answered: one SQLite file, written before and after each call.

A call is noted before it is sent, so that a killed run cannot ask a row more often than the budget allows, and its
answer as soon as it is there, so that no answered row is asked again.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from curate.errors import OutputError

FILE = "answers.sqlite"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS asked (
    id INTEGER PRIMARY KEY, uid TEXT NOT NULL, digest TEXT NOT NULL, granted INTEGER NOT NULL, used INTEGER
);
CREATE INDEX IF NOT EXISTS asked_uid ON asked (uid, digest);
CREATE TABLE IF NOT EXISTS answered (
    uid TEXT NOT NULL, digest TEXT NOT NULL, answer TEXT, finish TEXT, logprob REAL, tokens_in INTEGER,
    tokens_out INTEGER, seconds REAL, code TEXT, detail TEXT, calls INTEGER NOT NULL,
    PRIMARY KEY (uid, digest)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Reply:
    """What came of asking one row."""

    answer: str | None
    """What the model said; None where there is no answer."""
    finish: str | None = None
    """Why it stopped: stop, length, …"""
    logprob: float | None = None
    """Sum of the natural log-probabilities of the answer's tokens, as the server reports them."""
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    """From sending the last request to its last byte."""
    code: str | None = None
    """Why there is no answer."""
    detail: str | None = None
    calls: int = 0
    """Calls that the row took, failed ones that may have reached the model included."""


@dataclass(frozen=True)
class Spent:
    """What a row has used of its budget."""

    calls: int
    tokens: int
    """Output tokens; a call of which nothing is known counts with all that it was granted."""


class Journal:
    """The answers of one run.

    Raises:
        OutputError: the file cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(folder / FILE, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise OutputError(f"{folder / FILE} cannot be used: {error}") from error

    def answer(self, uid: str, digest: str) -> Reply | None:
        """What a row was answered before, where the same was asked; failures count as not answered."""
        row = self._row(uid, digest)
        return row if row is not None and row.code is None else None

    def last(self, uid: str, digest: str) -> Reply:
        """What came of asking a row, failures included.

        Raises:
            KeyError: nothing is known of it.
        """
        row = self._row(uid, digest)
        if row is None:
            raise KeyError(uid)
        return row

    def _row(self, uid: str, digest: str) -> Reply | None:
        sql = """SELECT answer, finish, logprob, tokens_in, tokens_out, seconds, code, detail, calls
                 FROM answered WHERE uid = ? AND digest = ?"""
        row = self._connection.execute(sql, (uid, digest)).fetchone()
        return Reply(*row) if row else None

    def spent(self, uid: str, digest: str) -> Spent:
        """What a row has used so far."""
        sql = "SELECT count(*), coalesce(sum(coalesce(used, granted)), 0) FROM asked WHERE uid = ? AND digest = ?"
        return Spent(*self._connection.execute(sql, (uid, digest)).fetchone())

    def ask(self, uid: str, digest: str, granted: int) -> int:
        """Note a call before it is sent; `granted` output tokens at most. Gives its number."""
        sql = "INSERT INTO asked (uid, digest, granted) VALUES (?, ?, ?)"
        number = self._connection.execute(sql, (uid, digest, granted)).lastrowid
        assert number is not None, "an INSERT has a row id"
        return number

    def used(self, call: int, tokens: int) -> None:
        """Note how many output tokens a call took."""
        self._connection.execute("UPDATE asked SET used = ? WHERE id = ?", (tokens, call))

    def not_reached(self, call: int) -> None:
        """Take a call back that never reached the model."""
        self._connection.execute("DELETE FROM asked WHERE id = ?", (call,))

    def keep(self, uid: str, digest: str, reply: Reply) -> None:
        """Keep an answer, or why there is none."""
        values = (reply.answer, reply.finish, reply.logprob, reply.tokens_in, reply.tokens_out)
        values += (reply.seconds, reply.code, reply.detail, reply.calls)  # type: ignore[assignment]
        sql = "INSERT OR REPLACE INTO answered VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        self._connection.execute(sql, (uid, digest, *values))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
