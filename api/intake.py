"""Use cases of filling an open job: put a photo, find known ones, register photos in place, submit."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from api.body import PhotoBody
from api.context import Context
from api.sent_bodies import InPlacePhoto, KnownPhoto, NotSentPhoto
from nightshift.machine.room import require_room
from nightshift.words import documents
from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, InvalidInput, NightshiftError, Transient
from nightshift.words.ids import new_id
from nightshift.words.not_sent import failure_of
from nightshift.words.states import JobState
from shared.db.engine import Transaction
from shared.files.store import folder_of, photo_key
from shared.queue import holdings, intake
from shared.queue.jobs import owned_state
from shared.reads.known import names_in, uploads_of, uploads_with
from shared.reads.photos import photo_by_custom_id

log = logging.getLogger("nightshift.api")


def put_photo(
    service: Context,
    job_id: str,
    custom_id: str,
    body: PhotoBody,
    announced_bytes: int = 0,
    place: int | None = None,
) -> tuple[documents.Photo, bool]:
    """Store a photo's bytes, then add its row; no transaction is open while bytes move.

    An empty one becomes a photo that failed.

    Args:
        service: its parts.
        job_id: an open job.
        custom_id: the photo's name.
        body: its bytes.
        announced_bytes: how many there will be, as far as the client has said.
        place: where it is listed, from 0; None for behind those that came before.

    Returns:
        The photo, and whether it is new.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `job_sealed`, `custom_id_taken`; `quota_exceeded`, before a byte is read.
        InvalidInput: `bad_custom_id`, or what `PhotoBody` raises.
        NoRoom: `store_full`, likewise.
    """
    intake.check_custom_id(custom_id)
    with service.database.read() as session:
        _require_open(session, service.owner, job_id)
        try:
            holdings.require(session, service.owner, service.settings, photos=1, size_bytes=announced_bytes)
        except Conflict:
            # Again under its name it would not be one more.
            if custom_id not in uploads_of(session, job_id, [custom_id]):
                raise
    require_room_for(service, announced_bytes)
    photo_id = new_id("pho")
    try:
        service.store.put(photo_key(service.owner, job_id, photo_id), body)
        new = intake.NewPhoto(
            custom_id, photo_id, sha256=body.sha256, size_bytes=body.size_bytes, place=place
        )
    except InvalidInput as error:
        if error.code != Code.EMPTY_UPLOAD:
            raise
        # As in a folder, a form or an archive: a photo that failed, with its name.
        failure = PhotoError.of(Code.UNSUPPORTED_FORMAT, "read", error.message)
        new = intake.NewPhoto(custom_id, photo_id, error=failure, place=place)
    added = _add(service, job_id, [new])
    if not added:
        discard(service, job_id, photo_id)
    with service.database.read() as session:
        return photo_by_custom_id(session, job_id, custom_id), bool(added)


def require_room_for(service: Context, size_bytes: int = 0) -> None:
    """Refuse what brings bytes or rows while there still is room to erase.

    Raises:
        NoRoom: `store_full`.
    """
    require_room(folder_of(service.settings.store_url), size_bytes)
    require_room(service.database.folder)


def open_until(service: Context, session: Transaction) -> datetime:
    """When a job expires that gets a photo now and no other."""
    return session.now + timedelta(days=service.settings.open_ttl_days)


def _require_open(session: Session, owner: str, job_id: str) -> None:
    state = owned_state(session, owner, job_id)
    if state != JobState.OPEN:
        raise Conflict(Code.JOB_SEALED, f"job {job_id} takes no more photos: it is {state}", state=state)


def _add(service: Context, job_id: str, photos: Sequence[intake.NewPhoto]) -> int:
    """Add rows for bytes that are stored; what cannot be added leaves none behind."""
    try:
        added = service.queue.add_photos(service.owner, job_id, photos)
    except NightshiftError as error:
        # A commit whose answer was lost may stand: its bytes must stay.
        if not isinstance(error, Transient):
            for photo in photos:
                discard(service, job_id, photo.id)
        raise
    service.jobs.changed(job_id)
    return added


def discard(service: Context, job_id: str, photo_id: str) -> None:
    """Delete bytes that no row speaks of; should that fail, they go when the job is erased."""
    try:
        service.store.delete(photo_key(service.owner, job_id, photo_id))
    except Transient as error:
        log.warning("left behind", extra={"job": job_id, "photo": photo_id, "reason": error.message})


def take_known(service: Context, job_id: str, photos: Sequence[KnownPhoto]) -> documents.Checked:
    """Add the photos whose bytes the owner has sent before, by copying within the store.

    A name that stands for another photo keeps no other from being looked for.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `job_sealed`, `quota_exceeded`; `custom_id_taken`, of one that another request has added
            meanwhile.
        InvalidInput: `bad_custom_id`.
    """
    for photo in photos:
        intake.check_custom_id(photo.custom_id)
    with service.database.read() as session:
        _require_open(session, service.owner, job_id)
        names = [photo.custom_id for photo in photos]
        here = dict.fromkeys(names_in(session, job_id, names)) | uploads_of(session, job_id, names)
        sources = uploads_with(session, service.owner, {photo.sha256 for photo in photos})
    to_copy = [p for p in photos if p.sha256 in sources and p.custom_id not in here]
    size_bytes = sum(sources[photo.sha256].size_bytes or 0 for photo in to_copy)
    require_room_for(service, size_bytes)
    with service.database.read() as session:
        holdings.require(session, service.owner, service.settings, photos=len(to_copy), size_bytes=size_bytes)
    copied, missing, taken = [], [], []
    for photo in photos:
        if photo.custom_id in here:
            if here[photo.custom_id] != photo.sha256:
                missing.append(photo.custom_id)
                taken.append(photo.custom_id)
            continue
        photo_id = new_id("pho")
        source = sources.get(photo.sha256)
        if source and service.store.copy(
            photo_key(service.owner, *source.key), photo_key(service.owner, job_id, photo_id)
        ):
            here[photo.custom_id] = photo.sha256
            copied.append(
                intake.NewPhoto(
                    photo.custom_id,
                    photo_id,
                    sha256=photo.sha256,
                    size_bytes=source.size_bytes,
                    place=photo.place,
                )
            )
        else:
            missing.append(photo.custom_id)
    if copied:
        _add(service, job_id, copied)
    return documents.Checked(
        present=len(photos) - len(copied) - len(missing), copied=len(copied), missing=missing, taken=taken
    )


def add_not_sent(service: Context, job_id: str, photos: Sequence[NotSentPhoto]) -> documents.Added:
    """Add photos that the client cannot send as failed ones; what has such a name already stays.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `job_sealed`, `quota_exceeded`.
        InvalidInput: `bad_custom_id`.
    """
    require_room_for(service)
    with service.database.read() as session:
        _require_open(session, service.owner, job_id)
        here = names_in(session, job_id, [photo.custom_id for photo in photos])
    rows = [
        intake.NewPhoto(photo.custom_id, new_id("pho"), error=failure_of(photo.reason), place=photo.place)
        for photo in photos
        if photo.custom_id not in here
    ]
    return _count_added(service, job_id, service.queue.add_photos(service.owner, job_id, rows))


def register_in_place(service: Context, job_id: str, photos: Sequence[InPlacePhoto]) -> documents.Added:
    """Add files of this machine to a job, all or none.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `job_sealed`, `custom_id_taken`, `quota_exceeded`.
        InvalidInput: `bad_custom_id`.
    """
    require_room_for(service)
    rows = [intake.NewPhoto(photo.custom_id, new_id("pho"), photo.path, root=photo.root) for photo in photos]
    return _count_added(service, job_id, service.queue.add_photos(service.owner, job_id, rows))


def _count_added(service: Context, job_id: str, added: int) -> documents.Added:
    with service.database.read() as session:
        # Ordinals leave no gaps, and counting would read all that came before with each thousand.
        total = intake.next_ordinal(session, job_id)
    service.jobs.changed(job_id)
    return documents.Added(added=added, total=total)


def submit(service: Context, job_id: str) -> bool:
    """Seal a job and ring the workers; False when it had been submitted before.

    Raises:
        NotFound: `job_not_found`.
        InvalidInput: `empty_job`.
    """
    waiting = service.queue.submit(service.owner, job_id)
    service.jobs.changed(job_id)
    if waiting:
        # After the commit, and whether or not the broker is there: the sweeper rings too.
        service.doorbell.ring(service.queue.rings_for(waiting))
    return waiting > 0
