"""When a job that is not made yet would be ready, as far as that can be told beforehand."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from nightshift.words.load import Estimate, NewLoad
from nightshift.words.processing_window import ProcessingWindow
from nightshift.words.states import Outcome
from shared.db.engine import Transaction
from shared.db.tables import Job
from shared.reads.demand import demand
from shared.reads.tally import Tallies

LONGEST = timedelta(days=3650)
"""More is not told apart."""
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
    window = ProcessingWindow.parse(wished.processing_window) if wished.processing_window else None
    begins = session.now
    if window is not None and not window.is_open(begins):
        begins = window.next_opening(begins)
    ready = _ready(now.claimable_photos, wished.photos, rate, session.now, begins, window) if rate else None
    return Estimate(
        photos=wished.photos,
        photos_per_second=round(rate, 4) if rate else None,
        begins_at=begins,
        seconds=round((ready - begins).total_seconds(), 1) if ready else None,
        ready_at=ready,
    )


def _ready(
    before: int, photos: int, rate: float, now: datetime, begins: datetime, window: ProcessingWindow | None
) -> datetime:
    """What waits already is worked on until the window opens; in a window that closes, the rest waits."""
    waiting_s = max(0.0, before / rate - (begins - now).total_seconds())
    needed = min(timedelta(seconds=waiting_s + photos / rate), LONGEST)
    return window.end_of(needed, begins) if window else begins + needed


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
