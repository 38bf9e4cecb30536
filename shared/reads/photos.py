"""Photos as the API shows them: one, a page, or every final one of a job."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from nightshift.words import documents
from nightshift.words.analysis import Face
from nightshift.words.error_codes import Code
from nightshift.words.errors import NotFound
from nightshift.words.states import FINAL_STATUSES
from nightshift.words.tables import FORMAT_VERSION
from shared.db.engine import Database
from shared.db.tables import FaceRow, Job, Photo
from shared.queue.jobs import owned_job
from shared.reads.cursor import Place
from shared.reads.order import AS_ADDED, Order
from shared.reads.shown import shown
from shared.reads.sought import Sought

RESULTS_PAGE = 500
"""Photos read in one transaction while results are streamed."""

Entry = TypeVar("Entry")

_MADE = frozenset({"photo_id", "path", "history", "reused", "bundle", "warnings", "faces", "format_version"})
# As entities, rows would take twice as long, and pages hold thousands.
_SHOWN = (
    *(getattr(Photo, name) for name in documents.Photo.model_fields if name not in _MADE),
    *(
        Photo.id,
        Photo.place,
        Photo.ordinal,
        Photo.in_place_path,
        Photo.history,
        Photo.reused_from,
        Photo.warnings,
    ),
    Photo.face_count,
    *(Photo.bundle_name, Photo.bundle_sha256),
)
_FACES = TypeAdapter(list[Face])

_BY_CUSTOM_ID = select(*_SHOWN).where(
    Photo.job_id == bindparam("job_id"), Photo.custom_id == bindparam("custom_id")
)


def photo_by_id(session: Session, owner: str, job_id: str, photo_id: str) -> documents.Photo:
    """One photo.

    Raises:
        NotFound: `job_not_found`, `photo_not_found`.
    """
    owned_job(session, owner, job_id)
    row = session.execute(select(*_SHOWN).where(Photo.job_id == job_id, Photo.id == photo_id)).first()
    if row is None:
        raise NotFound(Code.PHOTO_NOT_FOUND, f"no photo {photo_id} in job {job_id}")
    return _views(session, [row])[0]


def photo_by_custom_id(session: Session, job_id: str, custom_id: str) -> documents.Photo:
    """One photo by the client's name for it.

    Raises:
        NotFound: `photo_not_found`.
    """
    row = session.execute(_BY_CUSTOM_ID, {"job_id": job_id, "custom_id": custom_id}).first()
    if row is None:
        raise NotFound(Code.PHOTO_NOT_FOUND, f"no photo {custom_id!r} in job {job_id}")
    return _views(session, [row])[0]


def photo_page(
    session: Session,
    owner: str,
    job_id: str,
    sought: Sought,
    *,
    order: Order = AS_ADDED,
    cursor: str | None = None,
    limit: int,
) -> documents.PhotoPage:
    """Photos of a job that are as sought, in this order.

    Raises:
        NotFound: `job_not_found`.
        InvalidInput: `bad_cursor`.
    """
    owned_job(session, owner, job_id)
    query = select(*_SHOWN).where(*sought.conditions(job_id))
    rows, more = order.page(session, query, job_id, cursor, limit)
    return documents.PhotoPage(photos=_views(session, rows), next=more)


def final_page(
    session: Session, owner: str, job_id: str, sought: Sought, *, cursor: str | None = None, limit: int
) -> documents.PhotoPage:
    """Photos that are final and as sought, in the order they were added.

    Raises:
        NotFound: `job_not_found`.
        InvalidInput: `bad_cursor`.
    """
    owned_job(session, owner, job_id)
    query = select(*_SHOWN).where(*sought.conditions(job_id), Photo.status.in_(FINAL_STATUSES))
    rows, more = AS_ADDED.page(session, query, job_id, cursor, limit)
    return documents.PhotoPage(photos=_views(session, rows), next=more)


def final_photos(
    database: Database,
    owner: str,
    job_id: str,
    page_size: int = RESULTS_PAGE,
    sought: Sought | None = None,
    cursor: str | None = None,
) -> Iterator[list[documents.Photo]]:
    """Every photo that is final and as sought, page by page in the order they were added; at least one page.

    With a cursor only those behind it.

    Each page is read in a transaction of its own, so that none is open while a client takes its
    time. What becomes final behind the page being read is left for the next asking.

    Raises:
        NotFound: `job_not_found`; also on a later page, when the job is deleted meanwhile.
        InvalidInput: `bad_cursor`.
    """
    after = None if cursor is None else AS_ADDED.place_of(cursor, job_id)
    return _final_pages(database, owner, job_id, page_size, _SHOWN, _views, sought or Sought(), after)


def final_photo_ids(
    database: Database, owner: str, job_id: str, page_size: int = RESULTS_PAGE
) -> Iterator[list[str]]:
    """Their ids alone, read as `final_photos` reads them."""
    columns = (Photo.id, Photo.place, Photo.ordinal)

    def ids(_: Session, rows: Sequence[Row[Any]]) -> list[str]:
        return [row.id for row in rows]

    return _final_pages(database, owner, job_id, page_size, columns, ids, Sought())


def _final_pages(
    database: Database,
    owner: str,
    job_id: str,
    page_size: int,
    columns: Sequence[InstrumentedAttribute[Any]],
    show: Callable[[Session, Sequence[Row[Any]]], list[Entry]],
    sought: Sought,
    after: Place | None = None,
) -> Iterator[list[Entry]]:
    query = select(*columns).where(*sought.conditions(job_id), Photo.status.in_(FINAL_STATUSES))
    while True:
        with database.read() as session:
            rows = AS_ADDED.behind(session, query, job_id, after, page_size)
            page = show(session, rows)
            # Asked last: a job still there now was there, whole, when its photos were read.
            still_there = select(Job.id).where(Job.id == job_id, Job.owner == owner)
            if session.scalar(still_there) is None:
                raise NotFound(Code.JOB_NOT_FOUND, f"no job {job_id}")
        yield page
        if len(rows) < page_size:
            return
        after = Place(rows[-1].ordinal, rows[-1].place)


def _views(session: Session, rows: Sequence[Row[Any]]) -> list[documents.Photo]:
    faces: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with_faces = [row.id for row in rows if row.face_count]
    if with_faces:
        query = (
            select(FaceRow.photo_id, FaceRow.document)
            .where(FaceRow.photo_id.in_(with_faces))
            .order_by(FaceRow.photo_id, FaceRow.index)
        )
        for photo_id, document in session.execute(query):
            faces[photo_id].append(document)
    return [_view(row, _FACES.validate_python(faces[row.id])) for row in rows]


def _view(row: Row[Any], faces: list[Face]) -> documents.Photo:
    bundle = None
    if row.bundle_name is not None and row.bundle_sha256 is not None:
        bundle = documents.BundleName(name=row.bundle_name, sha256=row.bundle_sha256)
    return shown(
        documents.Photo,
        row,
        photo_id=row.id,
        path=row.in_place_path,
        history=row.history or (),
        reused=row.reused_from is not None,
        bundle=bundle,
        warnings=row.warnings or (),
        faces=faces,
        format_version=FORMAT_VERSION,
    )
