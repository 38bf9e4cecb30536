"""Opening a job, adding photos to it, submitting it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    String,
    bindparam,
    cast,
    func,
    insert,
    null,
    select,
    union_all,
)

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, InvalidInput
from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from nightshift.words.photo_names import (
    CUSTOM_ID_BYTES,
    CUSTOM_ID_LIMIT,
    beginning_of,
    folded,
    in_order,
    is_too_long,
)
from nightshift.words.states import JobState, PhotoStatus
from shared.bundles.manifest import Manifest
from shared.db.engine import Transaction
from shared.db.tables import PHOTOS, Job, Photo
from shared.queue import audit, holdings, outbox
from shared.queue.jobs import owned_job
from shared.queue.moves import try_move
from shared.settings import Settings

KEPT_OPEN_STEP = timedelta(minutes=10)

# Put together once: every photo that is uploaded asks.
_NEXT_ORDINAL = select(func.max(Photo.ordinal) + 1).where(Photo.job_id == bindparam("of_job"))
# One statement for both: the names that are taken, and a row without a name for the next ordinal.
_NO_TEXT = cast(null(), String)
_TAKEN_AND_NEXT: CompoundSelect[str | None, str | None, str | None, int | None] = union_all(
    select(Photo.custom_id, Photo.in_place_path, Photo.sha256, cast(null(), BigInteger)).where(
        Photo.job_id == bindparam("of_job"), Photo.custom_id.in_(bindparam("names", expanding=True))
    ),
    select(_NO_TEXT, _NO_TEXT, _NO_TEXT, func.max(Photo.ordinal) + 1).where(
        Photo.job_id == bindparam("of_job")
    ),
)
_INSERT = insert(PHOTOS)


@dataclass(frozen=True, slots=True)
class NewPhoto:
    """A photo to be added.

    Attributes:
        custom_id: the client's name for it, unique in the job.
        id: made beforehand, since an upload's bytes are stored under it before the row is.
        in_place_path: of a file of this machine, absolute and with no link in it, by `path_as_text`; None for
            an upload.
        sha256: hex, None until a worker has read the file.
        size_bytes: likewise.
        error: why it failed on its way in, None when it is to be analysed.
        root: what was given to find it by, as text; None when that is not said.
        place: where it is listed, from 0; None for behind those that came before.
    """

    custom_id: str
    id: str
    in_place_path: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    error: PhotoError | None = None
    root: str | None = None
    place: int | None = None


def check_custom_id(custom_id: str) -> None:
    """Refuse a name that could not be shown or stored.

    Raises:
        InvalidInput: `bad_custom_id`.
    """
    if not custom_id or is_too_long(custom_id):
        most = f"1 to {CUSTOM_ID_LIMIT} characters, and {CUSTOM_ID_BYTES:,} bytes of UTF-8 at most"
        raise InvalidInput(Code.BAD_CUSTOM_ID, f"custom_id must have {most}")
    if "\x00" in custom_id or any("\ud800" <= character <= "\udfff" for character in custom_id):
        raise InvalidInput(Code.BAD_CUSTOM_ID, "custom_id holds a NUL or half a surrogate pair")


def open_job(
    session: Transaction,
    owner: str,
    wish: NewJob,
    bundle: Manifest,
    *,
    open_until: datetime | None = None,
    job_id: str | None = None,
    traceparent: str | None = None,
) -> Job:
    """Make an open job without photos.

    Args:
        session: a write transaction.
        owner: whose it is.
        wish: every option decided.
        bundle: weights it is opened for.
        open_until: when it expires, if nobody adds to it.
        job_id: when bytes are stored under it already.
        traceparent: of the request that makes it.

    Raises:
        InvalidInput: `invalid_fields`, its deadline has passed by the database's clock.
        Conflict: `webhook_secret_missing`, it wishes for webhooks.
    """
    options = wish.options
    outbox.require_secret(session, owner, (each.url for each in wish.notify or ()))
    job = Job(
        id=job_id or new_id("job"),
        owner=owner,
        state=JobState.OPEN,
        options=options.model_dump(),
        options_fingerprint=options.analysis().fingerprint(bundle.reading),
        delete_originals=options.delete_originals,
        client_metadata=wish.metadata,
        bundle_name=bundle.name,
        bundle_sha256=bundle.sha256,
        created_at=session.now,
        open_until=open_until,
        traceparent=traceparent,
        deadline=wish.deadline_from(session.now) if wish.deadline else None,
        **wish.model_dump(exclude={"options", "metadata", "deadline"}),
    )
    session.add(job)
    audit.note(session, "open", owner, job.id)
    session.flush()
    return job


def add_photos(
    session: Transaction,
    owner: str,
    job_id: str,
    photos: Sequence[NewPhoto],
    open_until: datetime | None = None,
    quota: Settings | None = None,
) -> int:
    """Add photos to an open job; one that is there already, with equal bytes or path, is left as it is.

    Whoever adds still needs the job: it stays open until `open_until`.

    Returns:
        How many were new.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `job_sealed` when the job is no longer open; `custom_id_taken` when the name
            stands for other bytes or another path; `quota_exceeded`. Nothing is added then.
        InvalidInput: `bad_custom_id`.
    """
    job = owned_job(session, owner, job_id, lock=True)
    if job.state != JobState.OPEN:
        raise Conflict(
            Code.JOB_SEALED, f"job {job_id} takes no more photos: it is {job.state}", state=job.state
        )
    known, first = _taken_and_next(session, job_id, [photo.custom_id for photo in photos])
    rows = []
    for photo in photos:
        check_custom_id(photo.custom_id)
        if photo.custom_id not in known:
            known[photo.custom_id] = _identity(photo)
            rows.append(photo)
        elif known[photo.custom_id] != _identity(photo):
            raise Conflict(
                Code.CUSTOM_ID_TAKEN, f"custom_id {photo.custom_id!r} stands for another photo of this job"
            )
    _insert(session, job, rows, first, quota)
    # Not with every photo: that would write the job's row as often as photos'.
    if open_until and (job.open_until is None or open_until - job.open_until > KEPT_OPEN_STEP):
        job.open_until = open_until
    return len(rows)


def add_arrived(
    session: Transaction, job: Job, photos: Sequence[NewPhoto], quota: Settings | None = None
) -> list[NewPhoto]:
    """Add photos that arrived together; where names clash, none is lost.

    The same bytes under the same name are one photo. Other bytes under a name that is taken get a row
    of their own, failed as `duplicate_custom_id`, under the name with `~` and its ordinal.

    Args:
        session: a write transaction that has locked the job.
        job: open or unpacking.
        photos: with storable names.
        quota: the settings, which say what the owner may hold; None where it has been seen to.

    Returns:
        Those that were there already, whose bytes are not needed.

    Raises:
        Conflict: `quota_exceeded`; nothing is added then.
    """
    known, first = _taken_and_next(session, job.id, [photo.custom_id for photo in photos])
    rows: list[NewPhoto] = []
    repeated = []
    for photo in photos:
        if photo.custom_id in known:
            if photo.error is None and known[photo.custom_id] == _identity(photo):
                repeated.append(photo)
                continue
            message = f"another photo of this job has the name {photo.custom_id!r}"
            name = f"{beginning_of(photo.custom_id, room=20)}~{first + len(rows)}"
            error = photo.error or PhotoError.of(Code.DUPLICATE_CUSTOM_ID, "read", message)
            # Clients may name photos like this, too.
            while name in known or _taken_and_next(session, job.id, [name])[0]:
                name += "~"
            photo = replace(photo, custom_id=name, error=error)
        known[photo.custom_id] = _identity(photo)
        rows.append(photo)
    _insert(session, job, rows, first, quota)
    return repeated


def _identity(photo: NewPhoto) -> tuple[str | None, str | None]:
    """What a name stands for: (path, None) in place, (None, sha256) uploaded."""
    return (photo.in_place_path, photo.sha256 if photo.in_place_path is None else None)


def next_ordinal(session: Transaction, job_id: str) -> int:
    """The ordinal of the photo that is added next: how many there are."""
    return session.scalar(_NEXT_ORDINAL, {"of_job": job_id}) or 0


def _insert(
    session: Transaction, job: Job, photos: Sequence[NewPhoto], first: int, quota: Settings | None
) -> None:
    if photos:
        session.execute(_INSERT, [_row(session, job, photo, first + n) for n, photo in enumerate(photos)])
        size_bytes = sum(photo.size_bytes or 0 for photo in photos if photo.in_place_path is None)
        holdings.add(session, job.owner, photos=len(photos), size_bytes=size_bytes, quota=quota)


def _taken_and_next(
    session: Transaction, job_id: str, custom_ids: Sequence[str]
) -> tuple[dict[str, tuple[str | None, str | None]], int]:
    """What the given names stand for already, as `_identity` says it, and the ordinal of the next photo."""
    known: dict[str, tuple[str | None, str | None]] = {}
    following = 0
    # SQLite takes at most 32,766 parameters a statement.
    for start in range(0, len(custom_ids), 5000):
        names = custom_ids[start : start + 5000]
        rows = session.execute(_TAKEN_AND_NEXT, {"of_job": job_id, "names": names})
        for custom_id, path, sha256, ordinal in rows:
            if custom_id is None:
                following = ordinal or 0
            else:
                known[custom_id] = (path, sha256 if path is None else None)
    return known, following


def _row(session: Transaction, job: Job, photo: NewPhoto, ordinal: int) -> dict[str, Any]:
    return {
        **asdict(photo),
        "folded_name": folded(photo.custom_id),
        "name_order": in_order(photo.custom_id),
        "job_id": job.id,
        "owner": job.owner,
        "ordinal": ordinal,
        "place": ordinal if photo.place is None else photo.place,
        "status": PhotoStatus.FAILED if photo.error else PhotoStatus.QUEUED,
        "finished_at": session.now if photo.error else None,
    }


def submit(session: Transaction, owner: str, job_id: str) -> int:
    """Seal an open job and queue its photos; again is no error.

    Returns:
        Photos that now wait; 0 when it had been submitted before.

    Raises:
        NotFound: `job_not_found`.
        InvalidInput: `empty_job`.
        Conflict: `illegal_move`, when it was cancelled or expired before it was submitted.
    """
    job = owned_job(session, owner, job_id, lock=True)
    if job.state in (JobState.CANCELLING, JobState.ENDED) and job.submitted_at is None:
        raise Conflict(Code.ILLEGAL_MOVE, f"cannot submit job {job_id}: it is {job.state}", state=job.state)
    if job.state != JobState.OPEN:
        return 0
    waiting = session.scalar(select(func.count()).select_from(Photo).where(Photo.job_id == job_id)) or 0
    if not waiting:
        raise InvalidInput(Code.EMPTY_JOB, f"job {job_id} has no photos")
    try_move(session, job_id, "submit", submitted_at=session.now)
    return waiting
