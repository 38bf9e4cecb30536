"""What can be read of a file that a decoder refuses for something that is not its picture."""

from __future__ import annotations

from worker.pipeline.decoding import bmp, gif, heif, jpeg, jpeg_lies, png, png_chunks, tiff_pages, webp

Mended = tuple[bytes, list[str]]
"""A file that may be decoded instead, and sentences on what it does without."""


def mended(data: bytes) -> list[Mended]:
    """Files to try in its place, the one that gives up least first; none where even that is too broken.

    Most of a PNG is read so at once.
    """
    try:
        return [each for each in _of_its_format(data) if each is not None]
    except MemoryError:
        raise
    except Exception:  # whatever its parser met
        return []


def _of_its_format(data: bytes) -> list[Mended | None]:
    if data.startswith(jpeg.SIGNATURE):
        return [jpeg.mended(data)]
    if data.startswith(png_chunks.SIGNATURE):
        return [png.mended(data)]
    if webp.is_webp(data):
        return [webp.mended(data), webp.without_metadata(data)]
    if data.startswith(gif.SIGNATURES):
        return [gif.mended(data)]
    if data.startswith(b"BM"):
        return [bmp.mended(data)]
    if data.startswith(tiff_pages.SIGNATURES):
        return [tiff_pages.mended(data)]
    return [*heif.mended(data)] if heif.is_heif(data) else []


def is_out_of_order(data: bytes) -> bool:
    """Whether a decoder may take something else of the file for its picture, and be content with it."""
    if data.startswith(jpeg.SIGNATURE):
        return not jpeg_lies.are_in_order(data)
    if data.startswith(gif.SIGNATURES):
        return not gif.is_in_order(data)
    return data.startswith(b"BM") and bmp.mended(data) is not None
