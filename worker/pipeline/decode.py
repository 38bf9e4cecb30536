"""Photo bytes to an upright RGB array no larger than the detector needs."""

from __future__ import annotations

import io
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from shared.errors import Unreadable
from worker.pipeline.colour import to_eight_bits, to_rgb

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF")
"""Pillow's names of what is read; its default list opens EPS, WMF and PSD too."""

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


@dataclass(frozen=True, slots=True)
class DecodedPhoto:
    """A photo as the detector sees it.

    Attributes:
        pixels: uint8 [H, W, 3], RGB, C-contiguous, upright, scaled down where it had to be.
        width: of the upright photo at full size, pixels.
        height: likewise.
        exif_orientation: 1-8 as the file said, 1 when it said nothing readable.
        scale: rows of `pixels` over `height`, 0-1.
        warnings: short sentences for the photo's row.
        decode_ms: time that decoding took, milliseconds.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    exif_orientation: int
    scale: float
    warnings: tuple[str, ...] = field(default=())
    decode_ms: float = 0.0


def decode(data: bytes, *, height: int, max_photo_pixels: int, max_working_pixels: int) -> DecodedPhoto:
    """Decode one photo, upright, scaled down to `height` rows and `max_working_pixels` pixels, never up.

    Animations give their first frame. Transparent pixels lie on white.

    Args:
        data: the whole file.
        height: most rows of the result, pixels.
        max_photo_pixels: most pixels of the file, by its header.
        max_working_pixels: most pixels of the result.

    Raises:
        Unreadable: `unsupported_format`, `corrupt_image` or `too_many_pixels`.
        MemoryError: as Pillow raised it; the same photo may pass another time.
    """
    started = time.perf_counter()
    _register_heif()
    with _pillow_limit(max_photo_pixels):
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            _check_pixels(image.size, max_photo_pixels)
            photo = _decode_opened(image, height, max_photo_pixels, max_working_pixels)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            # Raised for more than 2x the limit, and for the warning where warnings are errors.
            raise Unreadable("too_many_pixels", f"over {max_photo_pixels / 1e6:g} megapixels") from error
        except (Unreadable, MemoryError):
            raise
        except UnidentifiedImageError as error:
            _raise_unidentified(data, error)
        except Exception as error:
            # Pillow's plugins let struct.error, KeyError and the like through on broken files.
            reason = str(error) or type(error).__name__
            raise Unreadable("corrupt_image", f"the image is damaged: {reason}") from error
    elapsed_ms = (time.perf_counter() - started) * 1000
    return DecodedPhoto(*photo, decode_ms=elapsed_ms)


def thumbnail(photo: DecodedPhoto, side_px: int = 320) -> bytes:
    """A small WebP of the photo, upright, its longer side at most `side_px`, never enlarged."""
    image = Image.fromarray(photo.pixels)
    ratio = min(1.0, side_px / max(image.size))
    size = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
    if size != image.size:
        image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=80, method=2)
    return out.getvalue()


def fit_size(width: int, height: int, max_height: int, max_pixels: int) -> tuple[int, int]:
    """Width and height after scaling down to `max_height` rows, then to `max_pixels` pixels."""
    factor = min(1.0, max_height / height)
    fitted = (max(1, round(width * factor)), max(1, round(height * factor)))
    if fitted[0] * fitted[1] <= max_pixels:
        return fitted
    factor = math.sqrt(max_pixels / (width * height))
    return max(1, int(width * factor)), max(1, int(height * factor))


def _decode_opened(
    image: Image.Image, max_height: int, max_photo_pixels: int, max_working_pixels: int
) -> tuple[NDArray[np.uint8], int, int, int, float, tuple[str, ...]]:
    warnings: list[str] = []
    said = image.info.get("original_orientation") or _orientation(image, warnings)
    size = image.size
    if image.format in ("JPEG", "MPO"):
        swapped = said >= 5
        width, height = size[::-1] if swapped else size
        target = fit_size(width, height, max_height, max_working_pixels)
        # libjpeg decodes at 1/2, 1/4 or 1/8 for a part of the work; never under the target.
        drafted = image.draft(image.mode, target[::-1] if swapped else target)
        box = drafted[1] if drafted else (0, 0, *size)
        image.load()
    else:
        image.load()
        size = image.size  # libheif and libtiff know it only now
        _check_pixels(size, max_photo_pixels)
        box = (0, 0, *size)
    # TIFF is turned by its plugin while loading, PNG may carry its EXIF behind the pixels.
    turn = said if image.format in ("JPEG", "MPO") else _orientation(image, warnings)
    swapped = turn >= 5
    width, height = size[::-1] if swapped else size
    target = fit_size(width, height, max_height, max_working_pixels)
    profile = image.info.get("icc_profile")
    image, notes = to_eight_bits(image)
    warnings += notes
    stored = target[::-1] if swapped else target
    if stored != image.size:
        # Bilinear with antialiasing: the filter under which MTCNN shows the fewest phantoms.
        image = image.resize(stored, Image.Resampling.BILINEAR, box=box)
    image, notes = to_rgb(image, profile)
    warnings += notes
    if turn in UPRIGHT:
        image = image.transpose(UPRIGHT[turn])
    pixels = np.ascontiguousarray(np.asarray(image, dtype=np.uint8))
    reported = said if said != 1 else turn
    return pixels, width, height, reported, pixels.shape[0] / height, tuple(dict.fromkeys(warnings))


def _orientation(image: Image.Image, warnings: list[str]) -> int:
    try:
        exif = image.getexif()
        value: Any = exif.get(ExifTags.Base.Orientation, 1)
        unreadable = not exif and len(image.info.get("exif") or b"") > len(b"Exif\0\0")
    except Exception:  # broken EXIF raises whatever its parser met, or reads as no tags at all
        value, unreadable = 1, True
    if unreadable:
        warnings.append("EXIF could not be read; the photo is taken as upright")
        return 1
    if isinstance(value, int) and 1 <= value <= 8:
        return value
    warnings.append(f"EXIF orientation {value!r} is not 1-8; the photo is taken as upright")
    return 1


def _check_pixels(size: tuple[int, int], max_photo_pixels: int) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise Unreadable("corrupt_image", f"the image is {width} x {height} pixels")
    if width * height > max_photo_pixels:
        raise Unreadable(
            "too_many_pixels", f"{width} x {height} pixels are over {max_photo_pixels / 1e6:g} megapixels"
        )


def _raise_unidentified(data: bytes, error: Exception) -> NoReturn:
    if not data:
        raise Unreadable("unsupported_format", "the file is empty") from error
    if any(_accepts(name, data[:16]) for name in FORMATS):
        raise Unreadable("corrupt_image", "the image is damaged: its header cannot be read") from error
    raise Unreadable(
        "unsupported_format", f"not an image in a format that is read ({', '.join(FORMATS)})"
    ) from error


def _accepts(name: str, prefix: bytes) -> bool:
    accept = Image.OPEN[name][1]
    return accept is not None and accept(prefix) is True


@cache
def _register_heif() -> None:
    pillow_heif.register_heif_opener()


_limits: list[int] = []
_limits_lock = threading.Lock()
_limit_before: int | None = None


@contextmanager
def _pillow_limit(max_photo_pixels: int) -> Iterator[None]:
    """Let Pillow open what we allow while we decode, and put its own limit back afterwards.

    The limit is one global of Pillow's, far under 200 megapixels; it still guards what a header
    check cannot see, such as a TIFF's tile size or a GIF frame that outgrows its screen.
    """
    global _limit_before
    with _limits_lock:
        if not _limits:
            _limit_before = Image.MAX_IMAGE_PIXELS
        _limits.append(max_photo_pixels)
        Image.MAX_IMAGE_PIXELS = max(_limits)
    try:
        yield
    finally:
        with _limits_lock:
            _limits.remove(max_photo_pixels)
            Image.MAX_IMAGE_PIXELS = max(_limits) if _limits else _limit_before
