"""Pictures whose pixels are known beforehand, and what decoding makes of them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from nightshift.words.errors import Unreadable
from worker.pipeline.decoding.decode import MAX_MEMORY, DecodedPhoto, decode

pillow_heif.register_heif_opener()

# Four flat corners: survives lossy formats, and tells every orientation from every other.
RED, GREEN, BLUE, GREY = (200, 40, 30), (40, 180, 60), (30, 60, 210), (128, 128, 128)


def quadrants(width: int = 96, height: int = 64) -> Image.Image:
    image = Image.new("RGB", (width, height))
    for index, colour in enumerate((RED, GREEN, BLUE, GREY)):
        row, column = divmod(index, 2)
        image.paste(colour, (column * width // 2, row * height // 2, width, height))
        if column == 0:
            image.paste(colour, (0, row * height // 2, width // 2, height))
    return image


def encoded(image: Image.Image, image_format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, image_format, **options)
    return out.getvalue()


def decoded(
    data: bytes,
    height: int = 1080,
    *,
    max_photo_pixels: int = 200_000_000,
    max_working_pixels: int = 8_300_000,
    max_memory: int = MAX_MEMORY,
) -> DecodedPhoto:
    return decode(
        data,
        height=height,
        max_photo_pixels=max_photo_pixels,
        max_working_pixels=max_working_pixels,
        max_memory=max_memory,
    )


def corners(photo: DecodedPhoto) -> list[tuple[int, ...]]:
    """Mean colour about the middle of each quadrant, row by row."""
    rows, columns = photo.pixels.shape[:2]
    means = []
    for y in (rows // 4, 3 * rows // 4):
        for x in (columns // 4, 3 * columns // 4):
            patch = photo.pixels[max(0, y - 4) : y + 4, max(0, x - 4) : x + 4].reshape(-1, 3)
            means.append(tuple(int(value) for value in np.rint(patch.mean(axis=0))))
    return means


def assert_quadrants(photo: DecodedPhoto, tolerance: int) -> None:
    np.testing.assert_allclose(corners(photo), [RED, GREEN, BLUE, GREY], atol=tolerance)


def code_of(data: bytes, **limits: int) -> str:
    with pytest.raises(Unreadable) as caught:
        decoded(data, **limits)
    return caught.value.code


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
