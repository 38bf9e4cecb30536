"""One way to hold something and to let go of it: a batch of photos, an archive, a request's bytes.

A lease is a token and a time. Whoever holds the token may write, until somebody takes it away; the time is
when that may be. It is the database's time on both sides, so that no machine's clock matters.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import ColumnElement, or_, select, update

from nightshift.words.ids import new_id
from shared.db.engine import Transaction
from shared.db.tables import RUNNING, Archive, Leased, Photo
from shared.settings import Settings

FREE = {"lease_token": None, "lease_expires_at": None}
"""Columns of what nobody holds."""


class Held(Protocol):
    """What somebody holds under a lease."""

    @property
    def token(self) -> str:
        """Of the lease."""

    @property
    def table(self) -> type[Leased]:
        """Whose rows it holds."""

    def still_held(self) -> tuple[ColumnElement[bool], ...]:
        """Condition on the table: the rows that are under this lease still."""


def lease_end(session: Transaction, settings: Settings) -> datetime:
    """When a lease that begins now runs out."""
    return session.now + timedelta(seconds=settings.lease_s)


def hold(session: Transaction, settings: Settings, row: Leased) -> str:
    """Put a row that this transaction has made, or locked, under a lease of its own; returns the token."""
    row.lease_token, row.lease_expires_at = new_id("lea"), lease_end(session, settings)
    return row.lease_token


def let_go(row: Leased) -> None:
    """Leave a row that this transaction has locked to nobody."""
    row.lease_token = row.lease_expires_at = None


def change(session: Transaction, held: Held, **values: Any) -> int:
    """Set columns of what is still held; returns of how many rows, 0 when the lease has been lost."""
    return session.change(update(held.table).where(*held.still_held()).values(**values))


def renew(session: Transaction, settings: Settings, held: Held) -> int:
    """Move the lease's end; returns how many rows it still holds, 0 when it has been lost."""
    return change(session, held, lease_expires_at=lease_end(session, settings))


IN_WORK: dict[type[Photo | Archive], ColumnElement[bool]] = {
    # As the index of leases has it.
    Photo: Photo.status == RUNNING,
    Archive: Archive.lease_token.is_not(None),
}
"""Conditions: the rows that workers hold."""


def lapsed(
    session: Transaction, table: type[Photo | Archive], is_dead: Callable[[str], bool], *, by_time: bool
) -> tuple[ColumnElement[bool], ...]:
    """Condition: the rows whose worker is surely dead or, `by_time`, whose lease has run out."""
    workers = session.scalars(select(table.worker).where(IN_WORK[table]).distinct())
    gone: ColumnElement[bool] = table.worker.in_([name for name in workers if name and is_dead(name)])
    return IN_WORK[table], or_(gone, table.lease_expires_at < session.now) if by_time else gone


def shorten(session: Transaction, settings: Settings) -> None:
    """Bring leases from before a clock was set back to an hour that can come."""
    latest = lease_end(session, settings)
    for table, in_work in IN_WORK.items():
        beyond = table.lease_expires_at > latest + timedelta(seconds=settings.lease_s)
        session.change(update(table).where(in_work, beyond).values(lease_expires_at=latest))
