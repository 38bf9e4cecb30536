"""How far the clock is believed by which results, open jobs and remembered keys end.

One wrong clock must not erase everything. So the last time that sweepers believed is kept in the
database. A clock that is more than a day ahead of it has jumped, or nobody swept for long: which of
them, nothing here can know. Until it has gone on evenly for three days, or an operator says that it is
right (`nightshift admin clock --trust`), time stands still for whatever ends by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from shared.db.engine import Transaction
from shared.db.tables import ClockRow, Job

JUMP = timedelta(days=1)
"""A clock that is further ahead of the last sweep is doubted."""

DOUBTED_FOR = timedelta(days=3)
"""For so long, by itself: long enough for somebody to notice after a weekend."""

LONGEST_SILENCE = timedelta(days=7)
"""A clock that moves on by more between two looks has jumped again, and the wait begins anew."""

KEPT_STEP = timedelta(minutes=1)
"""The row is written this often at most: sweepers look every two seconds."""

_NAME = "expiry"


@dataclass(frozen=True, slots=True)
class Horizon:
    """What of time is believed.

    Attributes:
        now: by the database's clock.
        until: what ends before this has ended.
        trusted_at: when the clock will be believed, should it go on evenly; None while it is.
    """

    now: datetime
    until: datetime
    trusted_at: datetime | None = None

    @property
    def in_doubt(self) -> bool:
        """True while the clock is ahead of what is believed."""
        return self.trusted_at is not None


def look(session: Transaction) -> Horizon:
    """Hold the clock against the last look, and remember this one.

    Args:
        session: a write transaction.
    """
    now = session.now
    row = session.scalar(select(ClockRow).where(ClockRow.name == _NAME).with_for_update())
    if row is None:
        newest = session.scalar(select(func.max(Job.created_at)))
        row = ClockRow(name=_NAME, believed_at=newest or now, seen_at=now)
        session.add(row)
    horizon = _held_against(row, now)
    if not horizon.in_doubt:
        _believe(row, now)
    elif row.doubted_since is None or _jumped_again(row, now):
        row.doubted_since = row.seen_at = now
    elif now - row.seen_at > KEPT_STEP:
        row.seen_at = now
    return horizon


def standing(session: Transaction) -> Horizon:
    """As the next look would find it; nothing is written."""
    now = session.now
    row = session.get(ClockRow, _NAME)
    return _held_against(row, now) if row else Horizon(now, now)


def trust(session: Transaction) -> Horizon:
    """An operator says that the clock is right."""
    now = session.now
    session.merge(ClockRow(name=_NAME, believed_at=now, seen_at=now, doubted_since=None))
    return Horizon(now, now)


def _held_against(row: ClockRow, now: datetime) -> Horizon:
    if now - row.believed_at <= JUMP:
        return Horizon(now, now)
    since = row.doubted_since
    if since is None or _jumped_again(row, now):
        since = now
    if now - since >= DOUBTED_FOR:
        return Horizon(now, now)
    return Horizon(now, row.believed_at, since + DOUBTED_FOR)


def _jumped_again(row: ClockRow, now: datetime) -> bool:
    return row.doubted_since is not None and not row.doubted_since <= now <= row.seen_at + LONGEST_SILENCE


def _believe(row: ClockRow, now: datetime) -> None:
    """Also where it is behind: it was set back, and from there it is watched."""
    if row.doubted_since is not None or abs(now - row.believed_at) > KEPT_STEP:
        row.believed_at, row.seen_at, row.doubted_since = now, now, None
