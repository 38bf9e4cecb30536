"""One claimed photo made ready for the networks: its bytes, an earlier result of the same, or its pixels."""

from __future__ import annotations

import hashlib
import io
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nightshift.machine.places import path_of_text
from nightshift.words.analysis import Analysis, PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.errors import Transient, Unreadable
from nightshift.words.options import PREVIEW_PX
from shared.files.in_place import InPlace
from shared.files.photo_bytes import Stored, read_photo
from shared.files.store import thumbnail_key
from shared.queue.claim import Claim, ClaimedPhoto
from shared.queue.reuse import find_earlier
from shared.queue.save import Away, Failed, NotRead, Result, Succeeded
from worker.ahead import PixelBudget
from worker.folders import extent_of, is_away
from worker.heartbeat import Progress
from worker.logged import ids_of
from worker.parts import Parts
from worker.pipeline.unforeseen import photo_error

if TYPE_CHECKING:
    from worker.pipeline.decoding.decode import DecodedPhoto

log = logging.getLogger(__name__)

REMEMBERED_JOBS = 100


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is to be known of a photo that is ready for the detector.

    Attributes:
        photo_id: its own.
        sha256: of its bytes, hex.
        size_bytes: of them.
        pixels: that it takes of the budget.
    """

    photo_id: str
    sha256: str
    size_bytes: int
    pixels: int


def load_photo(
    parts: Parts, held: Claim, photo: ClaimedPhoto, budget: PixelBudget, progress: Progress
) -> tuple[DecodedPhoto, Loaded] | Result:
    """The photo's pixels, or its result where it needs none.

    Raises:
        Transient: the store is out of reach, whatever the photo.
    """
    settings = parts.settings
    progress([photo.id], at_store=True)
    try:
        data = read_photo(
            Stored(photo.id, photo.in_place_path, photo.sha256),
            parts.store,
            owner=held.owner,
            job_id=held.job_id,
            max_bytes=settings.max_photo_bytes,
            in_place=InPlace(settings, parts.store.folder),
        )
    except Unreadable as error:
        return Failed(photo.id, PhotoError.of(error.code, "read", error.message))
    except Transient as error:
        if error.code == Code.STORE_UNAVAILABLE:
            parts.store.ping()
        if photo.in_place_path is not None and (root := _folder_away(parts, held, photo.in_place_path)):
            if parts.folders.may_be_read:
                parts.folders.away(root)
            return Away(photo.id, error.message)
        return NotRead(photo.id, error.message)
    sha256 = hashlib.sha256(data).hexdigest()
    if photo.in_place_path is not None:
        parts.folders.back()
    if held.options.reuse and (earlier := _earlier(parts, held, photo, sha256, len(data))):
        return earlier
    taken = kept = 0

    def admit(pixels: int) -> None:
        nonlocal taken
        progress()
        budget.take(pixels)
        taken += pixels
        progress([photo.id])

    progress([photo.id])
    try:
        # Not before a photo is decoded: what it stands on takes its time to be imported.
        from worker.pipeline.decoding.decode import thumbnail

        decoded = replace(parts.pipeline.decode(data, held.options.analysis(), admit), id=photo.id)
        picture = thumbnail(decoded, held.options.preview_px)
        progress([photo.id], at_store=True)
        _keep_thumbnail(parts, held, photo, picture)
        # The photo at its full size is gone by now.
        kept = decoded.pixels.shape[0] * decoded.pixels.shape[1]
        return decoded, Loaded(photo.id, sha256, len(data), kept)
    except Unreadable as error:
        failure = PhotoError.of(error.code, "decode", error.message)
    except Exception as error:
        failure = photo_error("decode", error, job=held.job_id, photo=photo.id)
    finally:
        budget.give_back(taken - kept)
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
                extent = extent_of(session, held.job_id)
        except Transient:
            return None
        # Of few jobs at a time; none is worth remembering for long.
        if len(extents) >= REMEMBERED_JOBS:
            extents.clear()
        extents[held.job_id] = extent
    extent = extents[held.job_id]
    return extent.root if is_away(path_of_text(text), extent) else None


def _earlier(
    parts: Parts, held: Claim, photo: ClaimedPhoto, sha256: str, size_bytes: int
) -> Succeeded | None:
    manifest = parts.pipeline.manifest
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
    if held.options.preview_px > PREVIEW_PX and not _is_as_large(picture, held, earlier.analysis):
        # There is no other way to a larger one.
        return None
    if picture is not None:
        _keep_thumbnail(parts, held, photo, picture)
    return Succeeded(photo.id, sha256, size_bytes, earlier.analysis, reused_from=earlier.photo_id)


def _is_as_large(picture: bytes | None, held: Claim, analysis: Analysis) -> bool:
    """Whether a thumbnail that is there is what this job wants; only its head is read."""
    if picture is None:
        return False
    from PIL import Image

    wanted = min(held.options.preview_px, round(max(analysis.width, analysis.height) * analysis.scale))
    with Image.open(io.BytesIO(picture)) as image:
        # Rounded to pixels, here and there.
        return max(image.size) >= wanted - 1


def _keep_thumbnail(parts: Parts, held: Claim, photo: ClaimedPhoto, picture: bytes) -> None:
    """A thumbnail is a convenience: its loss is logged and fails nothing."""
    try:
        parts.store.put(thumbnail_key(held.owner, held.job_id, photo.id), picture)
    except Transient as error:
        log.warning("no thumbnail", extra={**ids_of(held), "photo": photo.id, "reason": error.message})
