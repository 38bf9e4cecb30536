"""What the client sends of photos, and what it fetches of results: bytes in numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal

from nightshift.connection import Connection, checked_id
from nightshift.errors import Unreachable
from nightshift.json_lines import lines
from nightshift.machine.places import as_path, path_as_text
from nightshift.machine.whole_files import replacing
from nightshift.thumbnails import TAR_MEDIA_TYPE, thumbnails
from nightshift.upload import PhotoFile, cut_off
from nightshift.words.documents import Added, Checked, Job, Photo
from nightshift.words.not_sent import NotSentReason

PAGE = 1000
"""Photos registered, or listed, with one request."""

ResultsFormat = Literal["jsonl", "photos.csv", "faces.csv", "low-confidence-faces.csv", "csv"]
"""As a server writes them: JSON Lines, the tables, and the one table from before, which goes."""
_JSON_LINES = ("results", "application/x-ndjson")
_SERVED: dict[ResultsFormat, tuple[str, str]] = {
    "jsonl": _JSON_LINES,
    "photos.csv": ("photos.csv", "text/csv"),
    "faces.csv": ("faces.csv", "text/csv"),
    "low-confidence-faces.csv": ("low-confidence-faces.csv", "text/csv"),
    "csv": ("results", "text/csv"),
}
"""The part of a job's path that it is at, and its media type."""


class Transfers:
    """The part of `Calls` that moves bytes."""

    _connection: Connection

    async def put_photo(
        self, job_id: str | Job, custom_id: str, path: str | Path, place: int | None = None
    ) -> Photo:
        """Upload one file. The same bytes under the same name again are no error.

        Args:
            job_id: an open job, or its id.
            custom_id: your name for the photo, unique in the job.
            path: the file.
            place: where the photo is listed among the job's, from 0; None for behind those that came before.

        Raises:
            InvalidInput: `bad_path`, of what is no path.
            UploadCut: the server hung up on the body; most likely it is over a limit.
            FileChanged: the file is larger than what is kept in memory, and grew or shrank.
            OSError: the file cannot be read.
        """
        return await self.put_file(job_id, custom_id, await self._connection.call(PhotoFile, path), place)

    async def put_file(
        self, job_id: str | Job, custom_id: str, photo: PhotoFile, place: int | None = None
    ) -> Photo:
        """As `put_photo`, for a file that has been hashed already."""
        try:
            return await self._connection.ask(
                Photo,
                "PUT",
                f"/v1/jobs/{checked_id(job_id)}/photos",
                again=photo.in_memory,
                params={"custom_id": custom_id} | ({} if place is None else {"place": str(place)}),
                headers={
                    "Content-Digest": photo.content_digest,
                    "Content-Length": str(photo.size_bytes),
                    "Content-Type": "application/octet-stream",
                },
                content=photo.content(),
            )
        except Unreachable as error:
            raise cut_off(error, photo.path, photo.size_bytes) or error from error

    async def missing_photos(
        self, job_id: str | Job, photos: Mapping[str, str], places: Mapping[str, int] | None = None
    ) -> list[str]:
        """Which photos have still to be sent, given their digests (sha256, hex) by custom_id, 1000 at most.

        Those whose bytes the server has from an earlier job are added to this one, at their places, if given.
        """
        said = ({"custom_id": name, "sha256": digest} for name, digest in photos.items())
        body = {"photos": [_placed(photo, places) for photo in said]}
        path = f"/v1/jobs/{checked_id(job_id)}/photos/check"
        return (await self._connection.ask(Checked, "POST", path, again=True, json=body)).missing

    async def add_not_sent(
        self,
        job_id: str | Job,
        photos: Mapping[str, NotSentReason],
        places: Mapping[str, int] | None = None,
    ) -> int:
        """Name photos that cannot be sent, and why, by custom_id: each becomes a photo that failed.

        They are listed at their places, if given.

        Returns:
            How many were new to the job.
        """
        path = f"/v1/jobs/{checked_id(job_id)}/photos/not-sent"
        added = 0
        rest = iter(photos.items())
        while page := list(islice(rest, PAGE)):
            body = {
                "photos": [_placed({"custom_id": name, "reason": reason}, places) for name, reason in page]
            }
            added += (await self._connection.ask(Added, "POST", path, again=True, json=body)).added
        return added

    async def register_in_place(
        self, job_id: str | Job, photos: Iterable[tuple[str, str | Path] | tuple[str, str | Path, str | Path]]
    ) -> int:
        """Name files of the server's own machine, as (custom_id, absolute path), instead of uploading them.

        They are read where they are: never copied, moved, written or deleted. A third entry is the folder or
        file that one was found under, which the results say.

        Returns:
            How many were new to the job.

        Raises:
            InvalidInput: `bad_path`, of what is no path.
        """
        path = f"/v1/jobs/{checked_id(job_id)}/photos/in-place"
        added = 0
        rest = iter(photos)
        while page := list(islice(rest, PAGE)):
            body = {"photos": [_in_place(*photo) for photo in page]}
            added += (await self._connection.ask(Added, "POST", path, again=True, json=body)).added
        return added

    async def results(self, job_id: str | Job) -> AsyncIterator[Photo]:
        """Every photo that is final so far, one by one, in the order they were added."""
        async with self._stream(job_id, _JSON_LINES) as pieces:
            async for line in lines(pieces):
                yield Photo.model_validate_json(line)

    async def save_results(
        self,
        job_id: str | Job,
        file: BinaryIO,
        *,
        format: ResultsFormat = "jsonl",  # noqa: A002
    ) -> int:
        """Write the results to a binary file as the server formats them; returns the bytes written."""
        size_bytes = 0
        async with self._stream(job_id, _SERVED[format]) as pieces:
            async for piece in pieces:
                file.write(piece)
                size_bytes += len(piece)
        return size_bytes

    async def thumbnails(self, job_id: str | Job) -> AsyncIterator[tuple[str, bytes]]:
        """Id and thumbnail (WebP, upright, its `preview_px` at most) of every final photo that has one.

        In the order they were added, and all in one request.
        """
        async with self._stream(job_id, ("thumbnails", TAR_MEDIA_TYPE)) as pieces:
            async for thumbnail in thumbnails(pieces):
                yield thumbnail

    async def save_thumbnails(self, job_id: str | Job, folder: str | Path) -> int:
        """Write the thumbnails as `PHOTO_ID.webp` into a folder, each whole; returns how many.

        The folder is made when it is not there. A file of the same name is replaced, others are left alone.

        Raises:
            InvalidInput: `bad_path`, of what is no path.
        """
        folder = as_path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        written = 0
        async for photo_id, image in self.thumbnails(job_id):
            await self._connection.call(_write_whole, folder / f"{photo_id}.webp", image)
            written += 1
        return written

    async def photo_image(self, job_id: str, photo_id: str, *, boxes: bool = False) -> bytes:
        """A photo itself at the size of a screen: WebP, upright, 1,600 pixels at most.

        Args:
            job_id: the job.
            photo_id: of the photo.
            boxes: whether to draw boxes around its faces.
        """
        path = f"/v1/jobs/{checked_id(job_id)}/photos/{checked_id(photo_id, 'photo')}/image"
        params = {"boxes": "1"} if boxes else {}
        return (await self._connection.send("GET", path, again=True, params=params)).content

    def _stream(
        self, job_id: str | Job, part: tuple[str, str]
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """A part of a job, by its name and media type, in pieces."""
        name, media_type = part
        return self._connection.stream(
            f"/v1/jobs/{checked_id(job_id)}/{name}", headers={"Accept": media_type}
        )


def _placed(photo: dict[str, str], places: Mapping[str, int] | None) -> dict[str, str | int]:
    """With its place, where it has one."""
    place = (places or {}).get(photo["custom_id"])
    return {**photo} if place is None else {**photo, "place": place}


def _in_place(custom_id: str, path: str | Path, root: str | Path | None = None) -> dict[str, str]:
    said = {"custom_id": custom_id, "path": path_as_text(as_path(path))}
    return said | ({} if root is None else {"root": path_as_text(as_path(root))})


def _write_whole(path: Path, data: bytes) -> None:
    # It can be fetched again: the disk need not have each before the next.
    with replacing(path, synced=False) as file:
        file.write(data)
