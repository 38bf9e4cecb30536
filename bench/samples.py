"""Photos with known faces, made from one freely licensed picture.

The picture is scikit-image's `astronaut`: Eileen Collins, by NASA, in the public domain. It holds
one face. Every function is deterministic and returns an upright RGB image; nothing is downloaded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import skimage.data
from PIL import Image, ImageEnhance, ImageOps

PORTRAIT_AREA = (74, 0, 374, 300)
"""Part of the astronaut with the head and some air around it, xyxy pixels."""

BACKDROP = (96, 104, 112)


def astronaut(side_px: int = 512) -> Image.Image:
    """The whole picture, one face, `side_px` square; scaled when that is not 512."""
    picture = Image.fromarray(skimage.data.astronaut()).convert("RGB")  # type: ignore[no-untyped-call]
    return picture if side_px == 512 else _resized(picture, side_px, side_px)


def portrait(side_px: int = 300) -> Image.Image:
    """The head alone, one face, `side_px` square."""
    return _resized(astronaut().crop(PORTRAIT_AREA), side_px, side_px)


def mirrored(picture: Image.Image) -> Image.Image:
    """Left and right exchanged."""
    return ImageOps.mirror(picture)


def tilted(picture: Image.Image, clockwise_deg: float) -> Image.Image:
    """Turned about its middle on a plain backdrop large enough for the corners."""
    turn = math.radians(clockwise_deg)
    grown = abs(math.cos(turn)) + abs(math.sin(turn))
    canvas = Image.new("RGB", (round(picture.width * grown), round(picture.height * grown)), BACKDROP)
    canvas.paste(picture, ((canvas.width - picture.width) // 2, (canvas.height - picture.height) // 2))
    return canvas.rotate(-clockwise_deg, resample=Image.Resampling.BICUBIC, fillcolor=BACKDROP)


def side_by_side(pictures: Sequence[Image.Image], columns: int) -> Image.Image:
    """Pictures in rows of `columns`, each in a cell of the largest one's size."""
    width = max(picture.width for picture in pictures)
    height = max(picture.height for picture in pictures)
    rows = -(-len(pictures) // columns)
    canvas = Image.new("RGB", (width * min(columns, len(pictures)), height * rows), BACKDROP)
    for place, picture in enumerate(pictures):
        canvas.paste(picture, (place % columns * width, place // columns * height))
    return canvas


def brightened(picture: Image.Image, factor: float) -> Image.Image:
    """Every channel times `factor`; 1 changes nothing."""
    return ImageEnhance.Brightness(picture).enhance(factor)


def without_faces() -> Image.Image:
    """A cup of coffee: 600 x 400, no face (photo by Rachel Michetti, CC0)."""
    return Image.fromarray(skimage.data.coffee()).convert("RGB")  # type: ignore[no-untyped-call]


EXIF_ORIENTATION = 0x0112

_STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def as_camera_stores(upright: Image.Image, orientation: int) -> tuple[Image.Image, Image.Exif]:
    """The pixels and the EXIF block of a file that shows `upright` once `orientation` (1-8) is obeyed."""
    transpose = _STORED_AS[orientation]
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    return (upright if transpose is None else upright.transpose(transpose)), exif


def _resized(picture: Image.Image, width: int, height: int) -> Image.Image:
    return picture.resize((width, height), Image.Resampling.BICUBIC)
