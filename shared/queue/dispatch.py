"""Taking deliveries out of the outbox and writing down what became of them.

An attempt is counted, and its successor set, before anything is sent: a sender that dies in between is
followed by another. So each event arrives at least once, and may arrive again, under the same id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, select, true, update

from nightshift.words.webhooks import is_message
from shared.db.engine import Transaction
from shared.db.tables import Delivery, Job, Receiver, WebhookSecret
from shared.queue import holdings
from shared.queue.outbox import KEPT_TRYING

LEASE = timedelta(minutes=2)
"""Longer than an attempt can take."""
PAUSES = (
    *(timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2)),
    *(timedelta(hours=5), timedelta(hours=10), timedelta(hours=14), timedelta(hours=20)),
)
"""Between attempts; the last one again, until the event is given up. Right then is the last attempt, however
the pauses add up: who is back by then gets it."""
LATE = timedelta(hours=1)
"""So long after that the last attempt is still made; later, nobody has sent anything for long."""
LONGEST_WISHED = timedelta(hours=24)
"""A receiver may ask for a longer pause, up to so long."""
CANDIDATES = 100
"""Deliveries of one owner that are looked at for one claim."""
OWNERS = 100
"""That may have a turn in one claim."""

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


@dataclass(frozen=True, slots=True)
class Places:
    """How many attempts one process makes at a time.

    Attributes:
        all: of all owners.
        each: to one URL: a slow one leaves the others their places.
        messages: of messages to people, each of which is a process.
    """

    all: int
    each: int
    messages: int


class _Taken:
    """Places that are taken, and whether a delivery may have one more."""

    def __init__(self, places: Places, under_way: Collection[Parcel]) -> None:
        self._places = places
        self._urls: Counter[str] = Counter()
        self.owners: Counter[str] = Counter()
        self._messages = 0
        for parcel in under_way:
            self.take(parcel.owner, parcel.url)

    def take(self, owner: str, url: str) -> None:
        self._urls[url] += 1
        self.owners[owner] += 1
        self._messages += is_message(url)

    @property
    def free(self) -> int:
        return self._places.all - self.owners.total()

    def may_be_tried(self) -> ColumnElement[bool]:
        """The same of rows, so that those that may not be do not stand before the others."""
        full = [url for url, taken in self._urls.items() if taken >= self._places.each]
        is_webhook = func.lower(Delivery.url).startswith("https:", autoescape=True)
        messages_too = self._messages < self._places.messages
        return and_(Delivery.url.not_in(full), true() if messages_too else is_webhook)

    def has_place(self, url: str) -> bool:
        """Whether one more may go there."""
        is_full = self._messages >= self._places.messages and is_message(url)
        return self._urls[url] < self._places.each and not is_full


def claim(
    session: Transaction,
    compose: Callable[[Transaction, Delivery], str],
    under_way: Collection[Parcel],
    places: Places,
) -> list[Parcel]:
    """Take what is due: owners in turn, of each the longest due first.

    Args:
        session: a write transaction.
        compose: makes the body of a delivery that has none yet.
        under_way: attempts of this process that have not ended.
        places: how many there may be.
    """
    taken = _Taken(places, under_way)
    waiting = {owner: _waiting_of(session, owner, taken) for owner in _owners_due(session)}
    parcels: list[Parcel] = []
    while waiting and taken.free:
        # Whose turn it is: who has least under way, and of those who waits longest.
        owner = min(waiting, key=lambda each: taken.owners[each])
        row = next(waiting[owner], None)
        # No owner has more under way than are left free: whoever comes next finds a place.
        if row is None or taken.owners[owner] >= taken.free:
            del waiting[owner]
            continue
        if row.until + LATE < session.now and row.attempts:
            row.state, row.next_at = GIVEN_UP, None
            continue
        if not taken.has_place(row.url):
            continue
        taken.take(row.owner, row.url)
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


def _owners_due(session: Transaction) -> Sequence[str]:
    """Who waits, the longest first."""
    due = select(Delivery.owner).where(_due(session)).group_by(Delivery.owner)
    return session.scalars(due.order_by(func.min(Delivery.next_at), Delivery.owner).limit(OWNERS)).all()


def _waiting_of(session: Transaction, owner: str, taken: _Taken) -> Iterator[Delivery]:
    """What is due of one owner's, locked when the first is asked for."""
    due = select(Delivery).where(Delivery.owner == owner, _due(session), taken.may_be_tried())
    # By this alone an index has them in order: however many are due, few are read.
    due = due.order_by(Delivery.next_at).limit(CANDIDATES)
    yield from session.scalars(due.with_for_update(skip_locked=True)).all()


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
    row.next_at = min(session.now + pause, row.until)
    if session.now >= row.until:
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
    holdings.lock(session, parcel.owner)
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
