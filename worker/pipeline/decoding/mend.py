"""What can be read of a file that a decoder refuses for something that is not its picture."""

from __future__ import annotations

from worker.pipeline.decoding import bmp, gif, heif, jpeg, jpeg_segments, png, png_chunks, tiff_pages, webp

Mended = tuple[bytes, list[str]]
"""A file that may be decoded instead, and sentences on what it does without."""


def mended(data: bytes) -> list[Mended]:
    """Files to try in its place, the one that gives up least first. Most of a PNG is read so at once."""
    found: list[Mended | None]
    if data.startswith(jpeg.SIGNATURE):
        found = [jpeg.mended(data)]
    elif data.startswith(png_chunks.SIGNATURE):
        found = [png.mended(data)]
    elif webp.is_webp(data):
        found = [webp.mended(data), webp.without_metadata(data)]
    elif data.startswith(gif.SIGNATURES):
        found = [gif.mended(data)]
    elif data.startswith(b"BM"):
        found = [bmp.mended(data)]
    elif data.startswith(tiff_pages.SIGNATURES):
        found = [tiff_pages.mended(data)]
    elif heif.is_heif(data):
        found = [*heif.mended(data)]
    else:
        found = []
    return [each for each in found if each is not None]


def is_out_of_order(data: bytes) -> bool:
    """Whether a decoder may take something else of the file for its picture, and be content with it."""
    if data.startswith(jpeg.SIGNATURE):
        return not jpeg_segments.are_in_order(data)
    if data.startswith(gif.SIGNATURES):
        return not gif.is_in_order(data)
    return data.startswith(b"BM") and bmp.mended(data) is not None
