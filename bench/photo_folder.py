"""The photos of a benchmark: found, and described without their names."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from PIL import Image

from bench.error_codes import BenchCode
from bench.results import Photos
from nightshift.photos import find_photos
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput

T = TypeVar("T")


def photos_in(folder: Path) -> list[Path]:
    """Every photo under a folder, in order.

    Raises:
        InvalidInput: `no_such_path` or `no_photos`.
    """
    if not folder.is_dir():
        raise InvalidInput(Code.NO_SUCH_PATH, f"no such folder: {folder}")
    found = [photo.path for photo in find_photos([folder]).photos]
    if not found:
        raise InvalidInput(Code.NO_PHOTOS, f"no photos in {folder}")
    return found


def describe_photos(photos: Sequence[Path], source: str) -> Photos:
    """Counts and sizes. Reads every file, which also brings it into the system's cache.

    Raises:
        InvalidInput: `unreadable_photo`: the plain flow opens what Pillow alone can open, and nothing is
            compared on photos that only some can read.
    """
    sizes, megapixels = [], []
    for path in photos:
        try:
            sizes.append(len(path.read_bytes()))
            with Image.open(path) as image:
                megapixels.append(image.width * image.height / 1e6)
        except OSError as error:
            raise InvalidInput(
                BenchCode.UNREADABLE_PHOTO, f"{path}: Pillow alone cannot open it: {error}"
            ) from error
    return Photos(
        source=source,
        count=len(photos),
        size_bytes=sum(sizes),
        megapixels_least=round(min(megapixels), 2),
        megapixels_median=round(statistics.median(megapixels), 2),
        megapixels_most=round(max(megapixels), 2),
    )


def sampled(photos: Sequence[T], most: int) -> list[T]:
    """At most so many, evenly out of all."""
    step = max(1.0, len(photos) / most)
    return [photos[int(index * step)] for index in range(min(most, len(photos)))]
