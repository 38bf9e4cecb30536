"""Colour profiles, against what their matrix and curve mean by formula."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.pictures.chart import PATCHES, assert_chart, chart, grey, inks, luma, on_white, spread
from tests.support.pictures.drawn import decoded, encoded
from tests.support.pictures.profiles import (
    ADOBE_RGB,
    CMYK_STEP,
    DISPLAY_P3,
    LINEAR,
    PROPHOTO,
    SRGB,
    MatrixProfile,
    cmyk_icc,
    grey_icc,
    press_srgb,
    srgb_levels,
)
from worker.pipeline.decoding.colour import to_rgb

SPACES = (DISPLAY_P3, ADOBE_RGB, PROPHOTO, LINEAR, SRGB)

CODECS = [
    ("JPEG", {"quality": 98, "subsampling": 0}, 6),
    ("PNG", {}, 1),
    ("WEBP", {"lossless": True}, 1),
    ("TIFF", {}, 1),
    ("AVIF", {"quality": 100, "subsampling": "4:4:4"}, 6),
    ("HEIF", {"quality": 98, "chroma": 444}, 6),
]
"""With the profiles' own slopes a codec's error of one level becomes several, in the darks the most."""


# A lossy file of linear light has no darks to compare.
CASES = [(space, *codec) for space in SPACES for codec in CODECS if space is not LINEAR or codec[2] == 1]


@pytest.mark.parametrize(
    ("space", "image_format", "options", "tolerance"),
    CASES,
    ids=[f"{space.name}-{name}" for space, name, *_ in CASES],
)
def test_colours_of_a_space(
    space: MatrixProfile, image_format: str, options: dict[str, Any], tolerance: int
) -> None:
    expected = space.srgb(PATCHES)
    if space is not SRGB:
        assert np.abs(expected - PATCHES).max() > 20, "else nothing would be proven"
    data = encoded(chart(), image_format, icc_profile=space.icc(), **options)
    assert_chart(decoded(data), tolerance, expected)


def test_the_formulas_give_the_published_primaries() -> None:
    """Red of each space under D50, as its own profile has it."""
    np.testing.assert_allclose(SRGB.matrix[:, 0], [0.4360, 0.2225, 0.0139], atol=0.001)
    np.testing.assert_allclose(DISPLAY_P3.matrix[:, 0], [0.5151, 0.2412, -0.0011], atol=0.001)
    np.testing.assert_allclose(ADOBE_RGB.matrix[:, 0], [0.6097, 0.3111, 0.0195], atol=0.001)
    np.testing.assert_allclose(PROPHOTO.matrix[:, 0], [0.7977, 0.2880, 0.0], atol=0.001)
    np.testing.assert_allclose(SRGB.srgb(PATCHES), PATCHES, atol=0.01)


def test_srgb_under_any_name_is_left_as_it_is() -> None:
    image = chart()
    converted, warnings = to_rgb(image, SRGB.icc())
    assert converted is image or converted.tobytes() == image.tobytes()
    assert warnings == []


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2, 2.6])
@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_grey(gamma: float, mode: str) -> None:
    levels = np.sort(luma())[::-1].copy()
    expected = grey(srgb_levels((levels / 255) ** gamma))
    picture = spread(levels).astype(np.uint8)
    image = Image.fromarray(picture)
    if mode == "LA":
        image = Image.merge("LA", (image, Image.new("L", image.size, 255)))
    elif mode == "I;16":
        image = Image.fromarray(picture.astype(np.uint16) * 257)
    # A gamma so near to sRGB's that no level moves by more than two is not followed.
    tolerance = 3 if gamma == 2.2 else 1
    assert_chart(decoded(encoded(image, "PNG", icc_profile=grey_icc(gamma))), tolerance, expected)


@pytest.mark.parametrize("image_format", ["TIFF", "JPEG"])
def test_inks(image_format: str) -> None:
    amounts = (np.rint(inks() / CMYK_STEP) * CMYK_STEP).astype(np.uint8)
    expected = press_srgb(amounts)
    assert np.abs(expected - (255.0 - amounts[:, :3]) * (255.0 - amounts[:, 3:]) / 255).max() > 30
    options = {"quality": 98, "subsampling": 0} if image_format == "JPEG" else {}
    image = Image.fromarray(spread(amounts).astype(np.uint8), "CMYK")
    data = encoded(image, image_format, icc_profile=cmyk_icc(), **options)
    assert_chart(decoded(data), 4 if options else 2, expected)


def test_a_palette_is_converted_by_its_colours() -> None:
    data = encoded(chart().quantize(24), "PNG", icc_profile=DISPLAY_P3.icc())
    assert_chart(decoded(data), 1, DISPLAY_P3.srgb(PATCHES))


def test_16_bits_a_channel_are_converted_too() -> None:
    from tests.unit.worker.pipeline.test_tiff_colours import written

    icc = PROPHOTO.icc()
    data = written(
        spread(PATCHES).astype(np.uint16) * 257, "rgb", extratags=[(34675, 7, len(icc), icc, True)]
    )
    assert_chart(decoded(data), 1, PROPHOTO.srgb(PATCHES))


def test_what_is_transparent_is_white_whatever_the_profile() -> None:
    levels = np.column_stack([PATCHES, np.zeros(24, np.uint8)])
    image = Image.fromarray(spread(levels).astype(np.uint8))
    photo = decoded(encoded(image, "PNG", icc_profile=ADOBE_RGB.icc()))
    assert_chart(photo, 1, on_white(PATCHES, 0))


@pytest.mark.parametrize("kept", [1, 60, 127, 128, 140, 200, 300, 500])
def test_a_truncated_profile_is_a_warning_or_still_a_profile(kept: int) -> None:
    photo = decoded(encoded(chart(), "PNG", icc_profile=DISPLAY_P3.icc()[:kept]))
    assert_chart(photo, 0, warned=True)


def test_a_profile_of_a_kind_that_no_photo_has_is_a_warning() -> None:
    icc = bytearray(DISPLAY_P3.icc())
    icc[16:20] = b"HSV "
    assert_chart(decoded(encoded(chart(), "PNG", icc_profile=bytes(icc))), 0, warned=True)
