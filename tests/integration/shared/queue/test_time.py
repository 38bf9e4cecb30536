"""A transaction has one time, and of two that write one after the other the later one has the later time."""

from __future__ import annotations

import threading
from datetime import datetime

import pytest
from sqlalchemy import text

from nightshift.words.clock import utc_now
from shared.db.engine import Database


def test_a_transaction_has_one_time_and_the_next_one_another(database: Database) -> None:
    with database.write() as session:
        first = session.now
        session.execute(text("SELECT 1"))
        assert session.now == first
    with database.read() as session:
        assert session.now > first


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_waits_for_sqlite_keeps_nobody_else_from_the_time(database: Database) -> None:
    """One holds SQLite's lock and has not asked for the time yet, while another waits for both."""
    times: list[datetime] = []
    waits = threading.Event()

    def write() -> None:
        with database.write() as session:
            waits.set()
            times.append(session.now)

    with database.write() as session:
        session.connection()
        other = threading.Thread(target=write)
        other.start()
        waits.wait()
        # Until it waits for the lock, which nothing tells.
        other.join(0.5)
        assert session.now <= utc_now()
        ended_at = utc_now()
    other.join()
    if database.is_sqlite:
        assert times[0] >= ended_at
