"""From a claim to one result a photo. One bad photo never fails its batch mates."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from nightshift.machine.places import path_of_text
from nightshift.words.analysis import Analysis, PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.errors import Transient, Unreadable
from shared.files.in_place import InPlace
from shared.files.store import Store, thumbnail_key
from shared.queue.claim import Claim, ClaimedPhoto
from shared.queue.extent import folder_of_all
from shared.queue.reuse import find_earlier
from shared.queue.save import Away, Failed, NotRead, Result, Succeeded
from worker.ahead import PixelBudget, done_ahead
from worker.folders import Extent, is_away
from worker.parts import Parts
from worker.photo_bytes import read_photo
from worker.pipeline.decoding.decode import DecodedPhoto, thumbnail
from worker.pipeline.unforeseen import photo_error


class Progress(Protocol):
    """See `Heartbeat.progress`."""

    def __call__(self, at: Collection[str] = (), *, at_store: bool = False) -> None: ...  # noqa: D102


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Pixels:
    """A photo that is ready for the detector, and what it takes of the budget."""

    sha256: str
    size_bytes: int
    decoded: DecodedPhoto
    taken: int


REMEMBERED_JOBS = 100


class StoreAway(Exception):
    """The store is out of reach, whatever the photo; the batch goes back."""


def analyse_batch(parts: Parts, held: Claim, progress: Progress) -> list[Result]:
    """Read, decode and analyse a batch.

    Where memory runs short, the photos concerned are tried again in smaller batches, and the process
    claims fewer from then on.

    Args:
        parts: of this process.
        held: the claim.
        progress: called between photos and stages with the ids of those that are next; what it raises
            ends the batch.

    Raises:
        StoreAway: no photo of the batch can be read now.
    """
    parts.batch_size.begin()
    return _analyse_together(parts, held, held.photos, progress)


def _analyse_together(
    parts: Parts, held: Claim, photos: Sequence[ClaimedPhoto], progress: Progress
) -> list[Result]:
    """One result a photo; photos for which memory was short are tried again by halves, down to one."""
    results = _analyse_once(parts, held, photos, progress)
    short = {result.photo_id for result in results if _is_short_of_memory(result)}
    if not short or len(photos) == 1:
        return results
    parts.batch_size.too_many(len(photos))
    log.warning("short of memory", extra={"job": held.job_id, "lease": held.token, "photos": len(photos)})
    # What the others took is free by now.
    again = [photo for photo in photos if photo.id in short]
    middle = len(again) // 2 or 1
    good = [result for result in results if result.photo_id not in short]
    for part in (again[:middle], again[middle:]):
        if part:
            good += _analyse_together(parts, held, part, progress)
    return good


def _is_short_of_memory(result: Result) -> bool:
    return isinstance(result, Failed) and result.error.code == Code.OUT_OF_MEMORY


def _analyse_once(
    parts: Parts, held: Claim, photos: Sequence[ClaimedPhoto], progress: Progress
) -> list[Result]:
    results: list[Result] = []
    read: list[tuple[str, str, int]] = []
    budget = PixelBudget(parts.settings.max_pixels_in_flight)

    def prepare(photo: ClaimedPhoto) -> _Pixels | Result:
        try:
            return _prepare(parts, held, photo, budget, progress)
        finally:
            progress()  # this thread may now wait

    def decoded(outcomes: Iterator[_Pixels | Result]) -> Iterator[DecodedPhoto]:
        for outcome in outcomes:
            if not isinstance(outcome, _Pixels):
                results.append(outcome)
                continue
            read.append((outcome.decoded.id, outcome.sha256, outcome.size_bytes))
            yield outcome.decoded
            # Asked for the next, the pipeline has no more use for this one.
            budget.give_back(outcome.taken)
            progress()

    failure = None
    with done_ahead(prepare, photos, decode_threads(parts), budget) as outcomes:
        try:
            found = parts.pipeline.analyse(decoded(outcomes), held.options.analysis(), progress)
        except StoreAway:
            raise
        except Exception as error:
            # Photos it isolates itself; this is of all of them.
            failure = photo_error("detect", error, job=held.job_id, lease=held.token)
            found = [failure] * len(read)
    for (photo_id, sha256, size_bytes), what in zip(read, found, strict=True):
        if isinstance(what, Analysis):
            results.append(Succeeded(photo_id, sha256, size_bytes, what))
        else:
            results.append(Failed(photo_id, what, sha256, size_bytes))
    if failure:
        met = {result.photo_id for result in results}
        results += [Failed(photo.id, failure) for photo in photos if photo.id not in met]
    return results


def decode_threads(parts: Parts) -> int:
    """Threads that read and decode ahead of the networks: on the CPU, these need the cores themselves."""
    settings = parts.settings
    if settings.decode_threads:
        return settings.decode_threads
    on_cpu = parts.pipeline.bundle.device.type == "cpu"
    return 1 if on_cpu else max(2, (os.cpu_count() or 1) // settings.worker_count)


def _prepare(
    parts: Parts, held: Claim, photo: ClaimedPhoto, budget: PixelBudget, progress: Progress
) -> _Pixels | Result:
    """Bytes, then an earlier result of the same bytes, or pixels."""
    settings = parts.settings
    progress([photo.id], at_store=True)
    try:
        data = read_photo(
            photo,
            parts.store,
            owner=held.owner,
            job_id=held.job_id,
            max_bytes=settings.max_photo_bytes,
            in_place=InPlace(settings, parts.store.folder),
        )
    except Unreadable as error:
        return Failed(photo.id, PhotoError.of(error.code, "read", error.message))
    except Transient as error:
        if error.code == Code.STORE_UNAVAILABLE and not _answers(parts.store):
            raise StoreAway(error.message) from error
        if photo.in_place_path is not None and (root := _folder_away(parts, held, photo.in_place_path)):
            if parts.folders.may_be_read:
                parts.folders.away(root)
            return Away(photo.id, error.message)
        return NotRead(photo.id, error.message)
    if photo.in_place_path is not None:
        parts.folders.back()
    sha256 = hashlib.sha256(data).hexdigest()
    if held.options.reuse and (earlier := _earlier(parts, held, photo, sha256, len(data))):
        return earlier
    taken = 0

    def admit(pixels: int) -> None:
        nonlocal taken
        progress()
        budget.take(pixels)
        taken += pixels
        progress([photo.id])

    progress([photo.id])
    try:
        decoded = replace(parts.pipeline.decode(data, held.options.analysis(), admit), id=photo.id)
        picture = thumbnail(decoded)
        progress([photo.id], at_store=True)
        _keep_thumbnail(parts, held, photo, picture)
    except Unreadable as error:
        failure = PhotoError.of(error.code, "decode", error.message)
    except Exception as error:
        failure = photo_error("decode", error, job=held.job_id, photo=photo.id)
    else:
        # The photo at its full size is gone by now.
        left = decoded.pixels.shape[0] * decoded.pixels.shape[1]
        budget.give_back(taken - left)
        return _Pixels(sha256, len(data), decoded, left)
    budget.give_back(taken)
    if photo.in_place_path is not None:
        # Its digest would tell what is in a file that is no picture, and was never sent.
        return Failed(photo.id, failure)
    return Failed(photo.id, failure, sha256, len(data))


def _folder_away(parts: Parts, held: Claim, text: str) -> Path | None:
    """The folder of all the job's photos, when it is a folder that is out of reach and not the one file."""
    extents = parts.folders.extents
    if held.job_id not in extents:
        try:
            with parts.database.read() as session:
                extent = Extent(*folder_of_all(session, held.job_id))
        except Transient:
            return None
        # Of few jobs at a time; none is worth remembering for long.
        if len(extents) >= REMEMBERED_JOBS:
            extents.clear()
        extents[held.job_id] = extent
    extent = extents[held.job_id]
    return extent.root if is_away(path_of_text(text), extent) else None


def _answers(store: Store) -> bool:
    try:
        store.ping()
    except Transient:
        return False
    return True


def _earlier(
    parts: Parts, held: Claim, photo: ClaimedPhoto, sha256: str, size_bytes: int
) -> Succeeded | None:
    manifest = parts.pipeline.bundle.manifest
    try:
        with parts.database.read() as session:
            earlier = find_earlier(
                session,
                owner=held.owner,
                sha256=sha256,
                bundle_sha256=manifest.sha256,
                options_fingerprint=held.options.analysis().fingerprint(manifest.reading),
            )
    except Transient:
        # The batch goes on without; what it finds is saved when the database is back.
        return None
    if earlier is None:
        return None
    try:
        picture = parts.store.get(thumbnail_key(held.owner, earlier.job_id, earlier.photo_id))
    except Transient:
        picture = None
    if picture is not None:
        _keep_thumbnail(parts, held, photo, picture)
    return Succeeded(photo.id, sha256, size_bytes, earlier.analysis, reused_from=earlier.photo_id)


def _keep_thumbnail(parts: Parts, held: Claim, photo: ClaimedPhoto, picture: bytes) -> None:
    """A thumbnail is a convenience: its loss is logged and fails nothing."""
    try:
        parts.store.put(thumbnail_key(held.owner, held.job_id, photo.id), picture)
    except Transient as error:
        fields = {"job": held.job_id, "photo": photo.id, "reason": error.message}
        log.warning("no thumbnail", extra=fields)
