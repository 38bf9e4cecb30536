"""All but JPEG, loaded: whole or in parts, by what it takes of memory."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image

from worker.pipeline.decoding import cost, parts, png, tiff
from worker.pipeline.decoding.colour import GreyScale, to_eight_bits
from worker.pipeline.decoding.orientation import UPRIGHT, read_orientation
from worker.pipeline.decoding.refusal import check_pixels
from worker.pipeline.decoding.tiff_parts import tiff_parts


def fit_size(width: int, height: int, max_height: int, max_pixels: int) -> tuple[int, int]:
    """Width and height after scaling down to `max_height` rows, then to `max_pixels` pixels."""
    factor = min(1.0, max_height / height)
    fitted = (max(1, round(width * factor)), max(1, round(height * factor)))
    if fitted[0] * fitted[1] <= max_pixels:
        return fitted
    factor = math.sqrt(max_pixels / (width * height))
    return max(1, int(width * factor)), max(1, int(height * factor))


@dataclass(frozen=True, slots=True)
class Limits:
    """See `decode`."""

    height: int
    max_photo_pixels: int
    max_working_pixels: int
    max_memory: int

    @property
    def large(self) -> int:
        """Bytes over which a photo is decoded alone, and in parts where that is possible."""
        return self.max_memory // 4

    def target(self, size: tuple[int, int]) -> tuple[int, int]:
        """What an upright size is scaled down to."""
        return fit_size(*size, self.height, self.max_working_pixels)


Begin = Callable[[int, int], None]
"""Called with the pixels, and the bytes of memory, that are about to be needed."""


class Loaded(NamedTuple):
    """All but JPEG, loaded.

    Attributes:
        image: the picture, maybe reduced.
        size: its own, as it lies in the file or, of HEIF and TIFF, as its plugin turned it.
        said: the orientation that the file gave.
        turn: the orientation that is left to be followed.
        by: the factor by which it was reduced.
        scale: of its greys.
        gamma: levels to be looked up.
    """

    image: Image.Image
    size: tuple[int, int]
    said: int
    turn: int
    by: int
    scale: GreyScale
    gamma: list[int] | None


def load_other(data: bytes, image: Image.Image, warnings: list[str], limits: Limits, begin: Begin) -> Loaded:
    """Load an opened picture; a large one in parts, if there is anything to reduce.

    Args:
        data: the whole file.
        image: opened from it, and no JPEG.
        warnings: more are put in.
        limits: see `worker.pipeline.decoding.decode.decode`.
        begin: called before there are any pixels.

    Raises:
        Unreadable: `too_many_pixels`, `too_much_memory` or `corrupt_image`.
    """
    cost.check_time(image, len(data))
    target = limits.target(image.size)
    bytes_ = cost.whole(image, len(data)) + cost.scaling(image.size, target)
    pixels = image.width * image.height
    by = 1
    if bytes_ > limits.large and image.mode not in ("I", "F"):  # of these, the range is to be known first
        by = parts.factor(image.size, target)
    if by > 1:
        if (streamed := _stream(data, image, warnings, by, limits, begin)) is not None:
            return streamed
        bytes_ = cost.in_parts(image, len(data)) + cost.scaling(image.size, target)
    cost.check(bytes_, limits.max_memory)
    begin(pixels, bytes_)
    said, scale, gamma = _load(image, warnings)
    size = image.size  # libheif and libtiff know it only now
    check_pixels(size, limits.max_photo_pixels)
    # TIFF is turned by its plugin while loading. HEIF is turned by its own boxes and never by EXIF.
    turn = 1 if image.format == "HEIF" else read_orientation(image, warnings)
    if by > 1:
        rows = parts.rows_at_once(image.width, by)
        eight = (to_eight_bits(part, scale)[0] for part in parts.of_loaded(image, rows))
        image = parts.reduced(eight, size, by)
    return Loaded(image, size, said, turn, by, scale, gamma)


def _stream(
    data: bytes, image: Image.Image, warnings: list[str], by: int, limits: Limits, begin: Begin
) -> Loaded | None:
    """Decode some rows after the other, and reduce each; None where that is not possible."""
    if image.format not in ("PNG", "TIFF"):
        return None
    turn = read_orientation(image, warnings)
    size, scale = image.size, GreyScale()
    if image.format == "TIFF":
        size = size[::-1] if turn >= 5 else size
        scale = tiff.prepare(image)
    rows = parts.rows_at_once(size[0], by, cost.part_pixels(limits.max_memory))
    images: Iterator[Image.Image] | None
    if image.format == "PNG":
        images = parts.of_png(data, rows)
    elif (files := tiff_parts(data, rows, by)) is not None:
        images, rows = (Image.open(io.BytesIO(file), formats=("TIFF",)) for file in files[0]), files[1]
    else:
        images = None
    if images is None:
        return None
    part = size[0] * min(rows, size[1])
    small = parts.reduced_size(size, by)
    bytes_ = cost.streamed(image, part, math.prod(small), len(data)) + cost.scaling(
        small, limits.target(size)
    )
    cost.check(bytes_, limits.max_memory)
    begin(max(part, math.prod(small)), bytes_)

    def eight() -> Iterator[Image.Image]:
        for part in images:
            if part.format == "PNG":
                png.correct_colour_key(part)
            else:
                tiff.prepare(part)
            yield to_eight_bits(part, scale)[0]

    whole = parts.reduced(eight(), size, by)
    gamma = png.gamma_table(image) if image.format == "PNG" else None
    return Loaded(whole, size, turn, turn, by, GreyScale(), gamma)


def _load(image: Image.Image, warnings: list[str]) -> tuple[int, GreyScale, list[int] | None]:
    """Load all but JPEG: the orientation the file gave up by being loaded, its greys and its gamma."""
    said, scale, gamma = 1, GreyScale(), None
    if image.format == "PNG":
        png.correct_colour_key(image)
    elif image.format == "TIFF":
        said = read_orientation(image, warnings)
        scale = tiff.prepare(image)
    elif image.format == "HEIF":
        original = image.info.get("original_orientation")
        said = original if original in UPRIGHT else 1
    image.load()
    if image.format == "PNG":
        gamma = png.gamma_table(image)
    return said, scale, gamma
