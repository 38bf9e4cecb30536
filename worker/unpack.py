"""Unpacks an archive, member by member; what is done is committed every few seconds."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from nightshift.words.analysis import PhotoError
from nightshift.words.archive_kinds import ArchiveKind
from nightshift.words.clock import utc_now
from nightshift.words.error_codes import Code
from nightshift.words.errors import AnyCode, Conflict, InvalidInput, Transient, Unreadable
from nightshift.words.ids import member_photo_id
from nightshift.words.states import JobState
from nightshift.words.what_is_taken import counted_as
from shared.archives.member import CHUNK_BYTES, ArchiveBroken, Limits, Member
from shared.archives.opening import open_archive
from shared.broker.doorbell import MOST_RINGS, rings_for
from shared.db.engine import database_now
from shared.db.tables import Job, Photo
from shared.files.store import archive_key, job_prefix, photo_key
from shared.queue.finish import finish_if_done
from shared.queue.holdings import Held, Quota, held_by
from shared.queue.intake import NewPhoto
from shared.queue.turns import count_claimable, new_job_waits
from shared.queue.unpacking import (
    HeldArchive,
    claim_archive,
    count_archives,
    give_back_archive,
    let_lapse,
    put_off_archive,
    renew_archive,
    save_members,
)
from worker.erased import clear_if_erased
from worker.heartbeat import Heartbeat, LeaseLost, Stall, Stopped
from worker.parts import Parts

PIECE_MEMBERS = 200
PIECE_S = 3.0
"""Members, or seconds, after which what is unpacked is committed."""

UNPACK_TURN_S = 15.0
"""Seconds after which unpacking lets photos that wait have a turn as long."""

STORE_PAUSE_S = 30.0
IN_MEMORY_BYTES = 16 * 1024 * 1024
"""A larger member lies on the disk, without a name, while it is copied."""

log = logging.getLogger(__name__)


def unpack_next(parts: Parts, until_s: float) -> bool:
    """Unpack the archive that is next, or go on with it until about `until_s` on the monotonic clock.

    Returns:
        False when no archive waits.
    """
    with parts.database.read() as session:
        if not count_archives(session):
            return False
    lease_s = parts.settings.lease_s
    with parts.database.write() as session:
        held = claim_archive(session, worker=parts.worker, lease_s=lease_s, now=database_now(session))
    if held is None:
        return False
    # Whoever had it before may have been killed in the middle of a photo.
    parts.store.drop_unfinished(job_prefix(held.owner, held.job_id))
    log.info(
        "unpacking",
        extra={
            "job": held.job_id,
            "lease": held.token,
            "from_member": held.position,
            "worker": parts.worker,
        },
    )
    try:
        with Heartbeat(
            parts, partial(_renew, lease_s, held), partial(_let_go, held), held.token
        ) as heartbeat:
            ended = _Unpacking(parts, held).run(until_s, heartbeat.progress)
    except LeaseLost:
        log.warning("lost archive", extra={"job": held.job_id, "lease": held.token})
        clear_if_erased(parts, held.owner, held.job_id)
    except (Transient, OSError) as error:
        # OSError: no room for a large member's copy, say.
        fields = {"job": held.job_id, "lease": held.token, "reason": str(error)}
        log.warning("put off", extra=fields)
        with parts.database.write() as session:
            put_off_archive(session, held, until=database_now(session) + timedelta(seconds=STORE_PAUSE_S))
    except Exception:
        log.exception("unpacking broke", extra={"job": held.job_id, "lease": held.token})
        with parts.database.write() as session:
            let_lapse(session, held, database_now(session))
    else:
        if ended:
            _after(parts, held)
    return True


def _renew(lease_s: float, held: HeldArchive, session: Session) -> int:
    return renew_archive(session, held, lease_s=lease_s, now=database_now(session))


def _let_go(held: HeldArchive, session: Session, stall: Stall) -> None:
    """Only for a stop: what hangs keeps its lease, and the sweeper counts a crash at this member."""
    if stall.stopping:
        give_back_archive(session, held)


def _after(parts: Parts, held: HeldArchive) -> None:
    """The archive is not needed any more, and its photos wait for everybody."""
    parts.store.delete(archive_key(held.owner, held.job_id))
    with parts.database.write() as session:
        # All of them may have failed on their way in.
        finish_if_done(
            session, held.job_id, results_ttl_days=parts.settings.results_ttl_days, now=database_now(session)
        )
        waiting = count_claimable(session, utc_now(), MOST_RINGS * parts.settings.batch_size)
    parts.doorbell.ring(rings_for(waiting, parts.settings.batch_size))


class _Unpacking:
    """One turn at one archive."""

    def __init__(self, parts: Parts, held: HeldArchive) -> None:
        self._parts = parts
        self._held = held
        self._limits = Limits.of(parts.settings)
        self._position = held.position
        self._unpacked_bytes = held.unpacked_bytes
        self._left_alone = Counter(held.left_alone)
        self._piece: list[NewPhoto] = []
        self._quota = Quota.of(parts.settings)
        self._owner_holds = self._look_at_holdings()

    def run(self, until_s: float, progress: Callable[[], None]) -> bool:
        """Unpack; True when the archive is at its end, False when the time was, or others have a turn."""
        save_at_s = time.monotonic() + PIECE_S
        turn_over_s: float | None = None
        try:
            for member in self._members(progress):
                progress()
                self._take(member, progress)
                if turn_over_s is None:
                    # To pass over what was unpacked before may take longer than a turn.
                    turn_over_s = time.monotonic() + UNPACK_TURN_S
                if time.monotonic() >= save_at_s or len(self._piece) >= PIECE_MEMBERS:
                    self._save(done=False)
                    save_at_s = time.monotonic() + PIECE_S
                    if save_at_s >= until_s or self._others_wait(turn_is_over=save_at_s >= turn_over_s):
                        self._give_back()
                        return False
        except Stopped:
            self._save(done=False)
            self._give_back()
            return False
        except (ArchiveBroken, Conflict, InvalidInput, Unreadable) as error:
            self._piece.append(self._failure(error))
        self._save(done=True)
        return True

    def _members(self, progress: Callable[[], None]) -> Iterator[Member]:
        held = self._held
        try:
            file = self._parts.store.reader(archive_key(held.owner, held.job_id))
        except FileNotFoundError as error:
            raise Unreadable(Code.FILE_UNAVAILABLE, "the store has no bytes of this archive") from error
        with file:
            opened = open_archive(file, cast(ArchiveKind, held.kind), self._limits, progress)
            yield from opened.members(held.position)

    def _take(self, member: Member, progress: Callable[[], None]) -> None:
        if not member.left_alone:
            self._piece.append(self._photo_of(member, progress))
        elif member.other_kind:
            counted_as(self._left_alone, member.other_kind)
        self._position = member.position + 1

    def _photo_of(self, member: Member, progress: Callable[[], None]) -> NewPhoto:
        photo_id = member_photo_id(self._held.job_id, member.position)
        if member.error is not None:
            return NewPhoto(member.name, photo_id, error=member.error)
        self._require_quota(photos=1)
        digest, size_bytes = hashlib.sha256(), 0
        # On its own first: the store cannot be written to from within a read of it.
        with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as file:
            try:
                for chunk in member.chunks():
                    progress()
                    digest.update(chunk)
                    size_bytes += file.write(chunk)
            except Unreadable as error:
                return NewPhoto(member.name, photo_id, error=PhotoError.of(error.code, "read", error.message))
            self._require_quota(photos=1, size_bytes=size_bytes)
            file.seek(0)
            key = photo_key(self._held.owner, self._held.job_id, photo_id)
            self._parts.store.put(key, iter(lambda: file.read(CHUNK_BYTES), b""))
        self._unpacked_bytes += size_bytes
        held = self._owner_holds
        self._owner_holds = Held(held.photos + 1, held.size_bytes + size_bytes)
        return NewPhoto(member.name, photo_id, sha256=digest.hexdigest(), size_bytes=size_bytes)

    def _look_at_holdings(self) -> Held:
        with self._parts.database.read() as session:
            return held_by(session, self._held.owner)

    def _require_quota(self, *, photos: int, size_bytes: int = 0) -> None:
        """What the owner may not hold is left out before it is stored."""
        held = self._owner_holds
        self._quota.check(Held(held.photos + photos, held.size_bytes + size_bytes))

    def _failure(self, error: ArchiveBroken | Conflict | InvalidInput | Unreadable) -> NewPhoto:
        """A row that speaks, under the archive's name, for the members that could not be reached."""
        if isinstance(error, ArchiveBroken):
            code: AnyCode = error.code
            message = f"the archive is damaged after member {self._position}, what follows is lost: {error}"
        else:
            code, message = error.code, f"{error.message}; what follows member {self._position} is left out"
        photo_id = member_photo_id(self._held.job_id, self._position)
        self._position += 1
        return NewPhoto(
            self._held.name, photo_id, error=PhotoError.of(code, "read", message, retryable=False)
        )

    def _save(self, *, done: bool) -> None:
        with self._parts.database.write() as session:
            repeated = save_members(
                session,
                self._held,
                self._piece,
                position=self._position,
                unpacked_bytes=self._unpacked_bytes,
                left_alone=self._left_alone,
                done=done,
                now=utc_now(),
            )
        if repeated is None:
            self._drop_piece()
            raise LeaseLost
        for photo in repeated:
            self._parts.store.delete(photo_key(self._held.owner, self._held.job_id, photo.id))
        log.info(
            "unpacked",
            extra={"job": self._held.job_id, "photos": len(self._piece), "to_member": self._position},
        )
        self._piece = []
        self._owner_holds = self._look_at_holdings()

    def _drop_piece(self) -> None:
        """Delete what was stored of a piece that nobody waits for: the job was cancelled."""
        ids = [photo.id for photo in self._piece]
        with self._parts.database.read() as session:
            job = session.get(Job, self._held.job_id)
            if job is None or job.state == JobState.UNPACKING:
                # Erased, and cleared as a whole; or another worker's to go on with, under the same ids.
                return
            known = set(session.scalars(select(Photo.id).where(Photo.id.in_(ids))))
        keys = [photo_key(self._held.owner, self._held.job_id, photo) for photo in ids if photo not in known]
        if keys:
            self._parts.store.delete(*keys)

    def _others_wait(self, *, turn_is_over: bool) -> bool:
        """A job that was never begun does not wait for the turn to be over."""
        with self._parts.database.read() as session:
            if turn_is_over:
                return count_claimable(session, utc_now(), at_most=1) > 0
            return new_job_waits(session, utc_now())

    def _give_back(self) -> None:
        with self._parts.database.write() as session:
            give_back_archive(session, self._held)
