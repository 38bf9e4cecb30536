"""The health check of compose's workers and sweeper."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy import update

from shared.db.engine import Database
from shared.db.tables import WorkerRow
from tests.support.queue_rows import seen
from worker.healthy import main


def test_a_process_of_this_machine_must_have_been_seen(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTSHIFT_DATABASE_URL", database_url)
    monkeypatch.setattr("sys.argv", ["healthy", "worker"])
    assert main() == 1
    seen(database, "elsewhere/x/1.1")
    assert main() == 1
    with database.write() as session:
        session.execute(update(WorkerRow).values(host=socket.gethostname()))
    assert main() == 0
    monkeypatch.setattr("sys.argv", ["healthy", "sweeper"])
    assert main() == 1


def test_without_a_database_nobody_is_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    monkeypatch.setattr("sys.argv", ["healthy", "worker"])
    assert main() == 1
