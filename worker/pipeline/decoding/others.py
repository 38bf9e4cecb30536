"""All but JPEG, opened: to be decoded whole or in parts, by what it takes of memory."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from PIL import Image

from worker.pipeline.decoding import cost, parts, png, png_chunks, tiff, tiff_pages
from worker.pipeline.decoding.capture import read_capture
from worker.pipeline.decoding.colour import GreyScale, to_eight_bits
from worker.pipeline.decoding.kinds import FORMATS
from worker.pipeline.decoding.opened import Limits, Loaded, Opened, upright
from worker.pipeline.decoding.orientation import UNREADABLE, read_orientation
from worker.pipeline.decoding.refusal import check_pixels
from worker.pipeline.decoding.tiff_parts import tiff_parts

_EXIF_ITEM = re.compile(rb"(infe[\x02\x03].{7,9}?)Exif", re.DOTALL)
"""Where a HEIF or AVIF file says that one of its items is EXIF."""


class _Kind(NamedTuple):
    """What is particular in a format.

    Attributes:
        prepare: corrects a picture that is not loaded yet, and may say what its greys are.
        parts: see `tiff_parts`.
        turns: whether the decoder turns pictures upright.
    """

    prepare: Callable[[Image.Image], GreyScale | None] = lambda _: None
    parts: Callable[[bytes, int, int], tuple[Iterator[Image.Image], int] | None] = lambda *_: None
    turns: bool = False


_KINDS = {
    "PNG": _Kind(png.correct_colour_key, parts.of_png),
    "TIFF": _Kind(tiff.prepare, tiff_parts, turns=True),
    "HEIF": _Kind(turns=True),
}


def opened(data: bytes, warnings: list[str], limits: Limits) -> Opened:
    """Open a file that is no JPEG; a large one to be decoded in parts, if there is anything to reduce.

    Raises:
        Unreadable: `too_many_pixels`, `unsupported_format` or `corrupt_image`.
        UnidentifiedImageError: it is of no format that is read.
    """
    image = _open(data, warnings)
    check_pixels(image.size, limits.max_photo_pixels)
    cost.check_time(image, len(data))
    kind = _KINDS.get(image.format or "", _Kind())
    orientation = read_orientation(image, warnings)
    greys = kind.prepare(image)
    photo = partial(
        Opened,
        orientation=orientation,
        profile=None if image.mode == "LAB" else image.info.get("icc_profile"),  # LAB needs none
        greys=greys,
        gamma=png.gamma_table(image) if image.format == "PNG" else None,
        capture=read_capture(data if image.format == "TIFF" else image.info.get("exif") or b""),
    )
    size, turn = image.size, orientation
    if kind.turns:
        size, turn = tiff.upright_size(image, orientation), 1
    target = limits.target(size, turn)
    scaling = cost.scaling(size, target)
    bytes_ = cost.whole(image, len(data)) + scaling
    by = 1
    if bytes_ > limits.large and image.mode not in ("I", "F"):  # of these, the range is to be known first
        by = parts.factor(size, target)
    if by > 1:
        # As it lies in the file, and so in its parts.
        size = upright(size, orientation) if kind.turns else size
        rows = parts.rows_at_once(size[0], by, cost.part_pixels(limits.max_memory))
        if (found := kind.parts(data, rows, by)) is not None:
            part, small = size[0] * min(found[1], size[1]), parts.reduced_size(size, by)
            bytes_ = cost.streamed(image, part, math.prod(small), len(data))
            bytes_ += cost.scaling(small, limits.target(size, orientation))
            load = partial(_reduced, found[0], greys, size, by)
            return photo(max(part, math.prod(small)), bytes_, load, turn=orientation)
        bytes_ = cost.in_parts(image, len(data)) + scaling
    load = partial(_whole, image, greys, by, limits.max_photo_pixels)
    return photo(image.width * image.height, bytes_, load, turn=turn)


def _open(data: bytes, warnings: list[str]) -> Image.Image:
    if data.startswith(png_chunks.SIGNATURE):
        return png.open_png(data, warnings)
    if data.startswith(tiff_pages.SIGNATURES):
        data, notes = tiff_pages.of_photo(data)
        warnings += notes
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except ValueError as error:
        # libavif gives up the whole file for its EXIF; under another name it leaves it alone.
        if "Exif" not in str(error):
            raise
    warnings.append(UNREADABLE)
    return Image.open(io.BytesIO(_EXIF_ITEM.sub(rb"\1skip", data)), formats=FORMATS)


def _whole(image: Image.Image, greys: GreyScale | None, by: int, max_photo_pixels: int) -> Loaded:
    image.load()
    size = image.size  # libheif and libtiff know it only now
    check_pixels(size, max_photo_pixels)
    if by == 1:
        return Loaded(image, size, (0, 0, *size))
    return _reduced(parts.of_loaded(image, parts.rows_at_once(image.width, by)), greys, size, by)


def _reduced(some: Iterator[Image.Image], greys: GreyScale | None, size: tuple[int, int], by: int) -> Loaded:
    eight = (to_eight_bits(part, greys)[0] for part in some)
    return Loaded(parts.reduced(eight, size, by), size, (0, 0, size[0] / by, size[1] / by))
