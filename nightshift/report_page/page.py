"""Writes `report.html` and `report_files/`.

The page's parts lie in a folder of their own under `report_files/`, whole before the page that
refers to them takes the earlier one's place. So a crash, or a full disk, leaves the earlier report
as it was; what that one referred to is removed last.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from nightshift.machine.whole_files import replacing, write_new
from nightshift.report_page.data_files import Index, about, call, photo_files
from nightshift.words.documents import Job, Photo, Summary
from nightshift.words.left_alone import in_full

PAGE = "report.html"
FOLDER = "report_files"
DOWNLOADS = ("photos.csv", "faces.csv", "results.xlsx", "results.jsonl")

_THUMBNAILS = "thumbnails"
_PARTS = re.compile(r"[0-9a-f]{12}")
_PHOTO_ID = re.compile(r"pho_[0-9a-f]{32}")


def write_page(
    out: Path,
    *,
    job: Job,
    summary: Summary,
    thumbnails: Iterable[tuple[str, bytes]],
    photos: Iterable[Photo],
    originals: bool = False,
    beside: Sequence[tuple[str, str]] = (),
) -> Path:
    """Write the report of a job, ended or not.

    Args:
        out: folder to write into; results in it are linked to.
        job: as it is, or was at its end.
        summary: of its faces and failures.
        thumbnails: photo id and WebP; read to their end before the photos.
        photos: those that are final, in order; read once, some hundreds in memory at a time.
        originals: whether the page may show photos from where they lie on this disk.
        beside: what was found beside the photos and is not in the job, each as what became of it and which.

    Returns:
        The page to open.

    Raises:
        OSError: it cannot be written; an earlier report is as it was.
    """
    page, folder = out / PAGE, out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    downloads = [name for name in DOWNLOADS if (out / name).is_file()]
    with _new_parts(page, folder) as parts:
        for name, data in _parts(job, summary, thumbnails, photos, downloads, beside, originals=originals):
            if name.startswith(f"{_THUMBNAILS}/"):
                (parts / name).parent.mkdir(parents=True, exist_ok=True)
                (parts / name).write_bytes(data)
            else:
                write_new(parts / name, data)
        with replacing(page) as file:
            file.write(_front(parts.name))
    for earlier in folder.iterdir():
        if _PARTS.fullmatch(earlier.name) and earlier != parts:
            shutil.rmtree(earlier, ignore_errors=True)
    return page


def page_files(
    job: Job, summary: Summary, thumbnails: Iterable[tuple[str, bytes]], photos: Iterable[Photo]
) -> Iterator[tuple[str, bytes]]:
    """The same report as names and bytes, for whoever packs it; the page, which needs the others, comes last.

    Args:
        job: as it is, or was at its end.
        summary: of its faces and failures.
        thumbnails: photo id and WebP; read to their end before the photos.
        photos: those that are final, in order; read once, some hundreds in memory at a time.
    """
    parts = secrets.token_hex(6)
    for name, data in _parts(job, summary, thumbnails, photos, [], _left_alone(job)):
        yield f"{FOLDER}/{parts}/{name}", data
    yield PAGE, _front(parts)


def _left_alone(job: Job) -> list[tuple[str, str]]:
    """What was left alone of the job's archive, as `beside` has it."""
    return [("Left alone", line) for line in in_full(job.archive.left_alone)] if job.archive else []


def _parts(
    job: Job,
    summary: Summary,
    thumbnails: Iterable[tuple[str, bytes]],
    photos: Iterable[Photo],
    downloads: list[str],
    beside: Sequence[tuple[str, str]],
    *,
    originals: bool = False,
) -> Iterator[tuple[str, bytes]]:
    """What lies in the folder of the page's parts: each file's path there, and its bytes."""
    for asset in _assets().iterdir():
        if asset.name.endswith((".js", ".css")):
            yield asset.name, asset.read_bytes()
    shown = set()
    for photo_id, image in thumbnails:
        if _PHOTO_ID.fullmatch(photo_id):
            shown.add(photo_id)
            # Spread over folders by the end of the id: neither a file manager nor every file system gets on
            # with tens of thousands in one.
            yield f"{_THUMBNAILS}/{photo_id[-2:]}/{photo_id}.webp", image
    index = Index()
    yield from photo_files(index, photos, shown, originals=originals)
    yield "data.js", call("nightshift.receive", about(job, summary, downloads, beside) | index.as_data())


def _front(parts: str) -> bytes:
    html = (_assets() / PAGE).read_text(encoding="utf-8")
    return html.replace(f'"{FOLDER}/', f'"{FOLDER}/{parts}/').encode()


@contextmanager
def _new_parts(page: Path, folder: Path) -> Iterator[Path]:
    """A new folder, removed again when an error keeps the page from referring to it."""
    parts = folder / secrets.token_hex(6)
    try:
        parts.mkdir()
        yield parts
    except BaseException:
        # Ctrl-C may come just after the page took the earlier one's place.
        if not (page.is_file() and parts.name in page.read_text(encoding="utf-8")):
            shutil.rmtree(parts, ignore_errors=True)
        with suppress(OSError):
            folder.rmdir()
        raise


def _assets() -> Traversable:
    return files("nightshift.report_page") / "assets"
