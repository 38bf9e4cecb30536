"""Broken EXIF: the photo is upright, and at most a warning tells of it."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from PIL import Image

from tests.support.pictures.chart import assert_chart, chart
from tests.support.pictures.containers import with_segment
from tests.support.pictures.drawn import decoded, encoded
from worker.pipeline.decoding.decode import DecodedPhoto

ORIENTATION = 0x0112
SHORT, ASCII, LONG, RATIONAL = 3, 2, 4, 5

CONTAINERS = pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
TOLERANCES = {"JPEG": 2, "PNG": 0, "WEBP": 0, "HEIF": 2, "AVIF": 6}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def ifd(
    *tags: tuple[int, int, int, bytes], following: int = 0, order: str = "<", count: int | None = None
) -> bytes:
    """A directory at place 8 of its header: number, type, count and four bytes of each tag."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    body = b"".join(struct.pack(order + "HHI", *tag[:3]) + tag[3].ljust(4, b"\0") for tag in tags)
    entries = struct.pack(order + "H", len(tags) if count is None else count)
    return head + entries + body + struct.pack(order + "I", following)


def orientation(value: bytes, kind: int = SHORT, count: int = 1) -> tuple[int, int, int, bytes]:
    return (ORIENTATION, kind, count, value)


def with_exif(image_format: str, body: bytes) -> bytes:
    options: dict[str, dict[str, Any]] = {
        "WEBP": {"lossless": True},
        "JPEG": {"quality": 95},
        "HEIF": {"quality": 95},
        "AVIF": {"quality": 95},
    }
    plain = encoded(chart(), image_format, **options.get(image_format, {}))
    if image_format == "JPEG":
        return with_segment(plain, 0xE1, b"Exif\0\0" + body)
    if image_format in ("AVIF", "HEIF"):
        # These writers want to understand what they write: the EXIF of a whole file is overwritten.
        room = b"II*\0\x08\0\0\0\x01\0\x0e\x01\x02\0" + struct.pack("<II", 4000, 26) + bytes(4) + b"x" * 4000
        data = encoded(chart(), image_format, quality=95, exif=b"Exif\0\0" + room)
        place = data.index(room)
        return data[:place] + body.ljust(len(room), b"\0") + data[place + len(room) :]
    return encoded(chart(), image_format, exif=b"Exif\0\0" + body, **options.get(image_format, {}))


BROKEN = {
    "nothing behind the header": b"II*\0\x08\0\0\0",
    "a directory beyond the end": b"II*\0\xff\xff\xff\x7f",
    "a truncated directory": ifd(orientation(b"\x06\0"), count=5)[:20],
    "a directory of 65,535 tags": ifd(orientation(b"\x01\0"), count=65535),
    "a directory that follows itself": ifd(orientation(b"\x01\0"), following=8),
    "an EXIF directory that is this one": ifd(orientation(b"\x01\0"), (0x8769, LONG, 1, b"\x08\0\0\0")),
    "a GPS directory nowhere": ifd(orientation(b"\x01\0"), (0x8825, LONG, 1, b"\xff\xff\xff\xff")),
    "orientation 0": ifd(orientation(b"\0\0")),
    "orientation 9": ifd(orientation(b"\x09\0")),
    "orientation 65535": ifd(orientation(b"\xff\xff")),
    "orientation 4294967295": ifd(orientation(b"\xff\xff\xff\xff", LONG)),
    "orientation, a text": ifd(orientation(b"6\0", ASCII, 2)),
    "orientation, a long text": ifd(orientation(b"\x1a\0\0\0", ASCII, 3000)) + b"6" * 3000,
    "orientation, a fraction by zero": ifd(orientation(b"\x1a\0\0\0", RATIONAL)) + bytes(8),
    "orientation, two of them": ifd(orientation(b"\x01\0\x06\0", SHORT, 2)),
    "orientation, four thousand million of them": ifd(orientation(b"\x08\0\0\0", SHORT, 0xFFFFFFFF)),
    "orientation of a type that does not exist": ifd(orientation(b"\x06\0", 77)),
    "no TIFF header": b"6" * 40,
}


def assert_upright(photo: DecodedPhoto, image_format: str) -> None:
    assert len(photo.warnings) <= 1
    assert all("EXIF" in text and len(text) < 150 for text in photo.warnings)
    # HEIF is turned by boxes of its own; what its EXIF says is only told.
    assert photo.exif_orientation == 1 or image_format == "HEIF"
    assert 1 <= photo.exif_orientation <= 8
    assert_chart(photo, TOLERANCES[image_format], warned=bool(photo.warnings))


@CONTAINERS
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_each_is_upright(image_format: str, body: bytes) -> None:
    assert_upright(decoded(with_exif(image_format, body)), image_format)


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_is_not_broken_is_obeyed(order: str) -> None:
    turned = chart().transpose(Image.Transpose.ROTATE_180)
    body = ifd(orientation(struct.pack(order + "H", 3)), order=order)
    photo = decoded(with_segment(encoded(turned, "JPEG", quality=95), 0xE1, b"Exif\0\0" + body))
    assert photo.exif_orientation == 3
    assert_chart(photo, 2)


def test_of_two_segments_the_first_is_obeyed() -> None:
    turned = chart().transpose(Image.Transpose.ROTATE_180)
    data = encoded(turned, "JPEG", quality=95)
    for value in (b"\x06\0", b"\x03\0"):  # the second one is put before the first
        data = with_segment(data, 0xE1, b"Exif\0\0" + ifd(orientation(value)))
    assert_chart(decoded(data), 2)


def test_a_segment_that_is_no_exif_before_it_does_no_harm() -> None:
    turned = chart().transpose(Image.Transpose.ROTATE_180)
    data = with_segment(encoded(turned, "JPEG", quality=95), 0xE1, b"Exif\0\0" + ifd(orientation(b"\x03\0")))
    data = with_segment(data, 0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>broken")
    assert_chart(decoded(data), 2)


@pytest.mark.parametrize("kept", range(0, 40, 2))
def test_exif_that_ends_anywhere(kept: int) -> None:
    body = ifd(orientation(b"\x01\0"), (0x010F, ASCII, 400, b"\x26\0\0\0"))[:kept]
    assert_upright(decoded(with_exif("JPEG", body)), "JPEG")
