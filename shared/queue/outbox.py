"""The outbox of webhooks: what is to be told is written in the very transaction in which it comes true.

A row is one event for one receiver. Who sends it, and when, is for `worker.deliveries`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update

from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict
from nightshift.words.ids import new_id
from nightshift.words.states import JobState
from nightshift.words.webhooks import TEST, is_message
from shared.db.engine import Transaction
from shared.db.tables import Delivery, Job, Receiver, WebhookSecret
from shared.queue.counts import count_photos

KEPT_TRYING = timedelta(hours=72)
"""From the event, or from when it is asked for again."""
TESTS_KEPT = timedelta(days=7)
EXPIRING = timedelta(days=1)
"""`job.expiring` comes so long before a job is erased."""
AT_ONCE = 100

ENDED, FAILED_EARLY, PROGRESS, EXPIRES = "job.ended", "job.failed_early", "job.progress", "job.expiring"
OF_MOVES = {"finish": ENDED, "expire": ENDED, "give_up": FAILED_EARLY}
"""Moves that are told of."""

_TELLS = or_(
    Job.notify.is_not(None),
    exists().where(Receiver.owner == Job.owner, Receiver.notify.is_not(None)),
)
"""Jobs of which there may be anybody to tell."""


def require_secret(session: Transaction, owner: str, urls: Iterable[str]) -> None:
    """Refuse webhooks that would have to be sent unsigned; messages are for people, and are never signed.

    Raises:
        Conflict: `webhook_secret_missing`.
    """
    if all(map(is_message, urls)):
        return
    if session.scalar(select(WebhookSecret.id).where(WebhookSecret.owner == owner).limit(1)) is None:
        raise secret_missing()


def secret_missing() -> Conflict:
    """What is wrong where nobody has made a secret."""
    message = "webhooks are signed, and you have no secret yet: `nightshift webhooks secret` makes one"
    return Conflict(Code.WEBHOOK_SECRET_MISSING, message)


def receivers_of(session: Transaction, job_id: str) -> tuple[str, list[dict[str, Any]]]:
    """A job's owner, and its receivers: those it names, else its owner's."""
    owner, named = session.execute(select(Job.owner, Job.notify).where(Job.id == job_id)).one()
    if named is None:
        by_default = select(Receiver.notify).where(Receiver.owner == owner, Receiver.notify.is_not(None))
        named = [each for each in session.scalars(by_default) if each is not None]
    return owner, named


def tell(session: Transaction, job_id: str, event: str) -> int:
    """Write an event down for each receiver that wants such; returns for how many."""
    owner, receivers = receivers_of(session, job_id)
    wanted = [each["url"] for each in receivers if event in each["events"]]
    return add(session, owner, job_id, event, wanted)


def add(session: Transaction, owner: str, job_id: str | None, event: str, urls: Iterable[str]) -> int:
    """Write an event down for these receivers, but for those that want nothing any more."""
    urls = set(urls)
    left = urls - disabled(session, owner, urls)
    for url in sorted(left):
        session.add(
            Delivery(
                id=new_id("evt"),
                owner=owner,
                job_id=job_id,
                event=event,
                url=url,
                created_at=session.now,
                next_at=session.now,
                until=session.now + KEPT_TRYING,
                state="waiting",
                attempts=0,
            )
        )
    session.flush()
    return len(left)


def disabled(session: Transaction, owner: str, urls: Collection[str]) -> set[str]:
    """Those of an owner's receivers that want nothing any more."""
    if not urls:
        return set()
    off = Receiver.owner == owner, Receiver.url.in_(urls), Receiver.disabled_at.is_not(None)
    return set(session.scalars(select(Receiver.url).where(*off)))


def tell_by_time(session: Transaction) -> None:
    """What no move tells: how far jobs have come, and which are to be erased within a day."""
    _tell_progress(session)
    _tell_expiring(session)
    old = delete(Delivery).where(*_old_tests(session))
    session.execute(old, execution_options={"synchronize_session": False})


def anything_to_tell(session: Transaction) -> bool:
    """Whether `tell_by_time` could have anything to do: one read, which saves most rounds a write."""
    told_of = select(Job.id).where(_TELLS, or_(Job.state == JobState.RUNNING, _expiring(session)))
    tests = select(Delivery.id).where(*_old_tests(session))
    return session.scalar(told_of.limit(1)) is not None or session.scalar(tests.limit(1)) is not None


def _old_tests(session: Transaction) -> tuple[ColumnElement[bool], ...]:
    return (
        Delivery.job_id.is_(None),
        Delivery.event == TEST,
        Delivery.created_at < session.now - TESTS_KEPT,
    )


def _tell_progress(session: Transaction) -> None:
    running = select(Job.id, Job.told_percent).where(Job.state == JobState.RUNNING, _TELLS)
    for job_id, told in session.execute(running).all():
        owner, receivers = receivers_of(session, job_id)
        steps = {each["url"]: each["progress_percent"] for each in receivers if PROGRESS in each["events"]}
        if not steps:
            continue
        counts = count_photos(session, job_id)
        before, now = told or 0, int(100 * counts.final / counts.total) if counts.total else 0
        # The last step is the end, which has an event of its own.
        due = [url for url, step in steps.items() if now < 100 and now // step > before // step]
        unchanged = Job.told_percent == told if told is not None else Job.told_percent.is_(None)
        job = update(Job).where(Job.id == job_id, Job.state == JobState.RUNNING, unchanged)
        if due and session.change(job.values(told_percent=now)):
            add(session, owner, job_id, PROGRESS, due)


def _tell_expiring(session: Transaction) -> None:
    due = select(Job.id).where(_expiring(session), _TELLS).limit(AT_ONCE)
    for job_id in session.scalars(due).all():
        job = update(Job).where(Job.id == job_id, _expiring(session))
        if session.change(job.values(told_expiring_at=session.now)):
            tell(session, job_id, EXPIRES)


def _expiring(session: Transaction) -> ColumnElement[bool]:
    return and_(
        Job.state == JobState.ENDED,
        Job.told_expiring_at.is_(None),
        Job.results_expire_at < session.now + EXPIRING,
    )
