"""Scaling down is Pillow's antialiased bilinear, to a level."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support import samples
from worker.pipeline.decoding.shrink import shrink, shrink_pixels


@given(w=st.integers(1, 90), h=st.integers(1, 90), to_w=st.integers(1, 90), to_h=st.integers(1, 90))
@settings(max_examples=60, deadline=None)
def test_it_is_within_a_level_of_pillow(w: int, h: int, to_w: int, to_h: int) -> None:
    pixels = np.random.default_rng(w * h).integers(0, 256, (h, w, 3), dtype=np.uint8)
    size = (min(w, to_w), min(h, to_h))
    found = shrink_pixels(pixels, size)
    expected = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
    assert found.dtype == np.uint8 and found.flags.c_contiguous
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1


def test_a_photo_is_the_same_but_for_one_level_in_a_hundred_pixels() -> None:
    photo = samples.astronaut()
    found = np.asarray(shrink(photo, (300, 300), (0, 0, *photo.size))).astype(int)
    off = np.abs(found - np.asarray(photo.resize((300, 300), Image.Resampling.BILINEAR)).astype(int))
    assert off.max() <= 1 and (off > 0).mean() < 0.01


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK"])
def test_other_modes_and_parts_are_left_to_pillow(mode: str) -> None:
    image = samples.astronaut(100).convert(mode)
    assert shrink(image, (50, 40), (0, 0, 100, 100)).mode == mode
    part = samples.astronaut(100)
    expected = part.resize((50, 40), Image.Resampling.BILINEAR, box=(0, 0, 99.5, 100))
    assert shrink(part, (50, 40), (0, 0, 99.5, 100)).tobytes() == expected.tobytes()


def test_pixels_that_may_not_be_written_to_are_read_without_a_warning() -> None:
    pixels = np.asarray(samples.astronaut(64))
    assert not pixels.flags.writeable
    before = pixels.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shrink_pixels(pixels, (20, 20))
    assert (pixels == before).all()
