"""What became of every row: one SQLite file beside the output, so that a killed run goes on to the row.

A row is in it once it was answered or given up. Requests are counted before they are sent, so that no budget is passed
by being killed.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from text2earth_core.data.annotation.audit import DUPLICATE, Fault, plain
from text2earth_core.data.annotation.items import Item
from text2earth_core.errors import Text2EarthError, reason_of

KEPT, DOUBTFUL, UNUSABLE, OPEN = "kept", "doubtful", "unusable", "open"
STATES = (KEPT, DOUBTFUL, UNUSABLE, OPEN)

APPLICATION = 0x54324543
VERSION = 1

_SCHEMA = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
CREATE TABLE begun (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE spent (name TEXT PRIMARY KEY, amount INTEGER NOT NULL);
CREATE TABLE troubles (reason TEXT PRIMARY KEY, count INTEGER NOT NULL, example TEXT NOT NULL);
CREATE TABLE rows (
  number INTEGER PRIMARY KEY,
  keys TEXT NOT NULL,                    -- JSON: what the output says beside the caption
  state TEXT NOT NULL,
  caption TEXT NOT NULL,
  faults TEXT NOT NULL,                  -- JSON: reasons
  digest BLOB,                           -- of a kept caption's words
  verdict TEXT NOT NULL DEFAULT '',      -- accepted, corrected or rejected, by a person
  remark TEXT NOT NULL DEFAULT '',       -- why it was rejected
  reviewed REAL
);
CREATE TABLE worn (digest BLOB PRIMARY KEY);  -- words that a model had for several images, and nothing keeps any more
CREATE UNIQUE INDEX captions ON rows (digest) WHERE digest IS NOT NULL;
CREATE INDEX states ON rows (state);
"""


@dataclass(frozen=True)
class Line:
    """A row of the journal."""

    number: int
    keys: dict[str, Any]
    state: str
    caption: str
    faults: list[str]
    verdict: str
    remark: str


_LINE = "number, keys, state, caption, faults, verdict, remark"


class Journal:
    """Owns the file; every method is one transaction, and safe to call from any thread.

    Args:
        path: made where it is not there and `begun` is given.
        begun: what a run must agree on with the one that began the file.

    Raises:
        Text2EarthError: it is no journal, cannot be written, or was begun with something else.
    """

    def __init__(self, path: Path, begun: dict[str, Any] | None = None) -> None:
        if begun is None and not path.is_file():
            raise Text2EarthError(f"There is no {path}: write captions with an endpoint first.")
        self._path = path
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._open(begun or {})
        except sqlite3.Error as error:
            raise Text2EarthError(f"{path} cannot be used as a journal ({reason_of(error)}).") from None

    def _open(self, begun: dict[str, Any]) -> None:
        db = self._db
        if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
        if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
            raise Text2EarthError(f"{self._path} is no journal of captions; give another OUT.")
        if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            raise Text2EarthError(f"{self._path} was written by another version of this program; give another OUT.")
        db.execute("PRAGMA journal_mode = WAL")
        # A caption that a power cut takes can be asked for again; what a person said of one cannot.
        db.execute(f"PRAGMA synchronous = {'NORMAL' if begun else 'FULL'}")
        with self._transaction():
            for name, value in begun.items():
                db.execute("INSERT OR IGNORE INTO begun VALUES (?, ?)", (name, json.dumps(value)))
        for name, value in begun.items():
            before = self.begun(name)
            if before != value:
                raise Text2EarthError(
                    f"The run to go on with was begun with {name} {before}, and now it is {value}: "
                    "say the same, or give another OUT."
                )

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except BaseException as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if not isinstance(error, sqlite3.Error):
                    raise
                raise Text2EarthError(
                    f"{self._path} cannot be written ({reason_of(error)}); what it holds is kept: run the same command "
                    "again when that is mended."
                ) from None

    def _ask(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def begun(self, name: str) -> Any:
        """What the file was begun with; None where it says nothing."""
        found = self._ask("SELECT value FROM begun WHERE name = ?", (name,))
        return json.loads(found[0][0]) if found else None

    def settled(self, start: int, stop: int) -> bool:
        """Whether no number from `start` up to, and without, `stop` is left to ask for."""
        found = self._ask(
            "SELECT count(*) FROM rows WHERE number >= ? AND number < ? AND state != ?", (start, stop, OPEN)
        )
        return bool(found[0][0] == stop - start)

    def settle(self, item: Item, caption: str, faults: Sequence[Fault], last: bool = True) -> list[Fault]:
        """Keep a caption that has no faults, or one that has on the last attempt as doubtful.

        Where another row was kept with the same words, neither describes its image: that row is opened again, unless a
        person has seen it.

        Returns:
            Its faults, with "duplicate" where another row had the same words.
        """
        digest = None if faults else digest_of(caption)
        found = list(faults)
        with self._transaction() as db:
            if digest is not None and _worn(db, digest, item.number):
                found.append(Fault(DUPLICATE, "another image has the same description word by word"))
                digest = None
            for fault in found:
                _trouble(db, fault.reason, json.dumps(item.keys))
            if not found or last:
                self._write(db, item, DOUBTFUL if found else KEPT, caption, [fault.reason for fault in found], digest)
        return found

    def give_up(self, item: Item, reason: str) -> None:
        """Note that nothing can be had for an item."""
        with self._transaction() as db:
            _trouble(db, reason, json.dumps(item.keys))
            self._write(db, item, UNUSABLE, "", [reason], None)

    @staticmethod
    def _write(
        db: sqlite3.Connection, item: Item, state: str, caption: str, faults: list[str], digest: bytes | None
    ) -> None:
        if not db.execute("SELECT 1 FROM rows WHERE number = ?", (item.number,)).fetchone():
            for note in item.notes:
                _trouble(db, note, json.dumps(item.keys))
        db.execute(
            "INSERT INTO rows (number, keys, state, caption, faults, digest) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (number) DO UPDATE SET keys = excluded.keys, state = excluded.state, "
            "caption = excluded.caption, faults = excluded.faults, digest = excluded.digest, verdict = '', remark = '' "
            "WHERE rows.state = 'open'",  # what a person said of a row meanwhile stays
            (item.number, json.dumps(item.keys), state, caption, json.dumps(faults), digest),
        )

    def accept(self, number: int) -> None:
        """A person finds a caption good; Text2EarthError where the row has none."""
        line = self._reviewable(number)
        self._judge(number, KEPT, "accepted", line.caption, "")

    def correct(self, number: int, caption: str) -> None:
        """A person wrote a better caption; Text2EarthError where it has no words, or there is no such row."""
        self._reviewable(number)
        text = " ".join(caption.split())
        if not plain(text):
            raise Text2EarthError("A correction needs some words.")
        self._judge(number, KEPT, "corrected", text, "")

    def reject(self, number: int, remark: str) -> None:
        """A person finds a caption wrong: the row is asked for again, and the model is told the remark."""
        line = self._reviewable(number)
        self._judge(number, OPEN, "rejected", line.caption, " ".join(remark.split()))

    def _reviewable(self, number: int) -> Line:
        line = self.line(number)
        if line is None or not line.caption:
            raise Text2EarthError(f"There is no caption of row {number}.")
        return line

    def _judge(self, number: int, state: str, verdict: str, caption: str, remark: str) -> None:
        digest = digest_of(caption) if state == KEPT else None
        with self._transaction() as db:
            # A person may write the same words twice.
            taken = db.execute("SELECT 1 FROM rows WHERE digest = ? AND number != ?", (digest, number)).fetchone()
            db.execute(
                "UPDATE rows SET state = ?, verdict = ?, caption = ?, remark = ?, digest = ?, reviewed = ? "
                "WHERE number = ?",
                (state, verdict, caption, remark, None if taken else digest, time.time(), number),
            )
            if verdict == "rejected":
                _trouble(db, "rejected by a person", remark)

    def corrections(self, count: int) -> list[str]:
        """The newest captions that a person wrote, the newest last."""
        found = self._ask(
            "SELECT caption FROM rows WHERE verdict = 'corrected' ORDER BY reviewed DESC LIMIT ?", (count,)
        )
        return [caption for (caption,) in reversed(found)]

    def verdicts(self) -> dict[str, int]:
        """Rows by what a person said of them; those that nobody saw are left out."""
        return dict(self._ask("SELECT verdict, count(*) FROM rows WHERE verdict != '' GROUP BY verdict"))

    def trouble(self, reason: str, example: str) -> None:
        """Count something that went wrong; the first example is kept."""
        with self._transaction() as db:
            _trouble(db, reason, example)

    def troubles(self) -> dict[str, int]:
        """What went wrong in all runs, by reason, the most frequent first."""
        return dict(self._ask("SELECT reason, count FROM troubles ORDER BY count DESC, reason"))

    def spend(self, **amounts: int) -> None:
        """Add to what was spent: requests, tokens_in, tokens_out."""
        with self._transaction() as db:
            for name, amount in amounts.items():
                db.execute(
                    "INSERT INTO spent VALUES (?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET amount = amount + excluded.amount",
                    (name, amount),
                )

    def spent(self) -> dict[str, int]:
        """What was spent in all runs."""
        return {"requests": 0, "tokens_in": 0, "tokens_out": 0} | dict(self._ask("SELECT name, amount FROM spent"))

    def counts(self) -> dict[str, int]:
        """Rows by state."""
        return dict.fromkeys(STATES, 0) | dict(self._ask("SELECT state, count(*) FROM rows GROUP BY state"))

    def line(self, number: int) -> Line | None:
        """A row, None where it was never answered."""
        found = self._ask(f"SELECT {_LINE} FROM rows WHERE number = ?", (number,))
        return _line(found[0]) if found else None

    def lines(self, where: str = "1", values: Sequence[Any] = (), order: str = "number") -> Iterator[Line]:
        """Rows as a stream, of which `where` (SQL of this package, never of a user) holds.

        They are read through a connection of their own, and are those of one moment.
        """
        db = sqlite3.connect(self._path, timeout=30)
        try:
            for row in db.execute(f"SELECT {_LINE} FROM rows WHERE {where} ORDER BY {order}", values):
                yield _line(row)
        finally:
            db.close()

    def count(self, where: str) -> int:
        """Rows of which `where` holds, as for `lines`."""
        return int(self._ask(f"SELECT count(*) FROM rows WHERE {where}")[0][0])

    def count_faults(self, where: str) -> dict[str, int]:
        """Faults of such rows, the most frequent first."""
        return dict(
            self._ask(
                f"SELECT value, count(*) FROM rows, json_each(faults) WHERE {where} GROUP BY value "
                "ORDER BY count(*) DESC, value"
            )
        )

    def open_again(self) -> int:
        """Open all rows that were given up or are doubtful and that no person has seen; how many."""
        with self._transaction() as db:
            changed = db.execute(
                "UPDATE rows SET state = ? WHERE state IN (?, ?) AND verdict = ''", (OPEN, DOUBTFUL, UNUSABLE)
            )
            return changed.rowcount


def digest_of(caption: str) -> bytes:
    """By which duplicates are found: the words, whatever stands between them."""
    return blake2b(plain(caption).encode(), digest_size=16).digest()


def _worn(db: sqlite3.Connection, digest: bytes, number: int) -> bool:
    """Whether another row has or had the same words; no row keeps them then that no person has seen."""
    other = db.execute("SELECT number FROM rows WHERE digest = ? AND number != ?", (digest, number)).fetchone()
    if other is None:
        return db.execute("SELECT 1 FROM worn WHERE digest = ?", (digest,)).fetchone() is not None
    db.execute("INSERT OR IGNORE INTO worn VALUES (?)", (digest,))
    db.execute(
        "UPDATE rows SET state = ?, faults = ?, digest = NULL WHERE number = ? AND verdict = ''",
        (OPEN, json.dumps([DUPLICATE]), other[0]),
    )
    return True


def _line(row: tuple[Any, ...]) -> Line:
    number, keys, state, caption, faults, verdict, remark = row
    return Line(number, json.loads(keys), state, caption, json.loads(faults), verdict, remark)


def _trouble(db: sqlite3.Connection, reason: str, example: str) -> None:
    db.execute(
        "INSERT INTO troubles VALUES (?, 1, ?) ON CONFLICT (reason) DO UPDATE SET count = count + 1", (reason, example)
    )
