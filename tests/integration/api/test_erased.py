"""Erased means gone, seen from within: the database's log, its readers, and the key that made the job."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db.leftovers import forget_deleted
from shared.db.tables import Erasure, Job, Upload
from shared.queue.uploads import Receiving, begin
from tests.support.erasing import ended_job, sweep
from tests.support.service import Service

KEY = "nebuchadnezzar"
PHOTO = ("zanzibar.jpg", b"photo of a wedding")


def sqlite_bytes(service: Service) -> bytes:
    folder = service.database.folder
    if folder is None:
        pytest.skip("optional: PostgreSQL's files are its operator's matter")
    return b"".join(path.read_bytes() for path in folder.glob("*.db*"))


def test_the_key_of_an_erased_job_is_free_again(service: Service) -> None:
    first = service.send(PHOTO, key=KEY).json["id"]
    assert service.send(PHOTO, key=KEY).json["id"] == first
    service.post(first, "cancel")
    service.client.delete(f"/v1/jobs/{first}")
    with service.database.read() as session:
        assert session.query(Upload).count() == 0

    again = service.send(PHOTO, key=KEY)

    assert (again.status_code, again.headers.get("Idempotent-Replayed")) == (202, None)
    assert again.json["id"] != first


def test_a_key_is_kept_as_a_digest(service: Service) -> None:
    service.send(PHOTO, key=KEY)
    with service.database.read() as session:
        [row] = session.query(Upload)
        assert KEY not in row.key
        assert len(row.key) == 64


def test_two_owners_equal_keys_say_nothing_of_each_other(service: Service) -> None:
    with service.database.write() as session:
        for owner in ("news", "sports"):
            assert isinstance(begin(session, service.settings, owner, KEY), Receiving)
        assert len({row.key for row in session.query(Upload)}) == 2


def test_while_others_read_the_receipt_says_that_it_is_not_complete(service: Service) -> None:
    job_id = ended_job(service, label="quetzalcoatl")
    service.send(PHOTO)
    sqlite_bytes(service)
    with service.database.read() as session:
        assert session.query(Job).count() == 2
        answer = service.client.delete(f"/v1/jobs/{job_id}")
        assert answer.status_code == 200
        assert answer.json["completed_at"] is None
        assert service.get(job_id).status_code == 404
        assert b"quetzalcoatl" in sqlite_bytes(service)
        sweep(service)
        with service.database.read() as other:
            assert other.get_one(Erasure, job_id).completed_at is None
    sweep(service)
    assert b"quetzalcoatl" not in sqlite_bytes(service)
    assert service.client.delete(f"/v1/jobs/{job_id}").json["completed_at"]


def test_bytes_in_gaps_between_rows_go_as_well(service: Service) -> None:
    """What SQLite leaves where a page was put together anew, and what lay free before it zeroed anything."""
    job_id = ended_job(service)
    sqlite_bytes(service)
    with service.database.apart(1000) as cursor:
        cursor.execute("PRAGMA secure_delete=OFF")
        cursor.execute("CREATE TABLE old (name TEXT)")
        cursor.executemany("INSERT INTO old VALUES (?)", [(f"xanthippe {n}",) for n in range(500)])
        cursor.execute("DELETE FROM old WHERE rowid % 3")
        cursor.execute("DELETE FROM old")
    assert b"xanthippe" in sqlite_bytes(service)
    assert service.client.delete(f"/v1/jobs/{job_id}").json["completed_at"]
    assert b"xanthippe" not in sqlite_bytes(service)


def test_a_server_is_its_operators(service: Service) -> None:
    assert forget_deleted(service.database)


def test_errors_name_no_parameters(service: Service) -> None:
    """They are logged where nobody foresaw them."""
    statement = text("INSERT INTO holdings (owner, photos, size_bytes) VALUES (:owner, 0, :size)")
    with pytest.raises(DBAPIError) as told, service.database.write() as session:
        for _ in range(2):
            session.execute(statement, {"owner": "local", "size": 4711})
    assert "4711" not in str(told.value)
