"""Counts of unended jobs, read from the photo rows at most once a second per job and process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func, select

from nightshift.words.states import CLAIMABLE_STATES, FINAL_STATUSES, JobState
from shared.db.engine import Transaction
from shared.db.tables import Job, Photo
from shared.queue.counts import Counted, Counts, count_again
from shared.reads.rate import SHORTEST_RUN_S, WINDOW_S, Rate, per_second

FRESH_S = 1.0
MOST_JOBS = 1000
"""Jobs remembered at most; the one not asked for longest is forgotten."""


@dataclass(frozen=True, slots=True)
class Tally:
    """A job's counts, and its photos per second where known."""

    counts: Counts
    photos_per_second: float | None


@dataclass(slots=True)
class _Entry:
    counting_since_s: float
    counted: Counted | None = None
    rate: Rate = field(default_factory=Rate)


class Tallies:
    """The tallies one process remembers; safe between threads.

    Args:
        monotonic_s: the clock.
    """

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def forget(self, job_id: str) -> None:
        """Count anew next time: this process has just changed the job."""
        with self._lock:
            self._entries.pop(job_id, None)

    def get(self, session: Transaction, job: Job) -> Tally:
        """Tally of a job; an ended one has its counts on its row."""
        if job.final_counts is not None:
            return _of_ended(job, Counts(**job.final_counts))
        now_s = self._monotonic_s()
        with self._lock:
            entry = self._entries.setdefault(job.id, _Entry(counting_since_s=now_s))
            self._entries.move_to_end(job.id)
            while len(self._entries) > MOST_JOBS:
                self._entries.popitem(last=False)
            before = entry.counted
            if before is not None and now_s - entry.counting_since_s < FRESH_S:
                return Tally(before.counts, _rate_of(job, entry.rate))
            # Whoever asks while we count gets what was counted before.
            entry.counting_since_s = now_s
        counted = count_again(session, job.id, before)
        counts = counted.counts
        earlier = _recently(session, job, counts) if entry.rate.is_empty else None
        with self._lock:
            entry.counted = counted
            if earlier and entry.rate.is_empty:
                entry.rate.sample(now_s - earlier[0], earlier[1])
            entry.rate.sample(now_s, counts.final)
            return Tally(counts, _rate_of(job, entry.rate))


def _rate_of(job: Job, rate: Rate) -> float | None:
    return rate.per_second if job.state in CLAIMABLE_STATES else None


def _of_ended(job: Job, counts: Counts) -> Tally:
    if job.started_at is None or job.ended_at is None:
        return Tally(counts, None)
    took_s = (job.ended_at - job.started_at).total_seconds()
    return Tally(counts, per_second(counts.succeeded + counts.failed, took_s, SHORTEST_RUN_S))


def _recently(session: Transaction, job: Job, counts: Counts) -> tuple[float, int] | None:
    """How many seconds ago how many photos were final, so that the first answer has a rate.

    No index serves this: it is asked once a job and process, not with every count.
    """
    if job.state != JobState.RUNNING or job.started_at is None:
        return None
    since = max(job.started_at, session.now - timedelta(seconds=WINDOW_S))
    finished_since = session.scalar(
        select(func.count())
        .select_from(Photo)
        .where(Photo.job_id == job.id, Photo.status.in_(FINAL_STATUSES), Photo.finished_at > since)
    )
    ago_s = (session.now - since).total_seconds()
    return (ago_s, counts.final - (finished_since or 0)) if ago_s > 0 else None
