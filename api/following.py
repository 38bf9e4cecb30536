"""Following a job: its ETag, and answers that wait for a change."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from flask import Request, Response
from werkzeug.datastructures import ETags

from api.answers import answer
from api.context import Context
from nightshift.words import documents
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict
from nightshift.words.new_job import JobWishes
from nightshift.words.states import JobState
from shared.reads.jobs import Viewer

LONGEST_WAIT_S = 30
RETRY_AFTER_S = 2

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=$|[,;])", re.IGNORECASE)


_WISHES = frozenset(JobWishes.model_fields)
_PASSING = frozenset({"photos_per_second", "eta"})


def etag_of(job: documents.Job) -> str:
    """Changes with everything but the rate and the eta, which pass with time; hence a weak one.

    Its first half is of what can be changed, and goes on while the photos do.
    """
    return f"{_wishes_of(job)}-{_digest(job.model_dump_json(exclude={*_PASSING, *_WISHES}))}"


def require_as_known(job: documents.Job, known: ETags) -> None:
    """Refuse what was decided by other wishes than there are now: they alone can be changed.

    That its photos have gone on is no reason: of a job that runs, they have whenever one looks again.

    Raises:
        Conflict: `precondition_failed`.
    """
    wishes = _wishes_of(job)
    named = (etag.partition("-")[0] for etag in known.as_set(include_weak=True))
    if not known.star_tag and wishes not in named:
        message = f"job {job.id} has been changed since: its ETag is another one than If-Match names"
        raise Conflict(Code.PRECONDITION_FAILED, message, state=job.state)


def _wishes_of(job: documents.Job) -> str:
    return _digest(job.model_dump_json(include=set(_WISHES)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def wanted_wait_s(request: Request) -> int:
    """Seconds of `Prefer: wait=N` (RFC 7240), at most 30; 0 when nothing was preferred."""
    found = _WAIT.search(",".join(request.headers.getlist("Prefer")))
    return min(int(found.group(1)), LONGEST_WAIT_S) if found else 0


def answer_job(job: documents.Job, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A job with its ETag, and when to ask again while it has not ended."""
    response = answer(job, status, headers)
    response.set_etag(etag_of(job), weak=True)
    if job.state != JobState.ENDED:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def follow(service: Context, job_id: str, request: Request, viewer: Viewer) -> Response:
    """Answer with the job, after a change where the client prefers to wait for one; 304 without one.

    Raises:
        NotFound: `job_not_found`, also when it is deleted during the wait.
    """
    job = service.jobs.seen(viewer, job_id)
    wait_s = wanted_wait_s(request)
    applied = False
    if wait_s:
        has_changed = _changes_from(job, request)

        def is_over() -> bool:
            nonlocal job
            job = service.jobs.seen(viewer, job_id)
            return job.state == JobState.ENDED or has_changed(job)

        client = request.environ.get("gunicorn.socket")
        applied = service.waiting_room.wait(is_over, at_most_s=wait_s, client=client)
    response = answer_job(job)
    if request.if_none_match.contains_weak(etag_of(job)):
        response.status_code = 304
        response.set_data(b"")
        del response.headers["Content-Type"]
    if applied:
        response.headers["Preference-Applied"] = f"wait={wait_s}"
    return response


def _changes_from(job: documents.Job, request: Request) -> Callable[[documents.Job], bool]:
    """What to wait for: another ETag than the client has, or another state than now."""
    known = request.if_none_match
    if known:
        return lambda later: not known.contains_weak(etag_of(later))
    return lambda later: later.state != job.state
