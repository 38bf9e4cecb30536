"""What is said of a run that ends before its job does: how far it is, and how one goes on with it."""

from __future__ import annotations

from contextlib import closing

from nightshift.words.documents import Job, PhotoCounts
from nightshift.words.errors import NightshiftError
from nightshift.words.plain_text import counted
from shared.db.engine import Database
from shared.queue.counts import count_again
from shared.settings import Settings


def parting_words(settings: Settings, job: Job | None, *, is_noted: bool, again: str) -> str:
    """One sentence or two.

    Args:
        settings: of the run, whose service has been stopped.
        job: as it was heard of last; None before there was one to hear of.
        is_noted: whether there is a job all the same, for `--resume` to find.
        again: the command that goes on.
    """
    if job is None and is_noted:
        return f"stopped; a job had begun: `{again}` goes on with it"
    if job is None:
        return "stopped before a job had begun: there is nothing to go on with"
    counts = _counts_by_now(settings, job)
    done = f"{counts.final:,} of {counted(counts.total, 'photo is', 'photos are')} done and kept"
    return f"stopped; {done}. `{again}` goes on with the rest"


def _counts_by_now(settings: Settings, job: Job) -> PhotoCounts:
    """Workers that are stopped save what they have done: more than when the job was heard of last."""
    try:
        with closing(Database(settings.database_url)) as database, database.read() as session:
            return count_again(session, job.id, None).counts
    except (NightshiftError, OSError):
        # What it ends for, perhaps: a disk that is full.
        return job.counts
