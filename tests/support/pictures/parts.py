"""PNG chunks and JPEG segments around a picture, and what may become of them on the way."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from functools import cache

from PIL import Image, ImageCms

from bench import samples
from tests.support.pictures.drawn import encoded
from tests.support.pictures.seeds import exif

NEUTRAL_PNG = (
    "tEXt",
    "zTXt",
    "iTXt",
    "tIME",
    "pHYs",
    "cHRM",
    "gAMA",
    "sRGB",
    "iCCP",
    "eXIf",
    "bKGD",
    "sBIT",
    "xmp",
)
NEUTRAL_JPEG = ("APP0", "exif", "xmp", "icc", "MPF", "APP13", "COM", "APP11")


@dataclass(frozen=True)
class Part:
    """A chunk or a segment as it lies in the file; what is None is what it should be.

    Attributes:
        name: four letters, or a marker.
        body: its bytes.
        ancillary: whether the pixels are the same without it.
        length: what it claims.
        sum: its checksum, of a chunk.
        lost: bytes of its body that are missing, though its length counts them.
    """

    name: bytes
    body: bytes
    ancillary: bool
    length: int | None = None
    sum: int | None = None
    lost: int = 0

    def chunk(self) -> bytes:
        """As PNG has it."""
        length = len(self.body) if self.length is None else self.length
        sum_ = zlib.crc32(self.name + self.body) if self.sum is None else self.sum
        body = self.body[: len(self.body) - self.lost]
        return struct.pack(">I", length) + self.name + body + struct.pack(">I", sum_)

    def segment(self) -> bytes:
        """As JPEG has it; the picture's own part is whole already."""
        if not self.name:
            return self.body
        length = len(self.body) + 2 if self.length is None else self.length
        return (
            b"\xff" + self.name + struct.pack(">H", length % 65536) + self.body[: len(self.body) - self.lost]
        )


@cache
def photo() -> Image.Image:
    """A part of a real photo; no side is a multiple of anything."""
    return samples.astronaut().crop((170, 60, 291, 151))


@cache
def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@cache
def png_parts() -> tuple[Part, ...]:
    """A PNG with every usual chunk, none of which changes its pixels."""
    whole = encoded(photo(), "PNG")
    place, own = 8, []
    while place < len(whole):
        length = int.from_bytes(whole[place : place + 4], "big")
        own.append(Part(whole[place + 4 : place + 8], whole[place + 8 : place + 8 + length], False))
        place += 12 + length
    more = (
        (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
        (b"gAMA", struct.pack(">I", 45455)),
        (b"iCCP", b"sRGB\0\0" + zlib.compress(srgb())),
        (b"sRGB", b"\0"),
        (b"sBIT", b"\x08\x08\x08"),
        (b"bKGD", bytes(6)),
        (b"pHYs", struct.pack(">IIB", 2835, 2835, 1)),
        (b"tIME", struct.pack(">HBBBBB", 2026, 1, 2, 3, 4, 5)),
        (b"eXIf", exif(1)[6:]),
        (b"tEXt", b"Comment\0a night out"),
        (b"zTXt", b"Software\0\0" + zlib.compress(b"Nightshift " * 20)),
        (b"iTXt", b"Title\0\0\0de\0Titel\0" + "Äpfel".encode()),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>"),
    )
    around = [Part(name, body, True) for name, body in more]
    return (own[0], *around, *own[1:-1], Part(b"tEXt", b"Behind\0the pixels", True), own[-1])


def png_of_parts(parts: tuple[Part, ...]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(part.chunk() for part in parts)


@cache
def jpeg_parts(*, progressive: bool = False, thumbnail: bool = True) -> tuple[Part, ...]:
    """A JPEG with every usual segment, none of which changes its pixels; then all that carries them."""
    whole = encoded(photo(), "JPEG", quality=90, progressive=progressive)
    assert whole[2:4] == b"\xff\xe0"
    start = 4 + int.from_bytes(whole[4:6], "big")
    tags = exif(1)[:-4] + struct.pack("<I", 0) if not thumbnail else exif(1)
    little = encoded(photo().resize((40, 30)), "JPEG") if thumbnail else b""
    more = (
        (b"\xe0", whole[6:start]),
        (b"\xe1", tags + little),
        (b"\xe1", b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>"),
        (b"\xe2", b"ICC_PROFILE\0\x01\x01" + srgb()),
        (b"\xe2", b"MPF\0II*\0\x08\0\0\0\x01\0\0\xb0\x07\0\x04\0\0\x000100\0\0\0\0"),
        (b"\xed", b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10\0H\0\0\0\x01\0\x01\0H\0\0\0\x01\0\x01"),
        (b"\xeb", b"JP\0\x01\0\0\0\x01" + b"\x05" * 40),
        (b"\xfe", b"a comment"),
    )
    return (*(Part(name, body, True) for name, body in more), Part(b"", whole[start:], False))


def jpeg_of_parts(parts: tuple[Part, ...]) -> bytes:
    return b"\xff\xd8" + b"".join(part.segment() for part in parts)


def changed(part: Part, how: str, number: int, junk: bytes) -> tuple[Part, ...]:
    """What became of a part.

    Args:
        part: whole.
        how: see `WAYS`.
        number: how much.
        junk: bytes of no meaning.
    """
    body = part.body
    match how:
        case "sum":
            return (replace(part, sum=number & 0xFFFFFFFF),)
        case "short body":
            return (replace(part, body=body[: number % (len(body) + 1)]),)
        case "other body":
            return (replace(part, body=junk),)
        case "longer body":
            return (replace(part, body=body + junk * 20),)
        case "body begins well":
            return (replace(part, body=body[: max(8, number % (len(body) + 1))] + junk),)
        case "length":
            return (replace(part, length=number),)
        case "length near":
            return (replace(part, length=max(0, len(body) + number % 64 - 32)),)
        case "bytes lost":
            return (replace(part, lost=number % (len(body) + 1), length=None),)
        case "twice":
            return (part, part)
        case _:
            return ()


WAYS = (
    *("sum", "short body", "other body", "longer body", "body begins well", "length", "length near"),
    *("bytes lost", "twice", "gone"),
)
