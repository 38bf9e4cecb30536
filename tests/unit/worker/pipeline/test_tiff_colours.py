"""Every kind of TIFF against the chart; exactly, unless a lossy codec is in it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags, Image

from tests.support.pictures.chart import (
    PATCHES,
    ROWS,
    SIDE,
    SIZE,
    STORED,
    assert_chart,
    chart,
    grey,
    inks,
    luma,
    on_white,
    printed,
    spread,
)
from tests.support.pictures.containers import packed, tiff
from tests.support.pictures.drawn import code_of, decoded, encoded
from tests.support.pictures.profiles import lab_of_srgb, srgb_of_lab

ORDERS = pytest.mark.parametrize("order", ["<", ">"], ids=["II", "MM"])
COMPRESSIONS = pytest.mark.parametrize("compression", [None, "zlib"])
WIDE = pytest.mark.parametrize("wide", [False, True], ids=["8", "16"])


def written(pixels: NDArray[Any], photometric: str, **options: Any) -> bytes:
    """By tifffile, which knows nothing of Pillow."""
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, photometric=photometric, **options)
    return out.getvalue()


def levels(values: NDArray[Any], wide: bool) -> NDArray[Any]:
    picture = spread(values)
    return picture.astype(np.uint16) * 257 if wide else picture.astype(np.uint8)


@WIDE
@ORDERS
@COMPRESSIONS
@pytest.mark.parametrize("layout", ["strips", "tiles", "planes", "planes in tiles"])
@pytest.mark.parametrize("kind", ["rgb", "separated"])
def test_colour(wide: bool, order: str, compression: str | None, layout: str, kind: str) -> None:
    pixels = levels(PATCHES if kind == "rgb" else inks(), wide)
    options: dict[str, Any] = {"byteorder": order, "compression": compression}
    if "planes" in layout:
        pixels, options["planarconfig"] = np.moveaxis(pixels, 2, 0), "separate"
    if "tiles" in layout:
        options["tile"] = (32, 48)  # does not divide the picture
    elif layout == "strips":
        options["rowsperstrip"] = 10
    photo = decoded(written(pixels, kind, **options))
    if kind == "rgb":
        assert_chart(photo, 0)
    else:
        assert_chart(photo, 1.1, printed(inks()))


@pytest.mark.parametrize(
    "compression", ["raw", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits", "lzma", "zstd"]
)
@pytest.mark.parametrize("mode", ["RGB", "P", "L"])
def test_lossless_compressions(compression: str, mode: str) -> None:
    image = {
        "RGB": chart(),
        "P": chart().quantize(24),
        "L": Image.fromarray(spread(luma()).astype(np.uint8)),
    }[mode]
    expected = grey(luma()) if mode == "L" else PATCHES
    assert_chart(decoded(encoded(image, "TIFF", compression=compression)), 0, expected)


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_lzw", "raw"])
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_black_and_white(compression: str, white_is_zero: bool) -> None:
    white = PATCHES[:, 1] > 127
    image = Image.fromarray(spread(white))
    data = encoded(image, "TIFF", compression=compression, tiffinfo={262: 0} if white_is_zero else {})
    assert_chart(decoded(data), 0, grey(white * 255))


def test_jpeg_in_tiff() -> None:
    assert_chart(decoded(encoded(chart(), "TIFF", compression="jpeg", quality=95)), 2)
    cmyk = Image.fromarray(spread(inks()).astype(np.uint8), "CMYK")
    photo = decoded(encoded(cmyk, "TIFF", compression="jpeg", quality=95))
    assert_chart(photo, 2, printed(inks()))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_ycbcr(compression: str) -> None:
    assert_chart(decoded(encoded(chart().convert("YCbCr"), "TIFF", compression=compression)), 2)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_lab(compression: str) -> None:
    lab = np.rint(lab_of_srgb(PATCHES) * [2.55, 1, 1])
    signed = spread(lab).astype(int) % 256  # two's complement, as the format has a* and b*
    stored = Image.frombytes("LAB", SIZE, signed.astype(np.uint8).tobytes())
    # a* and b* in 8 bits are whole numbers, so that the patches themselves are some levels off.
    expected = srgb_of_lab(lab / [2.55, 1, 1])
    assert_chart(decoded(encoded(stored, "TIFF", compression=compression)), 2, expected)


@ORDERS
@COMPRESSIONS
@pytest.mark.parametrize("wide", [False, True])
def test_grey_where_black_is_zero(order: str, compression: str | None, wide: bool) -> None:
    data = written(levels(luma(), wide), "minisblack", byteorder=order, compression=compression)
    assert_chart(decoded(data), 0, grey(luma()))


@COMPRESSIONS
@pytest.mark.parametrize("wide", [False, True])
def test_grey_where_white_is_zero(compression: str | None, wide: bool) -> None:
    data = written(levels(255 - luma(), wide), "miniswhite", compression=compression)
    assert_chart(decoded(data), 0, grey(luma()))


def test_12_bit_grey() -> None:
    values = np.rint(luma() / 255 * 4095).astype(int)
    rows = b"".join(twelve(row) for row in spread(values))
    tags = [(256, 3, 1, SIZE[0]), (257, 3, 1, SIZE[1]), (258, 3, 1, 12), (259, 3, 1, 1), (262, 3, 1, 1)]
    tags += [(273, 4, 1, 0), (277, 3, 1, 1), (278, 3, 1, SIZE[1]), (279, 4, 1, len(rows))]
    assert_chart(decoded(tiff(tags, rows)), 0, grey(luma()))


def twelve(row: NDArray[Any]) -> bytes:
    pairs = np.column_stack([row >> 8, (row >> 4) & 15, row & 15]).ravel()
    return packed(pairs, 4)


@ORDERS
@COMPRESSIONS
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_floats(order: str, compression: str | None, photometric: str) -> None:
    values = spread(luma()) / 255
    stored = (values if photometric == "minisblack" else 1 - values).astype(np.float32)
    data = written(stored, photometric, byteorder=order, compression=compression)
    assert_chart(decoded(data), 0, grey(luma()))


@ORDERS
@COMPRESSIONS
@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_signed_integers(order: str, compression: str | None, dtype: type) -> None:
    data = written(spread(luma()).astype(dtype), "minisblack", byteorder=order, compression=compression)
    assert_chart(decoded(data), 0, grey(luma()))


def test_unsigned_integers_over_half_their_range_are_brighter_not_darker() -> None:
    data = written(spread(luma()).astype(np.uint32) * 16_843_009, "minisblack")
    assert_chart(decoded(data), 1, grey(luma()), warned=True)


@WIDE
@ORDERS
@pytest.mark.parametrize("premultiplied", [False, True])
def test_colour_with_alpha(wide: bool, order: str, premultiplied: bool) -> None:
    shown = PATCHES * (128 / 255) if premultiplied else PATCHES
    pixels = levels(np.column_stack([np.rint(shown), np.full(24, 128)]), wide)
    kind = "assocalpha" if premultiplied else "unassalpha"
    data = written(pixels, "rgb", extrasamples=[kind], byteorder=order)
    assert_chart(decoded(data), 1.2, on_white(PATCHES, 128))


@ORDERS
@COMPRESSIONS
@pytest.mark.parametrize("premultiplied", [False, True])
def test_grey_with_alpha(order: str, compression: str | None, premultiplied: bool) -> None:
    shown = luma() * (128 / 255) if premultiplied else luma()
    pixels = levels(np.column_stack([np.rint(shown), np.full(24, 128)]), False)
    kind = "assocalpha" if premultiplied else "unassalpha"
    options: dict[str, Any] = {"planarconfig": "contig", "byteorder": order, "compression": compression}
    data = written(pixels, "minisblack", extrasamples=[kind], **options)
    assert_chart(decoded(data), 1.2, grey(on_white(luma()[:, None], 128)[:, 0]))


@COMPRESSIONS
def test_a_fourth_channel_that_is_no_alpha_is_left_out(compression: str | None) -> None:
    pixels = levels(np.column_stack([PATCHES, np.full(24, 9)]), False)
    data = written(pixels, "rgb", extrasamples=["unspecified"], compression=compression)
    assert_chart(decoded(data), 0)


def test_of_several_pages_the_first_is_taken() -> None:
    pages = np.stack([levels(PATCHES, False), levels(255 - PATCHES, False)])
    assert_chart(decoded(written(pages, "rgb")), 0)


def test_bigtiff() -> None:
    assert_chart(decoded(written(levels(PATCHES, False), "rgb", bigtiff=True)), 0)


def test_a_predictor() -> None:
    assert_chart(decoded(written(levels(PATCHES, False), "rgb", predictor=True, compression="zlib")), 0)


@COMPRESSIONS
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(orientation: int, compression: str | None) -> None:
    picture = levels(PATCHES, False)
    stored = STORED[orientation](picture)
    data = written(
        np.ascontiguousarray(stored),
        "rgb",
        compression=compression,
        extratags=[(int(ExifTags.Base.Orientation), 3, 1, orientation, True)],
    )
    photo = decoded(data)
    assert_chart(photo, 0)
    assert photo.exif_orientation == orientation
    assert (photo.width, photo.height) == SIZE == (SIDE * 6, SIDE * ROWS)


@pytest.mark.parametrize(
    ("dtype", "photometric", "options"),
    [
        (np.float32, "rgb", {}),
        (np.float64, "minisblack", {}),
        (np.float16, "minisblack", {}),
        (np.uint16, "miniswhite", {"byteorder": ">"}),
        (np.uint32, "rgb", {}),
    ],
)
def test_a_whole_tiff_of_a_kind_that_is_not_read_is_not_called_damaged(
    dtype: type, photometric: str, options: dict[str, Any]
) -> None:
    values = PATCHES if photometric == "rgb" else luma()
    assert code_of(written(spread(values).astype(dtype), photometric, **options)) == "unsupported_format"
