"""The headers of a BMP: what they get wrong and nothing depends on."""

from __future__ import annotations

import struct

_MASKED = 3
_CORE = 12


def mended(data: bytes) -> tuple[bytes, list[str]] | None:
    """The file with the number of colours and the place of its pixels as they must be, and sentences."""
    if len(data) < 54:
        return None
    size = int.from_bytes(data[14:18], "little")
    if size == _CORE or not 40 <= size <= 124:
        return None
    width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    colours, place = int.from_bytes(data[46:50], "little"), int.from_bytes(data[10:14], "little")
    notes = []
    header = bytearray(data[: 14 + size])
    most = 1 << bits if bits <= 8 else 0
    if most and colours > most:
        header[46:50] = bytes(4)
        notes.append("the number of colours is wrong and was ignored")
        colours = 0
    least = 14 + size + (12 if compression == _MASKED and size == 40 else 0)
    rows = (width * bits + 31) // 32 * 4 * abs(height) if compression in (0, _MASKED) else 1
    there = least + 4 * (colours or most)
    if place and (place < least or place + rows > len(data)) and there + rows <= len(data):
        header[10:14] = struct.pack("<I", there)
        notes.append("the place of the pixels is wrong and was ignored")
    return (bytes(header) + data[len(header) :], notes) if notes else None
