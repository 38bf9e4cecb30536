"""How much workers could do now, and how long that would take them."""

from __future__ import annotations

from sqlalchemy import select

from nightshift.words.load import ServiceLoad
from nightshift.words.states import JobState
from shared.db.engine import Transaction
from shared.db.tables import Job
from shared.queue.turns import claimable_jobs, count_claimable, count_workers
from shared.queue.unpacking import count_archives
from shared.reads.tally import Tallies

MOST_RATED = 100
"""Running jobs whose rates are added up; more would be more than workers work on at once."""
COUNTED = 10_000
"""Photos that are counted one by one. Of more, each job's count of the last second is added up, which takes a
time that does not grow with the jobs."""
MOST_JOBS = 500
"""Whose counts are added up; of those behind them nothing is known but that they wait."""


def demand(session: Transaction, tallies: Tallies) -> ServiceLoad:
    """What could be claimed now, and the rate of what runs.

    Args:
        session: a read transaction.
        tallies: of this process; a rate is known from the second look on, a second later at the earliest.
    """
    running = session.scalars(select(Job).where(Job.state == JobState.RUNNING).limit(MOST_RATED)).all()
    rates = [tallies.get(session, job).photos_per_second for job in running]
    rate = sum(each for each in rates if each is not None) or None
    claimable = _claimable(session, tallies)
    drained_s = claimable / rate if rate else None
    return ServiceLoad(
        claimable_photos=claimable,
        archives_waiting=count_archives(session),
        workers=count_workers(session),
        photos_per_second=round(rate, 4) if rate else None,
        seconds_to_drain=round(drained_s, 1) if drained_s is not None else (None if claimable else 0.0),
    )


def _claimable(session: Transaction, tallies: Tallies) -> int:
    few = count_claimable(session, COUNTED)
    if few < COUNTED:
        return few
    jobs = claimable_jobs(session, MOST_JOBS)
    return max(few, sum(tallies.get(session, job).counts.queued for job in jobs))
