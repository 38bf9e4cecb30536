"""`/v1/jobs`: open, list, follow and steer jobs."""

from __future__ import annotations

from flask import Response, request

from api import intake, making, moves
from api.answers import answer, answer_page
from api.auth import viewer, whose_jobs
from api.context import context
from api.description import JOBS_TAG, NEW_JOB, answers, blueprint_of
from api.following import answer_job, follow
from api.json_bodies import read_json
from api.multipart import MEDIA_TYPE
from api.parameters import (
    FollowHeader,
    IdempotencyHeader,
    IfMatchHeader,
    JobPath,
    JobsQuery,
    PauseQuery,
    RetryQuery,
)
from nightshift.words import documents
from nightshift.words.load import Estimate, NewLoad
from nightshift.words.new_job import JobChange, NewJob
from shared.reads.jobs import JOBS_PATH

blueprint = blueprint_of("jobs", JOBS_TAG, JOBS_PATH)


@blueprint.post(
    "",
    responses=answers({202: documents.Job, 201: documents.Job}, 400, 408, 409, 413, 415, 507),
    request_body=NEW_JOB,
)
def make_job(header: IdempotencyHeader) -> Response:
    """Make a job: with a form of photos or an archive, submitted at once; with JSON, opened

    A form has each photo as a file named `photos`, its filename being the photo's `custom_id`, or one
    zip, tar or tar.gz file named `archive`; `label`, `priority`, `metadata` (as JSON) and the options
    are fields. It is answered 202 when all of it has arrived. A photo that is too large, or not the one
    its own `Content-Digest` promised, fails alone; an archive is unpacked by a worker.

    JSON opens a job, answered 201; then add photos to it and submit it.

    With an `Idempotency-Key`, the same request sent again within 24 hours is answered with the job that
    the first one made.
    """
    if request.mimetype == MEDIA_TYPE:
        made, status = making.receive_job(context(), request, header.key), 202
    else:
        made, status = making.open_job(context(), read_json(NewJob), header.key), 201
    job = context().jobs.one(context().owner, made.job_id)
    headers = {"Location": job.links.self}
    if made.replayed:
        headers["Idempotent-Replayed"] = "true"
    return answer_job(job, status, headers)


@blueprint.post("/estimate", responses=answers({200: Estimate}, 400, 413, 415))
def estimate_job(body: NewLoad) -> Response:
    """Tell when a job of so many photos would be ready, if it were made now

    Behind what waits, by the rate of what runs, or of what ended last; nothing is made.
    """
    return answer(context().jobs.estimate(body))


@blueprint.get("", responses=answers({200: documents.JobPage}))
def list_jobs(query: JobsQuery) -> Response:
    """List jobs, newest first: one's own, or with the scope `operator` everybody's, from outside

    The `Link` header leads to the next page.
    """
    page = context().jobs.page(
        whose_jobs(query.owner),
        viewer(),
        state=query.state,
        label=query.label,
        cursor=query.cursor,
        limit=query.limit,
    )
    return answer_page(page, page.next)


@blueprint.get("/<job_id>", responses=answers({200: documents.Job, 304: None}, 404))
def get_job(path: JobPath, header: FollowHeader) -> Response:  # noqa: ARG001 - described; read as a whole
    """Follow a job: one's own, or with the scope `operator` anybody's, from outside

    With `If-None-Match`, 304 while nothing has changed. With `Prefer: wait=30` the answer waits up
    to that many seconds for a change (of the ETag in `If-None-Match`, else of the state); a busy
    server answers at once. `Retry-After` says when to ask again.
    """
    return follow(context(), path.job_id, request, viewer())


@blueprint.patch("/<job_id>", responses=answers({200: documents.Job}, 400, 404, 409, 412, 413, 415))
def change_job(path: JobPath, header: IfMatchHeader, body: JobChange) -> Response:
    """Change what was wished of a job: its label, priority, window, deadline, webhooks ...

    What is not named stays; null takes a wish back. Of a job that has ended, only label, metadata and
    webhooks can be changed. With `If-Match`, 412 where somebody has changed one of these since the job had
    that ETag; that its photos have gone on is no reason.
    """
    known = None if header.etag is None else request.if_match
    moves.change(context(), path.job_id, body, known)
    return answer_job(context().jobs.one(context().owner, path.job_id), 200)


@blueprint.post("/<job_id>/submit", responses=answers({202: documents.Job, 200: documents.Job}, 404))
def submit_job(path: JobPath) -> Response:
    """Submit a job: its photos are queued and it takes no more

    Again is no error, and is answered 200.
    """
    submitted = intake.submit(context(), path.job_id)
    return answer_job(context().jobs.one(context().owner, path.job_id), 202 if submitted else 200)


@blueprint.post("/<job_id>/pause", responses=answers({202: documents.Job}, 404, 409))
def pause_job(path: JobPath, query: PauseQuery) -> Response:
    """Pause a job; batches under way are finished and kept"""
    moves.pause(context(), path.job_id, query.until)
    return answer_job(context().jobs.one(context().owner, path.job_id), 202)


@blueprint.post("/<job_id>/resume", responses=answers({202: documents.Job}, 404, 409))
def resume_job(path: JobPath) -> Response:
    """Resume a paused job"""
    moves.resume(context(), path.job_id)
    return answer_job(context().jobs.one(context().owner, path.job_id), 202)


@blueprint.post("/<job_id>/cancel", responses=answers({202: documents.Job}, 404, 409))
def cancel_job(path: JobPath) -> Response:
    """Cancel a job; what is saved is kept, batches under way are finished

    Cancelling a cancelled job again is no error.
    """
    moves.cancel(context(), path.job_id)
    return answer_job(context().jobs.one(context().owner, path.job_id), 202)


@blueprint.post("/<job_id>/retry", responses=answers({202: documents.Job}, 404, 409))
def retry_job(path: JobPath, query: RetryQuery) -> Response:
    """Try again what did not succeed in a job that has ended

    Its results stay as they are. Photos that failed on their way in, whose bytes never arrived, are not
    tried again; nor are uploads of a job that deletes them when it ends.
    """
    moves.retry(context(), path.job_id, query.code, query.photo)
    return answer_job(context().jobs.one(context().owner, path.job_id), 202)


@blueprint.delete("/<job_id>", responses=answers({200: documents.Erasure}, 404, 409))
def delete_job(path: JobPath) -> Response:
    """Erase a job: photos, thumbnails, results, everything the service holds of it

    The answer is a receipt, which is kept; asking again shows it again. A job that is not ended, nor
    open, is cancelled first. Files registered in place are not touched.
    """
    return answer(moves.erase(context(), path.job_id))
