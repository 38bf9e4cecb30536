"""What a job would take is told before it is made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from shared.db.tables import Job
from tests.support.service import Service


def estimate(service: Service, **body: Any) -> Any:
    return service.client.post("/v1/jobs/estimate", json=body)


def ended_job(service: Service, photos: int, seconds: int) -> None:
    """A job that took so long."""
    job_id = service.submitted_job(*(f"{number}.jpg" for number in range(photos)))
    service.work(batch_size=photos)
    service.finish(job_id)
    with service.database.write() as session:
        began = session.now - timedelta(seconds=seconds)
        session.execute(
            update(Job)
            .where(Job.id == job_id)
            .values(started_at=began, ended_at=began + timedelta(seconds=seconds))
        )


def test_nothing_is_told_of_what_was_never_measured(service: Service) -> None:
    told = estimate(service, photos=100)
    assert told.status_code == 200
    assert told.json | {"begins_at": None} == {
        "photos": 100, "photos_per_second": None, "begins_at": None, "seconds": None, "ready_at": None,
    }  # fmt: skip


def test_it_is_as_the_last_jobs_were_behind_what_waits(service: Service) -> None:
    ended_job(service, photos=4, seconds=8)
    assert estimate(service, photos=100).json["seconds"] == pytest.approx(200)
    service.submitted_job("a", "b")
    told = estimate(service, photos=100).json
    assert (told["photos_per_second"], told["seconds"]) == (0.5, pytest.approx(204))
    ready, begins = (datetime.fromisoformat(told[name]) for name in ("ready_at", "begins_at"))
    assert ready - begins == timedelta(seconds=204)
    assert len(service.client.get("/v1/jobs").json["jobs"]) == 2


def test_it_begins_when_its_window_opens(service: Service) -> None:
    now = datetime.now(UTC)
    window = f"{(now.hour + 6) % 24:02}:00-{(now.hour + 7) % 24:02}:00 UTC"
    begins = datetime.fromisoformat(estimate(service, photos=1, processing_window=window).json["begins_at"])
    assert (begins.hour, begins.minute) == ((now.hour + 6) % 24, 0)
    assert timedelta() < begins - now <= timedelta(hours=6)


def test_what_its_window_is_too_short_for_is_ready_in_a_later_one(service: Service) -> None:
    ended_job(service, photos=4, seconds=8)
    now = datetime.now(UTC)
    window = f"{(now.hour + 6) % 24:02}:00-{(now.hour + 7) % 24:02}:00 UTC"
    told = estimate(service, photos=2700, processing_window=window).json
    begins, ready = (datetime.fromisoformat(told[name]) for name in ("begins_at", "ready_at"))
    # An hour and a half of work, an hour a day.
    assert ready - begins == timedelta(days=1, minutes=30)
    assert told["seconds"] == (ready - begins).total_seconds()


def test_what_waits_is_done_before_a_window_that_opens_later(service: Service) -> None:
    ended_job(service, photos=4, seconds=8)
    service.submitted_job("a", "b")
    now = datetime.now(UTC)
    window = f"{(now.hour + 6) % 24:02}:00-{(now.hour + 7) % 24:02}:00 UTC"
    assert estimate(service, photos=100, processing_window=window).json["seconds"] == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"photos": 0},
        {"photos": "many"},
        {"photos": 1, "processing_window": "late"},
        {"photos": 1, "a": 1},
    ],
)
def test_what_is_no_job_is_refused(service: Service, body: dict[str, Any]) -> None:
    refused = estimate(service, **body)
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_fields")
