"""The end of an attempt at a photo: written here and nowhere else, for all photos of a batch together.

Whoever lets go of a photo, its worker or the sweeper, says how the attempt ended. What follows from that is
one rule: status, times, the lease that is gone, and the entry in the photo's history, oldest first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, bindparam, select, update

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.states import PhotoStatus
from shared.db.engine import Transaction
from shared.db.tables import PHOTOS, Photo
from shared.queue.leases import FREE

LONGEST = 20
"""Attempts that are remembered; a photo that is given back night after night does not grow for ever."""

Ending = Literal["succeeded", "failed", "crashed", "returned", "not_read", "hung"]

HeldPhoto = Row[Any]
"""Of a photo under lease, the columns that its end is decided by: all 40 would cost more than the rest."""


@dataclass(frozen=True, slots=True)
class End:
    """How an attempt ends.

    Attributes:
        ending: as the history says it; what was `returned` counts as no attempt.
        error: what the photo fails with; None when it has succeeded or goes back to the queue.
        columns: what else is written.
    """

    ending: Ending
    error: PhotoError | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> PhotoStatus:
        """Of the photo from now on."""
        if self.error is not None:
            return PhotoStatus.FAILED
        return PhotoStatus.SUCCEEDED if self.ending == "succeeded" else PhotoStatus.QUEUED


RETURNED = End("returned")
"""As if nothing had been."""

_HELD = select(
    *(Photo.id, Photo.job_id, Photo.attempts, Photo.crashes, Photo.read_errors),
    *(Photo.worker, Photo.claimed_at, Photo.history),
)
_END = update(PHOTOS).where(PHOTOS.c.id == bindparam("held_id")).values(**FREE)


def under_lease(
    session: Transaction, *which: ColumnElement[bool], skip_locked: bool = False
) -> Sequence[HeldPhoto]:
    """Photos in work, locked until the transaction ends."""
    return session.execute(_HELD.where(*which).with_for_update(skip_locked=skip_locked)).all()


def end(session: Transaction, ends: Iterable[tuple[HeldPhoto, End]]) -> None:
    """Write the ends of attempts; the number of statements does not grow with the photos."""
    # By the columns they set: those of one kind go to the database together.
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for photo, ended in ends:
        values = {**ended.columns, "status": ended.status, "history": _history(session, photo, ended)}
        if ended.ending == "returned":
            values["attempts"] = photo.attempts - 1
        if ended.error is not None:
            values["error"] = asdict(ended.error)
        if ended.status != PhotoStatus.QUEUED:
            values["finished_at"] = session.now
        alike[tuple(values)].append({"held_id": photo.id, **values})
    for rows in alike.values():
        session.execute(_END, rows)


def _history(session: Transaction, photo: HeldPhoto, ended: End) -> list[dict[str, Any]]:
    entry = {
        "attempt": photo.attempts,
        "worker": photo.worker,
        "started_at": photo.claimed_at.isoformat() if photo.claimed_at else None,
        "ended_at": session.now.isoformat(),
        "ending": ended.ending,
    }
    return [*(photo.history or []), entry][-LONGEST:]


def crashed(photo: HeldPhoto, error: PhotoError | None = None, ending: Ending = "crashed") -> End:
    """One crash more: from here on it is claimed alone."""
    return End(ending, error, {"crashes": photo.crashes + 1})


def not_read(photo: HeldPhoto, message: str, most: int) -> End:
    """One read more that failed; the photo is tried again until there were `most` of them."""
    if photo.read_errors + 1 < most:
        return End("not_read", columns={"read_errors": photo.read_errors + 1})
    return End("failed", PhotoError.of(Code.FILE_UNAVAILABLE, "read", message))
