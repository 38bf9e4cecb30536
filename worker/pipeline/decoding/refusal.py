"""Why a file cannot become pixels, in a code and a sentence."""

from __future__ import annotations

from typing import NoReturn

from nightshift.words.error_codes import Code
from nightshift.words.errors import Unreadable


def damaged(reason: str) -> Unreadable:
    """The file is of a kind that is read, and broken."""
    if "truncated" in reason.lower():
        # Libraries name bytes, or the call, that nobody else knows of.
        reason = "the file is cut off"
    return Unreadable(Code.CORRUPT_IMAGE, f"the image is damaged: {reason}")


def not_read(kind: str) -> Unreadable:
    """It is a picture of another kind."""
    return Unreadable(Code.UNSUPPORTED_FORMAT, f"a kind of image that is not read: {kind}")


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
        raise not_read(reason) from error
    raise damaged(reason) from error
