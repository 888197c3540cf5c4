"""Jobs on disk: a small SQLite file beside the scenes, so that a killed server can say what it was doing."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app.errors import Conflict, NoRoom

VERSION = 1
FINISHED_KEPT = 200
ACTIVE = ("queued", "running")


@dataclass
class Job:
    """One piece of work.  `state`: queued, running, done, cancelled, failed or interrupted.

    `kind` names what does the work; `request` and `result` are its own, JSON-ready.  `rank` orders the queue (lowest
    first), `started` and `created` are Unix seconds, `seconds` the time worked so far, `error` and `notes` sentences
    for the user.
    """

    id: str
    scene: str
    request: dict[str, Any]
    created: float
    state: str = "queued"
    kind: str = "generate"
    rank: float = 0.0
    step: int = 0
    steps: int = 0
    started: float = 0.0
    seconds: float = 0.0
    error: str | None = None
    notes: list[str] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)


class JobStore:
    """Owns `jobs.sqlite` in the data directory; every method is one transaction and safe to call from any thread.

    The file stays locked while it is open: a second server in the same directory would run the same jobs.  Raises
    AppError where the directory cannot be written or is in use.
    """

    def __init__(self, data_dir: Path) -> None:
        self._lock = threading.Lock()
        path = data_dir / "jobs.sqlite"
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            try:
                self._db = _open(path)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:  # no database: records are no work of the user, so a new file takes its place
                path.replace(path.with_suffix(".broken"))
                self._db = _open(path)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise Conflict(
                    f"Another Text2Earth server uses {data_dir}; open its page, or choose another --data-dir."
                ) from error
            raise NoRoom(f"The data directory {data_dir} cannot be written ({error}).") from error
        except OSError as error:
            raise NoRoom(f"The data directory {data_dir} cannot be written ({error.strerror}).") from error

    def save(self, *jobs: Job) -> None:
        """Write the records of `jobs`, new ones or over their former ones; AppError where the disk refuses."""
        rows = [(job.id, job.created, json.dumps(asdict(job))) for job in jobs]
        self._write("INSERT OR REPLACE INTO job VALUES (?, ?, ?)", rows)

    def remove(self, *ids: str) -> None:
        """Forget jobs."""
        self._write("DELETE FROM job WHERE id = ?", [(job,) for job in ids])

    def load(self) -> list[Job]:
        """All jobs, oldest first; finished ones beyond the newest FINISHED_KEPT are forgotten."""
        with self._lock:
            rows = self._db.execute("SELECT record FROM job ORDER BY created").fetchall()
        jobs = [Job(**json.loads(record)) for (record,) in rows]
        old = {job.id for job in [job for job in jobs if job.state not in ACTIVE][:-FINISHED_KEPT]}
        self.remove(*old)
        return [job for job in jobs if job.id not in old]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _write(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany(statement, rows)
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise NoRoom(f"The queue cannot be written ({error}); free some disk space and try again.") from error


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=2, check_same_thread=False, isolation_level=None)
    try:
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("BEGIN IMMEDIATE")
        if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            # Records of another version are dropped, not migrated.
            db.execute("DROP TABLE IF EXISTS job")
            db.execute("CREATE TABLE job (id TEXT PRIMARY KEY, created REAL NOT NULL, record TEXT NOT NULL)")
            db.execute(f"PRAGMA user_version={VERSION}")
        db.execute("COMMIT")
    except sqlite3.Error:
        db.close()
        raise
    return db
