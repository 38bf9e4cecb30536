"""Jobs that may be erased, and the round of a sweeper that does."""

from __future__ import annotations

from typing import Any

from tests.support.service import Service
from worker.sweeper import Sweeper


def sweep(service: Service) -> None:
    Sweeper(service.settings, service.database, service.doorbell, service.context.store).sweep()


def ended_job(service: Service, **fields: Any) -> str:
    """A job with two photos, analysed, with thumbnails."""
    job_id = str(service.send(("a.jpg", b"photo a"), ("b.jpg", b"photo bb"), **fields).json["id"])
    assert service.work() == 2
    for photo in service.photos(job_id).values():
        service.context.store.put(f"local/{job_id}/{photo['photo_id']}.thumbnail.webp", b"small")
    assert service.finish(job_id)
    return job_id
