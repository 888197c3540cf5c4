"""Jobs on disk: a small SQLite file beside the scenes, so that a killed server can say what it was doing."""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

VERSION = 1
FINISHED_KEPT = 200
ACTIVE = ("queued", "running")


@dataclass
class Job:
    """One request for pixels.  `state`: queued, running, done, cancelled, failed or interrupted.

    `rank` orders the queue (lowest first); `started` and `created` are Unix seconds, `seconds` the time worked so far;
    `error` and `notes` are sentences for the user.
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


class JobStore:
    """Owns `jobs.sqlite`; every method is one transaction and safe to call from any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        if self._db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            # Job records are no work of the user: those of another version are dropped, not migrated.
            self._db.execute("DROP TABLE IF EXISTS job")
            self._db.execute("CREATE TABLE job (id TEXT PRIMARY KEY, created REAL NOT NULL, record TEXT NOT NULL)")
            self._db.execute(f"PRAGMA user_version={VERSION}")

    def save(self, *jobs: Job) -> None:
        """Write the records of `jobs`, new ones or over their former ones."""
        rows = [(job.id, job.created, json.dumps(asdict(job))) for job in jobs]
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR REPLACE INTO job VALUES (?, ?, ?)", rows)
            self._db.execute("COMMIT")

    def remove(self, *ids: str) -> None:
        """Forget jobs."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("DELETE FROM job WHERE id = ?", [(job,) for job in ids])
            self._db.execute("COMMIT")

    def load(self) -> list[Job]:
        """All jobs, oldest first; finished ones beyond the newest FINISHED_KEPT are forgotten."""
        with self._lock:
            rows = self._db.execute("SELECT record FROM job ORDER BY created").fetchall()
        jobs = [Job(**json.loads(record)) for (record,) in rows]
        old = [job.id for job in jobs if job.state not in ACTIVE][:-FINISHED_KEPT]
        self.remove(*old)
        return [job for job in jobs if job.id not in set(old)]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
