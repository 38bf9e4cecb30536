"""When each key was last used: written now and then, by a thread that no request waits for."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from queue import SimpleQueue

from nightshift.words.clock import utc_now
from nightshift.words.errors import Transient
from shared.db.engine import Database
from shared.operations.keys import note_use

EVERY_S = 60.0
"""Least time between two writes of one key."""

log = logging.getLogger("nightshift.api")


class LastUse:
    """Notes the use of keys.

    Args:
        database: where it is written; while that is away, uses go unnoted.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._due_at_s: dict[str, float] = {}
        self._used: SimpleQueue[str] = SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self, key_id: str) -> None:
        """A request came with this key; returns at once."""
        now_s = time.monotonic()
        if now_s < self._due_at_s.get(key_id, 0.0):
            return
        self._due_at_s[key_id] = now_s + EVERY_S
        self._used.put(key_id)
        with self._starting:
            # Not before: a thread does not survive a fork.
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="last use", daemon=True)
                self._thread.start()

    def _write(self) -> None:
        while True:
            key_id = self._used.get()
            try:
                with self._database.write() as session:
                    note_use(session, key_id, utc_now(), timedelta(seconds=EVERY_S))
            except Transient as error:
                log.warning("last use of a key not written", extra={"key": key_id, "reason": error.message})
            except Exception:
                log.exception("last use of a key not written", extra={"key": key_id})
