"""What decoding a photo takes of memory, before it is taken. Measured: docs/adr/0021."""

from __future__ import annotations

import math

from PIL import Image

from nightshift.words.error_codes import Code
from nightshift.words.errors import Unreadable

_WHOLE = {"PNG": 13, "WEBP": 21, "TIFF": 11, "BMP": 13, "GIF": 13, "HEIF": 13, "AVIF": 17}
"""Bytes a pixel at the peak, decoded and scaled as a whole."""

_LOADED = {"PNG": 6, "WEBP": 18, "TIFF": 7, "BMP": 8, "GIF": 5, "HEIF": 10, "AVIF": 13}
"""The same where it is scaled part by part after it was decoded as a whole."""

_GREY = 6
"""Bytes a pixel of one channel of 8 or 16 bits, at most, in place of `_WHOLE`."""

_WIDE = 16
"""Bytes a pixel of 32 bits a channel, or of LAB."""

_ROW = 16
"""Bytes a row, however short: Pillow's places of them."""

_DRAFTED = 8
"""Bytes a pixel of a JPEG as it comes out of its decoder, scaled down or not."""

_PART = {"PNG": 40, "TIFF": 14}
"""Bytes a pixel of some rows that are decoded at once, in all of their shapes."""

_COPIES = {"PNG": 2, "TIFF": 1}
"""How often the file is there meanwhile."""

_REDUCED = 9
"""Bytes a pixel of a picture that was reduced in parts, while it is scaled."""

_COEFFICIENT = 2
"""Bytes of each coefficient of a JPEG of several scans: all of them lie in memory, at full size."""


_DEVELOPED_HALF, _DEVELOPED, _STACKED = 5.5, 15, 18
"""Bytes a value of a sensor: its values, the picture of 16 bits a channel, and that of 8, twice."""

_JXL = 20
"""Bytes a pixel of a JPEG XL, in both processes."""

_FILES_APART = 3
"""How often a file is there that another process decodes."""

_RUN_LENGTHS = (1, 2)
"""Compressions of a BMP that Pillow undoes in Python, at about a second a megabyte."""

_MOST_RUNS = 20_000_000


def whole(image: Image.Image, size_bytes: int) -> int:
    """Bytes that an opened picture takes at the peak, decoded as a whole, with the file itself."""
    pixels = image.width * image.height
    a_pixel = _WHOLE.get(image.format or "", 20)
    if image.mode in ("I", "F", "LAB"):
        a_pixel = max(a_pixel, _WIDE)
    elif image.mode in ("1", "L", "I;16", "I;16B") and image.format in ("PNG", "TIFF", "BMP"):
        a_pixel = _GREY
    return pixels * a_pixel + size_bytes


def in_parts(image: Image.Image, size_bytes: int) -> int:
    """The same where it is scaled in parts behind the decoder."""
    if image.mode in ("I", "F", "LAB"):
        return whole(image, size_bytes)
    pixels = image.width * image.height
    return min(pixels * _LOADED.get(image.format or "", 20) + size_bytes, whole(image, size_bytes))


def streamed(image: Image.Image, part: int, reduced: int, size_bytes: int) -> int:
    """The same where no more than some rows are decoded at once.

    Args:
        image: opened, PNG or TIFF.
        part: pixels that are decoded at once.
        reduced: pixels of the picture that its parts are reduced to.
        size_bytes: of the file.
    """
    format_ = image.format or ""
    rows = image.height * _ROW
    return part * _PART[format_] + reduced * _REDUCED + size_bytes * _COPIES[format_] + rows


def part_pixels(max_memory: int) -> int:
    """How many pixels may be decoded at once, so that they take a quarter of the memory at most."""
    return max_memory // (4 * max(_PART.values()))


def scaling(size: tuple[int, int], target: tuple[int, int]) -> int:
    """Bytes with which a picture is scaled beside its pixels: weights, much where a side is very long."""
    sides = [(side, new) for side, new in zip(size, target, strict=True) if side != new]
    return sum(new * (32 + 8 * (2 * math.ceil(side / new) + 1)) for side, new in sides) + size[1] * _ROW


def of_jpeg(size: tuple[int, int], drafted: tuple[int, int], samples: float, size_bytes: int) -> int:
    """Bytes that a JPEG takes at the peak.

    Args:
        size: of the picture, pixels.
        drafted: as it is to come out of the decoder.
        samples: values a pixel that are kept throughout: 1.5 or 3 of most progressive ones, 0 of others.
        size_bytes: of the file.
    """
    coefficients = int(size[0] * size[1] * samples * _COEFFICIENT)
    return drafted[0] * drafted[1] * _DRAFTED + coefficients + size_bytes


def of_raw(sensor_pixels: int, size_bytes: int, *, mosaic: bool, half: bool) -> int:
    """Bytes that developing a camera's raw file takes, here and in the process that does it.

    Args:
        sensor_pixels: values of the sensor; of three colours each where there is no mosaic.
        size_bytes: of the file.
        mosaic: whether each value is of one colour.
        half: whether four values become one pixel.
    """
    a_pixel = _STACKED if not mosaic else _DEVELOPED_HALF if half else _DEVELOPED
    return int(sensor_pixels * a_pixel) + _FILES_APART * size_bytes


def of_jxl(pixels: int, size_bytes: int) -> int:
    """The same of a JPEG XL."""
    return pixels * _JXL + _FILES_APART * size_bytes


def check_time(image: Image.Image, size_bytes: int) -> None:
    """Refuse a picture whose decoder would take minutes, though hardly any memory.

    Raises:
        Unreadable: `too_many_pixels`.
    """
    if image.format == "BMP" and image.info.get("compression") in _RUN_LENGTHS and size_bytes > _MOST_RUNS:
        raise Unreadable(Code.TOO_MANY_PIXELS, f"over {_MOST_RUNS / 1e6:g} MB of a BMP in run lengths")


def check(cost: int, most: int) -> None:
    """Refuse a photo by what it would take.

    Raises:
        Unreadable: `too_much_memory`.
    """
    if cost > most:
        raise Unreadable(
            Code.TOO_MUCH_MEMORY,
            f"decoding it would take {cost / 1e9:.1f} GB of memory, over {most / 1e9:.1f} GB",
        )
