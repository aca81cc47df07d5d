"""One SQLite file: a connection per thread for reading, one writer at a time."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.schema import SCHEMA, VERSION


class StoreError(Exception):
    """The state can't be opened; the message says what to do."""


class Store:
    """The sandbox's state in `folder`/sandbox.db. Raises StoreError when it can't be opened or is another version's."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "sandbox.db"
        self._local = threading.local()
        self._writing = threading.RLock()
        self._opened: list[sqlite3.Connection] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            db = self.read()
            found = db.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, VERSION):
                self.close()
                raise StoreError(
                    f"{self.path} was written by another version of the sandbox. Move it away or name another folder."
                )
            db.executescript(f"BEGIN; {SCHEMA} COMMIT;")  # one sync to disk rather than one a table
            db.execute(f"PRAGMA user_version = {VERSION}")
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise StoreError(
                f"The sandbox can't keep its state in {folder}: {error}. Name a folder it may write to."
            ) from error

    def read(self) -> sqlite3.Connection:
        """This thread's connection."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            # Closed from the thread that shuts the store, hence no check of the thread.
            db = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
            db.row_factory = sqlite3.Row
            for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -65536", "temp_store = MEMORY"):
                db.execute(f"PRAGMA {pragma}")
            self._local.db = db
            self._opened.append(db)
        return db

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction; it takes the write lock at once, so that it never fails half-way for want of it."""
        db = self.read()
        if db.in_transaction:  # a step of a transaction that this thread has begun
            yield db
            return
        with self._writing:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def get(self, key: str, default: Any = None) -> Any:
        row = self.read().execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else json.loads(row[0])

    def put(self, key: str, value: Any) -> None:
        with self.write() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def close(self) -> None:
        for db in self._opened:
            db.close()
        self._opened.clear()
        self._local = threading.local()
