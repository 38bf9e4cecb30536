"""What whoever runs a service looks at, beside jobs and workers."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from nightshift.words.service import ErasurePage, Expiring, ExpiringList, History, Hour, OwnedErasure
from nightshift.words.states import MOVES, JobState, PhotoStatus
from shared.db.engine import Transaction
from shared.db.tables import Erasure, Job, Photo
from shared.reads.cursor import decode_job, encode_job
from shared.reads.shown import shown

HOURS = 24
MOST_EXPIRING = 100


def history(session: Transaction) -> History:
    """What became final within each of the last 24 hours; it reads the photos of every job of that time."""
    this_hour = session.now.replace(minute=0, second=0, microsecond=0)
    begins = [this_hour - timedelta(hours=ago) for ago in reversed(range(HOURS))]
    lately = or_(Job.ended_at.is_(None), Job.ended_at >= begins[0])
    counted = (PhotoStatus.SUCCEEDED, PhotoStatus.FAILED)
    sums = [
        func.coalesce(
            func.sum(
                case(
                    (
                        and_(
                            Photo.status == status,
                            Photo.finished_at >= begin,
                            Photo.finished_at < begin + timedelta(hours=1),
                        ),
                        1,
                    ),
                    else_=0,
                )
            ),
            0,
        )
        for begin in begins
        for status in counted
    ]
    of_the_day = lately, Photo.status.in_(counted), Photo.finished_at >= begins[0]
    row = session.execute(select(*sums).join(Job, Job.id == Photo.job_id).where(*of_the_day)).one()
    return History(
        hours=[
            Hour(begins_at=begin, succeeded=row[2 * number], failed=row[2 * number + 1])
            for number, begin in enumerate(begins)
        ]
    )


def expiring(session: Transaction, owner: str | None) -> ExpiringList:
    """Jobs of one owner, or with None of all, that time ends, the soonest first."""
    found: list[Expiring] = []
    for query in (
        _of("results", Job.results_expire_at, Job.state == JobState.ENDED),
        _of("open", Job.open_until, Job.state == JobState.OPEN),
        _of("deadline", Job.deadline, Job.state.in_(MOVES["cancel"].leaves)),
    ):
        mine = query.where(Job.owner == owner) if owner is not None else query
        found += [Expiring.model_validate(row._asdict()) for row in session.execute(mine)]
    return ExpiringList(expiring=sorted(found, key=lambda each: each.at)[:MOST_EXPIRING])


def _of(
    what: str, at: InstrumentedAttribute[datetime | None], condition: ColumnElement[bool]
) -> Select[str, str, str | None, str, datetime | None]:
    columns = (Job.id.label("job_id"), Job.owner, Job.label, literal(what).label("what"), at.label("at"))
    return select(*columns).where(condition, at.is_not(None)).order_by(at).limit(MOST_EXPIRING)


def erasure_page(session: Transaction, *, owner: str | None, cursor: str | None, limit: int) -> ErasurePage:
    """Receipts about jobs of one owner, or with None of all, the newest first.

    Raises:
        InvalidInput: `bad_cursor`.
    """
    query = select(Erasure).order_by(Erasure.requested_at.desc(), Erasure.job_id.desc())
    if owner is not None:
        query = query.where(Erasure.owner == owner)
    if cursor is not None:
        query = query.where(tuple_(Erasure.requested_at, Erasure.job_id) < decode_job(cursor))
    rows = session.scalars(query.limit(limit + 1)).all()
    page = rows[:limit]
    more = encode_job(page[-1].requested_at, page[-1].job_id) if len(rows) > limit else None
    counts = ("originals", "thumbnails", "archives", "size_bytes")
    return ErasurePage(
        erasures=[
            shown(OwnedErasure, row, **{name: getattr(row, name) or 0 for name in counts}) for row in page
        ],
        next=more,
    )
