"""Photos for the demo and the tests, made from pictures that ship inside scikit-image.

The faces are all NASA's portrait of Eileen Collins (`skimage.data.astronaut`, public domain), so
every one of them is one and the same woman. Nothing is downloaded. The same arguments always give
the same bytes under the same Pillow.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import ExifTags, Image

NoFace = Literal["chelsea", "coffee", "rocket"]
Pixels = NDArray[np.uint8]

FACE_BOX = (176.0, 64.0, 274.0, 189.0)
"""About where the face is in the 512 x 512 portrait, x1 y1 x2 y2."""

GROUND = (118, 116, 112)
"""What shows where a turned picture leaves the frame empty."""

_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@cache
def _packaged(name: str) -> Image.Image:
    return Image.open(Path(skimage.__file__).parent / "data" / name).convert("RGB")


def astronaut(side_px: int = 512, *, mirrored: bool = False, turn_deg: float = 0.0) -> Image.Image:
    """The portrait, one face.

    Args:
        side_px: side of the square picture; the face is about a quarter of it high.
        mirrored: left and right exchanged.
        turn_deg: clockwise about the picture's middle, which makes the face's roll about that much larger.
    """
    image = _packaged("astronaut.png")
    if mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if turn_deg:
        image = image.rotate(-turn_deg, Image.Resampling.BICUBIC, fillcolor=GROUND)
    if side_px != image.width:
        image = image.resize((side_px, side_px), Image.Resampling.LANCZOS)
    return image


def astronaut_jpeg(
    side_px: int = 512,
    *,
    mirrored: bool = False,
    turn_deg: float = 0.0,
    exif_orientation: int = 1,
    quality: int = 90,
    comment: str = "",
) -> bytes:
    """The portrait as a JPEG file; see `astronaut` and `jpeg`."""
    image = astronaut(side_px, mirrored=mirrored, turn_deg=turn_deg)
    return jpeg(image, exif_orientation=exif_orientation, quality=quality, comment=comment)


def several(rows: int = 1, columns: int = 3, *, side_px: int = 300) -> Image.Image:
    """A grid of portraits, every second one mirrored: `rows * columns` faces in one picture."""
    sheet = Image.new("RGB", (columns * side_px, rows * side_px), GROUND)
    for index in range(rows * columns):
        row, column = divmod(index, columns)
        sheet.paste(astronaut(side_px, mirrored=index % 2 == 1), (column * side_px, row * side_px))
    return sheet


def several_jpeg(rows: int = 1, columns: int = 3, *, side_px: int = 300, quality: int = 90) -> bytes:
    """The grid as a JPEG file; see `several`."""
    return jpeg(several(rows, columns, side_px=side_px), quality=quality)


def no_face(name: NoFace = "coffee") -> Image.Image:
    """A picture with no human face: a cup of coffee, a cat, or a rocket on its pad."""
    return _packaged("rocket.jpg" if name == "rocket" else f"{name}.png").copy()


def no_face_jpeg(name: NoFace = "coffee", *, quality: int = 90) -> bytes:
    """The same as a JPEG file; see `no_face`."""
    return jpeg(no_face(name), quality=quality)


def jpeg(image: Image.Image, *, exif_orientation: int = 1, quality: int = 90, comment: str = "") -> bytes:
    """Encode a picture.

    Args:
        image: upright, RGB.
        exif_orientation: 1-8; the pixels are stored so that turning them as EXIF says gives `image`.
        quality: of the JPEG, 1-95.
        comment: kept in the file; makes otherwise equal files differ.
    """
    if exif_orientation != 1:
        image = image.transpose(_STORED[exif_orientation])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = exif_orientation
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, exif=exif, comment=comment.encode())
    return out.getvalue()
