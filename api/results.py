"""What was found in a job: `results`, as tables, `thumbnails`, the `report`, and `summary` in numbers."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from itertools import chain
from typing import TypeVar

from flask import Request, Response, request

from api.answers import answer, link_to
from api.context import Context, context
from api.description import RESULTS, RESULTS_TAG, answers, blueprint_of, media
from api.parameters import JobPath, ResultsQuery
from api.zips import zipped
from nightshift.report_page.page import page_files
from nightshift.words import documents
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from shared.files.store import thumbnail_key
from shared.queue.jobs import owned_job
from shared.reads.breakdown import break_down
from shared.reads.bundles import commercial_use_of
from shared.reads.flat_tables import (
    FACES,
    LOW_CONFIDENCE_FACES,
    PHOTOS,
    FlatTable,
    about_job,
    thresholds_of,
)
from shared.reads.jobs import JOBS_PATH
from shared.reads.photos import final_page, final_photo_ids, final_photos
from shared.reads.summary import summarise
from shared.reads.table import COLUMNS, csv_text, rows_of

JSON_LINES = "application/x-ndjson"
CSV = "text/csv"
TAR = "application/x-tar"
ZIP = "application/zip"
PIECE_PHOTOS = 50
"""Photos written to the client at once: tens of kilobytes, which a slow line takes in time."""
MEDIA_TYPES = (JSON_LINES, "application/jsonl", CSV)

Page = TypeVar("Page")

blueprint = blueprint_of("results", RESULTS_TAG, JOBS_PATH)


@blueprint.get("/<job_id>/results", responses=answers({200: RESULTS}, 404, 406))
def get_results(path: JobPath, query: ResultsQuery) -> Response:
    """Every photo that is final, or those of them that are sought, in the order they were added, streamed

    JSON Lines, one photo a line; or CSV, one row a face and one for a photo without. This CSV is the
    table from before: it is there for one more release, `photos.csv` and `faces.csv` take its place.
    With a `limit` they come page by page, and the `Link` header leads to the next one.
    While the job runs these are the results so far. An answer that is cut off was not read to its
    end: it lacks the last chunk, which clients report as an error.
    """
    media_type = wanted_type(request, query.format)
    of_job = context().owner, path.job_id
    more: str | None = None
    if query.limit is None:
        pages = _begun(final_photos(context().database, *of_job, sought=query.sought(), cursor=query.cursor))
    else:
        with context().database.read() as session:
            page = final_page(session, *of_job, query.sought(), cursor=query.cursor, limit=query.limit)
        pages, more = iter([page.photos]), page.next
    stream = _csv(pages) if media_type == CSV else _json_lines(pages)
    extension = "csv" if media_type == CSV else "jsonl"
    headers = {
        "Content-Disposition": f'attachment; filename="{path.job_id}.{extension}"',
        "Vary": "Accept",
        **link_to(more),
    }
    content_type = f"{CSV}; charset=utf-8" if media_type == CSV else media_type
    return Response(stream, content_type=content_type, headers=headers)


@blueprint.get("/<job_id>/photos.csv", responses=answers({200: media(CSV)}, 404))
def get_photos_csv(path: JobPath) -> Response:
    """The table of photos: one row for each that is final, in the order they were added, streamed

    UTF-8 with its mark, comma, CRLF. The data dictionary, docs/tables.md, says what each column means. An
    apostrophe stands before whatever a spreadsheet would take for a formula.
    """
    return _table(PHOTOS, "photos", path.job_id)


@blueprint.get("/<job_id>/faces.csv", responses=answers({200: media(CSV)}, 404))
def get_faces_csv(path: JobPath) -> Response:
    """The table of faces: one row for each of the photos that are final, streamed

    Of the same form as `photos.csv`.
    """
    return _table(FACES, "faces", path.job_id)


@blueprint.get("/<job_id>/low-confidence-faces.csv", responses=answers({200: media(CSV)}, 404))
def get_low_confidence_faces_csv(path: JobPath) -> Response:
    """Faces of which the detector is less sure than the job asks for, yet at least 0.7, streamed

    Columns and form are those of `faces.csv`: both tables together are what a `min_confidence` of 0.7 would
    have found. No count has these faces.
    """
    return _table(LOW_CONFIDENCE_FACES, "low-confidence-faces", path.job_id)


@blueprint.get("/<job_id>/summary", responses=answers({200: documents.Summary}, 404))
def get_summary(path: JobPath) -> Response:
    """A job's results in numbers; so far, while it runs"""
    return answer(_summary(context(), path.job_id))


@blueprint.get("/<job_id>/breakdown", responses=answers({200: documents.Breakdown}, 404))
def get_breakdown(path: JobPath) -> Response:
    """A job's photos by how many faces are in them, by folder and by hour; so far, while it runs"""
    with context().database.read() as session:
        return answer(break_down(session, context().owner, path.job_id))


@blueprint.get("/<job_id>/thumbnails", responses=answers({200: media(TAR)}, 404))
def get_thumbnails(path: JobPath) -> Response:
    """The thumbnails of every photo that is final, as one tar, streamed

    Uncompressed; its members are `PHOTO_ID.webp`, in the order in which the photos were added. A
    photo without a thumbnail is left out. An answer that is cut off was not read to its end: it
    lacks the last chunk, which clients report as an error.
    """
    thumbnails = _begun(_thumbnails(context(), path.job_id))
    headers = {"Content-Disposition": f'attachment; filename="{path.job_id}.thumbnails.tar"'}
    return Response(_tar(thumbnails), content_type=TAR, headers=headers)


@blueprint.get("/<job_id>/report", responses=answers({200: media(ZIP)}, 404))
def get_report(path: JobPath) -> Response:
    """The report of the photos that are final, as a zip, streamed

    To be unpacked whole: `report.html` is opened in a browser, and needs no server and no network. It holds
    a small picture of each photo, and is what `nightshift report` writes. An answer that is cut off was not
    read to its end: it lacks the last chunk, which clients report as an error.
    """
    service = context()
    job, summary = service.jobs.one(service.owner, path.job_id), _summary(service, path.job_id)
    thumbnails = chain.from_iterable(_thumbnails(service, path.job_id))
    photos = chain.from_iterable(final_photos(service.database, service.owner, path.job_id))
    headers = {"Content-Disposition": f'attachment; filename="{path.job_id}.report.zip"'}
    return Response(zipped(page_files(job, summary, thumbnails, photos)), content_type=ZIP, headers=headers)


def wanted_type(request: Request, named: str | None) -> str:
    """Media type of the results: as `format` names it, else as `Accept` prefers it.

    Raises:
        InvalidInput: `not_acceptable`.
    """
    if named is not None:
        return CSV if named == "csv" else JSON_LINES
    if not request.accept_mimetypes:
        return JSON_LINES
    best = request.accept_mimetypes.best_match(MEDIA_TYPES)
    if best is None:
        raise InvalidInput(Code.NOT_ACCEPTABLE, f"results come as {', '.join(MEDIA_TYPES)}")
    return str(best)


def _begun(pages: Iterator[Page]) -> Iterator[Page]:
    """Their first is read now, so that what is wrong from the start is told by the status."""
    return chain([next(pages)], pages)


def _pieces(pages: Iterator[list[documents.Photo]]) -> Iterator[list[documents.Photo]]:
    for page in pages:
        for start in range(0, len(page), PIECE_PHOTOS):
            yield page[start : start + PIECE_PHOTOS]


def _json_lines(pages: Iterator[list[documents.Photo]]) -> Iterator[str]:
    for photos in _pieces(pages):
        yield "".join(photo.model_dump_json() + "\n" for photo in photos)


def _csv(pages: Iterator[list[documents.Photo]]) -> Iterator[str]:
    yield csv_text([COLUMNS])
    for photos in _pieces(pages):
        yield csv_text(row for photo in photos for row in rows_of(photo))


def _table(table: FlatTable, name: str, job_id: str) -> Response:
    service = context()
    with service.database.read() as session:
        about = about_job(session, service.owner, job_id, service.bundle, service.settings.weights_dir)
    pages = _begun(final_photos(service.database, service.owner, job_id))
    lines = (table.lines(photos, about) for photos in _pieces(pages))
    headers = {"Content-Disposition": f'attachment; filename="{job_id}.{name}.csv"'}
    return Response(chain([table.head()], lines), content_type=f"{CSV}; charset=utf-8", headers=headers)


def _summary(service: Context, job_id: str) -> documents.Summary:
    with service.database.read() as session:
        found = summarise(session, service.owner, job_id)
        job = owned_job(session, service.owner, job_id)
    weights = service.bundle, service.settings.weights_dir
    use = commercial_use_of(job.bundle_sha256, *weights)
    thresholds = thresholds_of(job, *weights)
    return found.model_copy(update={"commercial_use": use, "thresholds": thresholds})


def _thumbnails(service: Context, job_id: str) -> Iterator[Iterator[tuple[str, bytes]]]:
    """Photos' ids and thumbnails, page by page; some kilobytes of them are in memory."""
    for page in final_photo_ids(service.database, service.owner, job_id):
        images = ((each, service.store.get(thumbnail_key(service.owner, job_id, each))) for each in page)
        yield ((photo_id, image) for photo_id, image in images if image is not None)


def _tar(pages: Iterator[Iterator[tuple[str, bytes]]]) -> Iterator[bytes]:
    """One piece a member."""
    for photo_id, image in chain.from_iterable(pages):
        yield _member(f"{photo_id}.webp", image)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _member(name: str, data: bytes) -> bytes:
    head = tarfile.TarInfo(name)
    head.size = len(data)
    return head.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % tarfile.BLOCKSIZE)
