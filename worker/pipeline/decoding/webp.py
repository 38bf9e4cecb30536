"""The chunks of a WebP: a file of those that carry the picture and of those others that can be read."""

from __future__ import annotations

import re
import struct
from collections.abc import Collection, Iterator

_PICTURE = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANMF")
_KNOWN = re.compile(rb"VP8 |VP8L|ALPH|ANIM|ANMF|ICCP|EXIF|XMP ")
_FLAGS = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04, b"ANIM": 0x02}
_METADATA = (b"ICCP", b"EXIF", b"XMP ")
_ALPHA = 0x10
_LOOPING = (b"ANIM", bytes(6))
"""Says how an animation goes on behind its first frame; libwebp wants one before that."""
_MOST_CHUNKS = 100_000


def is_webp(data: bytes) -> bool:
    """Whether the file begins like one."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def mended(data: bytes, without: Collection[bytes] = ()) -> tuple[bytes, list[str]] | None:
    """The file without metadata that cannot be read, its own lengths put right, and sentences on these.

    Args:
        data: the whole file.
        without: names of chunks that are left out in any case.
    """
    chunks: list[tuple[bytes, bytes]] = []
    notes: list[str] = []
    moves = False
    for name, body, sound in _walk(data):
        if sound and name not in without and (name in _PICTURE or (name in _FLAGS and name != b"ANIM")):
            if name == b"ANMF" and not moves:
                moves = True
                chunks.append(_LOOPING)
            chunks.append((name, body))
        elif name == b"ANIM" and len(body) == len(_LOOPING[1]):
            continue
        elif name in _PICTURE:
            return None
        else:
            label = name.decode().strip() if name in _FLAGS else "of an unknown kind"
            notes.append(f"the chunk {label} is damaged and was ignored")
    if not chunks:
        return None
    names = {name for name, _ in chunks}
    if chunks[0][0] == b"VP8X" and len(chunks[0][1]) >= 10:
        # libwebp refuses whatever is not as its flags say, and flags that it does not know.
        flags, rest = chunks[0][1][0] & _ALPHA, chunks[0][1][1:]
        flags |= sum(flag for name, flag in _FLAGS.items() if name in names)
        chunks[0] = (b"VP8X", bytes([flags]) + rest)
    parts = [struct.pack("<4sI", name, len(body)) + body + b"\0" * (len(body) % 2) for name, body in chunks]
    whole = b"WEBP" + b"".join(parts)
    file = b"RIFF" + struct.pack("<I", len(whole)) + whole
    if file == data:
        return None
    return file, list(dict.fromkeys(notes)) or ["the file's lengths or flags were wrong"]


def without_metadata(data: bytes) -> tuple[bytes, list[str]] | None:
    """The file without any metadata: what a decoder refused, though its lengths are right."""
    if not any(name in _METADATA for name, _, _ in _walk(data)):
        return None
    return mended(data, _METADATA)


def _walk(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Name, body and soundness of each chunk; where a length leads nowhere, on from the next known one."""
    place = 12
    for _ in range(_MOST_CHUNKS):
        if place + 8 > len(data):
            return
        name, length = struct.unpack_from("<4sI", data, place)
        end = place + 8 + length
        sound = end <= len(data) and _leads_on(data, end + length % 2)
        if sound or name in _PICTURE:
            yield name, data[place + 8 : end], end <= len(data)
            place = end + length % 2
            continue
        yield name, b"", False
        following = next(
            (
                found.start()
                for found in _KNOWN.finditer(data, place + 4)
                if _leads_on(data, found.start() + 8 + _padded(data, found.start() + 4))
            ),
            None,
        )
        if following is None:
            return
        place = following


def _padded(data: bytes, place: int) -> int:
    length = int.from_bytes(data[place : place + 4], "little")
    return length + length % 2


def _leads_on(data: bytes, place: int) -> bool:
    """Whether the file ends there, or a chunk begins."""
    if place >= len(data):
        return place <= len(data) + 1
    return re.fullmatch(rb"[A-Za-z0-9]{3}[A-Za-z0-9 ]", data[place : place + 4]) is not None
