"""Photos on their way to a server: those it has already are not sent."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from rich.console import Console
from rich.progress import track

from nightshift.client import Client
from nightshift.errors import ApiError, UploadCut
from nightshift.exits import ending_of, say
from nightshift.photos import FoundPhoto
from nightshift.upload import PhotoFile
from nightshift.words.photo_names import path_spelled_out

AT_ONCE = 4
"""Groups on their way at the same time; a server has eight threads by default."""

GROUP = 4
"""Photos that are asked about with one request, and held in memory until it is answered."""

_BAD_PHOTO = frozenset({413, 422})
"""Answers that concern one photo and not the job."""


def send_photos(client: Client, job_id: str, photos: Sequence[FoundPhoto], console: Console) -> int:
    """Add the photos to an open job; returns how many the server, or this machine's file system, refused.

    Raises:
        ClientError: of the job, or of the server; photos sent until then stay.
    """
    groups = [photos[start : start + GROUP] for start in range(0, len(photos), GROUP)]
    refused = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = [pool.submit(_send, client, job_id, group) for group in groups]
        try:
            for future in track(
                as_completed(sent),
                "sending",
                total=len(sent),
                console=console,
                transient=True,
                # It would end with an empty line in a log.
                disable=not console.is_terminal,
            ):
                for photo, error in future.result():
                    refused += 1
                    said = ending_of(error)
                    say(f"not sent: {path_spelled_out(photo.path)}: {said[0] if said else error}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return refused


def _send(client: Client, job_id: str, group: Sequence[FoundPhoto]) -> list[tuple[FoundPhoto, Exception]]:
    """Send what is missing of a group; returns why photos were refused, which keeps no other from going."""
    refused: list[tuple[FoundPhoto, Exception]] = []
    named = {photo.custom_id: photo for photo in group}
    files: dict[str, PhotoFile] = {}
    for photo in group:
        try:
            files[photo.custom_id] = PhotoFile(photo.path)
        except OSError as error:
            refused.append((photo, error))
    if not files:
        return refused
    missing = client.missing_photos(job_id, {name: file.sha256 for name, file in files.items()})
    for custom_id in missing:
        try:
            client.put_file(job_id, custom_id, files[custom_id])
        except (OSError, ApiError, UploadCut) as error:
            if isinstance(error, ApiError) and error.status not in _BAD_PHOTO:
                raise
            refused.append((named[custom_id], error))
    return refused
