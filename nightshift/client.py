"""The Python client: `from nightshift import Client`.

Needs none of the extras: httpx and pydantic are enough. Safe to share between threads.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal, Self, TypeVar

import httpx

from nightshift.connection import Connection, retried
from nightshift.errors import ApiError, Unreachable, WaitTimeout
from nightshift.json_lines import lines_of
from nightshift.machine.places import path_as_text
from nightshift.machine.whole_files import replacing
from nightshift.thumbnails import TAR_MEDIA_TYPE, thumbnails_in
from nightshift.upload import PhotoFile, cut_off
from nightshift.waiting import LOOK_S, WORD_S, Lookout
from nightshift.words.documents import (
    Added,
    Checked,
    Erasure,
    Job,
    JobPage,
    Key,
    KeyList,
    MadeKey,
    Model,
    ModelList,
    Photo,
    PhotoPage,
    Readiness,
    Summary,
)
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.new_job import NewJob

LONG_POLL_S = 30
"""The longest wait the server grants to one request."""

PAGE = 1000
"""Photos registered, or listed, with one request."""

ResultsFormat = Literal["jsonl", "csv"]
Page = TypeVar("Page", JobPage, PhotoPage)
_ID = re.compile(r"[A-Za-z0-9_-]+")
_MEDIA_TYPES: dict[ResultsFormat, str] = {"jsonl": "application/x-ndjson", "csv": "text/csv"}


class Client:
    """A server's jobs.

    Args:
        server: base URL.
        api_key: bearer token; empty for the one that a service on this machine has made: it is read from
            `api_key` in the home, and sent to loopback alone.
        timeout_s: of each read and write.
        transport: httpx transport to use instead of the network, for tests.
        say: told once, in a sentence, when an answer is long in coming.

    Every method raises `ApiError` when the server says no and `Unreachable` when it says nothing.
    Calls that may be repeated without harm are, when the server is busy or the connection breaks.
    """

    def __init__(
        self,
        server: str = "http://127.0.0.1:8080",
        api_key: str = "",
        *,
        timeout_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._connection = Connection(server, api_key, timeout_s, transport, say)
        self.server = self._connection.server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close pooled connections."""
        self._connection.close()

    def create_job(self, wish: NewJob | None = None, **fields: Any) -> Job:
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
        return _job(self._connection.send("POST", "/v1/jobs", again=True, json=body, headers=headers))

    def submit_archive(self, path: Path, wish: NewJob | None = None, **fields: Any) -> Job:
        """Send a zip, tar or tar.gz of photos as one job, submitted; a worker unpacks it.

        Args:
            path: of the archive.
            wish: what is wished of the job.
            fields: of `NewJob`, where no wish is given.

        Raises:
            InvalidInput: `invalid_fields`.
            UploadCut: the server hung up on the body; most likely it is over a limit.
            OSError: the file cannot be read.
        """
        form = (wish or NewJob.of(**fields)).as_form()
        key = str(uuid.uuid4())

        def send() -> httpx.Response:
            with path.open("rb") as file:
                return self._connection.send(
                    "POST",
                    "/v1/jobs",
                    again=False,
                    data=form,
                    files={"archive": (path.name, file)},
                    headers={"Idempotency-Key": key},
                )

        try:
            return _job(retried(send))
        except (Unreachable, ApiError) as error:
            raise cut_off(error, path, path.stat().st_size) or error from error

    def put_photo(self, job_id: str, custom_id: str, path: Path) -> Photo:
        """Upload one file. The same bytes under the same name again are no error.

        Raises:
            UploadCut: the server hung up on the body; most likely it is over a limit.
            OSError: the file cannot be read.
        """
        return self.put_file(job_id, custom_id, PhotoFile(path))

    def put_file(self, job_id: str, custom_id: str, photo: PhotoFile) -> Photo:
        """As `put_photo`, for a file that has been hashed already."""
        try:
            response = self._connection.send(
                "PUT",
                f"/v1/jobs/{_checked(job_id)}/photos",
                again=photo.in_memory,
                params={"custom_id": custom_id},
                headers={
                    "Content-Digest": photo.content_digest,
                    "Content-Length": str(photo.size_bytes),
                    "Content-Type": "application/octet-stream",
                },
                content=photo.content(),
            )
        except Unreachable as error:
            raise cut_off(error, photo.path, photo.size_bytes) or error from error
        return Photo.model_validate(response.json())

    def missing_photos(self, job_id: str, photos: Mapping[str, str]) -> list[str]:
        """Which photos have still to be sent, given their digests (sha256, hex) by custom_id, 1000 at most.

        Those whose bytes the server has from an earlier job are added to this one.
        """
        body = {"photos": [{"custom_id": name, "sha256": digest} for name, digest in photos.items()]}
        answer = self._connection.send(
            "POST", f"/v1/jobs/{_checked(job_id)}/photos/check", again=True, json=body
        )
        return Checked.model_validate(answer.json()).missing

    def register_in_place(self, job_id: str, photos: Iterable[tuple[str, Path]]) -> int:
        """Name files of the server's own machine, as (custom_id, absolute path), instead of uploading them.

        They are read where they are: never copied, moved, written or deleted.

        Returns:
            How many were new to the job.
        """
        added = 0
        rest = iter(photos)
        while page := list(islice(rest, PAGE)):
            body = {"photos": [{"custom_id": name, "path": path_as_text(path)} for name, path in page]}
            response = self._connection.send(
                "POST", f"/v1/jobs/{_checked(job_id)}/photos/in-place", again=True, json=body
            )
            added += Added.model_validate(response.json()).added
        return added

    def submit(self, job_id: str) -> Job:
        """Seal the job and queue its photos; again is no error."""
        return _job(self._connection.send("POST", f"/v1/jobs/{_checked(job_id)}/submit", again=True))

    def job(self, job_id: str) -> Job:
        """The job as it is now."""
        return _job(self._connection.send("GET", f"/v1/jobs/{_checked(job_id)}", again=True))

    def poll(self, job_id: str, *, wait_s: int = LONG_POLL_S) -> Iterator[Job]:
        """The job now, and again after each change or `wait_s` seconds, until it has ended.

        A paused job is waited for like any other.
        """
        etag = ""
        job: Job | None = None
        while job is None or not job.ended:
            asked_at = time.monotonic()
            headers = {"Prefer": f"wait={wait_s}", "If-None-Match": etag} if etag else {}
            response = self._connection.send(
                "GET",
                f"/v1/jobs/{_checked(job_id)}",
                again=True,
                headers=headers,
                timeout=self._connection.timeout_s + wait_s,
                slow_after_s=wait_s + WORD_S,
            )
            etag = response.headers.get("ETag", "")
            if response.status_code != httpx.codes.NOT_MODIFIED:
                job = _job(response)
            assert job is not None  # noqa: S101 - a 304 answers an ETag, which came with a job
            yield job
            # A server short of threads answers long polls at once; do not hammer it.
            time.sleep(max(0.0, 0.5 - (time.monotonic() - asked_at)))

    def wait(
        self, job_id: str, *, timeout_s: float | None = None, say: Callable[[str], None] | None = None
    ) -> Job:
        """Block until the job has ended.

        Args:
            job_id: the job.
            timeout_s: the longest wait, seconds; None for any.
            say: told in a sentence why, where the job gets nowhere: no worker, a full disk.

        Raises:
            WaitTimeout: it had not after `timeout_s` seconds.
        """
        give_up_at = None if timeout_s is None else time.monotonic() + timeout_s
        lookout = Lookout(self, say) if say else None
        wait_s = LONG_POLL_S if timeout_s is None and not lookout else LOOK_S
        for job in self.poll(job_id, wait_s=wait_s):
            if job.ended:
                return job
            if lookout:
                lookout.look(job)
            if give_up_at is not None and time.monotonic() >= give_up_at:
                break
        raise WaitTimeout(f"job {job_id} has not ended after {timeout_s} s")

    def jobs(self, *, state: str | None = None, label: str | None = None) -> Iterator[Job]:
        """Jobs, newest first."""
        for page in self._pages(JobPage, "/v1/jobs", {"state": state, "label": label, "limit": 100}):
            yield from page.jobs

    def photos(
        self, job_id: str, *, status: str | None = None, code: str | None = None, limit: int = 200
    ) -> Iterator[Photo]:
        """Photos of a job in the order they were added; `limit` is the page size."""
        query = {"status": status, "code": code, "limit": limit}
        for page in self._pages(PhotoPage, f"/v1/jobs/{_checked(job_id)}/photos", query):
            yield from page.photos

    def results(self, job_id: str) -> Iterator[Photo]:
        """Every photo that is final so far, one by one, in the order they were added."""
        with self._connection.stream(
            f"/v1/jobs/{_checked(job_id)}/results", headers={"Accept": _MEDIA_TYPES["jsonl"]}
        ) as response:
            for line in lines_of(response.iter_bytes()):
                yield Photo.model_validate_json(line)

    def save_results(self, job_id: str, file: BinaryIO, *, format: ResultsFormat = "jsonl") -> int:  # noqa: A002
        """Write the results to a binary file as the server formats them; returns the bytes written."""
        size_bytes = 0
        with self._connection.stream(
            f"/v1/jobs/{_checked(job_id)}/results", headers={"Accept": _MEDIA_TYPES[format]}
        ) as response:
            for piece in response.iter_bytes():
                file.write(piece)
                size_bytes += len(piece)
        return size_bytes

    def thumbnails(self, job_id: str) -> Iterator[tuple[str, bytes]]:
        """Id and thumbnail (WebP, upright, 320 pixels at most) of every final photo that has one.

        In the order they were added, and all in one request.
        """
        with self._connection.stream(
            f"/v1/jobs/{_checked(job_id)}/thumbnails", headers={"Accept": TAR_MEDIA_TYPE}
        ) as response:
            yield from thumbnails_in(response.iter_bytes())

    def save_thumbnails(self, job_id: str, folder: Path) -> int:
        """Write the thumbnails as `PHOTO_ID.webp` into a folder, each whole; returns how many.

        The folder is made when it is not there. A file of the same name is replaced, others are left alone.
        """
        folder.mkdir(parents=True, exist_ok=True)
        written = 0
        for photo_id, image in self.thumbnails(job_id):
            # They can be fetched again: the disk need not have each before the next.
            with replacing(folder / f"{photo_id}.webp", synced=False) as file:
                file.write(image)
            written += 1
        return written

    def summary(self, job_id: str) -> Summary:
        """Faces, apparent genders and age groups, failures by code."""
        response = self._connection.send("GET", f"/v1/jobs/{_checked(job_id)}/summary", again=True)
        return Summary.model_validate(response.json())

    def cancel(self, job_id: str) -> Job:
        """Cancel what has not begun; what is saved is kept. Again is no error."""
        return _job(self._connection.send("POST", f"/v1/jobs/{_checked(job_id)}/cancel", again=True))

    def delete(self, job_id: str) -> Erasure:
        """Erase an ended or open job with its photos, thumbnails and results; again shows the receipt."""
        response = self._connection.send("DELETE", f"/v1/jobs/{_checked(job_id)}", again=True)
        return Erasure.model_validate(response.json())

    def pause(self, job_id: str, until: datetime | None = None) -> Job:
        """Let no further photo of it begin, for good or until then (an aware time)."""
        query = {"until": until.isoformat()} if until else {}
        return _job(
            self._connection.send("POST", f"/v1/jobs/{_checked(job_id)}/pause", again=False, params=query)
        )

    def resume(self, job_id: str) -> Job:
        """Go on with a paused job."""
        return _job(self._connection.send("POST", f"/v1/jobs/{_checked(job_id)}/resume", again=False))

    def retry(self, job_id: str, codes: Iterable[str] = ()) -> Job:
        """Try again what did not succeed in an ended job, or only what failed with these error codes."""
        query = {"code": list(codes)}
        return _job(
            self._connection.send("POST", f"/v1/jobs/{_checked(job_id)}/retry", again=False, params=query)
        )

    def make_key(
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
        return MadeKey.model_validate(
            self._connection.send("POST", "/v1/keys", again=False, json=body).json()
        )

    def keys(self) -> list[Key]:
        """API keys, the newest first. Needs the scope `admin`."""
        return KeyList.model_validate(self._connection.send("GET", "/v1/keys", again=True).json()).keys

    def revoke_key(self, key_id: str) -> Key:
        """End a key's use at once; again is no error. Needs the scope `admin`."""
        return Key.model_validate(
            self._connection.send("DELETE", f"/v1/keys/{_checked(key_id, 'key')}", again=True).json()
        )

    def models(self) -> list[Model]:
        """The server's weights by name, broken ones with their error."""
        return ModelList.model_validate(self._connection.send("GET", "/v1/models", again=True).json()).models

    def readiness(self) -> Readiness:
        """What the server says of its parts, ready or not; asked once, without retries."""
        answer = self._connection.probe("/readyz")
        try:
            return Readiness.model_validate(answer.json())
        except ValueError as error:
            status = answer.status_code
            raise ApiError(status, f"http_{status}", f"/readyz was answered {status}") from error

    def is_ready(self) -> bool:
        """True when the server can take jobs (its broker may be away); asked once, without retries."""
        try:
            self._connection.send("GET", "/readyz", again=False)
        except (ApiError, Unreachable):
            return False
        return True

    def _pages(self, kind: type[Page], path: str, query: dict[str, Any]) -> Iterator[Page]:
        query = {name: value for name, value in query.items() if value is not None}
        while True:
            page = kind.model_validate(self._connection.send("GET", path, again=True, params=query).json())
            yield page
            if page.next is None:
                return
            query["cursor"] = page.next


def _job(response: httpx.Response) -> Job:
    return Job.model_validate(response.json())


_NOT_FOUND = {"job": Code.JOB_NOT_FOUND, "key": Code.KEY_NOT_FOUND}


def _checked(given: str, kind: str = "job") -> str:
    """An id that is only that: anything else would make another path of the URL it is put into.

    Raises:
        InvalidInput: `job_not_found` or `key_not_found`.
    """
    if not _ID.fullmatch(given):
        raise InvalidInput(_NOT_FOUND[kind], f"no {kind} {given!r}: that is no id")
    return given
