"""The flat tables of a job's results as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from nightshift.words import documents
from nightshift.words.columns import Cell, columns
from nightshift.words.options import JobOptions
from nightshift.words.table_rows import About, cells, face_rows, low_confidence_face_rows, photo_row
from nightshift.words.tables import FaceRow, PhotoRow
from nightshift.words.thresholds import Thresholds
from shared.bundles.manifest import Manifest
from shared.db.tables import Job
from shared.queue.jobs import owned_job
from shared.reads.bundles import manifest_of, thresholds
from shared.reads.table import csv_text

BOM = "\ufeff"
"""By which spreadsheets know that a file is UTF-8."""


@dataclass(frozen=True, slots=True)
class FlatTable:
    """The class of its rows, and a photo's rows."""

    row: type[PhotoRow | FaceRow]
    rows: Callable[[documents.Photo, About], Iterable[PhotoRow | FaceRow]]

    def head(self) -> str:
        """The first line, behind the mark of UTF-8."""
        return BOM + csv_text([[column.name for column in columns(self.row)]])

    def lines(self, photos: Iterable[documents.Photo], about: About) -> str:
        """The lines of some photos."""
        return csv_text(self._cells(photos, about))

    def _cells(self, photos: Iterable[documents.Photo], about: About) -> Iterable[list[Cell]]:
        return (cells(row) for photo in photos for row in self.rows(photo, about))


PHOTOS = FlatTable(PhotoRow, lambda photo, about: [photo_row(photo, about)])
FACES = FlatTable(FaceRow, face_rows)
LOW_CONFIDENCE_FACES = FlatTable(FaceRow, low_confidence_face_rows)


def about_job(session: Session, owner: str, job_id: str, in_use: Manifest, weights_dir: Path) -> About:
    """What its rows say of a job.

    Raises:
        NotFound: `job_not_found`.
    """
    job = owned_job(session, owner, job_id)
    options = JobOptions.model_construct(**job.options)
    return About(job.id, job.bundle_sha256, options, thresholds_of(job, in_use, weights_dir))


def thresholds_of(job: Job, in_use: Manifest, weights_dir: Path) -> Thresholds | None:
    """Those that the job is labelled by; None where its weights are not here any more, or read otherwise."""
    manifest = manifest_of(job.bundle_sha256, in_use, weights_dir)
    if manifest is None:
        return None
    options = JobOptions.model_construct(**job.options)
    if options.analysis().fingerprint(manifest.reading) != job.options_fingerprint:
        return None
    return thresholds(manifest)
