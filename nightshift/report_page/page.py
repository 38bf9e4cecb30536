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
from nightshift.report_page.data_files import about, call, write_photos
from nightshift.words.documents import Job, Photo, Summary

PAGE = "report.html"
FOLDER = "report_files"
DOWNLOADS = ("photos.csv", "faces.csv", "results.xlsx", "results.jsonl")

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
    with _new_parts(page, folder) as parts:
        for asset in _assets().iterdir():
            if asset.name.endswith((".js", ".css")):
                write_new(parts / asset.name, asset.read_bytes())
        shown = _write_thumbnails(parts / "thumbnails", thumbnails)
        index = write_photos(parts, photos, shown, originals=originals)
        downloads = [name for name in DOWNLOADS if (out / name).is_file()]
        data = about(job, summary, downloads, beside) | index.as_data()
        write_new(parts / "data.js", call("nightshift.receive", data))
        html = (_assets() / PAGE).read_text(encoding="utf-8")
        with replacing(page) as file:
            file.write(html.replace(f'"{FOLDER}/', f'"{FOLDER}/{parts.name}/').encode())
    for earlier in folder.iterdir():
        if _PARTS.fullmatch(earlier.name) and earlier != parts:
            shutil.rmtree(earlier, ignore_errors=True)
    return page


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


def _write_thumbnails(folder: Path, thumbnails: Iterable[tuple[str, bytes]]) -> set[str]:
    """Write them, and return the ids of those there are.

    They are spread over folders by the end of the id: neither a file manager nor every file system
    gets on with tens of thousands in one.
    """
    shown = set()
    for photo_id, image in thumbnails:
        if _PHOTO_ID.fullmatch(photo_id):
            path = folder / photo_id[-2:] / f"{photo_id}.webp"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(image)
            shown.add(photo_id)
    return shown
