"""Letting go of what is held without a result: back to the queue, or failed where it is to blame."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, update

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from shared.db.engine import Transaction
from shared.db.tables import RUNNING, Archive, Photo
from shared.queue.attempts import RETURNED, End, HeldPhoto, crashed, end, not_read, under_lease
from shared.queue.claim import Claim
from shared.queue.leases import FREE, Held, change
from shared.settings import Settings


def give_back(session: Transaction, held: Held) -> int:
    """Let others have what the lease still holds, photos with their attempt; returns how many rows."""
    return _return(session, *held.still_held()) if held.table is Photo else change(session, held, **FREE)


def give_back_unheard(session: Transaction, worker: str) -> int:
    """Let others have all that a worker holds that has nothing in hand; returns how many photos.

    A connection that breaks during a commit leaves open whether there was one. So a worker may hold a
    lease that it never heard of; nobody's crash, and found here before it runs out.
    """
    returned = _return(session, Photo.status == RUNNING, Photo.worker == worker)
    session.execute(
        update(Archive).where(Archive.worker == worker, Archive.lease_token.is_not(None)).values(**FREE)
    )
    return returned


def _return(session: Transaction, *which: ColumnElement[bool]) -> int:
    photos = under_lease(session, *which)
    end(session, [(photo, RETURNED) for photo in photos])
    return len(photos)


def release_hung(
    session: Transaction, settings: Settings, held: Claim, at: Collection[str], *, at_store: bool = False
) -> list[str]:
    """End a batch that gets nowhere, and give what is not to blame back as if nothing had been.

    A single photo fails as `timeout`; of several, each goes back as a suspect, to be taken alone. Where the
    store is waited for, they go back a set number of times, as after any read that failed.

    Args:
        session: a write transaction.
        settings: of the service.
        held: the claim.
        at: ids of the photos it is at; empty where it is at none in particular, and all are suspects.
        at_store: whether it waits for the store, or a disk, and not for the photo.

    Returns:
        The error code of each photo that failed.
    """
    suspects = at or [photo.id for photo in held.photos]
    silence = f"no sign of progress with it in {settings.stall_s:.0f} s"

    def fate(photo: HeldPhoto) -> End:
        if photo.id not in suspects:
            return RETURNED
        if at_store:
            return not_read(photo, f"{silence} of reading it", settings.max_read_errors)
        if len(suspects) > 1:
            return crashed(photo, ending="hung")
        message = f"{silence} (NIGHTSHIFT_PHOTO_TIMEOUT_S)"
        return End("hung", PhotoError.of(Code.TIMEOUT, "queue", message))

    ends = [(photo, fate(photo)) for photo in under_lease(session, *held.still_held())]
    end(session, ends)
    return [ended.error.code for _, ended in ends if ended.error]


def release_broken(session: Transaction, held: Claim) -> list[str]:
    """End a batch that broke in a way nobody foresaw.

    A single photo fails as `internal`; several go back as suspects, to be taken alone.

    Returns:
        The error code of each photo that failed.
    """
    photos = under_lease(session, *held.still_held())
    if len(held.photos) > 1:
        end(session, [(photo, crashed(photo)) for photo in photos])
        return []
    message = "the analysis broke; the worker's log says where"
    error = PhotoError.of(Code.INTERNAL, "queue", message)
    end(session, [(photo, End("failed", error)) for photo in photos])
    return ["internal"] * len(photos)
