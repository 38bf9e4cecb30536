"""JPEG XL: its header read beforehand, its pixels by a decoder apart, upright by its own header."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from nightshift.words.errors import Unreadable
from tests.support.decoders import require_jxl
from tests.support.pictures.drawn import assert_quadrants, code_of, decoded, encoded, quadrants
from tests.support.pictures.profiles import DISPLAY_P3
from tests.support.pictures.seeds import exif
from worker.pipeline.decoding.jxl import IN_BOXES, read_header

require_jxl()

import pillow_jxl  # noqa: E402, F401 - it registers itself

SEEN = quadrants(96, 64)
GREY = SEEN.convert("L")
KINDS = {
    "RGB": SEEN,
    "grey": GREY,
    "RGBA": SEEN.convert("RGBA"),
    "grey and alpha": GREY.convert("LA"),
    "16 bits": Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257),
}


def jxl(image: Image.Image, **options: Any) -> bytes:
    return encoded(image, "JXL", **options)


def of_a_jpeg(orientation: int, folder: Any) -> bytes:
    """A JPEG in a JPEG XL, from which it can be had again, bit by bit."""
    path = folder / "a.jpg"
    SEEN.save(path, exif=exif(orientation))
    out = io.BytesIO()
    with warnings.catch_warnings(), Image.open(path) as image:
        warnings.simplefilter("ignore")
        image.save(out, "JXL")
    return out.getvalue()


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_read(kind: str, lossless: bool) -> None:
    photo = decoded(jxl(KINDS[kind], lossless=lossless))
    if kind in ("RGB", "RGBA"):
        assert_quadrants(photo, 0 if lossless else 8)
    else:
        assert np.abs(photo.pixels[..., 0].astype(int) - np.asarray(GREY)).max() <= (1 if lossless else 12)
    assert photo.warnings == ()


def test_transparent_parts_lie_on_white() -> None:
    clear = SEEN.convert("RGBA")
    clear.putalpha(0)
    assert decoded(jxl(clear, lossless=True)).pixels.min() == 255


def test_it_is_turned_by_its_header_and_not_by_exif(tmp_path: Any) -> None:
    lying = of_a_jpeg(6, tmp_path)
    assert lying.startswith(IN_BOXES) and b"jbrd" in lying
    photo = decoded(lying)
    assert (photo.width, photo.height, photo.exif_orientation) == (64, 96, 6)
    upright = decoded(jxl(SEEN, exif=exif(6)))
    assert (upright.width, upright.height, upright.exif_orientation) == (96, 64, 1)


def test_its_colours_are_brought_to_srgb() -> None:
    photo = decoded(jxl(SEEN, lossless=True, icc_profile=DISPLAY_P3.icc()))
    assert photo.pixels.shape == (64, 96, 3)


@pytest.mark.parametrize(
    "size", [(8, 8), (256, 256), (1, 1), (640, 480), (511, 7), (70_000, 3), (160, 90), (200, 100)]
)
@pytest.mark.parametrize("boxes", [False, True])
def test_its_size_is_in_its_header(size: tuple[int, int], boxes: bool) -> None:
    data = jxl(Image.new("L", size), lossless=True, effort=1, use_container=boxes)
    assert read_header(data) == (size, 1)


def test_limits_are_held_before_anything_is_decoded() -> None:
    data = jxl(SEEN)
    assert code_of(data, max_photo_pixels=6000) == "too_many_pixels"
    assert code_of(data, max_memory=100_000) == "too_much_memory"


def test_what_is_cut_off_or_no_picture_is_corrupt() -> None:
    for data in (jxl(SEEN, lossless=True), jxl(SEEN, use_container=True)):
        for size in (2, 13, 40, len(data) // 2, len(data) - 1):
            assert code_of(data[:size]) in {"corrupt_image", "unsupported_format"}
    assert code_of(b"\xff\x0a" + bytes(40)) == "corrupt_image"
    assert code_of(IN_BOXES + bytes(40)) == "corrupt_image"


@given(st.binary(max_size=300))
def test_any_header_is_read_or_refused(rest: bytes) -> None:
    for start in (
        b"\xff\x0a",
        IN_BOXES,
        IN_BOXES + b"\0\0\0\0jxlc\xff\x0a",
        IN_BOXES + b"\0\0\0\0jxlp\0\0\0\0\xff\x0a",
    ):
        try:
            (width, height), orientation = read_header(start + rest)
        except Unreadable as error:
            assert error.code == "corrupt_image"
        else:
            assert width >= 0 and height >= 1 and 1 <= orientation <= 8
