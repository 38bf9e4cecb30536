from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete

from nightshift.words.errors import NotFound
from shared.db.tables import Job
from shared.queue.save import Succeeded
from shared.reads.photos import final_photos
from shared.reads.table import COLUMNS
from tests.support.queue_rows import analysis, face, manifest, queued_job, save_all, take
from tests.support.service import Service


def lines(service: Service, job_id: str, **headers: str) -> list[dict[str, Any]]:
    answer = service.get(job_id, "/results", **headers)
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


def test_results_are_what_is_final_in_order_also_while_the_job_runs(service: Service) -> None:
    job_id = service.submitted_job(*"abcde")
    assert lines(service, job_id) == []
    service.fail("corrupt_image", "cut off")
    service.work(lambda n: analysis(*(face(i) for i in range(n))), batch_size=2)
    so_far = lines(service, job_id)
    assert [line["custom_id"] for line in so_far] == list("abc")
    assert so_far[0]["error"] == {
        "code": "corrupt_image", "stage": "decode", "message": "cut off", "retryable": False,
    }  # fmt: skip
    assert [len(line["faces"]) for line in so_far] == [0, 0, 1]
    service.post(job_id, "cancel")
    everything = lines(service, job_id)
    assert [line["status"] for line in everything] == [
        "failed",
        "succeeded",
        "succeeded",
        "cancelled",
        "cancelled",
    ]
    photos = service.get(job_id, "/photos").json["photos"]
    assert everything == photos


@pytest.mark.parametrize(
    ("accept", "query", "mimetype"),
    [
        (None, "", "application/x-ndjson"),
        ("*/*", "", "application/x-ndjson"),
        ("application/jsonl", "", "application/jsonl"),
        ("text/csv", "", "text/csv"),
        ("text/csv;q=0.5, application/x-ndjson", "", "application/x-ndjson"),
        ("text/csv", "?format=jsonl", "application/x-ndjson"),
        ("image/png", "?format=csv", "text/csv"),
    ],
)
def test_the_form_is_as_asked(plain_service: Service, accept: str | None, query: str, mimetype: str) -> None:
    headers = {"Accept": accept} if accept else {}
    answer = plain_service.get(plain_service.submitted_job("a"), f"/results{query}", **headers)
    assert (answer.status_code, answer.mimetype) == (200, mimetype)


def test_no_other_form(plain_service: Service) -> None:
    job_id = plain_service.submitted_job("a")
    refused = plain_service.get(job_id, "/results", Accept="image/png")
    assert (refused.status_code, refused.json["code"]) == (406, "not_acceptable")
    assert plain_service.get(job_id, "/results?format=xml").status_code == 422


def test_csv_has_a_row_a_face_and_one_for_a_photo_without(service: Service) -> None:
    job_id = service.submitted_job('=cmd|"x"', "b\r\nc", "d, e")
    service.work(lambda n: analysis(*(face(i, "male", "65+") for i in range(n))), batch_size=3)
    answer = service.get(job_id, "/results", Accept="text/csv")
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert tuple(rows[0]) == COLUMNS
    table = [dict(zip(COLUMNS, row, strict=True)) for row in rows[1:]]
    assert [row["custom_id"] for row in table] == ['\'=cmd|"x"', "b\r\nc", "d, e", "d, e"]
    assert [row["face_index"] for row in table] == ["", "0", "0", "1"]
    last = table[-1]
    assert (last["gender"], last["age_group"], last["aligned"], last["x2"]) == (
        "male",
        "65+",
        "false",
        "110.0",
    )
    assert (table[0]["gender"], table[0]["status"], table[0]["width"]) == ("", "succeeded", "1000")
    bundle = service.photos(job_id)["d, e"]["bundle"]
    assert {(row["bundle"], row["bundle_sha256"]) for row in table} == {(bundle["name"], bundle["sha256"])}


def test_pages_hold_every_photo_once(service: Service) -> None:
    job_id = queued_job(service.database, 23)
    held = take(service.database, batch_size=23)
    assert held is not None
    save_all(service.database, held, lambda n: analysis(*(face(i) for i in range(n % 3))))
    pages = list(final_photos(service.database, "local", job_id, page_size=5))
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3]
    assert [photo.custom_id for page in pages for photo in page] == [f"{n}.jpg" for n in range(23)]
    assert [len(photo.faces) for page in pages for photo in page] == [n % 3 for n in range(23)]


def test_a_job_deleted_between_pages_is_an_error_not_an_end(service: Service) -> None:
    job_id = queued_job(service.database, 4)
    held = take(service.database, batch_size=4)
    assert held is not None
    save_all(service.database, held)
    pages = final_photos(service.database, "local", job_id, page_size=2)
    assert len(next(pages)) == 2
    # Not only does it go on: no transaction is open that would keep it from being deleted.
    with service.database.write() as session:
        session.execute(delete(Job).where(Job.id == job_id))
    with pytest.raises(NotFound):
        next(pages)


def test_summary(service: Service) -> None:
    job_id = service.submitted_job(*"abcdefg")
    certain = face(1, "male", "0-4")
    unsure = replace(
        certain,
        gender=replace(certain.gender, probability=0.6, uncertain=True),
        age_group=replace(certain.age_group, uncertain=True, uncertain_because=("close_call",)),
    )
    unsure_of_age = replace(face(2), age_group=replace(face(2).age_group, uncertain=True))
    service.fail("corrupt_image")
    service.fail("corrupt_image")
    service.fail("timeout")
    service.work(lambda n: analysis(face(0), unsure, unsure_of_age) if n else analysis(), batch_size=2)
    held = take(service.database, batch_size=1)
    assert held is not None
    reused = Succeeded(held.photos[0].id, "0" * 64, 1, analysis(face(0)), reused_from="pho_before")
    service.context.queue.save(held, [reused], bundle=manifest())

    summary = service.get(job_id, "/summary").json

    assert summary["photos"] == {
        "total": 7, "queued": 1, "running": 0, "succeeded": 3, "failed": 3, "cancelled": 0,
    }  # fmt: skip
    assert (summary["faces"], summary["gender"]) == (4, {"female": 3, "male": 1})
    assert summary["age_group"] == {
        "0-4": 1, "5-9": 0, "10-19": 0, "20-29": 0, "30-39": 3, "40-49": 0, "50-64": 0, "65+": 0,
    }  # fmt: skip
    assert summary["gender_by_age_group"]["30-39"] == {"female": 3, "male": 0}
    assert (summary["uncertain"], summary["no_face"]) == (2, 1)
    assert (summary["reused"], summary["duplicates"]) == (1, 0)
    assert (summary["uncertain_gender"], summary["uncertain_age_group"]) == (1, 2)
    assert summary["uncertain_because"] == {"close_call": 2}
    assert summary["failures"] == {"corrupt_image": 2, "timeout": 1}
    assert "apparent" in summary["notice"]
    assert summary["commercial_use"] == {"allowed": "unknown", "reason": "their manifest does not say"}
