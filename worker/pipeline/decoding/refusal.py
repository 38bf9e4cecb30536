"""Why a file cannot become pixels, in a code and a sentence."""

from __future__ import annotations

import io
import struct
from typing import NoReturn

from PIL import Image

from nightshift.words.error_codes import Code
from nightshift.words.errors import Unreadable
from worker.pipeline.decoding.kinds import FORMATS, refusal_of
from worker.pipeline.decoding.webp import is_webp


def check_pixels(size: tuple[int, int], max_photo_pixels: int) -> None:
    """Refuse a picture by its width and height.

    Raises:
        Unreadable: `corrupt_image` without pixels, `too_many_pixels` over the limit.
    """
    width, height = size
    if width < 1 or height < 1:
        raise Unreadable(Code.CORRUPT_IMAGE, f"the image is {width} x {height} pixels")
    if width * height > max_photo_pixels:
        raise Unreadable(
            Code.TOO_MANY_PIXELS, f"{width} x {height} pixels are over {max_photo_pixels / 1e6:g} megapixels"
        )


def raise_unidentified(data: bytes, max_photo_pixels: int, error: Exception) -> NoReturn:
    """Say of a file that no plugin opened whether it is damaged, of a kind that is not read, or neither."""
    if not data:
        raise Unreadable(Code.UNSUPPORTED_FORMAT, "the file is empty") from error
    for name in FORMATS:
        if not _accepts(name, data[:16]):
            continue
        if data[4:8] == b"ftyp" and (claimed := _claimed_size(data)):
            check_pixels(claimed, max_photo_pixels)  # over libavif's own limit, it is "not identified"
        try:
            Image.OPEN[name][0](io.BytesIO(data), "")
        except Exception as reason:
            if "unknown pixel mode" in str(reason):
                raise Unreadable(Code.UNSUPPORTED_FORMAT, f"a kind of {name} that is not read") from error
        raise Unreadable(Code.CORRUPT_IMAGE, "the image is damaged: its header cannot be read") from error
    if is_webp(data):  # Pillow looks at the first chunk's name, too
        raise Unreadable(
            Code.CORRUPT_IMAGE, "the image is damaged: its first chunk is none of WebP's"
        ) from error
    raise Unreadable(Code.UNSUPPORTED_FORMAT, refusal_of(data)) from error


def raise_damaged(error: Exception) -> NoReturn:
    """Translate whatever a plugin raised.

    Raises:
        Unreadable: `corrupt_image` or `unsupported_format`.
        MemoryError: where that is what it meant.
    """
    reason = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
    # Pillow's codecs report it as an OSError, libheif as a RuntimeError; its own limits are none of ours,
    # nor is a picture without a pixel, which it calls a failed allocation too.
    said = reason.lower()
    memory = isinstance(error, MemoryError) or "out of memory" in said or "memory allocation" in said
    if memory and "limit" not in said and "invalid image size" not in said:
        raise MemoryError(reason) from error
    if "unsupported" in said:
        raise Unreadable(Code.UNSUPPORTED_FORMAT, f"a kind of image that is not read: {reason}") from error
    raise Unreadable(Code.CORRUPT_IMAGE, f"the image is damaged: {reason}") from error


def _claimed_size(data: bytes) -> tuple[int, int] | None:
    """Width and height by the first `ispe` box of a HEIF or AVIF file."""
    place = data.find(b"ispe", 0, 65536)
    if not 0 <= place <= len(data) - 16:
        return None
    width, height = struct.unpack_from(">II", data, place + 8)
    return (width, height) if width and height else None


def _accepts(name: str, prefix: bytes) -> bool:
    accept = Image.OPEN[name][1]
    return accept is not None and accept(prefix) is True
