"""What decodes JPEG fast gives what Pillow gives, or leaves the file to it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.support.pictures.chart import chart
from tests.support.pictures.drawn import encoded
from worker.pipeline.decoding.jpeg import decode_fast, open_jpeg

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (91, 133, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    "options", [{}, {"subsampling": "4:4:4"}, {"progressive": True}, {"keep_rgb": True}], ids=str
)
@pytest.mark.parametrize("wanted", [None, (66, 45), (17, 12)])
def test_the_same_pixels_at_every_scale(options: dict[str, Any], wanted: tuple[int, int] | None) -> None:
    data = encoded(NOISE, "JPEG", **options)
    image = open_jpeg(data)
    if wanted:
        image.draft("RGB", wanted)
        assert image.size != NOISE.size
    pixels = decode_fast(data, image)
    assert pixels is not None
    np.testing.assert_array_equal(pixels, np.asarray(image))


@pytest.mark.parametrize("mode", ["CMYK"])
def test_other_modes_are_left_to_pillow(mode: str) -> None:
    data = encoded(chart().convert(mode), "JPEG")
    assert decode_fast(data, open_jpeg(data)) is None


def test_a_cut_off_file_is_left_to_pillow() -> None:
    data = encoded(NOISE, "JPEG")[:-500]
    assert decode_fast(data, open_jpeg(data)) is None


@given(data=st.data())
def test_a_damaged_file_is_left_to_pillow_or_gives_the_same(data: st.DataObject) -> None:
    damaged = bytearray(encoded(NOISE, "JPEG", quality=60))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(2, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        image = open_jpeg(bytes(damaged))
    except Exception:
        return
    pixels = decode_fast(bytes(damaged), image)
    if pixels is not None:
        np.testing.assert_array_equal(pixels, np.asarray(Image.open(io.BytesIO(damaged)).convert("RGB")))
