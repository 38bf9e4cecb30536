"""Every kind of JPEG against the chart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.support.pictures.chart import PATCHES, assert_chart, chart, grey, inks, luma, printed, spread
from tests.support.pictures.containers import jpeg_segments, with_segment
from tests.support.pictures.drawn import code_of, decoded, encoded

TOLERANCE = 2
"""Quality 95 on flat patches: rounding to YCbCr and back, and one level of quantisation."""

ADOBE, MPF = 0xEE, 0xE2


@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": "4:4:4"},
        {"subsampling": "4:2:2"},
        {"subsampling": "4:2:0"},
        {"progressive": True},
        {"optimize": True},
        {"restart_marker_rows": 1},
        {"keep_rgb": True},
    ],
    ids=str,
)
def test_three_components(options: dict[str, Any]) -> None:
    assert_chart(decoded(encoded(chart(), "JPEG", quality=95, **options)), TOLERANCE)


def test_the_adobe_marker_alone_says_that_three_components_are_rgb() -> None:
    data = encoded(chart(), "JPEG", quality=95, keep_rgb=True)
    (place,) = [start for start, _ in jpeg_segments(data) if data[start + 1] == ADOBE]
    assert data[place + 15] == 0
    assert_chart(decoded(data), TOLERANCE)
    as_ycc = bytearray(data)
    as_ycc[place + 15] = 1  # the components' ids still say R, G and B; Adobe's marker goes before them
    photo = decoded(bytes(as_ycc))
    assert np.abs(photo.pixels.astype(int) - spread(PATCHES)).max() > 60


@pytest.mark.parametrize("progressive", [False, True])
def test_grey(progressive: bool) -> None:
    data = encoded(
        Image.fromarray(spread(luma()).astype(np.uint8)), "JPEG", quality=95, progressive=progressive
    )
    assert_chart(decoded(data), TOLERANCE, grey(luma()))


def cmyk_jpeg(stored: NDArray[np.generic], transform: int | None) -> bytes:
    """Four components of [24, 4] as they lie in the file, under Adobe's marker or without it."""
    # Pillow writes CMYK turned round, as Adobe does.
    image = Image.fromarray((255 - spread(stored)).astype(np.uint8), "CMYK")
    data = bytearray(encoded(image, "JPEG", quality=95))
    ((place, length),) = [part for part in jpeg_segments(bytes(data)) if data[part[0] + 1] == ADOBE]
    if transform is None:
        del data[place : place + length]
    else:
        data[place + 15] = transform
    return bytes(data)


@pytest.mark.parametrize("transform", [0, None])
def test_cmyk_lies_inverted_with_the_marker_and_is_taken_so_without(transform: int | None) -> None:
    # Browsers and Pillow alike: there are no others than Adobe's in the wild.
    data = cmyk_jpeg(255 - inks(), transform)
    assert_chart(decoded(data), TOLERANCE, printed(inks()))


def test_ycck() -> None:
    amounts = inks()
    # YCbCr of the inks, as JPEG defines it (BT.601, full range), and the black turned round.
    matrix = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    ycc = np.rint(amounts[:, :3] @ matrix.T + [0, 128, 128]).clip(0, 255)
    data = cmyk_jpeg(np.column_stack([ycc, 255 - amounts[:, 3].astype(int)]), 2)
    assert_chart(decoded(data), 3, printed(amounts))


def mpo() -> bytes:
    other = Image.new("RGB", (96, 64), "white")
    return encoded(chart(), "MPO", quality=95, save_all=True, append_images=[other])


def test_of_several_pictures_in_one_file_the_first_is_taken() -> None:
    assert_chart(decoded(mpo()), TOLERANCE)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("step", range(5, 90, 5))
def test_a_damaged_index_of_further_pictures_does_no_harm(step: int) -> None:
    data = bytearray(mpo())
    place = data.index(b"MPF\0") + step
    data[place : place + 4] = b"\xff\xfe\xff\xfd"
    assert_chart(decoded(bytes(data)), TOLERANCE)


def test_bytes_behind_the_picture_and_a_thumbnail_before_it_do_no_harm() -> None:
    data = encoded(chart(), "JPEG", quality=95)
    thumbnail = encoded(Image.new("RGB", (32, 32)), "JPEG", progressive=True)
    data = with_segment(data, 0xE3, thumbnail) + b"\xff\xda" * 500  # as a film behind a moving photo
    assert_chart(decoded(data), TOLERANCE)


def with_empty_scans(count: int, side_px: int = 64) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = encoded(Image.new("RGB", (side_px, side_px), (200, 40, 30)), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * count + data[-2:]


def test_a_picture_of_many_scans_is_refused_before_it_is_decoded() -> None:
    # Each scan is 26 bytes and costs a pass over all pixels: 20 s for each MB of this file of 12 megapixels.
    assert decoded(with_empty_scans(80)).width == 64
    assert code_of(with_empty_scans(100)) == "corrupt_image"
    photo_like = encoded(chart(), "JPEG", quality=95, progressive=True)
    assert_chart(decoded(photo_like + with_empty_scans(200)), TOLERANCE)  # not in the first picture
