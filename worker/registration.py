"""Keeps this process's row among the workers: that it lives, what it is, what it has counted."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Mapping
from typing import Any

from nightshift.words.clock import utc_now
from nightshift.words.errors import Transient
from nightshift.words.version import VERSION
from shared.db.engine import Database
from shared.db.tables import WorkerRow
from shared.processes.registry import BEAT_S, Kind
from shared.processes.sums import Sums

log = logging.getLogger(__name__)


class Registration:
    """Beats in a thread until it is closed. What was counted since the last beat dies with a killed process.

    Args:
        database: of this process.
        process_id: see `nightshift.machine.process_id`.
        kind: what it does.
        sums: what it counts.
        about: what is worth knowing of it.
    """

    def __init__(
        self, database: Database, process_id: str, kind: Kind, sums: Sums, about: Mapping[str, Any]
    ) -> None:
        self._database = database
        self._id = process_id
        self._kind = kind
        self._sums = sums
        self._about = {"pid": os.getpid(), "version": VERSION, **about}
        self._started_at = utc_now()
        self._over = threading.Event()
        self._news = threading.Event()
        self._has_beaten = False
        self._thread = threading.Thread(target=self._run, name="registration", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def tell(self, **about: Any) -> None:
        """Change what is worth knowing of this process, and have it known now."""
        self._about = {**self._about, **about}
        self._news.set()

    def close(self) -> None:
        """Say that this process ends."""
        self._over.set()
        self._news.set()
        self._thread.join()
        self._beat(stopped=True)

    def _run(self) -> None:
        self._beat()
        while not self._over.is_set():
            self._news.wait(BEAT_S)
            self._news.clear()
            if not self._over.is_set():
                self._beat()

    def _beat(self, *, stopped: bool = False) -> None:
        try:
            with self._database.write() as session:
                if self._has_beaten and session.get(WorkerRow, self._id) is None:
                    # It slept so long that its row was added to those of the gone.
                    self._sums.clear()
                row = WorkerRow(
                    id=self._id, kind=self._kind, host=socket.gethostname(), started_at=self._started_at
                )
                row.about, row.sums, row.seen_at = dict(self._about), self._sums.document(), session.now
                row.stopped_at = session.now if stopped else None
                session.merge(row)
            self._has_beaten = True
        except Transient as error:
            log.warning("not registered", extra={"reason": error.message})
        except Exception:
            # The thread goes on: a process that is not seen is taken for gone.
            log.exception("not registered")
