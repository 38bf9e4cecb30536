"""Use cases of filling a job: open it, put a photo, register photos in place, submit."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import func, select

from api.body import PhotoBody
from api.context import OWNER, Context
from api.parameters import Added, InPlacePhoto, NewJob
from shared.db.models import Photo
from shared.doorbell import rings_for
from shared.errors import Conflict, NightshiftError, Transient
from shared.ids import new_id
from shared.queue import intake
from shared.queue.jobs import owned_job
from shared.reads import views
from shared.reads.photos import photo_by_custom_id
from shared.states import JobState
from shared.store import photo_key

log = logging.getLogger("nightshift.api")


def open_job(to: Context, wanted: NewJob) -> str:
    """Open a job; returns its id."""
    options = to.settings.default_job_options().model_copy(update=wanted.chosen_options())
    with to.database.write() as session:
        job = intake.open_job(
            session,
            owner=OWNER,
            options=options,
            bundle=to.bundle,
            label=wanted.label,
            metadata=wanted.metadata,
            priority=wanted.priority,
        )
        return job.id


def put_photo(to: Context, job_id: str, custom_id: str, body: PhotoBody) -> tuple[views.Photo, bool]:
    """Store a photo's bytes, then add its row; no transaction is open while bytes move.

    Returns:
        The photo, and whether it is new.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `job_sealed`, `custom_id_taken`.
        InvalidInput: `bad_custom_id`, or what `PhotoBody` raises.
    """
    intake.check_custom_id(custom_id)
    with to.database.read() as session:
        state = owned_job(session, OWNER, job_id).state
    if state != JobState.OPEN:
        raise Conflict("job_sealed", f"job {job_id} takes no more photos: it is {state}", state=state)
    photo_id = new_id("pho")
    key = photo_key(OWNER, job_id, photo_id)
    to.store.put(key, body)
    new = intake.NewPhoto(custom_id, photo_id, sha256=body.sha256, size_bytes=body.size_bytes)
    try:
        with to.database.write() as session:
            added = intake.add_photos(session, OWNER, job_id, [new])
            photo = photo_by_custom_id(session, job_id, custom_id)
    except NightshiftError as error:
        # A commit whose answer was lost may stand: its bytes must stay.
        if not isinstance(error, Transient):
            _discard(to, key)
        raise
    if not added:
        _discard(to, key)
    to.jobs.changed(job_id)
    return photo, bool(added)


def _discard(to: Context, key: str) -> None:
    """Delete bytes that no row speaks of; should that fail, they go when the job is erased."""
    try:
        to.store.delete(key)
    except Transient as error:
        log.warning("left behind %s: %s", key, error)


def register_in_place(to: Context, job_id: str, photos: Sequence[InPlacePhoto]) -> Added:
    """Add files of this machine to a job, all or none.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `job_sealed`, `custom_id_taken`.
        InvalidInput: `bad_custom_id`, `bad_path`.
    """
    rows = [intake.NewPhoto(photo.custom_id, new_id("pho"), photo.path) for photo in photos]
    with to.database.write() as session:
        added = intake.add_photos(session, OWNER, job_id, rows)
        total = session.scalar(select(func.count()).select_from(Photo).where(Photo.job_id == job_id))
    to.jobs.changed(job_id)
    return Added(added=added, total=total or 0)


def submit(to: Context, job_id: str) -> bool:
    """Seal a job and ring the workers; False when it had been submitted before.

    Raises:
        NotFound: `job_not_found`.
        InvalidInput: `empty_job`.
    """
    with to.database.write() as session:
        waiting = intake.submit(session, OWNER, job_id)
    to.jobs.changed(job_id)
    if waiting:
        # After the commit, and whether or not the broker is there: the sweeper rings too.
        to.doorbell.ring(rings_for(waiting, to.settings.batch_size))
    return waiting > 0
