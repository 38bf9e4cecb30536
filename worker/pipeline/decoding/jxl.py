"""JPEG XL: its size, read before its decoder, which gives no other way, decodes it at once."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial

from PIL import Image

from worker.pipeline.decoding import cost
from worker.pipeline.decoding.apart import APART, Refused
from worker.pipeline.decoding.capture import UNKNOWN, Capture, read_capture
from worker.pipeline.decoding.opened import Limits, Loaded, Opened, upright
from worker.pipeline.decoding.refusal import check_pixels, damaged, not_read

PACKAGE = "pillow-jxl-plugin>=1.3.8"

BARE = b"\xff\x0a"
IN_BOXES = b"\0\0\0\x0cJXL \r\n\x87\n"

_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width to height, where the header has no width (ISO/IEC 18181-1, D.2)."""
_SIDE_BITS = (9, 13, 18, 30)
_MODES = {"L": "L", "LA": "LA", "RGB": "RGB", "RGBA": "RGBA", "I;16": "I;16", "F": "F"}
_MOST_BOXES = 10_000
_EXIF_BOX = b"Exif"
_JPEG_BOX = b"jbrd"
"""What makes the JPEG that it was again; its pixels are decoded without."""


def is_jxl(data: bytes) -> bool:
    """By its first bytes."""
    return data.startswith((BARE, IN_BOXES))


def opened(data: bytes, limits: Limits) -> Opened:
    """A JPEG XL to be decoded as a whole; its decoder turns it upright, by its header and never by EXIF.

    Raises:
        Unreadable: `too_many_pixels` or `corrupt_image`.
    """
    size, orientation = read_header(data)
    check_pixels(size, limits.max_photo_pixels)
    size = upright(size, orientation)
    pixels = size[0] * size[1]
    return Opened(
        pixels=pixels,
        bytes_=cost.of_jxl(pixels, len(data)) + cost.scaling(size, limits.target(size)),
        load=partial(_load, data, limits),
        orientation=orientation,
        turn=1,
        profile=None,
        capture=_capture(data),
    )


def _capture(data: bytes) -> Capture:
    """By its EXIF, before which stands how many bytes in it begins; some writers leave that out."""
    if data.startswith(IN_BOXES):
        for kind, start, end in _boxes(data):
            if kind == _EXIF_BOX:
                begins = start + 4 + int.from_bytes(data[start : start + 4], "big")
                return read_capture(data[begins:end]).or_by(read_capture(data[start:end]))
    return UNKNOWN


def _load(data: bytes, limits: Limits) -> Loaded:
    try:
        known, bodies = APART.ask(
            "jxl",
            _without_jpeg(data),
            package=PACKAGE,
            memory=limits.max_memory,
            seconds=limits.max_apart_s,
        )
    except Refused as error:
        raise damaged("libjxl cannot read it") from error
    size = known["width"], known["height"]
    check_pixels(size, limits.max_photo_pixels)
    if known["mode"] not in _MODES:
        raise not_read(f"JPEG XL of {known['mode']}")
    image = Image.frombytes(known["mode"], size, bodies[0])
    return Loaded(image, size, (0, 0, *size))


def read_header(data: bytes) -> tuple[tuple[int, int], int]:
    """Width and height, pixels, as they lie in the file, and the orientation, 1-8.

    Raises:
        Unreadable: `corrupt_image`.
    """
    head = data[:64]
    if not data.startswith(BARE):
        place = next((at for kind, at, _ in _boxes(data) if kind in (b"jxlc", b"jxlp")), None)
        if place is None:
            raise damaged("there is no picture in its boxes")
        kind = data[place - 4 : place]
        start = place + 4 if kind == b"jxlp" else place
        head = data[start : start + 64]
    if not head.startswith(BARE):
        raise damaged("its picture has no header")
    bits = _Bits(head[2:])
    small = bits.take(1)
    height = bits.side(small)
    ratio = bits.take(3)
    width = height * _RATIOS[ratio - 1][0] // _RATIOS[ratio - 1][1] if ratio else bits.side(small)
    orientation = 1
    if not bits.take(1) and bits.take(1):
        orientation += bits.take(3)
    return (width, height), orientation


class _Bits:
    """Numbers from the lowest bit on; behind the end are zeros."""

    def __init__(self, data: bytes) -> None:
        self._rest = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        number = self._rest & ((1 << count) - 1)
        self._rest >>= count
        return number

    def side(self, small: int) -> int:
        if small:
            return (self.take(5) + 1) * 8
        return self.take(_SIDE_BITS[self.take(2)]) + 1


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each box's kind, where its body begins, and where it ends."""
    place = 0
    for _ in range(_MOST_BOXES):
        if place + 8 > len(data):
            return
        size, kind = struct.unpack_from(">I4s", data, place)
        start = place + 8
        if size == 1 and place + 16 <= len(data):
            size, start = int.from_bytes(data[place + 8 : place + 16], "big"), place + 16
        end = place + size if size else len(data)
        if end < start:
            return
        yield kind, start, end
        place = end


def _without_jpeg(data: bytes) -> bytes:
    if not data.startswith(IN_BOXES):
        return data
    for kind, start, _ in _boxes(data):
        if kind == _JPEG_BOX:
            return data[: start - 4] + b"skip" + data[start:] if data[start - 4 : start] == kind else data
    return data
