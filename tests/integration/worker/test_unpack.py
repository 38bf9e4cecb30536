"""Archives from the request to the last photo, on real databases and a real store."""

from __future__ import annotations

import hashlib
import io
import logging
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import worker.unpack
from nightshift.words.error_codes import Code
from nightshift.words.errors import Transient
from nightshift.words.options import JobOptions
from shared.db.engine import Database
from shared.db.tables import Archive, Photo
from shared.queue.claim import Claim
from shared.queue.queue import Queue
from shared.queue.unpacking import HeldArchive
from tests.support.archives_made import PHOTOS, encrypted, quine, tar_of, zip_of
from tests.support.queue_rows import ahead, assert_nothing_lost_nothing_twice, queue_of
from tests.support.service import Service, make_service
from worker.heartbeat import Heartbeat, Stall
from worker.parts import Parts
from worker.slice import run_slice


@pytest.mark.parametrize(
    "archive", [zip_of(PHOTOS), zip_of(PHOTOS, packed=True), tar_of(PHOTOS), tar_of(PHOTOS, gzipped=True)]
)
def test_an_archive_becomes_a_job(service: Service, parts: Parts, archive: bytes) -> None:
    sent = service.send(archive=archive, label="party")
    assert sent.status_code == 202, sent.text
    job = sent.json
    assert (job["state"], job["label"], job["counts"]["total"]) == ("unpacking", "party", 0)
    assert job["archive"] == {
        "name": "party.zip", "sha256": hashlib.sha256(archive).hexdigest(), "size_bytes": len(archive),
        "members": 0, "left_alone": {}, "unpacked_at": None,
    }  # fmt: skip
    assert service.doorbell.rings == 1
    run_slice(parts)
    job = service.job(job["id"])
    assert (job["state"], job["outcome"], job["counts"]["succeeded"]) == ("ended", "succeeded", 10)
    assert job["archive"]["members"] == 10
    assert job["archive"]["unpacked_at"] is not None
    assert list(service.photos(job["id"])) == list(PHOTOS)
    # The archive has served; photos and thumbnails are there.
    assert not any(path.endswith("/archive") for path in service.stored())
    assert_nothing_lost_nothing_twice(service.database)


def test_every_line_about_a_job_names_its_trace(
    service: Service, parts: Parts, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    traceparent = f"00-{trace}-00f067aa0ba902b7-01"
    caplog.set_level(logging.DEBUG)
    form = {"archive": (io.BytesIO(zip_of({"a.jpg": b"photo", "b.jpg": b"no photo"})), "party.zip")}
    sent = service.client.post("/v1/jobs", data=form, headers={"traceparent": traceparent})
    assert sent.status_code == 202, sent.text
    run_slice(parts)

    class Broken(Heartbeat):
        def _let_go(self, stall: Stall) -> None:
            raise Transient(Code.DATABASE_UNAVAILABLE, "gone")

    for held in (
        HeldArchive("lea", "job", "local", "a.zip", "zip", 1, 0, 0, {}, "both", traceparent),
        Claim("lea", "job", "local", JobOptions(), (), traceparent),
    ):
        beat = Broken(replace(parts, exit=lambda _: None), held)
        monkeypatch.setattr(Queue, "renew", None)
        beat._beat()
        beat._end(Stall(), "no progress")
    lines = [record for record in caplog.records if record.name.startswith("worker.")]
    said = {record.getMessage() for record in lines}
    assert said >= {
        "unpacking",
        "unpacked",
        "claimed",
        "failed",
        "saved",
        "not renewed",
        "ending this process",
    }
    about = [record for record in lines if hasattr(record, "job") or hasattr(record, "lease")]
    assert [record.getMessage() for record in about if getattr(record, "trace_id", "") != trace] == []


def test_every_member_is_accounted_for(service: Service, parts: Parts) -> None:
    archive = zip_of(
        {
            "good.jpg": b"photo",
            "../up.jpg": b"photo",
            "in.zip": quine(),
            "broken.jpg": b"no photo",
            "secret.jpg": b"photo",
            "note.txt": b"x",
            "clip.MOV": b"x",
            "__MACOSX/._good.jpg": b"x",
            "folder/": b"",
            "same.jpg": b"photo",
            "good.JPG": b"photo",
        },
        links={"link.jpg": "/etc/passwd"},
    )
    sent = service.send(archive=encrypted(archive, "secret.jpg"))
    run_slice(parts)
    assert service.codes(sent.json["id"]) == {
        "good.jpg": None,
        "../up.jpg": "archive_member_unsafe",
        "in.zip": "archive_nested",
        "broken.jpg": "corrupt_image",
        "secret.jpg": "archive_encrypted",
        "same.jpg": None,
        "good.JPG": None,
        "link.jpg": "archive_member_unsafe",
    }
    job = service.job(sent.json["id"])
    assert job["outcome"] == "partial"
    assert job["archive"]["left_alone"] == {".txt": 1, ".mov": 1}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_one_name_lose_no_photo(service: Service, parts: Parts) -> None:
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for data in (b"photo 1", b"photo 1", b"photo 2"):
            archive.writestr("a.jpg", data)
    sent = service.send(archive=out.getvalue())
    run_slice(parts)
    assert service.codes(sent.json["id"]) == {"a.jpg": None, "a.jpg~1": "duplicate_custom_id"}


def test_a_tar_that_is_cut_off_keeps_what_came_before(service: Service, parts: Parts) -> None:
    archive = tar_of({f"{n}.jpg": b"photo" + random.Random(n).randbytes(3000) for n in range(10)})
    sent = service.send(archive=archive[: len(archive) // 2])
    run_slice(parts)
    codes = service.codes(sent.json["id"])
    assert codes.pop("party.zip") == "archive_member_damaged"
    assert list(codes) == [f"{n}.jpg" for n in range(len(codes))]
    assert set(codes.values()) == {None}
    assert len(codes) >= 3


def test_a_tar_over_its_limits_keeps_what_came_before(tmp_path: Path, parts: Parts, service: Service) -> None:
    settings = parts.settings.model_copy(update={"max_archive_members": 4})
    sent = service.send(archive=tar_of(PHOTOS))
    run_slice(replace(parts, settings=settings))
    codes = service.codes(sent.json["id"])
    assert codes.pop("party.zip") == "archive_limit"
    assert list(codes) == list(PHOTOS)[:4]


def test_a_tar_without_photos_fails_as_a_whole(service: Service, parts: Parts) -> None:
    sent = service.send(archive=tar_of({"a.txt": b"x"}))
    run_slice(parts)
    assert service.codes(sent.json["id"]) == {"party.zip": "unsupported_format"}
    assert service.job(sent.json["id"])["outcome"] == "failed"


@pytest.mark.parametrize(
    ("archive", "status", "code"),
    [
        (b"", 422, "empty_upload"),
        (b"no archive", 415, "unsupported_archive"),
        (b"PK\x03\x04 and then nothing", 422, "unreadable_archive"),
        (zip_of(PHOTOS)[:-10], 422, "unreadable_archive"),
        (zip_of({"a.txt": b"x"}), 422, "empty_upload"),
        (zip_of({}), 422, "empty_upload"),
        (b"\x1f\x8b but no gzip", 422, "unreadable_archive"),
    ],
)
def test_an_archive_that_cannot_be_read_makes_no_job(
    tmp_path: Path, archive: bytes, status: int, code: str
) -> None:
    assert_refused(tmp_path, archive, status, code)


def test_an_archive_of_too_many_members_makes_no_job(tmp_path: Path) -> None:
    assert_refused(tmp_path, zip_of({f"{n}.jpg": b"" for n in range(60_000)}), 422, "archive_limit")


def assert_refused(folder: Path, archive: bytes, status: int, code: str) -> None:
    service = make_service(folder)
    refused = service.send(archive=archive)
    assert (refused.status_code, refused.json["code"]) == (status, code), refused.text
    assert service.client.get("/v1/jobs").json["jobs"] == []
    assert service.stored() == []


class Killed(BaseException):
    """As abrupt as a process that dies: nothing is given back."""


def _dying_after(pieces: int) -> Callable[..., object]:
    saves = 0
    real = Queue.save_members

    def save(*args: object, **kwargs: object) -> object:
        nonlocal saves
        saves += 1
        if saves > pieces:
            raise Killed
        return real(*args, **kwargs)  # type: ignore[arg-type]

    return save


@pytest.mark.parametrize("make", [zip_of, tar_of, lambda photos: tar_of(photos, gzipped=True)])
def test_a_killed_worker_is_gone_on_from(
    service: Service, parts: Parts, monkeypatch: pytest.MonkeyPatch, make: Callable[[object], bytes]
) -> None:
    monkeypatch.setattr(worker.unpack, "PIECE_MEMBERS", 3)
    sent = service.send(archive=make(PHOTOS))
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Queue, "save_members", _dying_after(2))
        run_slice(replace(parts, worker="of another process"))
    assert service.job(sent.json["id"])["archive"]["members"] == 6
    run_slice(parts)
    # Its lease stands still.
    assert service.job(sent.json["id"])["state"] == "unpacking"
    _free(service.database)
    run_slice(parts)
    assert service.codes(sent.json["id"]) == dict.fromkeys(PHOTOS)
    assert_nothing_lost_nothing_twice(service.database)
    # What had been stored twice lies in the same place: ten photos, ten thumbnails.
    assert len(service.stored()) == 20


def test_what_a_worker_was_killed_in_the_middle_of_is_cleared_away(service: Service, parts: Parts) -> None:
    sent = service.send(archive=zip_of(PHOTOS))
    folder = service.home / "store" / "local" / sent.json["id"]
    (folder / "pho_1#1").write_bytes(b"half a pho")
    run_slice(parts)
    assert not list(folder.glob("*#*"))
    again = service.send(("a.jpg", b"photo"))
    folder = service.home / "store" / "local" / again.json["id"]
    (folder / "pho_1.thumbnail.webp#2").write_bytes(b"half a thumb")
    run_slice(parts)
    assert len(list(folder.iterdir())) == 2


def _free(database: Database, *, times: int = 1, max_crashes: int = 5) -> None:
    for _ in range(times):
        queue_of(database, max_crashes=max_crashes).return_lapsed_archives(lambda _: True)


def test_an_archive_that_kills_every_worker_is_given_up(service: Service, parts: Parts) -> None:
    sent = service.send(archive=zip_of(PHOTOS))
    for _ in range(3):
        assert service.context.queue.claim_archive(worker="w")
        _free(service.database, max_crashes=3)
    assert service.codes(sent.json["id"]) == {"party.zip": "worker_lost"}
    run_slice(parts)
    assert service.finish(sent.json["id"])
    assert service.job(sent.json["id"])["outcome"] == "failed"


def test_a_worker_that_is_asked_to_stop_gives_it_back(
    service: Service, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = iter([False] * 12)
    sent = service.send(archive=zip_of(PHOTOS))
    run_slice(replace(parts, should_stop=lambda: next(asked, True)))
    with service.database.read() as session:
        archive = session.get_one(Archive, sent.json["id"])
        assert 0 < archive.position < 10
        assert (archive.lease_token, archive.crashes) == (None, 0)
    run_slice(parts)
    assert service.codes(sent.json["id"]) == dict.fromkeys(PHOTOS)


def test_time_runs_out_between_two_pieces(
    service: Service, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.unpack, "PIECE_MEMBERS", 4)
    short = replace(parts, settings=parts.settings.model_copy(update={"slice_s": 1e-9}))
    sent = service.send(archive=tar_of(PHOTOS))
    seen = []
    for _ in range(3):
        assert worker.unpack.unpack_next(short, 0.0)
        seen.append(service.job(sent.json["id"])["archive"]["members"])
    assert seen == [4, 8, 10]


def test_a_store_that_is_away_is_no_crash(service: Service, parts: Parts) -> None:
    sent = service.send(archive=zip_of(PHOTOS))

    class Away:
        def ping(self) -> None:
            pass  # It went away just after.

        def drop_unfinished(self, prefix: str) -> None:
            pass

        def reader(self, key: str) -> None:
            raise Transient(Code.STORE_UNAVAILABLE, "no route to host")

    run_slice(replace(parts, store=Away()))  # type: ignore[arg-type]
    with ahead(timedelta(seconds=worker.unpack.STORE_PAUSE_S + 1)):
        lapsed = queue_of(service.database, max_crashes=1).return_lapsed_archives(lambda _: False)
    assert lapsed == [sent.json["id"]]
    with service.database.read() as session:
        assert session.get_one(Archive, sent.json["id"]).crashes == 0
    run_slice(parts)
    assert service.codes(sent.json["id"]) == dict.fromkeys(PHOTOS)


def test_a_cancelled_job_is_unpacked_no_further(
    service: Service, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.unpack, "PIECE_MEMBERS", 3)
    sent = service.send(archive=zip_of(PHOTOS))
    real = Queue.save_members

    def save_then_cancel(session: object, *args: object, **kwargs: object) -> object:
        result = real(session, *args, **kwargs)  # type: ignore[arg-type]
        cancelled.append(True)
        return result

    cancelled: list[bool] = []
    monkeypatch.setattr(Queue, "save_members", save_then_cancel)

    def should_stop() -> bool:
        if len(cancelled) == 1:
            cancelled.append(True)
            assert service.post(sent.json["id"], "cancel").status_code == 202
        return False

    run_slice(replace(parts, should_stop=should_stop))
    job = service.job(sent.json["id"])
    assert (job["state"], job["outcome"]) == ("ended", "cancelled")
    assert job["archive"]["members"] == 3
    assert job["counts"]["cancelled"] == job["counts"]["total"] == 3
    assert service.post(sent.json["id"], "pause").status_code == 409


def test_photos_are_not_claimed_before_the_archive_is_unpacked(service: Service, parts: Parts) -> None:
    sent = service.send(archive=zip_of(PHOTOS))
    assert service.work() == 0
    for move in ("pause", "submit"):
        service.post(sent.json["id"], move)
    assert service.job(sent.json["id"])["state"] == "unpacking"
    assert service.put(sent.json["id"], "more.jpg").json["code"] == "job_sealed"
    with service.database.read() as session:
        assert session.query(Photo).count() == 0
