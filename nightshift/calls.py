"""What a client can ask of a server, described once: `AsyncClient` awaits it, `Client` does it at once."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx

from nightshift.connection import Connection, checked_id
from nightshift.errors import ApiError, ClientError, Unreachable, WaitTimeout
from nightshift.machine.places import as_path
from nightshift.rows import AsyncRows
from nightshift.service_calls import ServiceCalls
from nightshift.transfers import Transfers
from nightshift.upload import cut_off
from nightshift.waiting import LOOK_S, WORD_S, Lookout
from nightshift.webhook_calls import WebhookCalls
from nightshift.words.audit import AuditEntry, AuditPage
from nightshift.words.documents import (
    Breakdown,
    Erasure,
    Job,
    JobPage,
    Photo,
    PhotoOutline,
    PhotoPage,
    Summary,
)
from nightshift.words.health import Readiness
from nightshift.words.keys import Key, KeyList, MadeKey
from nightshift.words.load import Estimate, NewLoad
from nightshift.words.new_job import JobChange, NewJob
from nightshift.words.overview import Overview
from nightshift.words.table_rows import About, face_rows, low_confidence_face_rows, photo_row
from nightshift.words.tables import FaceRow, PhotoRow

LONG_POLL_S = 30
"""The longest wait the server grants to one request."""

SHORTEST_POLL_S = 0.5
"""A server short of threads answers long polls at once; it is not hammered."""

Page = TypeVar("Page", AuditPage, JobPage, PhotoPage)


class Calls(Transfers, WebhookCalls, ServiceCalls):
    """A server's jobs, keys, webhooks and weights.

    Every method raises `ApiError` when the server says no and `Unreachable` when it says nothing; where a
    job's id is taken, the job is as well, and `job_not_found` is raised for what is neither.
    Calls that may be repeated without harm are, when the server is busy or the connection breaks.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.server = connection.server

    async def close(self) -> None:
        """Close pooled connections."""
        await self._connection.close()

    async def create_job(self, wish: NewJob | None = None, /, **fields: Any) -> Job:
        """Open a job to add photos to.

        Args:
            wish: what is wished of it.
            fields: of `NewJob`, where no wish is given.

        Raises:
            InvalidInput: `invalid_fields`.
        """
        body = (wish or NewJob.of(**fields)).as_json()
        # A request that is repeated because its answer was lost makes no second job.
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return await self._connection.ask(Job, "POST", "/v1/jobs", again=True, json=body, headers=headers)

    async def submit_archive(self, path: str | Path, wish: NewJob | None = None, /, **fields: Any) -> Job:
        """Send a zip, tar or tar.gz of photos as one job, submitted; a worker unpacks it.

        Args:
            path: of the archive.
            wish: what is wished of the job.
            fields: of `NewJob`, where no wish is given.

        Raises:
            InvalidInput: `invalid_fields`; `bad_path`, of what is no path.
            UploadCut: the server hung up on the body; most likely it is over a limit.
            OSError: the file cannot be read.
        """
        archive = as_path(path)
        form = (wish or NewJob.of(**fields)).as_form()
        headers = {"Idempotency-Key": str(uuid.uuid4())}

        async def send() -> httpx.Response:
            with archive.open("rb") as file:
                files = {"archive": (archive.name, file)}
                return await self._connection.send(
                    "POST", "/v1/jobs", again=False, data=form, files=files, headers=headers
                )

        try:
            response = await self._connection.retried(send)
        except (Unreachable, ApiError) as error:
            raise cut_off(error, archive, archive.stat().st_size) or error from error
        return Job.model_validate(response.json())

    async def submit(self, job_id: str | Job) -> Job:
        """Seal the job and queue its photos; again is no error."""
        return await self._moved(job_id, "submit", again=True)

    async def job(self, job_id: str | Job) -> Job:
        """The job as it is now."""
        return await self._connection.ask(Job, "GET", f"/v1/jobs/{checked_id(job_id)}", again=True)

    async def poll(
        self, job_id: str | Job, *, wait_s: int = LONG_POLL_S, lookout: Lookout | None = None
    ) -> AsyncIterator[Job]:
        """The job now, and again after each change or `wait_s` seconds, until it has ended.

        A paused job is waited for like any other.

        Args:
            job_id: the job.
            wait_s: of each request, seconds; 30 at most.
            lookout: is shown the job each time, and asks the service why where it gets nowhere.

        Raises:
            NightshiftError: what the lookout raises.
        """
        etag = ""
        job: Job | None = None
        while job is None or not job.ended:
            asked_at = time.monotonic()
            response = await self._connection.send(
                "GET",
                f"/v1/jobs/{checked_id(job_id)}",
                again=True,
                headers={"Prefer": f"wait={wait_s}", "If-None-Match": etag} if etag else {},
                timeout=self._connection.timeout_s + wait_s,
                slow_after_s=wait_s + WORD_S,
            )
            etag = response.headers.get("ETag", "")
            if response.status_code != httpx.codes.NOT_MODIFIED:
                job = Job.model_validate(response.json())
            assert job is not None  # noqa: S101 - a 304 answers an ETag, which came with a job
            yield job
            if lookout and lookout.is_due(job):
                try:
                    told: Readiness | ClientError = await self.readiness()
                except ClientError as error:
                    told = error
                lookout.tell(job, told)
            await self._connection.sleep(max(0.0, SHORTEST_POLL_S - (time.monotonic() - asked_at)))

    async def wait(
        self, job_id: str | Job, *, timeout_s: float | None = None, say: Callable[[str], None] | None = None
    ) -> Job:
        """Wait until the job has ended.

        Args:
            job_id: the job.
            timeout_s: the longest wait, seconds; None for any.
            say: told in a sentence why, where the job gets nowhere: no worker, a full disk.

        Raises:
            WaitTimeout: it had not after `timeout_s` seconds.
        """
        give_up_at = None if timeout_s is None else time.monotonic() + timeout_s
        wait_s = LONG_POLL_S if timeout_s is None and not say else LOOK_S
        async for job in self.poll(job_id, wait_s=wait_s, lookout=Lookout(say) if say else None):
            if job.ended:
                return job
            if give_up_at is not None and time.monotonic() >= give_up_at:
                break
        raise WaitTimeout(f"job {checked_id(job_id)} has not ended after {timeout_s} s")

    async def estimate(self, photos: int, *, processing_window: str | None = None) -> Estimate:
        """When a job of so many photos would be ready, if it were made now."""
        body = NewLoad(photos=photos, processing_window=processing_window).model_dump(exclude_none=True)
        return await self._connection.ask(Estimate, "POST", "/v1/jobs/estimate", again=True, json=body)

    async def overview(self, *, limit: int = 20) -> Overview:
        """The night at a glance: readiness, load, and the newest jobs with why each waits.

        Args:
            limit: so many jobs at most, 1 to 1000.
        """
        return await self._connection.ask(
            Overview, "GET", "/v1/overview", again=True, params={"limit": limit}
        )

    async def jobs(self, *, state: str | None = None, label: str | None = None) -> AsyncIterator[Job]:
        """Jobs, newest first."""
        async for page in self._pages(JobPage, "/v1/jobs", {"state": state, "label": label, "limit": 100}):
            for job in page.jobs:
                yield job

    def photos(
        self,
        /,
        job_id: str | Job,
        *,
        status: str | None = None,
        code: str | None = None,
        limit: int = 200,
        sort: str | None = None,
        reverse: bool | None = None,
        **sought: str | float | list[str] | None,
    ) -> AsyncRows[Photo, PhotoRow]:
        """Photos of a job in the order they were added, or by `sort`; `limit` is the page size.

        Those that are sought, by `status`, `code` and what else the API lists photos by: `prefix`, `search`
        and `folder` of the name, `min_faces`, `max_faces`, and of one face `gender`, `age_group`,
        `uncertain`, `because` and `min_quality`. `sort` is `added`, `name`, `time`, `faces` or `least_sure`;
        with `reverse` the other way round; `cursor` begins at a page that `outline` names.

        Its `to_pandas` makes a data frame of the table `photos`.
        """
        query = {"status": status, "code": code, "limit": limit, "sort": sort, "reverse": reverse, **sought}
        return AsyncRows(self._photos(job_id, query), PhotoRow, partial(self._photo_rows, job_id))

    async def outline(
        self,
        /,
        job_id: str | Job,
        *,
        limit: int = 200,
        sort: str | None = None,
        reverse: bool | None = None,
        **sought: str | float | list[str] | None,
    ) -> PhotoOutline:
        """How many photos are sought, the shape of each, and the cursor of every page of `limit` of them.

        What is sought, and the order, are said as for `photos`, and `limit` is to be the same there.
        """
        query = {"limit": limit, "sort": sort, "reverse": reverse, **sought}
        path = f"/v1/jobs/{checked_id(job_id)}/photos/outline"
        given = {name: value for name, value in query.items() if value is not None}
        return await self._connection.ask(PhotoOutline, "GET", path, again=True, params=given)

    async def breakdown(self, job_id: str | Job) -> Breakdown:
        """Photos that succeeded by number of faces, by folder and by hour."""
        path = f"/v1/jobs/{checked_id(job_id)}/breakdown"
        return await self._connection.ask(Breakdown, "GET", path, again=True)

    def faces(self, job_id: str | Job) -> AsyncRows[FaceRow, FaceRow]:
        """Faces of every photo that is final, one by one, as rows of the table `faces`.

        Its `to_pandas` makes a data frame of them.
        """
        return AsyncRows(self._faces(job_id, face_rows), FaceRow)

    def low_confidence_faces(self, job_id: str | Job) -> AsyncRows[FaceRow, FaceRow]:
        """Faces from a confidence of 0.7 up to the job's `min_confidence`, likewise; no count has them."""
        return AsyncRows(self._faces(job_id, low_confidence_face_rows), FaceRow)

    async def about(self, job_id: str | Job) -> About:
        """What rows of the tables say of their job."""
        return About.of(await self.job(job_id), await self.summary(job_id))

    async def _photos(self, job_id: str | Job, query: dict[str, Any]) -> AsyncIterator[Photo]:
        async for page in self._pages(PhotoPage, f"/v1/jobs/{checked_id(job_id)}/photos", query):
            for photo in page.photos:
                yield photo

    async def _photo_rows(self, job_id: str | Job, photos: AsyncIterator[Photo]) -> AsyncIterator[PhotoRow]:
        about = await self.about(job_id)
        async for photo in photos:
            yield photo_row(photo, about)

    async def _faces(
        self, job_id: str | Job, rows: Callable[[Photo, About], Iterable[FaceRow]]
    ) -> AsyncIterator[FaceRow]:
        about = await self.about(job_id)
        async for photo in self.results(job_id):
            for row in rows(photo, about):
                yield row

    async def summary(self, job_id: str | Job) -> Summary:
        """Faces, apparent genders and age groups, failures by code."""
        path = f"/v1/jobs/{checked_id(job_id)}/summary"
        return await self._connection.ask(Summary, "GET", path, again=True)

    async def cancel(self, job_id: str | Job) -> Job:
        """Cancel what has not begun; what is saved is kept. Again is no error."""
        return await self._moved(job_id, "cancel", again=True)

    async def delete(self, job_id: str | Job) -> Erasure:
        """Erase an ended or open job with its photos, thumbnails and results; again shows the receipt."""
        return await self._connection.ask(Erasure, "DELETE", f"/v1/jobs/{checked_id(job_id)}", again=True)

    async def change_job(self, job_id: str | Job, change: JobChange | None = None, /, **fields: Any) -> Job:
        """Change what was wished of a job; what is not named stays, and None takes a wish back.

        Args:
            job_id: the job.
            change: what is to be otherwise.
            fields: of `JobChange`, where no change is given.

        Raises:
            InvalidInput: `invalid_fields`.
        """
        body = (change or JobChange.of(**fields)).as_json()
        path = f"/v1/jobs/{checked_id(job_id)}"
        return await self._connection.ask(Job, "PATCH", path, again=True, json=body)

    async def pause(self, job_id: str | Job, until: datetime | None = None) -> Job:
        """Let no further photo of it begin, for good or until then (an aware time)."""
        return await self._moved(job_id, "pause", params={"until": until.isoformat()} if until else {})

    async def resume(self, job_id: str | Job) -> Job:
        """Go on with a paused job."""
        return await self._moved(job_id, "resume")

    async def retry(self, job_id: str | Job, codes: Iterable[str] = (), photo_ids: Iterable[str] = ()) -> Job:
        """Try again what did not succeed in an ended job.

        Args:
            job_id: the job.
            codes: only what failed with these error codes.
            photo_ids: only these photos, 100 at most.
        """
        return await self._moved(job_id, "retry", params={"code": list(codes), "photo": list(photo_ids)})

    async def make_key(
        self,
        name: str,
        *,
        owner: str = "local",
        scopes: Iterable[str] = ("read", "submit"),
        expires_at: datetime | None = None,
    ) -> MadeKey:
        """Make an API key; its `key` is there this once. Needs the scope `admin`.

        Args:
            name: what it is for.
            owner: whose jobs it makes and sees.
            scopes: what it is good for.
            expires_at: from when on it is refused (an aware time); None for never.
        """
        body: dict[str, Any] = {"name": name, "owner": owner, "scopes": list(scopes)}
        if expires_at is not None:
            body["expires_at"] = expires_at.isoformat()
        return await self._connection.ask(MadeKey, "POST", "/v1/keys", again=False, json=body)

    async def keys(self) -> list[Key]:
        """API keys, the newest first. Needs the scope `admin`."""
        return (await self._connection.ask(KeyList, "GET", "/v1/keys", again=True)).keys

    async def revoke_key(self, key_id: str | Key) -> Key:
        """End a key's use at once; again is no error. Needs the scope `admin`."""
        path = f"/v1/keys/{checked_id(key_id, 'key')}"
        return await self._connection.ask(Key, "DELETE", path, again=True)

    async def audit(self, *, subject: str | None = None) -> AsyncIterator[AuditEntry]:
        """What was done to jobs, keys and webhooks, and by whom, the newest first.

        Args:
            subject: only to what has this id.
        """
        async for page in self._pages(AuditPage, "/v1/audit", {"subject": subject, "limit": 100}):
            for entry in page.entries:
                yield entry

    async def _moved(self, job_id: str | Job, move: str, *, again: bool = False, **request: Any) -> Job:
        path = f"/v1/jobs/{checked_id(job_id)}/{move}"
        return await self._connection.ask(Job, "POST", path, again=again, **request)

    async def _pages(self, kind: type[Page], path: str, query: dict[str, Any]) -> AsyncIterator[Page]:
        query = {name: value for name, value in query.items() if value is not None}
        while True:
            page = await self._connection.ask(kind, "GET", path, again=True, params=query)
            yield page
            if page.next is None:
                return
            query["cursor"] = page.next
