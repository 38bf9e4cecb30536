"""Which way up a photo is, by its EXIF."""

from __future__ import annotations

import reprlib
from typing import Any

from PIL import ExifTags, Image

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture of each EXIF orientation upright (EXIF 2.32, tag 0x0112)."""

UNREADABLE = "EXIF could not be read; the photo is taken as upright"


def read_orientation(image: Image.Image, warnings: list[str]) -> int:
    """1-8 as the file says, 1 with a further warning when what it says cannot be read.

    Args:
        image: opened and not loaded: some decoders turn pictures, and say no more of it.
        warnings: more are put in.
    """
    if image.format == "HEIF":  # turned by its own boxes and never by EXIF
        original = image.info.get("original_orientation")
        return original if original in UPRIGHT else 1
    try:
        # PNG's own would decode the picture first, for what may lie behind the pixels; nothing does any more.
        exif = Image.Image.getexif(image) if image.format == "PNG" else image.getexif()
        value: Any = exif.get(ExifTags.Base.Orientation, 1)
        unreadable = not exif and len(image.info.get("exif") or b"") > len(b"Exif\0\0")
    except MemoryError:
        raise
    except Exception:  # broken EXIF raises whatever its parser met, or reads as no tags at all
        value, unreadable = 1, True
    if unreadable:
        warnings.append(UNREADABLE)
        return 1
    if isinstance(value, int) and 1 <= value <= 8:
        return value
    # The value may be a text of any length.
    warnings.append(f"EXIF orientation {reprlib.repr(value)} is not 1-8; the photo is taken as upright")
    return 1
