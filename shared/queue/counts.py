"""How many photos of a job stand where. They come from the photo rows, so they always add up."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, bindparam, func, literal, select, union_all
from sqlalchemy.orm import Session

from nightshift.words.documents import PhotoCounts
from nightshift.words.states import PhotoStatus
from shared.db.tables import Photo

SMALL = 5_000
"""Photos that are counted as fast as it is found out which of them need not be."""


class Counts(PhotoCounts):
    """Photos by status, and the faces found so far."""

    faces: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts, and what the next count of the same job need not count again.

    Attributes:
        counts: as they were.
        mark: an ordinal.
        succeeded: photos before the mark that had succeeded.
        faces: theirs.
    """

    counts: Counts
    mark: int = 0
    succeeded: int = 0
    faces: int = 0


def count_photos(session: Session, job_id: str) -> Counts:
    """Count one job's photos, from the covering index alone."""
    rows = session.execute(_ALL, {"job_id": job_id}).all()
    by_status = {PhotoStatus(status): count for status, count, _ in rows}
    return Counts(
        total=sum(by_status.values()),
        faces=int(sum(faces for _, _, faces in rows)),
        **{status.value: by_status.get(status, 0) for status in PhotoStatus},
    )


def count_again(session: Session, job_id: str, before: Counted | None) -> Counted:
    """Count as `count_photos` does, in a time that does not grow with the job.

    Photos are claimed in the order of their ordinals, which leave no gaps. So the many that are done lie
    before a mark, and the many that wait behind it: neither are counted one by one. Only the few between
    are, and those before the mark that have not succeeded. With the successes known from before they must
    make up the mark; when they do not, as after a retry, everything is counted.
    """
    if before is None or before.counts.total < SMALL:
        return Counted(count_photos(session, job_id))
    mark = before.mark
    to_mark = max(mark, session.scalar(_FIRST_OPEN, {"job_id": job_id}) or 0)
    rows = session.execute(_AROUND, {"job_id": job_id, "mark": mark, "next": to_mark}).all()
    found = {(name, part): (int(photos or 0), int(faces)) for name, part, photos, faces in rows}

    if before.succeeded + sum(found[name, "before"][0] for name in _OTHERS) != mark:
        return Counted(count_photos(session, job_id))
    counts = {name: found[name, "before"][0] + found.get((name, "behind"), (0, 0))[0] for name in _OTHERS}
    passed, passed_faces = found["succeeded", "passed"]
    behind, faces_behind = found["succeeded", "behind"]
    total, _ = found["total", ""]
    succeeded, faces = before.succeeded + passed, before.faces + passed_faces
    # Not counted: what waits behind the mark.
    counts["queued"] = total - succeeded - behind - sum(counts[name] for name in _OTHERS if name != "queued")
    counted = Counts(total=total, succeeded=succeeded + behind, faces=faces + faces_behind, **counts)
    return Counted(counted, to_mark, succeeded, faces)


_OTHERS = [status.value for status in PhotoStatus if status != PhotoStatus.SUCCEEDED]
_JOB = Photo.job_id == bindparam("job_id")
_FACES = func.coalesce(func.sum(Photo.face_count), 0)
_BEFORE = Photo.ordinal < bindparam("mark")
_BEHIND = Photo.ordinal >= bindparam("mark")
_PASSED = Photo.ordinal < bindparam("next")
_NOT_PASSED = Photo.ordinal >= bindparam("next")

_ALL = select(Photo.status, func.count(), _FACES).where(_JOB).group_by(Photo.status)


def _first(status: PhotoStatus) -> ColumnElement[int | None]:
    return select(func.min(Photo.ordinal)).where(_JOB, Photo.status == status).scalar_subquery()


def _part(status: str, part: str, *which: ColumnElement[bool]) -> Select[str, str, int, int]:
    counted = select(literal(status), literal(part), func.count(), _FACES)
    return counted.where(_JOB, Photo.status == status, *which)


# Where work is now; a photo that killed its worker waits far before it, till nothing else does.
_FIRST_OPEN = select(func.coalesce(_first(PhotoStatus.RUNNING), _first(PhotoStatus.QUEUED)))
# One statement, so that all of it is of one moment; each part is one stretch of the covering index.
_AROUND = union_all(
    *(_part(name, "before", _BEFORE) for name in _OTHERS),
    *(_part(name, "behind", _BEHIND) for name in _OTHERS if name != "queued"),
    _part("succeeded", "passed", _BEHIND, _PASSED),
    _part("succeeded", "behind", _NOT_PASSED),
    select(literal("total"), literal(""), func.max(Photo.ordinal) + 1, literal(0)).where(_JOB),
)
