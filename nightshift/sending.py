"""Photos on their way to a server: those it has already are not sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import track

from nightshift.client import Client
from nightshift.errors import ApiError, FileChanged, UploadCut
from nightshift.exits import ending_of, say
from nightshift.photos import Found, FoundPhoto
from nightshift.transfers import PAGE
from nightshift.upload import PhotoFile
from nightshift.words.error_codes import Code
from nightshift.words.not_sent import NotSentReason
from nightshift.words.photo_names import end_of, path_spelled_out

AT_ONCE = 4
"""Groups on their way at the same time; a server has eight threads by default."""

GROUP = 4
"""Photos that are asked about with one request, and held in memory until it is answered."""

_BAD_PHOTO = frozenset({413, 422})
"""Answers that concern one photo and not the job."""
_BAD_PHOTO_CODES: frozenset[str] = frozenset({Code.DIGEST_MISMATCH, Code.CUSTOM_ID_TAKEN})
"""Likewise, by their codes."""

NotSent = dict[str, NotSentReason]
"""Why photos were not sent, by custom_id."""


def places_of(found: Found, first: int = 0) -> dict[str, int]:
    """Where photos are listed, by their names in the job, also those that cannot be sent for theirs.

    Args:
        found: of one submission.
        first: where the first of them is listed.
    """
    names = {photo.custom_id: photo.custom_id for photo in found.photos}
    names |= {name: shortened_name(path) for path, name in found.unnameable.items()}
    return {names[name]: place for place, name in enumerate(sorted(names), first)}


def shortened_name(path: Path) -> str:
    """What a job calls a photo whose name it cannot hold."""
    return end_of(path_spelled_out(path))


def first_place(client: Client, job_id: str, found: Found) -> int:
    """Where the first of these photos is to be listed in a job that has photos already.

    That is behind what the job has; but where these were on their way before, it is where they began then:
    behind what is listed before those of them that arrived.
    """
    names, ours = places_of(found), {photo.custom_id: photo for photo in found.photos}
    others = 0
    for there in client.photos(job_id, limit=PAGE):
        # Of what has no digest it cannot be said whether it is one of these.
        if there.custom_id not in names:
            others += 1
        elif there.sha256 is not None and there.custom_id in ours:
            if _has_digest(ours[there.custom_id].path, there.sha256):
                break
            others += 1
    return others


def _has_digest(path: Path, sha256: str) -> bool:
    try:
        return PhotoFile(path).sha256 == sha256
    except OSError:
        return False


def send_photos(
    client: Client, job_id: str, photos: Sequence[FoundPhoto], console: Console, places: Mapping[str, int]
) -> NotSent:
    """Add the photos to an open job; returns those that the server, or this machine's file system, refused.

    Args:
        client: of the server.
        job_id: an open job.
        photos: files by their names in the job.
        console: for the progress.
        places: where each of them is listed.

    Raises:
        ClientError: of the job, or of the server; photos sent until then stay.
    """
    groups = [photos[start : start + GROUP] for start in range(0, len(photos), GROUP)]
    refused: NotSent = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = [pool.submit(_send, client, job_id, group, places) for group in groups]
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
                    refused[photo.custom_id] = _reason(error)
                    path, said = path_spelled_out(photo.path), ending_of(error)
                    # An error of the system names the file itself.
                    why = (said[0] if said else str(error)).removeprefix(f"{path}: ")
                    say(f"not sent: {path}: {why}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return refused


def name_not_sent(client: Client, job_id: str, photos: NotSent, places: Mapping[str, int]) -> None:
    """Have the job name them, as photos that failed; where it cannot, those that were sent go on without."""
    if not photos:
        return
    try:
        client.add_not_sent(job_id, photos, places)
    except ApiError as error:
        say(f"the job will not name what was not sent: {error}")


def _send(
    client: Client, job_id: str, group: Sequence[FoundPhoto], places: Mapping[str, int]
) -> list[tuple[FoundPhoto, Exception]]:
    """Send what is missing of a group; returns why photos were refused, which keeps no other from going.

    Groups overtake each other, so each photo says where it is listed.
    """
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
    missing = client.missing_photos(job_id, {name: file.sha256 for name, file in files.items()}, places)
    for custom_id in missing:
        try:
            client.put_file(job_id, custom_id, files[custom_id], places[custom_id])
        except (OSError, ApiError, UploadCut, FileChanged) as error:
            if isinstance(error, ApiError) and not _is_of_one_photo(error):
                raise
            refused.append((named[custom_id], error))
    return refused


def _is_of_one_photo(error: ApiError) -> bool:
    return error.status in _BAD_PHOTO or error.code in _BAD_PHOTO_CODES


def _reason(error: Exception) -> NotSentReason:
    if isinstance(error, OSError):
        return "unreadable"
    if isinstance(error, ApiError) and error.status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        return "too_large"
    if isinstance(error, FileChanged) or (isinstance(error, ApiError) and error.code == Code.DIGEST_MISMATCH):
        return "changed"
    return "refused"
