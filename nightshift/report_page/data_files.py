"""The report's data: photos in files of some hundreds, the index over all of them, and what the job was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from nightshift.report_page.details import Details
from nightshift.report_page.originals import original_of, title_of
from nightshift.report_page.rows import LABELS, index_entry, photo_row, shape_of
from nightshift.words.analysis import DOUBTS
from nightshift.words.documents import FACES_ARE_NOT_PEOPLE, Job, Photo, Summary
from nightshift.words.version import VERSION

PAGE_PHOTOS = 500
"""Photos in one file: some 100 kB, read when they come into view."""

FAILURES_LISTED = 200
"""Failed photos in the table; all of them are in the grid."""

# What ends a script or opens a comment in HTML, and what older JavaScript takes for a line's end.
# JSON has these characters in strings only, where the escape means the same.
_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&'\x7f"}


def call(function: str, *values: Any) -> bytes:
    """A script that hands values to one of the page's functions.

    It is a script because a page opened from disk may load nothing else, and all of it is ASCII,
    so that no text in it can be misread, whatever characters it is made of.

    Args:
        function: such as `nightshift.page`; ours, never a client's.
        values: of JSON's types. The keys of dictionaries must be ours, too: `__proto__` as a key
            means something else to JavaScript.

    Raises:
        ValueError: a number is infinite, or none.
    """
    arguments = ",".join(
        json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")) for value in values
    )
    return f"{function}({arguments.translate(_ESCAPES)});\n".encode("ascii")


@dataclass(slots=True)
class Index:
    """What the page knows of all photos before it has read any file of them.

    Attributes:
        entries: one a photo; see `index_entry`.
        shapes: one character a photo; see `shape_of`.
        failed: ordinal, name, code and message of the first failed photos.
        roots: that were given, in the order of their first photo.
        details: which the page reads afterwards.
    """

    entries: list[str] = field(default_factory=list)
    shapes: list[str] = field(default_factory=list)
    failed: list[list[Any]] = field(default_factory=list)
    roots: dict[str, None] = field(default_factory=dict)
    details: Details = field(default_factory=Details)

    def add(self, photo: Photo, has_thumbnail: bool) -> None:
        """Add the next photo."""
        if photo.status == "failed" and photo.error and len(self.failed) < FAILURES_LISTED:
            self.failed.append([len(self.entries), photo.custom_id, photo.error.code, photo.error.message])
        self.entries.append(index_entry(photo))
        self.shapes.append(shape_of(photo, has_thumbnail))
        if photo.root:
            self.roots[photo.root] = None
        self.details.add(photo)

    def as_data(self) -> dict[str, Any]:
        """For the page."""
        return {
            "total": len(self.entries),
            "page_photos": PAGE_PHOTOS,
            "index": " ".join(self.entries),
            "shapes": "".join(self.shapes),
            "failed": self.failed,
            "from": title_of(self.roots),
        }


def photo_files(
    index: Index, photos: Iterable[Photo], shown: set[str], *, originals: bool = False
) -> Iterator[tuple[str, bytes]]:
    """`page-0001.js` and so on, `PAGE_PHOTOS` photos in each, and `index.js` over all of them.

    Args:
        index: empty; afterwards it knows them all.
        photos: read once; one file's worth of them is in memory.
        shown: ids of those that have a thumbnail.
        originals: whether photos may be linked to that lie on this disk.

    Yields:
        Each file's name and bytes.
    """
    rows: list[list[Any]] = []
    pages = count(1)

    def page() -> tuple[str, bytes]:
        number = next(pages)
        data = call("nightshift.page", number, rows)
        rows.clear()
        return f"page-{number:04d}.js", data

    for photo in photos:
        has_thumbnail = photo.photo_id in shown
        index.add(photo, has_thumbnail)
        rows.append(photo_row(photo, has_thumbnail, original_of(photo.path) if originals else None))
        if len(rows) == PAGE_PHOTOS:
            yield page()
    if rows:
        yield page()
    yield "index.js", call("nightshift.know", index.details.as_data())


def about(
    job: Job, summary: Summary, downloads: list[str], beside: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """The job in words and numbers: what the page shows above the photos and of their provenance."""
    return {
        "job": job.model_dump(
            mode="json",
            include={
                *("id", "label", "state", "outcome", "photos_per_second", "bundle"),
                *("created_at", "started_at", "ended_at", "results_expire_at"),
            },
        ),
        # Pairs: their names are not ours.
        "options": [[name, str(json.dumps(value))] for name, value in job.options.model_dump().items()],
        "counts": summary.photos.model_dump(
            include={"total", "queued", "running", "succeeded", "failed", "cancelled"}
        ),
        "reused": summary.reused,
        "duplicates": summary.duplicates,
        "failures": [[code, number] for code, number in summary.failures.items()],
        "commercial_use": summary.commercial_use.model_dump(include={"allowed", "reason"}),
        "notice": summary.notice,
        "not_people": FACES_ARE_NOT_PEOPLE,
        "archive": job.archive.name if job.archive else "",
        "beside": [list(each) for each in beside],
        "labels": LABELS,
        "doubts": [[reason, words] for reason, words in DOUBTS.items()],
        "downloads": downloads,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": VERSION,
    }
