"""BMP, GIF, WebP, HEIC and AVIF against the chart."""

from __future__ import annotations

import base64
import io
import struct
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image

from tests.support.pictures.chart import (
    PATCHES,
    SIZE,
    STORED,
    assert_chart,
    chart,
    grey,
    luma,
    on_white,
    spread,
)
from tests.support.pictures.containers import bmp, bmp_rows, run_lengths
from tests.support.pictures.drawn import code_of, decoded, encoded

WITH_ALPHA = np.column_stack([PATCHES, np.where(np.arange(24) % 3 == 0, 0, 255)])


def rgba() -> Image.Image:
    return Image.fromarray(spread(WITH_ALPHA).astype(np.uint8))


def other() -> Image.Image:
    return Image.new("RGB", SIZE, "white")


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_bmp_palette(bits: int) -> None:
    count = min(24, 2**bits)
    indices = np.arange(24) % count
    data = bmp(*SIZE, bits, bmp_rows(spread(indices), bits), palette=PATCHES[:count].astype(np.uint8))
    assert_chart(decoded(data), 0, PATCHES[indices])


@pytest.mark.parametrize(("compression", "count"), [(1, 24), (2, 16)], ids=["RLE8", "RLE4"])
def test_bmp_run_lengths(compression: int, count: int) -> None:
    indices = np.arange(24) % count
    rows = run_lengths(spread(indices), nibbles=compression == 2)
    bits = 8 if compression == 1 else 4
    data = bmp(*SIZE, bits, rows, palette=PATCHES[:count].astype(np.uint8), compression=compression)
    assert_chart(decoded(data), 0, PATCHES[indices])


@pytest.mark.parametrize(
    ("depths", "masks"), [((5, 5, 5), ()), ((5, 6, 5), (0xF800, 0x07E0, 0x001F))], ids=["555", "565"]
)
def test_bmp_16_bits(depths: tuple[int, int, int], masks: tuple[int, ...]) -> None:
    parts = [PATCHES[:, index] >> (8 - bits) for index, bits in enumerate(depths)]
    pixels = (parts[0] << (depths[1] + depths[2])) | (parts[1] << depths[2]) | parts[2]
    shown = np.column_stack([part * 255 / (2**bits - 1) for part, bits in zip(parts, depths, strict=True)])
    data = bmp(*SIZE, 16, bmp_rows(spread(pixels), 16), compression=3 if masks else 0, masks=masks)
    assert_chart(decoded(data), 1, shown)


@pytest.mark.parametrize("top_down", [False, True])
@pytest.mark.parametrize("masks", [(), (0xFF0000, 0xFF00, 0xFF)], ids=["plain", "masks"])
def test_bmp_32_bits(top_down: bool, masks: tuple[int, ...]) -> None:
    pixels = spread((PATCHES[:, 0] << 16) | (PATCHES[:, 1] << 8) | PATCHES[:, 2])
    rows = bmp_rows(pixels[::-1] if top_down else pixels, 32)
    data = bmp(*SIZE, 32, rows, top_down=top_down, compression=3 if masks else 0, masks=masks)
    assert_chart(decoded(data), 0)


def test_bmp_24_bits() -> None:
    assert_chart(decoded(encoded(chart(), "BMP")), 0)


def test_a_whole_bmp_of_a_kind_that_is_not_read_is_not_called_damaged() -> None:
    pixels = spread(PATCHES[:, 0] << 22)
    data = bmp(*SIZE, 32, bmp_rows(pixels, 32), compression=3, masks=(0x3FF00000, 0xFFC00, 0x3FF))
    assert code_of(data) == "unsupported_format"


@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize("frames", [1, 3])
def test_gif(interlace: int, frames: int) -> None:
    more = {"save_all": True, "append_images": [other()] * (frames - 1)} if frames > 1 else {}
    assert_chart(decoded(encoded(chart().quantize(24), "GIF", interlace=interlace, **more)), 0)


def test_a_transparent_gif_lies_on_white() -> None:
    image = chart().quantize(24)
    key = image.getpixel((3 * 16 + 5, 5))
    shown = PATCHES.copy()
    shown[3] = 255
    assert_chart(decoded(encoded(image, "GIF", transparency=key)), 0, shown)


def test_a_first_frame_that_does_not_fill_its_screen_keeps_its_place() -> None:
    data = bytearray(encoded(chart().quantize(24), "GIF"))
    data[6:10] = struct.pack("<HH", 200, 100)
    photo = decoded(bytes(data))
    assert (photo.width, photo.height) == (200, 100)
    np.testing.assert_array_equal(photo.pixels[:64, :96], spread(PATCHES))


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize(
    ("options", "tolerance"),
    [({"lossless": True}, 0), ({"quality": 90}, 3), ({"quality": 90, "method": 6}, 3)],
    ids=str,
)
def test_webp(options: dict[str, Any], tolerance: int, frames: int) -> None:
    more = {"save_all": True, "append_images": [other()]} if frames > 1 else {}
    assert_chart(decoded(encoded(chart(), "WEBP", **options, **more)), tolerance)
    # What lies under full transparency may be anything in a lossy file; on white it is white.
    shown = on_white(PATCHES, WITH_ALPHA[:, 3])
    assert_chart(decoded(encoded(rgba(), "WEBP", **options, **more)), tolerance, shown)


@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        ({"quality": 95}, 2),
        ({"quality": 95, "chroma": 444}, 2),
        ({"quality": 95, "chroma": 422}, 2),
        ({"quality": -1, "chroma": 444, "matrix_coefficients": 0}, 0),
        ({"quality": 95, "full_range_flag": 0}, 3),
        ({"quality": 95, "matrix_coefficients": 1}, 3),
        ({"quality": 95, "chroma": 444, "tile_size": 64}, 2),
    ],
    ids=str,
)
def test_heic(options: dict[str, Any], tolerance: int) -> None:
    assert_chart(decoded(encoded(chart(), "HEIF", **options)), tolerance)


def test_heic_of_other_modes() -> None:
    assert_chart(
        decoded(encoded(rgba(), "HEIF", quality=95, chroma=444)), 2, on_white(PATCHES, WITH_ALPHA[:, 3])
    )
    plain = Image.fromarray(spread(luma()).astype(np.uint8))
    assert_chart(decoded(encoded(plain, "HEIF", quality=95)), 2, grey(luma()))


@pytest.mark.parametrize("bits", [10, 12])
def test_heic_of_more_bits(bits: int) -> None:
    pixels = (spread(PATCHES) * 257).astype(np.uint16)
    image = pillow_heif.from_bytes("RGB;16", SIZE, pixels.tobytes())
    out = io.BytesIO()
    before = pillow_heif.options.SAVE_HDR_TO_12_BIT
    pillow_heif.options.SAVE_HDR_TO_12_BIT = bits == 12
    try:
        image.save(out, quality=95, chroma=444)
    finally:
        pillow_heif.options.SAVE_HDR_TO_12_BIT = before
    assert pillow_heif.open_heif(out.getvalue(), convert_hdr_to_8bit=False).info["bit_depth"] == bits
    assert_chart(decoded(out.getvalue()), 2)


@pytest.mark.parametrize("brand", [b"mif1", b"msf1", b"heix"])
def test_heic_of_another_brand(brand: bytes) -> None:
    data = encoded(chart(), "HEIF", quality=95)
    assert_chart(decoded(data[:8] + brand + data[12:]), 2)


@pytest.mark.parametrize("image_format", ["HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_containers_own_turns(image_format: str, orientation: int) -> None:
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](spread(PATCHES).astype(np.uint8))))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    options = {"chroma": 444} if image_format == "HEIF" else {"subsampling": "4:4:4"}
    data = encoded(stored, image_format, quality=95, exif=exif.tobytes(), **options)
    assert (b"irot" in data or b"imir" in data) is (orientation != 1)
    photo = decoded(data)
    assert_chart(photo, 4)
    assert (photo.width, photo.height, photo.exif_orientation) == (*SIZE, orientation)


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        ({"quality": 95, "subsampling": "4:4:4"}, 4),
        ({"quality": 95, "subsampling": "4:2:2"}, 6),
        ({"quality": 95, "subsampling": "4:2:0"}, 6),
        ({"quality": 95, "subsampling": "4:4:4", "range": "limited"}, 4),
        ({"quality": 95, "subsampling": "4:4:4", "alpha_premultiplied": True}, 4),
    ],
    ids=str,
)
def test_avif(options: dict[str, Any], tolerance: int, frames: int) -> None:
    more = {"save_all": True, "append_images": [other()]} if frames > 1 else {}
    assert_chart(decoded(encoded(chart(), "AVIF", **options, **more)), tolerance)
    more = {"save_all": True, "append_images": [other().convert("RGBA")]} if frames > 1 else {}
    shown = on_white(PATCHES, WITH_ALPHA[:, 3])
    assert_chart(decoded(encoded(rgba(), "AVIF", **options, **more)), tolerance, shown)


TEN_BITS = base64.b64decode(
    "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUEAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAA"
    "AAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAA1gAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEA"
    "AGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAAYAAAAEAAAAAQcGl4aQAAAAADCgoKAAAADGF2MUOBIEAA"
    "AAAAE2NvbHJuY2x4AAIAAgAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAA3m1kYXQSAAoJOBlv/t4EBA0gMsYBEQEhpUAAeQAA"
    "CNsqUcmNAB9yVPOZCVbnSvWxP2ip6Jp5WRi9RpbnzslosLOXzhYiLs9lvC1rhNzgB2TcXRtLVHGEfAABm+hNtlEsQuH2Voq6WY6H"
    "MCNYCWvHSADsTx0/FaNvnu+3ygZM67kmn3kC2FMOvP7VDALJUnKqRPv98I+PnYBlq8wPPGIEsw1e41RFGOOtxtNzItzQMD3mqORa"
    "O/JIvgAdd0vNXT9oW3m3/iRfcH5XHpcdgHNQndSQwmsub0cCgLQe"
)
"""The chart by libavif at 10 bits and quality 90, 4:4:4; Pillow writes 8 bits only."""


def test_avif_of_10_bits() -> None:
    assert b"pixi\0\0\0\0\3\n\n\n" in TEN_BITS
    assert_chart(decoded(TEN_BITS), 2)


def test_grey_avif() -> None:
    plain = Image.fromarray(spread(luma()).astype(np.uint8))
    assert_chart(decoded(encoded(plain, "AVIF", quality=95, subsampling="4:0:0")), 4, grey(luma()))
