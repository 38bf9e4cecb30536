"""Photos in another order than they were added, page by page, on each database."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from nightshift.words.analysis import Analysis, Face, Quality
from tests.support.queue_rows import analysis, face
from tests.support.service import Service


def sure(of_gender: float, index: int = 0, *, sharpness: float = 1.0) -> Face:
    found = face(index)
    quality = Quality(sharpness, 0.5, 100.0, 0.0, 0.0)
    return replace(found, quality=quality, gender=replace(found.gender, probability=of_gender))


def taken(at: str | None, *faces: Face) -> Analysis:
    return replace(analysis(*faces), taken_at=at)


FOUND: dict[str, Analysis] = {
    "Gala/IMG_10.jpg": taken("2026-05-01T22:00:00", sure(0.9), sure(0.6, 1)),
    "gala/img_9.jpg": taken("2026-05-01T21:00:00", sure(0.8, sharpness=0.2)),
    "gala/tent/1.jpg": taken(None, sure(0.6, sharpness=0.4)),
    "gala2/ΟΔΌΣ.jpg": taken("2026-05-01T22:00:00"),
    "Äpfel.jpg": taken("2026-04-30T23:59:59", sure(0.99), sure(0.99, 1), sure(0.99, 2)),
    "İzmir/ЁЖ.jpg": taken(None),
}
A10, A9, TENT, ODOS, APPLES, IZMIR = FOUND
ORDERS: dict[str, list[str]] = {
    "sort=added": [*FOUND],
    "sort=added&reverse=true": [*FOUND][::-1],
    "sort=name": [A9, A10, TENT, ODOS, IZMIR, APPLES],
    "sort=name&reverse=true": [APPLES, IZMIR, ODOS, TENT, A10, A9],
    "sort=time": [APPLES, A9, A10, ODOS, TENT, IZMIR],
    # Those without a time are last, either way.
    "sort=time&reverse=true": [ODOS, A10, A9, APPLES, IZMIR, TENT],
    "sort=faces": [ODOS, IZMIR, A9, TENT, A10, APPLES],
    "sort=faces&reverse=true": [APPLES, A10, TENT, A9, IZMIR, ODOS],
    "sort=least_sure": [A10, TENT, A9, APPLES, ODOS, IZMIR],
    "sort=least_sure&reverse=true": [APPLES, A9, TENT, A10, IZMIR, ODOS],
    "sort=time&folder=gala": [A9, TENT],
    "sort=name&folder=gala/": [A9, TENT],
    "folder=gala/tent": [TENT],
    "folder=nowhere": [],
    "min_quality=0.3": [A10, TENT, APPLES],
    "min_quality=0.3&max_faces=1": [TENT],
    "search=οδός": [ODOS],
    "search=οδόσ": [ODOS],
    "search=ёж": [IZMIR],
    "search=izmir": [IZMIR],
    "search=\u0131ZMİR": [IZMIR],
    "search=A\u0308PF": [APPLES],
    "search=gala/I": [A10, A9],
}


@pytest.fixture
def job(service: Service) -> tuple[Service, str]:
    job_id = service.submitted_job(*FOUND)
    for made in FOUND.values():
        assert service.work(lambda _, made=made: made, batch_size=1) == 1  # type: ignore[misc]
    service.finish(job_id)
    return service, job_id


def pages(service: Service, job_id: str, query: str, limit: int) -> Iterator[dict[str, Any]]:
    path = f"/v1/jobs/{job_id}/photos?{query}&limit={limit}"
    while path:
        page = service.client.get(path)
        assert page.status_code == 200, page.text
        yield page.json
        path = page.headers.get("Link", "").partition(">")[0].removeprefix("<")


def names(found: Iterator[dict[str, Any]]) -> list[str]:
    return [photo["custom_id"] for page in found for photo in page["photos"]]


def test_every_order_is_the_same_whole_and_in_pages(job: tuple[Service, str]) -> None:
    service, job_id = job
    for query, expected in ORDERS.items():
        for limit in (1, 2, 100):
            assert names(pages(service, job_id, query, limit)) == expected, (query, limit)


def test_what_ends_between_two_pages_moves_no_other(service: Service) -> None:
    job_id = service.submitted_job(*FOUND)
    analyses = iter(FOUND.values())
    service.work(lambda _: next(analyses), batch_size=3)
    following = pages(service, job_id, "sort=time", 1)
    seen = names(iter([next(following), next(following)]))
    service.work(lambda _: next(analyses), batch_size=3)

    # The apples' time is before the page that was read; none is there twice.
    assert seen + names(following) == [A9, A10, ODOS, TENT, IZMIR]


@pytest.mark.parametrize("sort", ["added", "name", "time", "faces", "least_sure"])
def test_a_cursor_is_good_for_its_own_job_and_order_alone(plain_service: Service, sort: str) -> None:
    service = plain_service
    job_id, other = (service.submitted_job("1.jpg", "2.jpg") for _ in range(2))
    cursor = next(pages(service, job_id, f"sort={sort}", 1))["next"]
    forged = base64.urlsafe_b64encode(f"photo {job_id} {sort} 9 null".encode()).decode().rstrip("=")

    def ask(job_id: str, query: str) -> tuple[int, str | None]:
        answer = service.client.get(f"/v1/jobs/{job_id}/photos?{query}")
        return answer.status_code, answer.json.get("code")

    assert ask(job_id, f"sort={sort}&cursor={cursor}") == (200, None)
    refused = 422, "bad_cursor"
    assert ask(other, f"sort={sort}&cursor={cursor}") == refused
    assert ask(job_id, f"sort={sort}&reverse=true&cursor={cursor}") == refused
    another = "faces" if sort == "time" else "time"
    assert ask(job_id, f"sort={another}&cursor={cursor}") == refused
    # Nothing stands behind a photo that is not there.
    unknown = refused if sort in ("name", "faces") else (200, None)
    assert ask(job_id, f"sort={sort}&cursor={forged}") == unknown


@pytest.mark.parametrize(
    "query",
    [
        *("sort=size", "sort=", "reverse=1", "reverse=yes", "folder=", "folder=%00"),
        *("min_quality=good", "min_quality=-1", "min_quality=nan", "min_quality=1e9"),
    ],
)
def test_what_is_no_order_is_refused(plain_service: Service, query: str) -> None:
    job_id = plain_service.submitted_job("1.jpg")
    refused = plain_service.client.get(f"/v1/jobs/{job_id}/photos?{query}")
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_fields"), refused.text
    assert refused.json["errors"][0]["field"].startswith(query.partition("=")[0])
