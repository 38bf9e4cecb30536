"""Cameras' raw files of a few hand-made bytes: a DNG, and files that are laid out as those of cameras are."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.support.pictures.drawn import encoded

BYTE, ASCII, SHORT, LONG, RATIONAL, SIGNED_RATIONAL = 1, 2, 3, 4, 5, 10
_CODES = {BYTE: "B", SHORT: "H", LONG: "I"}

CFA, LINEAR = 32803, 34892
_FROM_XYZ = (3.2405, -1.5371, -0.4985, -0.9693, 1.8760, 0.0416, 0.0556, -0.2040, 1.0572)
"""A camera whose colours are those of sRGB."""

Values = Sequence[int | float] | bytes


@dataclass
class Ifd:
    """A directory of a TIFF.

    Attributes:
        tags: type and values of each, by number.
        body: what the tag `body_tag` points to, and `length_tag` counts.
        body_tag: 273 for strips, 513 for a JPEG.
        within: directories that `SubIFDs` names.
    """

    tags: dict[int, tuple[int, Values]]
    body: bytes = b""
    body_tag: int = 273
    within: list[Ifd] = field(default_factory=list)

    @property
    def length_tag(self) -> int:
        return {273: 279, 513: 514}[self.body_tag]


def tiff_of(ifds: Sequence[Ifd], *, order: str = "<", magic: bytes = b"") -> bytes:
    """A TIFF of several directories, those within them before them, and all bodies behind these."""
    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 0) + magic)
    bodies: list[tuple[int, bytes]] = []

    def put(data: bytes) -> int:
        out.extend(bytes(len(out) % 2))
        out.extend(data)
        return len(out) - len(data)

    def write(ifd: Ifd) -> int:
        tags = dict(ifd.tags)
        if ifd.within:
            tags[330] = (LONG, [write(each) for each in ifd.within])
        if ifd.body:
            tags[ifd.body_tag] = (LONG, [0])
            tags[ifd.length_tag] = (LONG, [len(ifd.body)])
        entries = b""
        for number, (kind, values) in sorted(tags.items()):
            packed, count = _packed(order, kind, values)
            value = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack(order + "I", put(packed))
            entries += struct.pack(order + "HHI", number, kind, count) + value
        place = put(struct.pack(order + "H", len(tags)) + entries + bytes(4))
        if ifd.body:
            bodies.append((place + 2 + 12 * sorted(tags).index(ifd.body_tag) + 8, ifd.body))
        return place

    link = 4
    for ifd in ifds:
        place = write(ifd)
        out[link : link + 4] = struct.pack(order + "I", place)
        link = place + 2 + 12 * int.from_bytes(out[place : place + 2], "little" if order == "<" else "big")
    for link, body in bodies:
        place = put(body)
        out[link : link + 4] = struct.pack(order + "I", place)
    return bytes(out)


def _packed(order: str, kind: int, values: Values) -> tuple[bytes, int]:
    if isinstance(values, bytes):
        return values, len(values)
    if kind in (RATIONAL, SIGNED_RATIONAL):
        code = "II" if kind == RATIONAL else "ii"
        return b"".join(struct.pack(order + code, round(v * 10_000), 10_000) for v in values), len(values)
    return struct.pack(f"{order}{len(values)}{_CODES[kind]}", *map(int, values)), len(values)


def linear(image: Image.Image) -> NDArray[np.uint16]:
    """[H, W, 3], what a sensor would have measured, darker than it could."""
    levels = np.asarray(image.convert("RGB"), np.float64) / 255
    light = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return (light * 60_000 + 1).astype(np.uint16)


def mosaic(image: Image.Image) -> NDArray[np.uint16]:
    """[H, W], of each pixel one colour: red and green, green and blue."""
    light = linear(image)
    flat = light[..., 1].copy()
    flat[::2, ::2] = light[::2, ::2, 0]
    flat[1::2, 1::2] = light[1::2, 1::2, 2]
    return flat


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    return encoded(image, "JPEG", quality=quality)


def sensor(image: Image.Image, *, flat: bool = True, **more: tuple[int, Values]) -> Ifd:
    """The directory of the sensor's values, 16 bits each, not packed."""
    values = mosaic(image) if flat else linear(image)
    channels = 1 if flat else 3
    tags: dict[int, tuple[int, Values]] = {
        254: (LONG, [0]),
        256: (LONG, [image.width]),
        257: (LONG, [image.height]),
        258: (SHORT, [16] * channels),
        259: (SHORT, [1]),
        262: (SHORT, [CFA if flat else LINEAR]),
        277: (SHORT, [channels]),
        278: (LONG, [image.height]),
    }
    if flat:
        tags |= {33421: (SHORT, [2, 2]), 33422: (BYTE, [0, 1, 1, 2])}
    return Ifd(tags, values.astype("<u2").tobytes())


def small(image: Image.Image) -> Ifd:
    """The directory of a thumbnail that is not packed."""
    thumbnail = image.convert("RGB").resize((max(1, image.width // 8), max(1, image.height // 8)))
    tags: dict[int, tuple[int, Values]] = {
        254: (LONG, [1]),
        256: (LONG, [thumbnail.width]),
        257: (LONG, [thumbnail.height]),
        258: (SHORT, [8, 8, 8]),
        259: (SHORT, [1]),
        262: (SHORT, [2]),
        277: (SHORT, [3]),
        278: (LONG, [thumbnail.height]),
    }
    return Ifd(tags, thumbnail.tobytes())


def preview_of(image: Image.Image, data: bytes | None = None) -> Ifd:
    """The directory of a JPEG, as DNG has it."""
    tags: dict[int, tuple[int, Values]] = {
        254: (LONG, [1]),
        256: (LONG, [image.width]),
        257: (LONG, [image.height]),
        258: (SHORT, [8, 8, 8]),
        259: (SHORT, [7]),
        262: (SHORT, [6]),
        277: (SHORT, [3]),
        278: (LONG, [image.height]),
    }
    return Ifd(tags, jpeg(image) if data is None else data)


def camera(make: str, model: str, orientation: int = 1) -> dict[int, tuple[int, Values]]:
    return {
        271: (ASCII, make.encode() + b"\0"),
        272: (ASCII, model.encode() + b"\0"),
        274: (SHORT, [orientation]),
        306: (ASCII, b"2026:01:01 00:00:00\0"),
    }


def dng(
    image: Image.Image,
    *,
    preview: Image.Image | None = None,
    data: bytes | None = None,
    orientation: int = 1,
    flat: bool = True,
    order: str = "<",
) -> bytes:
    """A DNG as cameras write it: a thumbnail, within it the sensor's values and a JPEG.

    Args:
        image: what the sensor sees, as it lies on it.
        preview: likewise, of the JPEG; None: there is none.
        data: of that JPEG, where it is made already.
        orientation: as EXIF counts.
        flat: a mosaic; else three values a pixel.
        order: of its numbers.
    """
    first = small(image)
    first.tags |= camera("Night", "Shift 1", orientation)
    first.tags |= {
        50706: (BYTE, [1, 4, 0, 0]),
        50708: (ASCII, b"Night Shift 1\0"),
        50721: (SIGNED_RATIONAL, _FROM_XYZ),
        50728: (RATIONAL, [1, 1, 1]),
        50778: (SHORT, [21]),
    }
    first.within = [sensor(image, flat=flat), *([preview_of(preview, data)] if preview else [])]
    if order == ">":
        first.within[0].body = np.frombuffer(first.within[0].body, "<u2").astype(">u2").tobytes()
    return tiff_of([first], order=order)


def nef(image: Image.Image, *, preview: Image.Image | None = None, orientation: int = 1) -> bytes:
    """Laid out as Nikon does: a thumbnail, within it a JPEG and the sensor's values."""
    first = small(image)
    first.tags |= camera("NIKON CORPORATION", "NIKON D90", orientation)
    if preview is not None:
        data = jpeg(preview)
        first.within.append(Ifd({254: (LONG, [1]), 259: (SHORT, [6])}, data, body_tag=513))
    first.within.append(sensor(image))
    return tiff_of([first], order="<")


def cr2(image: Image.Image, *, preview: Image.Image, orientation: int = 1) -> bytes:
    """Laid out as Canon does: a JPEG first, at the end what claims to be the sensor's values."""
    first = preview_of(preview)
    first.tags[259] = (SHORT, [6])
    first.tags |= camera("Canon", "Canon EOS 550D", orientation)
    thumbnail = Ifd({}, jpeg(image.resize((160, 120))), body_tag=513)
    between = small(image)
    # The header of a lossless JPEG, of two values side by side.
    frame = struct.pack(">BHHB", 14, image.height, image.width // 2, 2) + b"\0\x11\0\x01\x11\0"
    tables = b"\0" + bytes([0, 1, 5, 1, 1, 1, 1, 1, 1, *bytes(7)]) + bytes(range(12))
    values = b"\xff\xd8"
    for kind, body in ((0xC4, tables), (0xC3, frame), (0xDA, b"\x02\0\0\x01\0\x01\0\0")):
        values += struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body
    last = Ifd({259: (SHORT, [6]), 50752: (SHORT, [1, 1, 1])}, values + bytes(2000))
    return tiff_of([first, thumbnail, between, last], magic=b"CR\x02\0" + bytes(4))
