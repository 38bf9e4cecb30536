"""Counts of unended jobs, read from the photo rows at most once a second per job and process, and rates.

A rate is of the photos made final over the last minute, or over the whole of a run that has ended. It counts
from the first of them: what came before it was the start, not the work. And it is told once as many more are
final as are in work: of workers that hold eight each, the first to be done says nothing yet.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func, select

from nightshift.words.states import CLAIMABLE_STATES, FINAL_STATUSES, JobState
from shared.db.engine import Transaction
from shared.db.tables import Job, Photo
from shared.queue.counts import Counted, Counts, count_again

FRESH_S = 1.0
MOST_JOBS = 1000
"""Jobs remembered at most; the one not asked for longest is forgotten."""

WINDOW_S = 60.0
"""Samples older than this no longer count, as long as a later one is there."""
SHORTEST_SPAN_S = 1.0
"""Over less than this a rate is chance."""
SHORTEST_RUN_S = 10.0
"""Of a shorter one, much is the first batch, which warms the networks up: its rate says little."""


def per_second(photos: int, seconds: float, shortest_s: float) -> float | None:
    """Photos a second, None over less than `shortest_s`."""
    return max(0, photos) / seconds if seconds >= shortest_s else None


class Rate:
    """Samples of (time, final photos), from which the rate is the slope between the ends."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def sample(self, at_s: float, final: int) -> None:
        """Take a sample; times must not fall."""
        self._samples.append((at_s, final))
        while len(self._samples) > 2 and at_s - self._samples[1][0] >= WINDOW_S:
            self._samples.popleft()

    @property
    def is_empty(self) -> bool:
        """True before the first sample."""
        return not self._samples

    @property
    def per_second(self) -> float | None:
        """Photos a second, None when the samples lie too close together to say."""
        if len(self._samples) < 2:
            return None
        (first_s, first), (last_s, last) = self._samples[0], self._samples[-1]
        return per_second(last - first, last_s - first_s, SHORTEST_SPAN_S)


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
    has_asked: bool = False
    begun_with: int = 0
    may_tell: bool = False

    def sample(self, now_s: float, begun: tuple[float, int] | None, counts: Counts) -> None:
        """Take a sample, after the one that it begins with: how many seconds ago, and how many were final."""
        if begun and self.rate.is_empty:
            self.begun_with = begun[1]
            self.rate.sample(now_s - begun[0], begun[1])
        if self.rate.is_empty:
            return
        self.rate.sample(now_s, counts.final)
        self.may_tell |= counts.final - self.begun_with >= max(1, counts.running)

    def pause(self) -> None:
        """When it goes on, the pause is to be no part of its rate."""
        self.rate, self.may_tell = Rate(), False

    @property
    def photos_per_second(self) -> float | None:
        """None while it cannot be told."""
        return self.rate.per_second if self.may_tell else None


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
                return Tally(before.counts, _rate_of(job, entry))
            # Whoever asks while we count gets what was counted before.
            entry.counting_since_s = now_s
        counted = count_again(session, job.id, before)
        counts = counted.counts
        begun = None
        if entry.rate.is_empty and counts.final:
            if not entry.has_asked:
                begun = _begun(session, job, counts)
                entry.has_asked = True
            elif before is not None and counts.final > before.counts.final:
                begun = 0.0, counts.final
        with self._lock:
            entry.counted = counted
            if job.state in CLAIMABLE_STATES:
                entry.sample(now_s, begun, counts)
            else:
                entry.pause()
            return Tally(counts, entry.photos_per_second)


def _rate_of(job: Job, entry: _Entry) -> float | None:
    return entry.photos_per_second if job.state in CLAIMABLE_STATES else None


def _of_ended(job: Job, counts: Counts) -> Tally:
    if job.started_at is None or job.ended_at is None:
        return Tally(counts, None)
    took_s = (job.ended_at - job.started_at).total_seconds()
    return Tally(counts, per_second(counts.succeeded + counts.failed, took_s, SHORTEST_RUN_S))


def _begun(session: Transaction, job: Job, counts: Counts) -> tuple[float, int] | None:
    """How many seconds ago the first photo of the last minute became final, and how many were so from then.

    No index serves this: it is asked once a job and process, not with every count.
    """
    if job.state != JobState.RUNNING:
        return None
    lately = (
        *(Photo.job_id == job.id, Photo.status.in_(FINAL_STATUSES)),
        Photo.finished_at > session.now - timedelta(seconds=WINDOW_S),
    )
    first = session.scalar(select(func.min(Photo.finished_at)).where(*lately))
    if first is None:
        return None
    later = session.scalar(select(func.count()).select_from(Photo).where(*lately, Photo.finished_at > first))
    return (session.now - first).total_seconds(), counts.final - (later or 0)
