"""A server's answers, as far as a client looks at them."""

from typing import Any

from tests.support.answering_server import Answer


def job(state: str = "running", **more: Any) -> dict[str, Any]:
    counts = {"total": 2, "queued": 0, "running": 0, "succeeded": 2, "failed": 0, "cancelled": 0}
    return {"id": "job_1", "state": state, "counts": counts, "created_at": "2026-01-01T00:00:00Z", **more}


def photo(custom_id: str, **more: Any) -> dict[str, Any]:
    return {"custom_id": custom_id, "photo_id": "pho_1", "status": "succeeded", "faces": [], **more}


def problem(status: int, code: str, **more: Any) -> Answer:
    return Answer(status, {"title": "t", "status": status, "detail": "d", "code": code, **more})
