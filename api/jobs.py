"""`/v1/jobs`: open, list, follow and steer jobs."""

from __future__ import annotations

from flask import Response, request
from flask_openapi import APIBlueprint

from api import intake, moves
from api.answers import answer_page
from api.context import OWNER, context
from api.description import JOBS_TAG, SECURITY, answers, operation_id
from api.following import answer_job, follow
from api.parameters import JobPath, JobsQuery, NewJob
from shared.reads import views
from shared.reads.jobs import JOBS_PATH

blueprint = APIBlueprint(
    "jobs",
    __name__,
    url_prefix=JOBS_PATH,
    abp_tags=[JOBS_TAG],
    abp_security=SECURITY,
    operation_id_callback=operation_id,
)


@blueprint.post("", responses=answers({201: views.Job}, 400, 413, 415))
def open_job(body: NewJob) -> Response:
    """Open a job

    Then add photos to it and submit it.
    """
    job = context().jobs.one(OWNER, intake.open_job(context(), body))
    return answer_job(job, 201, {"Location": job.links.self})


@blueprint.get("", responses=answers({200: views.JobPage}))
def list_jobs(query: JobsQuery) -> Response:
    """List jobs, newest first

    The `Link` header leads to the next page.
    """
    page = context().jobs.page(
        OWNER, state=query.state, label=query.label, cursor=query.cursor, limit=query.limit
    )
    return answer_page(page, page.next)


@blueprint.get("/<job_id>", responses=answers({200: views.Job, 304: None}, 404))
def get_job(path: JobPath) -> Response:
    """Follow a job

    With `If-None-Match`, 304 while nothing has changed. With `Prefer: wait=30` the answer waits up
    to that many seconds for a change (of the ETag in `If-None-Match`, else of the state); a busy
    server answers at once. `Retry-After` says when to ask again.
    """
    return follow(context(), path.job_id, request)


@blueprint.post("/<job_id>/submit", responses=answers({202: views.Job, 200: views.Job}, 404))
def submit_job(path: JobPath) -> Response:
    """Submit a job: its photos are queued and it takes no more

    Again is no error, and is answered 200.
    """
    submitted = intake.submit(context(), path.job_id)
    return answer_job(context().jobs.one(OWNER, path.job_id), 202 if submitted else 200)


@blueprint.post("/<job_id>/pause", responses=answers({202: views.Job}, 404, 409))
def pause_job(path: JobPath) -> Response:
    """Pause a job; batches under way are finished and kept"""
    moves.pause(context(), path.job_id)
    return answer_job(context().jobs.one(OWNER, path.job_id), 202)


@blueprint.post("/<job_id>/resume", responses=answers({202: views.Job}, 404, 409))
def resume_job(path: JobPath) -> Response:
    """Resume a paused job"""
    moves.resume(context(), path.job_id)
    return answer_job(context().jobs.one(OWNER, path.job_id), 202)


@blueprint.post("/<job_id>/cancel", responses=answers({202: views.Job}, 404, 409))
def cancel_job(path: JobPath) -> Response:
    """Cancel a job; what is saved is kept, batches under way are finished

    Cancelling a cancelled job again is no error.
    """
    moves.cancel(context(), path.job_id)
    return answer_job(context().jobs.one(OWNER, path.job_id), 202)
