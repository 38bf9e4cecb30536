"""What the overview says of each job beyond the job itself: why it waits, what failed, what is new."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import select

from nightshift.words import documents
from nightshift.words.analysis import Box
from nightshift.words.overview import NewPhoto, SeenJob, ShownFace, ShownGender, Wait, WaitReason
from nightshift.words.states import JobState
from shared.db.engine import Database, Transaction
from shared.db.tables import FaceRow, Job, Photo
from shared.reads.failures import commonest_failure
from shared.reads.jobs import Viewer

NEWEST = 6
MOST_FACES = 20
"""Boxes drawn on one thumbnail; of a crowd the largest."""
MOST_REMEMBERED = 1000
_MOST_RUNNING = 20

_HELD: dict[str, WaitReason] = {
    JobState.OPEN: "open",
    JobState.UNPACKING: "unpacking",
    JobState.PAUSED: "paused",
    JobState.CANCELLING: "cancelling",
}


@dataclass(frozen=True, slots=True)
class _Running:
    job_id: str
    owner: str
    label: str | None


class Glances:
    """Reads what is told beside jobs; what belongs to counts that have not changed is not read again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[object, tuple[str | None, list[NewPhoto]]]] = OrderedDict()

    def seen(self, jobs: Sequence[documents.Job], viewer: Viewer, workers: int) -> list[SeenJob]:
        """Each of these jobs with what is told beside it.

        Args:
            jobs: as they are now.
            viewer: from where they are looked at.
            workers: that are there.
        """
        with self._database.read() as session:
            running = _running(session)
            return [self._one(session, job, viewer, workers, running) for job in jobs]

    def _one(
        self,
        session: Transaction,
        job: documents.Job,
        viewer: Viewer,
        workers: int,
        running: Sequence[_Running],
    ) -> SeenJob:
        failure, newest = self._found(session, job)
        is_inside = job.owner == viewer.owner
        return SeenJob(
            job=job,
            wait=why_it_waits(job, viewer, workers, running),
            commonest_failure=failure,
            newest=newest if is_inside else [],
        )

    def _found(self, session: Transaction, job: documents.Job) -> tuple[str | None, list[NewPhoto]]:
        # No photo succeeds or fails without one of these being another.
        at = job.counts.model_dump_json(), job.faces, job.state, job.ended_at
        with self._lock:
            known = self._known.get(job.id)
        if known is not None and known[0] == at:
            return known[1]
        failure = commonest_failure(session, job.id) if job.counts.failed else None
        found = failure, _newest(session, job.id) if job.faces else []
        with self._lock:
            self._known[job.id] = at, found
            self._known.move_to_end(job.id)
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        return found


def why_it_waits(
    job: documents.Job, viewer: Viewer, workers: int, running: Sequence[_Running] = ()
) -> Wait | None:
    """Why a job does not get on; None for one that does, or has ended.

    What others' jobs are called is told to operators alone.
    """
    if job.state == JobState.UNPACKING and workers == 0:
        return Wait(reason="no_worker")
    if reason := _HELD.get(job.state):
        return Wait(reason=reason, until=job.open_until if reason == "open" else job.waits_until)
    if job.state not in (JobState.QUEUED, JobState.RUNNING):
        return None
    if job.waits_until is not None:
        return Wait(reason="window", until=job.waits_until)
    if workers == 0:
        return Wait(reason="no_worker")
    if job.state == JobState.RUNNING:
        return None
    others = [other for other in running if other.job_id != job.id]
    for other in others:
        if viewer.is_operator or other.owner == viewer.owner:
            return Wait(reason="behind_own", job_id=other.job_id, label=other.label)
    return Wait(reason="behind_others" if others else "next")


def _running(session: Transaction) -> list[_Running]:
    """Jobs of which photos are in work, the one begun first first."""
    in_work = select(Photo.id).where(Photo.job_id == Job.id, Photo.status == "running").exists()
    query = select(Job.id, Job.owner, Job.label).where(Job.state == JobState.RUNNING, in_work)
    return [_Running(*row) for row in session.execute(query.order_by(Job.started_at).limit(_MOST_RUNNING))]


def _newest(session: Transaction, job_id: str) -> list[NewPhoto]:
    """By ordinal, in which photos are claimed: the index has it, and of when each was done it has nothing."""
    with_faces = Photo.job_id == job_id, Photo.status == "succeeded", Photo.face_count > 0
    columns = Photo.id, Photo.custom_id, Photo.width, Photo.height, Photo.face_count
    photos = session.execute(
        select(*columns).where(*with_faces).order_by(Photo.ordinal.desc()).limit(NEWEST)
    ).all()
    if not photos:
        return []
    document = FaceRow.document
    query = (
        select(FaceRow.photo_id, FaceRow.index, document["box_norm"], document["gender"])
        .where(FaceRow.photo_id.in_([photo.id for photo in photos]), FaceRow.index < MOST_FACES)
        .order_by(FaceRow.photo_id, FaceRow.index)
    )
    faces: dict[str, list[ShownFace]] = {}
    for photo_id, index, box, gender in session.execute(query):
        shown = ShownGender(value=gender["value"], uncertain=gender["uncertain"])
        faces.setdefault(photo_id, []).append(ShownFace(index=index, box_norm=Box(**box), gender=shown))
    return [
        NewPhoto(
            photo_id=photo.id,
            custom_id=photo.custom_id,
            width=photo.width,
            height=photo.height,
            face_count=photo.face_count,
            faces=faces.get(photo.id, []),
        )
        for photo in photos
    ]
