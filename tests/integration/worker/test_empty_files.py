"""An empty file has one fate on every way in: a photo that failed, with its name."""

from __future__ import annotations

from pathlib import Path

from tests.support.archives_made import tar_of, zip_of
from tests.support.service import Service
from worker.parts import Parts
from worker.slice import run_slice

EMPTY = {"empty.jpg": "unsupported_format", "full.jpg": None}


def messages(service: Service, job_id: str) -> list[str]:
    photos = service.client.get(f"/v1/jobs/{job_id}/photos").json["photos"]
    return [photo["error"]["message"] for photo in photos if photo["error"]]


def test_in_a_form(service: Service, parts: Parts) -> None:
    job_id = service.send(("empty.jpg", b""), ("full.jpg", b"photo")).json["id"]
    run_slice(parts)
    assert service.codes(job_id) == EMPTY
    assert messages(service, job_id) == ["the file is empty"]


def test_in_archives(service: Service, parts: Parts) -> None:
    for archive in (
        zip_of({"empty.jpg": b"", "full.jpg": b"photo"}),
        tar_of({"empty.jpg": b"", "full.jpg": b"photo"}),
    ):
        job_id = service.send(archive=archive).json["id"]
        run_slice(parts)
        assert service.codes(job_id) == EMPTY
        assert messages(service, job_id) == ["the file is empty"]


def test_put_on_its_own(service: Service, parts: Parts) -> None:
    job_id = service.open_job()
    put = service.put(job_id, "empty.jpg", b"")
    assert (put.status_code, put.json["status"], put.json["error"]["code"]) == (
        201,
        "failed",
        "unsupported_format",
    )
    assert service.put(job_id, "empty.jpg", b"").status_code == 200
    assert service.put(job_id, "empty.jpg", b"photo").json["code"] == "custom_id_taken"
    service.put(job_id, "full.jpg", b"photo")
    assert len(service.stored()) == 1
    service.post(job_id, "submit")
    run_slice(parts)
    assert service.codes(job_id) == EMPTY
    assert messages(service, job_id) == ["the file is empty"]
    assert service.job(job_id)["outcome"] == "partial"


def test_a_job_of_nothing_else_ends(service: Service, parts: Parts) -> None:
    job_id = service.open_job()
    service.put(job_id, "empty.jpg", b"")
    assert service.post(job_id, "submit").status_code == 202
    run_slice(parts)
    assert service.finish(job_id)
    assert service.job(job_id)["outcome"] == "failed"
    assert service.post(job_id, "retry").json["code"] == "nothing_to_retry"


def test_registered_in_place_it_is_read_and_refused_alike(tmp_path: Path) -> None:
    """By the decoder itself, whose words are the same."""
    from nightshift.words.errors import Unreadable
    from worker.pipeline.decoding.decode import decode

    try:
        decode(b"", height=64, max_photo_pixels=100, max_working_pixels=100)
    except Unreadable as error:
        assert (error.code, error.message) == ("unsupported_format", "the file is empty")
    else:
        raise AssertionError("an empty file is no picture")
