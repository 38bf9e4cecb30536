"""Archives on their way to becoming photos: claimed, saved piece by piece, given back, like photos.

The position says how many members are dealt with. It moves in the transaction that adds their photos,
so an archive goes on where it stood, whoever takes it up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.ids import member_photo_id
from nightshift.words.options import JobOptions
from nightshift.words.pairs import PairsWish
from nightshift.words.states import JobState
from shared.db.engine import Transaction
from shared.db.tables import Archive, Job, Photo
from shared.queue import holdings
from shared.queue.intake import NewPhoto, add_arrived
from shared.queue.leases import change, hold, lapsed, let_go
from shared.queue.moves import try_move
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class HeldArchive:
    """An archive under a lease.

    Attributes:
        token: of the lease.
        job_id: the job it belongs to.
        owner: of the job.
        name: the client's name for it.
        kind: `zip`, `tar` or `tar.gz`.
        size_bytes: of its bytes.
        position: members dealt with.
        unpacked_bytes: what they had.
        left_alone: files that are no photos, counted by what they are; see `nightshift.words.what_is_taken`.
        pairs: what becomes of RAW+JPEG of one name.
        traceparent: of the request that made the job.
    """

    token: str
    job_id: str
    owner: str
    name: str
    kind: str
    size_bytes: int
    position: int
    unpacked_bytes: int
    left_alone: Mapping[str, int]
    pairs: PairsWish
    traceparent: str | None = None
    table: ClassVar[type[Archive]] = Archive

    def still_held(self) -> tuple[ColumnElement[bool], ...]:
        """See `leases.Held`."""
        return Archive.job_id == self.job_id, Archive.lease_token == self.token


def begin(
    session: Transaction,
    job: Job,
    *,
    name: str,
    kind: str,
    sha256: str,
    size_bytes: int,
    quota: Settings | None = None,
) -> None:
    """Let an open job wait for its archive to be unpacked; the archive's bytes are in the store.

    Raises:
        Conflict: `quota_exceeded`.
    """
    archive = Archive(
        job_id=job.id, name=name, kind=kind, sha256=sha256, size_bytes=size_bytes, left_alone={}
    )
    session.add(archive)
    session.flush()
    try_move(session, job.id, "unpack", submitted_at=session.now)
    holdings.add(session, job.owner, size_bytes=size_bytes, quota=quota)


def claim_archive(session: Transaction, settings: Settings, *, worker: str) -> HeldArchive | None:
    """Take the archive that is next, None when none waits."""
    row = session.execute(
        _waiting()
        .order_by(Job.priority.desc(), Job.created_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Archive)
    ).first()
    if row is None:
        return None
    archive, owner, options, traceparent = row
    archive.worker = worker
    token = hold(session, settings, archive)
    session.flush()
    names = ("job_id", "name", "kind", "size_bytes", "position", "unpacked_bytes", "left_alone")
    fields = {name: getattr(archive, name) for name in names}
    pairs = options.get("pairs", JobOptions().pairs)
    return HeldArchive(token=token, owner=owner, pairs=pairs, traceparent=traceparent, **fields)


def count_archives(session: Session) -> int:
    """Archives that a claim could take now."""
    return session.scalar(select(func.count()).select_from(_waiting().subquery())) or 0


def _waiting() -> Select[Archive, str, dict[str, Any], str | None]:
    return (
        select(Archive, Job.owner, Job.options, Job.traceparent)
        .join(Job, Job.id == Archive.job_id)
        .where(Job.state == JobState.UNPACKING, Archive.unpacked_at.is_(None), Archive.lease_token.is_(None))
    )


def put_off_archive(session: Transaction, held: HeldArchive, seconds: float) -> None:
    """Leave it to the sweeper to free it then: the store is away, which is nobody's crash."""
    change(session, held, worker=None, lease_expires_at=session.now + timedelta(seconds=seconds))


def let_lapse(session: Transaction, held: HeldArchive) -> None:
    """Leave it to the sweeper, as a crash: unpacking broke in a way nobody foresaw."""
    # Not under the worker's own name: it lives, and would give it back as a claim not heard of.
    change(session, held, worker="broken", lease_expires_at=session.now)


def save_members(
    session: Transaction,
    held: HeldArchive,
    photos: Sequence[NewPhoto],
    *,
    position: int,
    unpacked_bytes: int,
    left_alone: Mapping[str, int],
    done: bool,
) -> list[NewPhoto] | None:
    """Add the photos of a piece and move the position; with `done`, queue the job.

    Returns:
        Photos that the job had already, whose bytes are not needed; None when the lease is lost or
        the job is no longer unpacking, and nothing was saved.
    """
    job = session.scalar(select(Job).where(Job.id == held.job_id).with_for_update())
    if job is None or job.state != JobState.UNPACKING:
        return None
    values = {"position": position, "unpacked_bytes": unpacked_bytes, "left_alone": dict(left_alone)}
    # Getting on clears the record: what killed a worker was left behind.
    if not change(session, held, crashes=0, **values):
        return None
    repeated = add_arrived(session, job, photos)
    if done:
        _end(session, job, held.name)
    return repeated


def return_lapsed_archives(
    session: Transaction, settings: Settings, is_dead: Callable[[str], bool], *, by_time: bool = True
) -> list[str]:
    """Free archives whose worker is gone; one that killed `max_crashes` workers at one place is given up.

    What was unpacked until then stays, and is analysed.

    Returns:
        Ids of their jobs.
    """
    archives = session.scalars(
        select(Archive)
        .where(*lapsed(session, Archive, is_dead, by_time=by_time))
        .with_for_update(skip_locked=True)
    ).all()
    for archive in archives:
        archive.crashes += archive.worker is not None
        let_go(archive)
        job = session.scalar(select(Job).where(Job.id == archive.job_id).with_for_update())
        if job is None or job.state != JobState.UNPACKING or archive.crashes < settings.max_crashes:
            continue
        message = (
            f"its worker died {archive.crashes} times while it unpacked this archive after member"
            f" {archive.position}; what follows was not unpacked"
        )
        _add_failure(session, job, archive, PhotoError.of(Code.WORKER_LOST, "queue", message))
        _end(session, job, archive.name)
    session.flush()
    return [archive.job_id for archive in archives]


def _end(session: Transaction, job: Job, name: str) -> None:
    archive = session.get_one(Archive, job.id)
    if session.scalar(select(Photo.id).where(Photo.job_id == job.id).limit(1)) is None:
        error = PhotoError.of(Code.UNSUPPORTED_FORMAT, "read", f"the archive {name!r} holds no photos")
        _add_failure(session, job, archive, error)
    archive.unpacked_at = session.now
    let_go(archive)
    session.flush()
    try_move(session, job.id, "submit")
    holdings.remove(session, job.owner, size_bytes=archive.size_bytes)


def _add_failure(session: Transaction, job: Job, archive: Archive, error: PhotoError) -> None:
    """A row that speaks for what could not be unpacked, under the archive's own name."""
    photo = NewPhoto(archive.name, member_photo_id(job.id, archive.position), error=error)
    add_arrived(session, job, [photo])
