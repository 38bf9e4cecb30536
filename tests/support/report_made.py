"""Reports for tests, of photos that do not exist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page

from bench.fake_analyser import fake_analysis, fake_thumbnail
from nightshift.report_page.page import write_page
from nightshift.words.analysis import PhotoError
from nightshift.words.documents import NOTICE, BundleName, Job, Photo, PhotoCounts, Summary

BEGUN = datetime(2026, 5, 30, 21, 0, tzinfo=UTC)


def photo_id(number: int) -> str:
    return f"pho_{number:032x}"


def fake_photo(number: int, custom_id: str | None = None) -> Photo:
    """The document of photo `number`."""
    found = fake_analysis(number)
    named = {"custom_id": custom_id or f"party/{number:05}.jpg", "photo_id": photo_id(number)}
    if isinstance(found, PhotoError):
        return Photo(**named, status="failed", error=found)
    return Photo(
        **named, status="succeeded", width=found.width, height=found.height, faces=found.faces, attempts=1
    )


def failed_photo(number: int, custom_id: str, message: str, code: str = "corrupt_image") -> Photo:
    error = PhotoError(code, "decode", message)
    return Photo(custom_id=custom_id, photo_id=photo_id(number), status="failed", error=error)


def job_of(photos: Sequence[Photo], *, label: str | None = None, more: int = 0) -> tuple[Job, Summary]:
    """The job of these photos, ended unless there are more of it to come."""
    statuses = Counter(photo.status for photo in photos)
    counts = PhotoCounts(total=len(photos) + more, queued=more, **statuses)
    job = Job(
        id="job_" + "1" * 32,
        label=label,
        state="running" if more else "ended",
        outcome=None if more else "partial" if statuses["failed"] else "succeeded",
        counts=counts,
        created_at=BEGUN,
        started_at=BEGUN,
        ended_at=None if more else BEGUN + timedelta(minutes=83),
        photos_per_second=4.0,
        options={"min_confidence": 0.9, "reuse": True},
        bundle=BundleName(name="utkface-v2s", sha256="a" * 64),
    )
    failures = Counter(photo.error.code for photo in photos if photo.error)
    faces = sum(len(photo.faces) for photo in photos)
    return job, Summary(
        photos=counts,
        faces=faces,
        gender={},
        age_group={},
        failures=dict(failures),
        commercial_use={"allowed": "no", "reason": "trained on UTKFace"},
        notice=NOTICE,
    )


def write_report_of(
    out: Path,
    photos: Sequence[Photo],
    *,
    label: str | None = None,
    more: int = 0,
    thumbnails: bool = True,
    originals: bool = False,
    beside: Sequence[tuple[str, str]] = (),
) -> Path:
    """Write the report of these photos."""
    job, summary = job_of(photos, label=label, more=more)
    drawn = (
        (photo.photo_id, fake_thumbnail(int(photo.photo_id[4:], 16)))
        for photo in photos
        if thumbnails and photo.status == "succeeded"
    )
    return write_page(
        out,
        job=job,
        summary=summary,
        thumbnails=drawn,
        photos=iter(photos),
        originals=originals,
        beside=beside,
    )


def parts_of(page: Path) -> Path:
    """The folder that a report's page refers to."""
    [parts] = (page.parent / "report_files").iterdir()
    return parts


def shown(page: Page) -> list[str]:
    """Names of the photos that are shown, in their order."""
    names: list[str] = page.evaluate("nightshift.shownOnes().map(nightshift.nameOf)")
    return names
