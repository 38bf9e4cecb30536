"""What can be read of a file that a decoder refuses for something that is not its picture."""

from __future__ import annotations

from collections.abc import Iterator

from worker.pipeline.decoding import bmp, gif, heif, jpeg, jpeg_lies, png, png_chunks, tiff_pages, webp

Mended = tuple[bytes, list[str]]
"""A file that may be decoded instead, and sentences on what it does without."""


def mended(data: bytes) -> Iterator[Mended]:
    """Files to try in its place, the one that gives up least first. Most of a PNG is read so at once.

    Each is as large as the file itself: it is made when it is asked for, and kept by nobody here.
    """
    try:
        yield from filter(None, _mended(data))
    except MemoryError:
        raise
    except Exception:  # whatever its parser met: with no more files to try, it is a damaged one
        return


def _mended(data: bytes) -> Iterator[Mended | None]:
    if data.startswith(jpeg.SIGNATURE):
        yield jpeg.mended(data)
    elif data.startswith(png_chunks.SIGNATURE):
        yield png.mended(data)
    elif webp.is_webp(data):
        yield webp.mended(data)
        yield webp.without_metadata(data)
    elif data.startswith(gif.SIGNATURES):
        yield gif.mended(data)
    elif data.startswith(b"BM"):
        yield bmp.mended(data)
    elif data.startswith(tiff_pages.SIGNATURES):
        yield tiff_pages.mended(data)
    elif heif.is_heif(data):
        yield from heif.mended(data)


def is_out_of_order(data: bytes) -> bool:
    """Whether a decoder may take something else of the file for its picture, and be content with it."""
    if data.startswith(jpeg.SIGNATURE):
        return not jpeg_lies.are_in_order(data)
    if data.startswith(gif.SIGNATURES):
        return not gif.is_in_order(data)
    return data.startswith(b"BM") and bmp.mended(data) is not None
