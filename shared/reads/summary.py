"""A job's results in numbers."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from nightshift.words import documents
from nightshift.words.analysis import AGE_GROUPS, DOUBTS
from nightshift.words.states import PhotoStatus
from shared.db.tables import FaceRow, Photo
from shared.queue.control import has_bytes
from shared.queue.counts import count_photos
from shared.queue.jobs import owned_job
from shared.reads.shown import shown

_source = aliased(Photo)
_IS_DUPLICATE = exists().where(_source.id == Photo.reused_from, _source.job_id == Photo.job_id)
"""Its bytes came twice within its job; the other was analysed, or taken over, before it."""

_LABELS = [label for label, _, _ in AGE_GROUPS]


def summarise(session: Session, owner: str, job_id: str) -> documents.Summary:
    """Count faces, labels and failures of a job, as far as it has come.

    Raises:
        NotFound: `job_not_found`.
    """
    job = owned_job(session, owner, job_id)
    counts = count_photos(session, job_id)
    by_group = {label: {"female": 0, "male": 0} for label in _LABELS}
    uncertain: Counter[str] = Counter()
    because: Counter[str] = Counter()
    alike = (FaceRow.gender, FaceRow.age_group, FaceRow.gender_because, FaceRow.age_group_because)
    for gender, age_group, of_gender, of_age_group, faces in session.execute(
        select(*alike, func.count()).where(FaceRow.job_id == job_id).group_by(*alike)
    ):
        by_group[age_group][gender] += faces
        uncertain["gender"] += faces if of_gender else 0
        uncertain["age_group"] += faces if of_age_group else 0
        uncertain["either"] += faces if of_gender or of_age_group else 0
        because.update(dict.fromkeys({*of_gender.split(), *of_age_group.split()}, faces))
    no_face, taken_over, duplicates = session.execute(
        select(
            func.coalesce(func.sum(case((Photo.face_count == 0, 1), else_=0)), 0),
            func.count(Photo.reused_from),
            func.coalesce(func.sum(case((_IS_DUPLICATE, 1), else_=0)), 0),
        ).where(Photo.job_id == job_id, Photo.status == PhotoStatus.SUCCEEDED)
    ).one()
    return documents.Summary(
        photos=shown(documents.PhotoCounts, counts),
        faces=counts.faces,
        gender=documents.GenderCounts(
            female=sum(group["female"] for group in by_group.values()),
            male=sum(group["male"] for group in by_group.values()),
        ),
        age_group={label: sum(group.values()) for label, group in by_group.items()},
        gender_by_age_group={label: documents.GenderCounts(**group) for label, group in by_group.items()},
        uncertain=uncertain["either"],
        uncertain_gender=uncertain["gender"],
        uncertain_age_group=uncertain["age_group"],
        uncertain_because={reason: because[reason] for reason in DOUBTS if because[reason]},
        no_face=no_face,
        reused=taken_over - duplicates,
        duplicates=duplicates,
        failures=failures_of(session, job_id),
        failures_kept=failures_of(session, job_id, has_bytes(job)),
        notice=documents.NOTICE,
    )


def failures_of(session: Session, job_id: str, *such: ColumnElement[bool]) -> dict[str, int]:
    """How many photos of a job, or of such, have failed, by error code."""
    code = Photo.error["code"].as_string().label("code")
    query = (
        select(code, func.count().label("failed"))
        .where(Photo.job_id == job_id, Photo.status == PhotoStatus.FAILED, *such)
        # By its label: PostgreSQL takes the path for another parameter each time it is written.
        .group_by("code")
        .order_by("code")
    )
    return {row.code: row.failed for row in session.execute(query)}
