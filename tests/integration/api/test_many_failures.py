"""A job of which ten thousand photos failed, on each database: seen whole, and tried again by reason."""

from __future__ import annotations

from sqlalchemy import select

from nightshift.words.states import PhotoStatus
from shared.db.tables import Photo
from tests.support.failures_made import MANY, job_of_failures
from tests.support.service import Service
from tests.support.statements import statements_of


def test_ten_thousand_failures_are_listed_counted_and_tried_again(service: Service) -> None:
    job_id = job_of_failures(service.database)
    timed_out = (MANY + 2) // 3

    summary = service.get(job_id, "/summary").json
    assert summary["failures"] == {"corrupt_image": MANY - timed_out, "timeout": timed_out}
    for query, expected in (("status=failed&sort=name", MANY), ("code=timeout", timed_out)):
        seen: list[str] = []
        path = f"/v1/jobs/{job_id}/photos?{query}&limit=1000"
        while path:
            with statements_of(service.database) as sent:
                page = service.client.get(path)
            # No more for a page far behind than for the first.
            assert len(sent) <= 4
            seen += [photo["photo_id"] for photo in page.json["photos"]]
            path = page.headers.get("Link", "").partition(">")[0].removeprefix("<")
        assert len(seen) == len(set(seen)) == expected
    listed = service.client.get(f"/v1/jobs/{job_id}/results?status=failed&format=csv")
    assert len(listed.text.splitlines()) == MANY + 1

    with statements_of(service.database) as sent:
        retried = service.post(job_id, "retry?code=timeout")
    assert retried.status_code == 202, retried.text
    assert len(sent) < 40
    assert (retried.json["counts"]["queued"], retried.json["counts"]["failed"]) == (
        timed_out,
        MANY - timed_out,
    )
    with service.database.read() as session:
        queued = session.scalars(
            select(Photo.ordinal).where(Photo.job_id == job_id, Photo.status == PhotoStatus.QUEUED)
        ).all()
    assert all(ordinal % 3 == 0 for ordinal in queued)
