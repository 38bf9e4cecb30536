"""DELETE, retention and the wish to delete originals: what goes, what stays, and the receipt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from nightshift.words.clock import utc_now
from nightshift.words.error_codes import Code
from nightshift.words.errors import Transient
from shared.db.tables import Archive, Erasure, FaceRow, Job, Photo
from shared.files.store import Store, Stored
from tests.integration.api.conftest import Serve
from tests.support.archives_made import zip_of
from tests.support.erasing import ended_job, sweep
from tests.support.service import Service


def rows(service: Service) -> int:
    with service.database.read() as session:
        tables = (Job, Photo, FaceRow, Archive)
        return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def test_deleting_leaves_nothing_and_gives_a_receipt(service: Service) -> None:
    job_id, other = ended_job(service), ended_job(service)
    answer = service.client.delete(f"/v1/jobs/{job_id}")
    assert answer.status_code == 200
    receipt = answer.json
    assert receipt["job_id"] == job_id
    assert receipt["requested_at"] <= receipt["completed_at"]
    assert {name: receipt[name] for name in receipt if not name.endswith("_at") and name != "job_id"} == {
        "reason": "requested", "photos": 2, "faces": 2, "in_place": 0, "originals": 2, "thumbnails": 2,
        "archives": 0, "size_bytes": 7 + 8 + 10,
    }  # fmt: skip
    assert all(other in path for path in service.stored())
    assert len(service.stored()) == 4
    for part in ("", "/photos", "/results", "/summary"):
        assert service.get(job_id, part).status_code == 404
    with service.database.read() as session:
        assert (
            set(session.scalars(select(Photo.job_id)))
            == set(session.scalars(select(FaceRow.job_id)))
            == {other}
        )
    # Kept, without names.
    assert service.client.delete(f"/v1/jobs/{job_id}").json == receipt


def test_an_open_job_can_be_deleted(service: Service) -> None:
    job_id = service.open_job()
    service.put(job_id, "a")
    assert service.client.delete(f"/v1/jobs/{job_id}").json["originals"] == 1
    assert service.stored() == []
    assert rows(service) == 0
    assert service.put(job_id, "b").status_code == 404
    assert service.stored() == []


def test_a_job_under_way_is_not_deleted(service: Service) -> None:
    job_id = service.submitted_job("a", "b")
    for move in (None, "pause", "cancel"):
        if move == "cancel":
            from tests.support.queue_rows import take

            service.post(job_id, "resume")
            assert take(service.database, batch_size=1)
        if move:
            service.post(job_id, move)
        refused = service.client.delete(f"/v1/jobs/{job_id}")
        assert (refused.status_code, refused.json["code"]) == (409, "illegal_move")
        assert refused.json["state"] in {"queued", "paused", "cancelling"}
    assert len(service.photos(job_id)) == 2


def test_no_such_job_and_anothers_job_are_not_there(service: Service) -> None:
    from tests.support.queue_rows import queued_job

    theirs = queued_job(service.database, 1, owner="somebody else", submitted=False)
    for job_id in (theirs, "job_" + "0" * 32, "nonsense"):
        assert service.client.delete(f"/v1/jobs/{job_id}").status_code == 404
    assert rows(service) == 2


def test_photos_in_place_are_never_touched(serve: Serve, tmp_path: Path) -> None:
    service = serve(in_place_roots="/")
    folder = tmp_path / "archive of a lifetime"
    folder.mkdir()
    names = ["a.jpg", "b.jpg"]
    for name in names:
        (folder / name).write_bytes(b"photo " + name.encode())
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    job_id = service.open_job(options={"delete_originals": True})
    service.client.post(
        f"/v1/jobs/{job_id}/photos/in-place",
        json={"photos": [{"custom_id": name, "path": str(folder / name)} for name in names]},
    )
    service.post(job_id, "submit")
    assert service.work() == 2
    assert service.finish(job_id)
    sweep(service)
    with service.database.write() as session:
        session.query(Job).update({"results_expire_at": utc_now() - timedelta(seconds=1)})
    sweep(service)
    with service.database.read() as session:
        receipt = session.get_one(Erasure, job_id)
    assert (receipt.photos, receipt.in_place, receipt.originals) == (2, 2, 0)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before


def test_results_expire(service: Service) -> None:
    old, new = ended_job(service), ended_job(service)
    with service.database.write() as session:
        session.get_one(Job, old).results_expire_at = utc_now() - timedelta(seconds=1)
    sweep(service)
    assert service.get(old).status_code == 404
    assert service.get(new).status_code == 200
    assert all(new in path for path in service.stored())
    assert service.client.delete(f"/v1/jobs/{old}").json["reason"] == "expired"


def test_originals_are_deleted_on_completion_where_that_is_wished(service: Service) -> None:
    wished, kept = ended_job(service, delete_originals="true"), ended_job(service)
    waiting = service.send(("c.jpg", b"photo c"), delete_originals="true").json["id"]
    sweep(service)
    stored = service.stored()
    assert [path.endswith(".thumbnail.webp") for path in stored if wished in path] == [True, True]
    assert len([path for path in stored if kept in path]) == 4
    assert len([path for path in stored if waiting in path]) == 1
    assert len(service.get(wished, "/results").text.splitlines()) == 2


def test_a_store_that_is_away_is_made_up_for(service: Service) -> None:
    job_id = ended_job(service)
    store = service.context.store

    class Away(Store):
        def pages(self, prefix: str) -> Iterator[list[Stored]]:
            raise Transient(Code.STORE_UNAVAILABLE, "no route to host")

    service.replace(store=Away(service.settings.store_url))
    refused = service.client.delete(f"/v1/jobs/{job_id}")
    assert (refused.status_code, refused.json["code"]) == (503, "store_unavailable")
    # Nothing of it can be seen from here on; its bytes go when the store is back.
    assert service.get(job_id).status_code == 404
    service.replace(store=store)
    sweep(service)
    assert service.stored() == []
    receipt = service.client.delete(f"/v1/jobs/{job_id}").json
    assert (receipt["photos"], receipt["originals"], receipt["thumbnails"]) == (2, 2, 2)
    assert receipt["completed_at"] > receipt["requested_at"]


def test_a_receipt_counts_once_what_several_delete(service: Service) -> None:
    """The sweeper takes up every receipt that is not complete, also one that a request is busy with."""
    job_id = ended_job(service)
    deletions = 0

    class Interrupted(Store):
        def delete(self, *keys: str) -> None:
            nonlocal deletions
            deletions += 1
            if deletions == 1:
                super().delete(keys[0])
                sweep(service)
                raise Transient(Code.STORE_UNAVAILABLE, "no route to host")
            super().delete(*keys)

    service.replace(store=Interrupted(service.settings.store_url))
    assert service.client.delete(f"/v1/jobs/{job_id}").status_code == 503
    receipt = service.client.delete(f"/v1/jobs/{job_id}").json
    assert (receipt["originals"], receipt["thumbnails"], receipt["size_bytes"]) == (2, 2, 25)
    assert service.stored() == []
    assert deletions > 1


def test_an_archive_goes_with_its_job(service: Service) -> None:
    job_id = service.send(archive=zip_of({"a.jpg": b"photo"})).json["id"]
    assert service.client.delete(f"/v1/jobs/{job_id}").status_code == 409
    service.post(job_id, "cancel")
    receipt = service.client.delete(f"/v1/jobs/{job_id}").json
    assert (receipt["archives"], receipt["originals"]) == (1, 0)
    assert service.stored() == []
    assert rows(service) == 0


@pytest.mark.parametrize("method", ["get", "post"])
def test_other_methods_delete_nothing(service: Service, method: str) -> None:
    job_id = ended_job(service)
    getattr(service.client, method)(f"/v1/jobs/{job_id}")
    assert service.get(job_id).status_code == 200
