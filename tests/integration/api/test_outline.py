"""A job's photos in outline, and broken down: what a page of them is laid out and drawn from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from nightshift import Client
from shared.reads import breakdown
from shared.reads.order import SORTS
from tests.support.queue_rows import analysis, face
from tests.support.service import ROOT_KEY, Service

NAMES = [f"{day}/photo {n}.jpg" for day in ("friday", "saturday") for n in range(4)] + ["alone.jpg"]


def _job(service: Service) -> str:
    job_id = service.submitted_job("bad.jpg", *NAMES)
    service.fail("corrupt_image")
    for at in range(len(NAMES)):
        made = analysis(*(face(index) for index in range(at % 3)))
        taken_at = f"2026-05-30T{20 + at % 2}:15:00" if at < 8 else None
        made = replace(made, width=400, height=100 * (at + 1), taken_at=taken_at)
        assert service.work(lambda _, made=made: made, batch_size=1) == 1  # type: ignore[misc]
    service.finish(job_id)
    return job_id


def test_each_page_is_where_the_outline_says(service: Service) -> None:
    job_id = _job(service)
    address = f"/v1/jobs/{job_id}/photos"
    orders: list[dict[str, Any]] = [
        {"sort": sort, "reverse": way} for sort in SORTS[1:] for way in ("false", "true")
    ]
    surest: dict[str, Any] = {
        "min_confidence": 0.5,
        "min_gender_probability": 0.5,
        "min_age_group_probability": 0.5,
    }
    wishes: list[dict[str, Any]] = [{}, {"min_faces": 1}, {"search": "saturday"}, surest, *orders]
    for sought in wishes:
        everything = service.client.get(address, query_string=sought).json["photos"]
        outline = service.client.get(f"{address}/outline", query_string={**sought, "limit": 2}).json
        assert outline["total"] == len(everything)
        assert outline["shapes"] == [
            round(100 * photo["width"] / photo["height"]) if photo["width"] else 0 for photo in everything
        ]
        pages = []
        for cursor in (None, *outline["cursors"]):
            query = {**sought, "limit": 2, **({"cursor": cursor} if cursor else {})}
            pages += service.client.get(address, query_string=query).json["photos"]
        assert pages == everything
    nothing = service.client.get(f"{address}/outline", query_string={"search": "nobody"}).json
    assert nothing == {"total": 0, "shapes": [], "cursors": []}


def test_both_by_the_client(service: Service) -> None:
    job_id = _job(service)
    transport = httpx.WSGITransport(app=service.app, remote_addr="::1")
    with Client("http://localhost", ROOT_KEY, transport=transport) as client:
        outline = client.outline(job_id, limit=2, min_faces=1, sort="name", reverse=True)
        photos = [photo.custom_id for photo in client.photos(job_id, min_faces=1, sort="name", reverse=True)]
        assert outline.total == len(outline.shapes) == len(photos) == 6
        later = client.photos(
            job_id, limit=2, min_faces=1, sort="name", reverse=True, cursor=outline.cursors[1]
        )
        assert [photo.custom_id for photo in later] == photos[4:]
        told = client.breakdown(job_id)
        assert told.model_dump() == service.get(job_id, "/breakdown").json
        assert told.folders == 3


def test_photos_are_counted_by_faces_folder_and_hour(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = _job(service)
    found = service.client.get(f"/v1/jobs/{job_id}/breakdown").json
    assert found == {
        "by_faces": [{"faces": faces, "photos": 3} for faces in range(3)],
        # The one that failed is in none.
        "by_folder": [
            {"key": "", "photos": 1, "faces": 2},
            {"key": "friday", "photos": 4, "faces": 3},
            {"key": "saturday", "photos": 4, "faces": 4},
        ],
        "folders": 3,
        "by_hour": [
            {"key": "2026-05-30T20", "photos": 4, "faces": 0 + 2 + 1 + 0},
            {"key": "2026-05-30T21", "photos": 4, "faces": 1 + 0 + 2 + 1},
        ],
        "hours": 2,
    }
    monkeypatch.setattr(breakdown, "MOST_GROUPS", 2)
    found = service.client.get(f"/v1/jobs/{job_id}/breakdown").json
    assert [group["key"] for group in found["by_folder"]] == ["", "friday"]
    assert (found["folders"], found["hours"]) == (3, 2)


@pytest.mark.parametrize("path", ["photos/outline", "breakdown"])
def test_of_a_job_that_is_not_there_is_no_outline(service: Service, path: str) -> None:
    answer = service.client.get(f"/v1/jobs/job_{'0' * 32}/{path}")
    assert (answer.status_code, answer.json["code"]) == (404, "job_not_found")
    refused = service.client.get(f"/v1/jobs/job_{'0' * 32}/{path}", query_string={"wrong": 1})
    assert refused.json["code"] == "job_not_found"


def test_a_page_of_none_is_refused(service: Service) -> None:
    answer = service.client.get(f"/v1/jobs/{_job(service)}/photos/outline", query_string={"limit": 0})
    assert answer.status_code == 422
    assert answer.json["code"] == "invalid_fields"
