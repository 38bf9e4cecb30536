"""Taking deliveries out of the outbox and writing down what became of them.

An attempt is counted, and its successor set, before anything is sent: a sender that dies in between is
followed by another. So each event arrives at least once, and may arrive again, under the same id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, select, update

from shared.db.engine import Transaction
from shared.db.tables import Delivery, Job, Receiver, WebhookSecret
from shared.queue.outbox import KEPT_TRYING

LEASE = timedelta(minutes=2)
"""Longer than an attempt can take."""
PAUSES = (
    *(timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2)),
    *(timedelta(hours=5), timedelta(hours=10), timedelta(hours=14), timedelta(hours=20)),
)
"""Between attempts; the last one again, until the event is given up."""
LONGEST_WISHED = timedelta(hours=24)
"""A receiver may ask for a longer pause, up to so long."""
CANDIDATES = 100

WAITING, DELIVERED, GIVEN_UP = "waiting", "delivered", "given_up"
GONE = 410


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be sent now, and everything one needs for it outside a transaction."""

    id: str
    attempt: int
    owner: str
    event: str
    job_id: str | None
    url: str
    body: str
    secrets: tuple[str, ...]
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of an attempt.

    Attributes:
        status: HTTP status, None without an answer.
        answer: its beginning.
        problem: why it did not do; None when it was taken.
        wait: how long the receiver asks to be left alone.
    """

    status: int | None = None
    answer: str | None = None
    problem: str | None = None
    wait: timedelta | None = None


def any_due(session: Transaction) -> bool:
    """Whether there is anything to send."""
    return session.scalar(select(Delivery.id).where(_due(session)).limit(1)) is not None


def claim(
    session: Transaction,
    compose: Callable[[Transaction, Delivery], str],
    most: int,
    busy: Mapping[str, int],
    most_each: int,
) -> list[Parcel]:
    """Take what is due, the longest due first.

    Args:
        session: a write transaction.
        compose: makes the body of a delivery that has none yet.
        most: so many at most.
        busy: attempts under way in this process, by URL.
        most_each: so many at most at a time for one URL, those under way included.
    """
    full = [url for url, under_way in busy.items() if under_way >= most_each]
    due = select(Delivery).where(_due(session), Delivery.url.not_in(full)).order_by(Delivery.next_at)
    taken: Counter[str] = Counter(busy)
    parcels: list[Parcel] = []
    for row in session.scalars(due.limit(CANDIDATES).with_for_update(skip_locked=True)).all():
        if len(parcels) == most:
            break
        if taken[row.url] >= most_each:
            continue
        if row.until < session.now and row.attempts:
            row.state, row.next_at = GIVEN_UP, None
            continue
        taken[row.url] += 1
        row.body = row.body or compose(session, row)
        row.attempts, row.next_at = row.attempts + 1, session.now + LEASE
        parcel = Parcel(
            id=row.id,
            attempt=row.attempts,
            owner=row.owner,
            event=row.event,
            job_id=row.job_id,
            url=row.url,
            body=row.body,
            secrets=_secrets(session, row.owner),
            traceparent=_traceparent(session, row.job_id),
        )
        parcels.append(parcel)
    return parcels


def _traceparent(session: Transaction, job_id: str | None) -> str | None:
    return session.scalar(select(Job.traceparent).where(Job.id == job_id)) if job_id else None


def settle(session: Transaction, parcel: Parcel, answered: Answered) -> None:
    """Write down what became of an attempt; of one that was overtaken, only that it did.

    A receiver that is gone (410) gets nothing more, of any job.
    """
    row = session.get(Delivery, parcel.id, with_for_update=True)
    # Its job was erased meanwhile, and it with it.
    if row is None or (answered.problem and (row.attempts != parcel.attempt or row.state != WAITING)):
        return
    row.attempted_at, row.status = session.now, answered.status
    row.answer, row.problem = answered.answer, answered.problem
    if answered.problem is None:
        row.state, row.next_at = DELIVERED, None
        return
    pause = max(PAUSES[min(parcel.attempt, len(PAUSES)) - 1], min(answered.wait or LEASE * 0, LONGEST_WISHED))
    row.next_at = session.now + pause
    if row.next_at > row.until:
        row.state, row.next_at = GIVEN_UP, None
    if answered.status == GONE:
        row.state, row.next_at = GIVEN_UP, None
        _disable(session, parcel)


def again(session: Transaction, row: Delivery) -> None:
    """Have a delivery be sent now, and tried for as long as a new one; its receiver is enabled."""
    enable(session, row.owner, row.url)
    row.state, row.next_at, row.until = WAITING, session.now, session.now + KEPT_TRYING


def enable(session: Transaction, owner: str, url: str) -> None:
    """Have things be sent to a receiver again."""
    receiver = update(Receiver).where(Receiver.owner == owner, Receiver.url == url)
    session.change(receiver.values(disabled_at=None))


def _disable(session: Transaction, parcel: Parcel) -> None:
    key = {"owner": parcel.owner, "url": parcel.url}
    row = session.get(Receiver, (parcel.owner, parcel.url), with_for_update=True)
    if row is None:
        row = session.merge(Receiver(**key))
    row.disabled_at = session.now
    waiting = update(Delivery).where(
        Delivery.owner == parcel.owner,
        *(Delivery.url == parcel.url, Delivery.state == WAITING, Delivery.id != parcel.id),
    )
    session.change(
        waiting.values(state=GIVEN_UP, next_at=None, problem="the receiver has answered 410: gone")
    )


def _due(session: Transaction) -> ColumnElement[bool]:
    return Delivery.next_at <= session.now


def _secrets(session: Transaction, owner: str) -> tuple[str, ...]:
    """Those that sign now, the newest first."""
    valid = WebhookSecret.expires_at.is_(None) | (WebhookSecret.expires_at > session.now)
    query = select(WebhookSecret.secret).where(WebhookSecret.owner == owner, valid)
    return tuple(session.scalars(query.order_by(WebhookSecret.created_at.desc(), WebhookSecret.id.desc())))
