"""Unpacks an archive, member by member; what is done is committed every few seconds."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import cast

from sqlalchemy import select

from nightshift.words.analysis import PhotoError
from nightshift.words.archive_kinds import ArchiveKind
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, InvalidInput, Transient, Unreadable
from nightshift.words.ids import member_photo_id
from nightshift.words.states import JobState
from nightshift.words.what_is_taken import counted_as
from shared.archives.member import CHUNK_BYTES, ArchiveBroken, Limits, Member
from shared.archives.opening import open_archive
from shared.db.tables import Job, Photo
from shared.files.no_pictures import clear_erased
from shared.files.store import archive_key, job_prefix, photo_key
from shared.queue import holdings
from shared.queue.intake import NewPhoto
from shared.queue.unpacking import HeldArchive
from worker.heartbeat import Heartbeat, LeaseLost, Stopped
from worker.logged import ids_of
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
    if not parts.queue.archives() or (held := parts.queue.claim_archive(worker=parts.worker)) is None:
        return False
    # Whoever had it before may have been killed in the middle of a photo.
    parts.store.drop_unfinished(job_prefix(held.owner, held.job_id))
    ids = ids_of(held)
    log.info("unpacking", extra={**ids, "from_member": held.position, "worker": parts.worker})
    try:
        with Heartbeat(parts, held) as heartbeat:
            ended = _Unpacking(parts, held).run(until_s, heartbeat.progress)
    except LeaseLost:
        log.warning("lost archive", extra=ids)
        clear_erased(parts.database, parts.store, held.owner, held.job_id)
    except (Transient, OSError) as error:
        # OSError: no room for a large member's copy, say.
        log.warning("put off", extra={**ids, "reason": str(error)})
        parts.queue.put_off_archive(held, STORE_PAUSE_S)
    except Exception:
        log.exception("unpacking broke", extra=ids)
        parts.queue.let_lapse(held)
    else:
        if ended:
            _after(parts, held)
    return True


def _after(parts: Parts, held: HeldArchive) -> None:
    """The archive is not needed any more, and its photos wait for everybody."""
    parts.store.delete(archive_key(held.owner, held.job_id))
    # All of them may have failed on their way in.
    parts.queue.finish(held.job_id)
    parts.doorbell.ring(parts.queue.rings_wanted())


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
        self._owner_holds = parts.queue.held_by(held.owner)

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
                        self._parts.queue.give_back(self._held)
                        return False
        except Stopped:
            self._save(done=False)
            self._parts.queue.give_back(self._held)
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
            opened = open_archive(file, cast(ArchiveKind, held.kind), self._limits, progress, held.pairs)
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
        # What the owner may not hold is left out before it is read, and before it is stored.
        holdings.check(self._parts.settings, self._owner_holds.plus(1, 0))
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
            holdings.check(self._parts.settings, self._owner_holds.plus(1, size_bytes))
            file.seek(0)
            key = photo_key(self._held.owner, self._held.job_id, photo_id)
            self._parts.store.put(key, iter(lambda: file.read(CHUNK_BYTES), b""))
        self._unpacked_bytes += size_bytes
        self._owner_holds = self._owner_holds.plus(1, size_bytes)
        return NewPhoto(member.name, photo_id, sha256=digest.hexdigest(), size_bytes=size_bytes)

    def _failure(self, error: ArchiveBroken | Conflict | InvalidInput | Unreadable) -> NewPhoto:
        """A row that speaks, under the archive's name, for the members that could not be reached."""
        if isinstance(error, ArchiveBroken):
            message = f"the archive is damaged after member {self._position}, what follows is lost: {error}"
        else:
            message = f"{error.message}; what follows member {self._position} is left out"
        photo_id = member_photo_id(self._held.job_id, self._position)
        self._position += 1
        failure = PhotoError.of(error.code, "read", message, retryable=False)
        return NewPhoto(self._held.name, photo_id, error=failure)

    def _save(self, *, done: bool) -> None:
        got_to = {"position": self._position, "unpacked_bytes": self._unpacked_bytes}
        repeated = self._parts.queue.save_members(
            self._held, self._piece, **got_to, left_alone=self._left_alone, done=done
        )
        if repeated is None:
            self._drop_piece()
            raise LeaseLost
        for photo in repeated:
            self._parts.store.delete(photo_key(self._held.owner, self._held.job_id, photo.id))
        fields = {"photos": len(self._piece), "to_member": self._position}
        log.info("unpacked", extra={**ids_of(self._held), **fields})
        self._piece = []
        self._owner_holds = self._parts.queue.held_by(self._held.owner)

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
        queue = self._parts.queue
        return queue.claimable(at_most=1) > 0 if turn_is_over else queue.new_job_waits()
