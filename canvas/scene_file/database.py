"""The connections to one scene file: one writer behind a lock, readers that never wait for it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from canvas.errors import SceneError, storage_error
from canvas.scene_file import schema
from text2earth_core.whole_file import sync_folder

_BUSY_SECONDS = 30.0  # how long other programs may keep the write lock from us before we say so
_RETRY_MILLISECONDS = 5  # how long SQLite itself waits for that lock, at waits of 1 and 2 ms
_IDLE_READERS = 8  # read connections kept between uses, each with its own page cache
_PAGE = 16384  # bytes: tile blobs are about 100 kB, and long overflow chains of small pages are slow


class Database:
    """Owns every connection to the file at `path`.

    No connection is ever used by two threads at once: readers come from a pool, the writer is behind a lock. Each
    read sees one moment of the scene (WAL), each write is one transaction that is on the disk when it returns
    (synchronous=FULL). Several processes may share the file. A file that cannot be written opens for reading.
    """

    def __init__(self, path: Path) -> None:
        schema.check_header(path)
        self.path = path
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._idle_lock = threading.Lock()
        self._closed = False
        self._writer: sqlite3.Connection | None = None
        self._version = 0
        if _writable(path):
            try:
                self._writer = self._open_writer()
            except sqlite3.Error as error:
                raise storage_error(error, path) from error
            schema.migrate(self._writer, path)
            self._writer.execute(f"PRAGMA busy_timeout = {_RETRY_MILLISECONDS}")
            self._version = _data_version(self._writer)
        else:
            with self.read() as connection:
                version = schema.user_version(connection)
            schema.check_version(version, path)
            if version < len(schema.MIGRATIONS):
                raise SceneError(f"{path.name} is read-only and of an older format: open a copy that can be updated.")

    @classmethod
    def create(cls, path: Path, meta: dict[str, str | float | int]) -> Database:
        """A new file with all tables and `meta` in it; it appears under its name only once it is complete."""
        part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.new")
        try:
            connection = sqlite3.connect(part, isolation_level=None)
            try:
                # Not WAL yet: the header, by which a scene is recognised, must be in the file itself.
                connection.execute(f"PRAGMA page_size = {_PAGE}")
                connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
                schema.migrate(connection, path)
                connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
            finally:
                connection.close()
            _publish(part, path)
        except sqlite3.Error as error:
            raise storage_error(error, path) from error
        except FileExistsError:
            raise SceneError(f"{path.name} already exists: open it, or choose another name.") from None
        except OSError as error:
            raise storage_error(error, path) from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        return cls(path)

    @property
    def writable(self) -> bool:
        return self._writer is not None

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed and durable when the block ends, rolled back if anything in it raises."""
        with self._lock:
            if self._closed:
                raise SceneError("This scene was closed: open it again.")
            if self._writer is None:
                raise SceneError(
                    f"{self.path.name} is read-only: save a copy in a folder you can write to, and work on that."
                )
            connection = self._writer
            try:
                _begin_writing(connection)
                yield connection
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise storage_error(error, self.path) from error
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one moment of the scene for the length of the block, whatever is written meanwhile."""
        try:
            connection = self._take_reader()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._give_reader(connection)
        except sqlite3.Error as error:
            raise storage_error(error, self.path) from error

    def written_elsewhere(self) -> bool:
        """Whether another program has written into the file since the last call, or since it was opened.

        It asks the connection through which all of our own writing goes, so that this does not count. While that one is
        busy, and where a file is only read, the answer is False.
        """
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if self._writer is None:
                return False
            before, self._version = self._version, _data_version(self._writer)
            return before != self._version
        except sqlite3.Error as error:
            raise storage_error(error, self.path) from error
        finally:
            self._lock.release()

    def rest(self) -> None:
        """Give back what is kept for many reads at a time: all idle read connections but one, and their caches."""
        with self._idle_lock:
            spare, self._idle = self._idle[1:], self._idle[:1]
            for connection in self._idle:
                connection.execute("PRAGMA shrink_memory")
        for connection in spare:
            connection.close()
        if self._lock.acquire(blocking=False):
            try:
                if self._writer is not None:
                    self._writer.execute("PRAGMA shrink_memory")
            finally:
                self._lock.release()

    def close(self) -> None:
        """Close every connection; the last one to a file folds the log back into it."""
        with self._lock:
            self._closed = True
            with self._idle_lock:
                for connection in self._idle:
                    connection.close()
                self._idle.clear()
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _open_writer(self) -> sqlite3.Connection:
        connection = _connect(self.path, "mode=rw")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 500")
        connection.execute(f"PRAGMA journal_size_limit = {64 * 2**20}")
        return connection

    def _take_reader(self) -> sqlite3.Connection:
        with self._idle_lock:
            if self._closed:
                raise SceneError("This scene was closed: open it again.")
            if self._idle:
                return self._idle.pop()
        # A read-only file without a log is opened as immutable, so that reading leaves no side files next to it.
        log = self.path.with_name(self.path.name + "-wal")
        alone = self._writer is None and not (log.exists() and log.stat().st_size)
        return _connect(self.path, "immutable=1" if alone else "mode=ro")

    def _give_reader(self, connection: sqlite3.Connection) -> None:
        with self._idle_lock:
            if not self._closed and len(self._idle) < _IDLE_READERS:
                self._idle.append(connection)
                return
        connection.close()


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,  # transactions are written out, never opened behind our back
        check_same_thread=False,  # the pool and the lock see to it
    )
    # Scenes are exchanged between people: nothing in the schema of a foreign file may run code.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA cache_size = -4096")
    return connection


def _begin_writing(connection: sqlite3.Connection) -> None:
    """Take the file's write lock, which another process may hold for up to `_BUSY_SECONDS`.

    The lock is no queue, and SQLite's own waits grow to 100 ms: beside a program that writes one change after the
    other, the short moments between two of its transactions would be missed for seconds.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise


def _data_version(connection: sqlite3.Connection) -> int:
    """A number that changes with every commit of another connection; the content of the file is not looked at."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _writable(path: Path) -> bool:
    """Whether we may write: a file without any write permission is meant to stay as it is, even for root."""
    try:
        anyone = bool(path.stat().st_mode & 0o222)
    except FileNotFoundError:  # removed since its header was read; opening it says so
        return False
    return anyone and os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK)


def _publish(part: Path, path: Path) -> None:
    """Give a complete file its name, never over another one, and make the name durable."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(path) from None
        part.rename(path)
    sync_folder(path.absolute().parent)
