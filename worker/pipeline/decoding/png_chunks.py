"""The chunks of a PNG: what carries the pixels and their colours, in order and sound, and nothing else."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from worker.pipeline.decoding.refusal import damaged, not_read

SIGNATURE = b"\x89PNG\r\n\x1a\n"

MAX_CHUNKS = 500_000
"""Most chunks of a file: each costs time, and eight million empty ones fit into the largest file."""

MAX_UNPACKED = 1 << 20
"""Most bytes of a text or a colour profile, unpacked; as in Pillow."""

TEXTS = (b"XML:com.adobe.xmp", b"Raw profile type exif")
"""Texts that may say which way up the picture is."""

_KNOWN = re.compile(
    rb"(?=IHDR|PLTE|IDAT|IEND|tRNS|cHRM|gAMA|iCCP|sBIT|sRGB|cICP|mDCV|cLLI|tEXt|zTXt|iTXt|bKGD|hIST|pHYs|sPLT"
    rb"|eXIf|tIME|acTL|fcTL|fdAT|oFFs|pCAL|sCAL|sTER|gIFg|gIFx|vpAg|caBX)"
)
"""The place of a name, also of one that begins within another."""
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_NAME = re.compile(rb"[A-Za-z]{4}")
_SIZES = {b"cHRM": 32, b"gAMA": 4, b"sRGB": 1, b"pHYs": 9, b"tIME": 7, b"acTL": 8, b"fcTL": 26, b"cICP": 4}
_PALETTE = 3
CHANNELS = {0: 1, 2: 3, _PALETTE: 1, 4: 2, 6: 4}
"""Of each colour type."""


@dataclass(slots=True)
class Chunks:
    """What is left of a file.

    Attributes:
        header: the body of IHDR.
        palette: of PLTE; empty where there is none.
        ancillary: name and body of those that are read, before the pixels.
        pixels: the bodies of IDAT, in order.
        notes: a sentence on each kind of ancillary chunk that was left out since it cannot be read.
        wrong_pixels: whether an IDAT's checksum is wrong.
        ended: whether the end is there.
    """

    header: bytes = b""
    palette: bytes = b""
    ancillary: list[tuple[bytes, bytes]] = field(default_factory=list)
    pixels: list[memoryview] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    wrong_pixels: bool = False
    ended: bool = False

    def file(self, *, summed: bool = False) -> bytes:
        """A PNG of it; the checksums of its pixels are left out unless it is to be read here again."""
        parts: list[bytes | memoryview] = [SIGNATURE, *_chunk(b"IHDR", self.header)]
        if self.palette:
            parts += _chunk(b"PLTE", self.palette)
        for name, body in self.ancillary:
            parts += _chunk(name, body)
        for pixels in self.pixels:
            if summed:
                parts += _chunk(b"IDAT", bytes(pixels))
                continue
            parts += (struct.pack(">I4s", len(pixels), b"IDAT"), pixels, bytes(4))
        return b"".join((*parts, *_chunk(b"IEND", b"")))


def read_chunks(data: bytes) -> Chunks:
    """Take a file apart that begins with `SIGNATURE`.

    Raises:
        Unreadable: `unsupported_format` for Apple's own kind of PNG; `corrupt_image` where what carries the
            picture is not all there.
    """
    chunks = Chunks()
    kept: set[tuple[bytes, bytes]] = set()
    for name, body, sound in _walk(data):
        if name == b"CgBI":
            raise not_read("Apple's own PNG (CgBI)")
        if name == b"IEND":
            chunks.ended = True
        elif name == b"IHDR":
            chunks.header = chunks.header or _critical(name, body, sound, 13)
        elif name == b"PLTE":
            _take_palette(chunks, bytes(body), sound)
        elif name == b"IDAT":
            chunks.wrong_pixels |= not sound
            chunks.pixels.append(body)
        else:
            _take_ancillary(chunks, name, body, sound, kept)
    chunks.notes = list(dict.fromkeys(chunks.notes))
    if not chunks.header or not chunks.pixels:
        raise damaged("it has no header or no pixels")
    return chunks


def _take_palette(chunks: Chunks, body: bytes, sound: bool) -> None:
    if chunks.header[9:10] == bytes([_PALETTE]):
        chunks.palette = chunks.palette or _critical(b"PLTE", memoryview(body), sound, 3)
    elif not sound:
        chunks.notes.append(_ignored(b"PLTE"))  # of other pictures it is a suggestion


def _critical(name: bytes, body: memoryview, sound: bool, least: int) -> bytes:
    if not sound or len(body) < least:
        raise damaged(f"its {name.decode()} cannot be read")
    return bytes(body)


def _take_ancillary(
    chunks: Chunks, name: bytes, body: memoryview, sound: bool, kept: set[tuple[bytes, bytes]]
) -> None:
    why = "is damaged" if not sound or len(body) < _SIZES.get(name, 0) else _unpacking(name, body)
    if why:
        chunks.notes.append(_ignored(name, why))
        return
    key = bytes(body[:80]).partition(b"\0")[0] if name in (b"tEXt", b"zTXt", b"iTXt") else b""
    needed = name in (b"gAMA", b"sRGB", b"iCCP", b"eXIf", b"tRNS") or key in TEXTS
    if not needed or (name, key) in kept:
        return
    if name == b"tRNS" and not _fits(chunks.header, len(body)):
        chunks.notes.append(_ignored(name))
        return
    kept.add((name, key))
    chunks.ancillary.append((name, bytes(body)))


def _fits(header: bytes, length: int) -> bool:
    """Whether a tRNS is of the length that the kind of picture asks for."""
    least, most = {0: (2, 2), 2: (6, 6), _PALETTE: (1, 256)}.get(header[9], (0, -1))
    return least <= length <= most


def _ignored(name: bytes, why: str = "is damaged") -> str:
    return f"the chunk {name.decode('ascii')} {why} and was ignored"


def _unpacking(name: bytes, body: memoryview) -> str:
    """What is wrong with what is packed in a chunk that is read; empty where nothing is."""
    key, _, rest = bytes(body[:80]).partition(b"\0")
    packed: memoryview | bytes = b""
    if name == b"iCCP" or (name == b"zTXt" and key in TEXTS):
        if rest[:1] != b"\0":
            return "is damaged"
        packed = body[len(key) + 2 :]
    elif name == b"iTXt" and key in TEXTS:
        flags, texts = bytes(rest[:2]), bytes(body[len(key) + 3 :]).split(b"\0", 2)
        if len(texts) < 3:
            return "is damaged"
        if flags[0] == 0:
            return "is too large" if len(texts[2]) > MAX_UNPACKED else ""
        packed = texts[2]
    else:
        return "is too large" if key in TEXTS and len(body) > MAX_UNPACKED else ""
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(packed, MAX_UNPACKED)
    except zlib.error:
        return "is damaged"
    if unpacker.eof:
        return ""
    return "is too large" if unpacker.unconsumed_tail else "is damaged"


def _walk(data: bytes) -> Iterator[tuple[bytes, memoryview, bool]]:
    """Name, body and soundness of each chunk; where a length leads nowhere, on from the next sound one."""
    view = memoryview(data)
    place = len(SIGNATURE)
    search = _NextSound(view)
    for _ in range(MAX_CHUNKS):
        if place + 8 > len(data):
            return
        length = int.from_bytes(data[place : place + 4], "big")
        name, end = data[place + 4 : place + 8], place + 12 + length
        named = _NAME.fullmatch(name) is not None
        whole = named and end <= len(data)
        body = view[place + 8 : min(end - 4, len(data))]
        # What is missing of the last pixels, the decoder notices.
        sound = not whole if name == b"IDAT" else False
        if whole:
            sound = _is_summed_up(view, place, end)
        if not sound and name not in _CRITICAL:
            following = search.after(place)
            if following is not None and (not whole or following < end or not _named(data, end)):
                end = following
        yield name if named else b"of no name", body, sound
        if name == b"IEND" and whole:
            return
        place = end
    raise damaged(f"it has over {MAX_CHUNKS:,} chunks")


def _named(data: bytes, place: int) -> bool:
    return place == len(data) or _KNOWN.match(data, place + 4) is not None


class _NextSound:
    """Finds chunks of a known name with the right checksum. No place is looked at twice.

    Args:
        view: the whole file.
    """

    def __init__(self, view: memoryview) -> None:
        self._view = view
        # Bytes that may still be summed up: chunks may claim to hold each other.
        self._left = 4 * len(view)
        self._names = _KNOWN.finditer(view)
        self._found: int | None = -1

    def after(self, place: int) -> int | None:
        """Where the next one begins behind a place; to be asked for places in order."""
        while self._found is not None and self._found <= place:
            self._found = next((at for name in self._names if self._is_sound(at := name.start() - 4)), None)
        return self._found

    def _is_sound(self, place: int) -> bool:
        if place < 0:
            return False
        end = place + 12 + int.from_bytes(self._view[place : place + 4], "big")
        if end > len(self._view) or end - place > self._left:
            return False
        self._left -= end - place
        return _is_summed_up(self._view, place, end)


def _is_summed_up(view: memoryview, place: int, end: int) -> bool:
    """Whether the chunk there has the right checksum."""
    return zlib.crc32(view[place + 4 : end - 4]) == int.from_bytes(view[end - 4 : end], "big")


def _chunk(name: bytes, body: bytes) -> tuple[bytes, ...]:
    sum_ = zlib.crc32(body, zlib.crc32(name))
    return struct.pack(">I4s", len(body), name), body, struct.pack(">I", sum_)
