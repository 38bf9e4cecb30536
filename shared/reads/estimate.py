"""When a job that is not made yet would be ready, as far as that can be told beforehand."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from nightshift.words.load import Estimate, NewLoad
from nightshift.words.processing_window import ProcessingWindow
from nightshift.words.states import Outcome
from shared.db.engine import Transaction
from shared.db.tables import Job
from shared.reads.demand import demand
from shared.reads.tally import Tallies

_EARLIER = 5
"""Ended jobs whose rate is believed where nothing runs."""


def estimate(session: Transaction, tallies: Tallies, wished: NewLoad) -> Estimate:
    """What so many photos would take, behind all that waits now.

    By the rate of what runs now, else by that of the last jobs that ended well; how many workers there were
    then, and how large those photos, is not asked.

    Args:
        session: a read transaction.
        tallies: of this process.
        wished: the job.
    """
    now = demand(session, tallies)
    rate = now.photos_per_second or _rate_of_earlier(session)
    begins = session.now
    if wished.processing_window is not None:
        window = ProcessingWindow.parse(wished.processing_window)
        begins = begins if window.is_open(begins) else window.next_opening(begins)
    seconds = (now.claimable_photos + wished.photos) / rate if rate else None
    return Estimate(
        photos=wished.photos,
        photos_per_second=round(rate, 4) if rate else None,
        begins_at=begins,
        seconds=round(seconds, 1) if seconds is not None else None,
        ready_at=begins + timedelta(seconds=seconds) if seconds is not None else None,
    )


def _rate_of_earlier(session: Transaction) -> float | None:
    ended = (
        select(Job)
        .where(Job.outcome.in_([Outcome.SUCCEEDED, Outcome.PARTIAL]), Job.started_at.is_not(None))
        .order_by(Job.results_expire_at.desc())
        .limit(_EARLIER)
    )
    photos = seconds = 0.0
    for job in session.scalars(ended):
        if job.started_at and job.ended_at and job.final_counts:
            photos += job.final_counts.get("succeeded", 0)
            seconds += (job.ended_at - job.started_at).total_seconds()
    return photos / seconds if photos and seconds > 0 else None
