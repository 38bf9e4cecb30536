"""Jobs as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, tuple_

from nightshift.words import documents
from nightshift.words.clock import utc_now
from nightshift.words.load import Estimate, NewLoad, ServiceLoad
from nightshift.words.processing_window import ProcessingWindow
from nightshift.words.states import CLAIMABLE_STATES, JobState
from shared.db.engine import Database, Transaction
from shared.db.tables import Archive, Job
from shared.queue.jobs import owned_job
from shared.queue.outbox import disabled
from shared.reads.cursor import decode_job, encode_job
from shared.reads.demand import demand
from shared.reads.estimate import estimate
from shared.reads.load import Load, load
from shared.reads.shown import shown
from shared.reads.tally import Tallies, Tally

JOBS_PATH = "/v1/jobs"
LONGEST_ETA = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Viewer:
    """From where somebody looks at jobs.

    Attributes:
        owner: whose jobs they see from within; empty for nobody's.
        is_operator: whether they see those of others, from outside.
    """

    owner: str
    is_operator: bool = False


class JobReads:
    """Reads jobs, each answer in one read transaction; remembers counts for a second."""

    def __init__(self, database: Database, tallies: Tallies | None = None) -> None:
        self._database = database
        self._tallies = tallies or Tallies()
        self._changes = 0

    def changed(self, job_id: str) -> None:
        """To be told of every change this process makes, so that its clients see it at once."""
        self._tallies.forget(job_id)
        self._changes += 1

    def version(self) -> int:
        """How often this process has changed a job: what was made at an earlier one is old."""
        return self._changes

    def demand(self) -> ServiceLoad:
        """What workers could do now; see `shared.reads.demand`."""
        with self._database.read() as session:
            return demand(session, self._tallies)

    def load(self) -> Load:
        """What waits, of all owners together; see `shared.reads.load`."""
        with self._database.read() as session:
            return load(session, self._tallies)

    def estimate(self, wished: NewLoad) -> Estimate:
        """What a job would take; see `shared.reads.estimate`."""
        with self._database.read() as session:
            return estimate(session, self._tallies, wished)

    def one(self, owner: str, job_id: str) -> documents.Job:
        """One job.

        Raises:
            NotFound: `job_not_found`, also for another owner's job.
        """
        with self._database.read() as session:
            return self._view(session, owned_job(session, owner, job_id))

    def locked(self, session: Transaction, owner: str, job_id: str) -> documents.Job:
        """One job as nobody changes it before the end of this write transaction.

        Raises:
            NotFound: `job_not_found`, also for another owner's job.
        """
        return self._view(session, owned_job(session, owner, job_id, lock=True))

    def seen(self, viewer: Viewer, job_id: str) -> documents.Job:
        """One job, from where the viewer looks.

        Raises:
            NotFound: `job_not_found`, also for another owner's job, except to operators.
        """
        with self._database.read() as session:
            row = session.get(Job, job_id) if viewer.is_operator else None
            row = row or owned_job(session, viewer.owner, job_id)
            return self._view(session, row, outside=row.owner != viewer.owner)

    def page(
        self,
        owner: str | None,
        viewer: Viewer,
        *,
        state: JobState | None = None,
        label: str | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> documents.JobPage:
        """Jobs of one owner, or with None of all, newest first.

        Raises:
            InvalidInput: `bad_cursor`.
        """
        wanted = {"owner": owner, "state": state, "label": label}
        query = select(Job).filter_by(**{name: value for name, value in wanted.items() if value is not None})
        query = query.order_by(Job.created_at.desc(), Job.id.desc())
        if cursor is not None:
            query = query.where(tuple_(Job.created_at, Job.id) < decode_job(cursor))
        with self._database.read() as session:
            rows = session.scalars(query.limit(limit + 1)).all()
            shown = rows[:limit]
            more = encode_job(shown[-1].created_at, shown[-1].id) if len(rows) > limit else None
            jobs = [self._view(session, row, outside=row.owner != viewer.owner) for row in shown]
            return documents.JobPage(jobs=jobs, next=more)

    def _view(self, session: Transaction, row: Job, *, outside: bool = False) -> documents.Job:
        archive = session.get(Archive, row.id)
        named = [each["url"] for each in row.notify or ()]
        off = sorted(disabled(session, row.owner, named))
        view = job_view(row, self._tallies.get(session, row), utc_now(), archive, off)
        return _from_outside(view) if outside else view


def _from_outside(job: documents.Job) -> documents.Job:
    """Without what only the owner is to know: an operator sees how a job gets on, not whom it shows."""
    archive = job.archive.model_copy(update={"name": ""}) if job.archive else None
    return job.model_copy(update={"metadata": {}, "archive": archive, "notify": None, "notify_disabled": []})


def job_view(
    row: Job, tally: Tally, now: datetime, archive: Archive | None = None, off: Sequence[str] = ()
) -> documents.Job:
    """A job's row and tally as the API shows them; `off` are those of its receivers that are disabled."""
    counts, path = tally.counts, f"{JOBS_PATH}/{row.id}"
    return shown(
        documents.Job,
        row,
        counts=shown(documents.PhotoCounts, counts),
        faces=counts.faces,
        progress=counts.final / counts.total if counts.total else float(row.state == JobState.ENDED),
        photos_per_second=tally.photos_per_second,
        eta=_eta(row, tally, now),
        bundle=documents.BundleName(name=row.bundle_name, sha256=row.bundle_sha256),
        metadata=row.client_metadata,
        notify_disabled=off,
        waits_until=_waits_until(row, now),
        open_until=row.open_until if row.state == JobState.OPEN else None,
        archive=shown(documents.Archive, archive, members=archive.position) if archive else None,
        links=documents.JobLinks(
            self=path, photos=f"{path}/photos", results=f"{path}/results", summary=f"{path}/summary"
        ),
    )


def _waits_until(row: Job, now: datetime) -> datetime | None:
    if row.state == JobState.PAUSED:
        return row.paused_until
    window = _window(row) if row.state in CLAIMABLE_STATES else None
    return None if window is None or window.is_open(now) else window.next_opening(now)


def _window(row: Job) -> ProcessingWindow | None:
    if row.processing_window is None:
        return None
    try:
        return ProcessingWindow.parse(row.processing_window)
    except ValueError:
        # Written by a version, or on a machine, that knew this zone.
        return None


def _eta(row: Job, tally: Tally, now: datetime) -> datetime | None:
    if row.state not in CLAIMABLE_STATES or not tally.photos_per_second:
        return None
    remaining_s = (tally.counts.queued + tally.counts.running) / tally.photos_per_second
    left = timedelta(seconds=min(remaining_s, LONGEST_ETA.total_seconds()))
    window = _window(row)
    # What is not done when the window closes is done in the next.
    return (window.end_of(left, now) if window else now + left).replace(microsecond=0)
