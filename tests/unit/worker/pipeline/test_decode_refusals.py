"""Bytes that are no photo, or one too large: each has its named error."""

from __future__ import annotations

import struct
import threading
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, _imaging

from nightshift.words.errors import Unreadable
from tests.support.pictures.drawn import (
    code_of,
    decoded,
    encoded,
    png_chunk,
    quadrants,
)
from worker.pipeline.decoding.refusal import raise_damaged


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello, I am a text file that somebody named photo.jpg",
        b"%PDF-1.7\n",
        b"\0" * 5000,
        b"<svg/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
    ],
)
def test_what_is_no_image_we_read_is_unsupported(data: bytes) -> None:
    assert code_of(data) == "unsupported_format"


@pytest.mark.parametrize("image_format", ["PPM", "ICO", "TGA", "JPEG2000"])
def test_images_of_other_formats_are_unsupported(image_format: str) -> None:
    assert code_of(encoded(quadrants(), image_format)) == "unsupported_format"


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF"])
@pytest.mark.parametrize("kept", [0.15, 0.5, 0.9])
def test_a_truncated_image_is_corrupt(image_format: str, kept: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    data = encoded(Image.fromarray(noise), image_format)
    assert code_of(data[: int(len(data) * kept)]) == "corrupt_image"


@pytest.mark.parametrize(
    "prefix", [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\0\0\0WEBPVP8 ", b"II*\0"]
)
def test_a_signature_with_nothing_behind_it_is_corrupt(prefix: bytes) -> None:
    assert code_of(prefix) == "corrupt_image"


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=40), st.integers(0, 2000))
def test_damage_anywhere_gives_pixels_or_a_named_error(damage: bytes, place: int) -> None:
    data = bytearray(encoded(quadrants(), "JPEG"))
    place %= len(data)
    data[place : place + len(damage)] = damage
    try:
        photo = decoded(bytes(data), max_photo_pixels=1_000_000)
    except Unreadable as error:
        assert error.code in ("corrupt_image", "unsupported_format", "too_many_pixels")
    else:
        assert photo.pixels.size > 0


def bomb(width: int, height: int) -> bytes:
    """A PNG that claims a size and has next to no data."""
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0" * 100)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, body) for kind, body in chunks)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [(15_000, 15_000), (20_000, 15_000), (30_000, 30_000), (60_000, 60_000)])
def test_a_bomb_is_refused_by_its_header(size: tuple[int, int]) -> None:
    # 225 MP lies between Pillow's warning and its error, whatever its own limit.
    assert code_of(bomb(*size)) == "too_many_pixels"


@pytest.mark.filterwarnings("ignore:Image size")
def test_the_pixel_limit_is_exact() -> None:
    data = encoded(Image.new("RGB", (100, 50)), "PNG")
    assert decoded(data, max_photo_pixels=5000).width == 100
    assert code_of(data, max_photo_pixels=4999) == "too_many_pixels"


@pytest.mark.filterwarnings("error")
def test_a_photo_over_pillows_own_limit_and_under_ours_is_read() -> None:
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = 1000
    try:
        assert decoded(encoded(quadrants(), "PNG")).width == 96
        assert Image.MAX_IMAGE_PIXELS == 1000
    finally:
        Image.MAX_IMAGE_PIXELS = before


def test_decoding_in_threads_leaves_pillows_limit_as_it_was() -> None:
    before = Image.MAX_IMAGE_PIXELS
    data = encoded(quadrants(800, 600), "JPEG")
    limits = [600_000, 10_000_000, 480_000]
    widths: list[int] = []
    threads = [
        threading.Thread(
            target=lambda limit: widths.append(decoded(data, max_photo_pixels=limit).width), args=(limit,)
        )
        for limit in limits * 6
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert widths == [800] * 18
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(f"{_imaging.getcodecstatus(-9)} when reading image file"), MemoryError),
        (RuntimeError("Memory allocation error: Unspecified"), MemoryError),
        (MemoryError(), MemoryError),
        (MemoryError("Memory allocation error: Invalid image size: zero width or height"), Unreadable),
        (RuntimeError("Memory allocation error: Security limit exceeded: Image size"), Unreadable),
        (OSError("broken data stream when reading image file"), Unreadable),
    ],
)
def test_too_little_memory_is_no_damage(error: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        raise_damaged(error)


def test_a_reason_is_one_short_line() -> None:
    with pytest.raises(Unreadable) as caught:
        raise_damaged(ValueError("x" * 5000 + "\nmore"))
    assert len(caught.value.message) < 300
