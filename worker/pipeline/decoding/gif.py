"""The blocks of a GIF: a file of its first picture alone, without extensions that cannot be read."""

from __future__ import annotations

import struct

SIGNATURES = (b"GIF87a", b"GIF89a")

_EXTENSION, _PICTURE, _END = 0x21, 0x2C, 0x3B
_CONTROL = 0xF9
_MOST_STEPS = 5_000_000
"""Places, and blocks behind them, that are looked at in search of a picture: some seconds' worth. The chains
behind many places may be one and the same."""
_NAMES = {0x01: "plain text", _CONTROL: "graphic control", 0xFE: "comment", 0xFF: "application"}


def is_in_order(data: bytes) -> bool:
    """Whether each block leads to the next, up to the first picture."""
    place = _first_block(data)
    while place < len(data) and data[place] != _PICTURE:
        following, sound = _extension(data, place)
        if following is None or not sound:
            return False
        place = following
    return place < len(data)


def mended(data: bytes) -> tuple[bytes, list[str]] | None:
    """The first picture of a file, and a sentence on each extension that was left out."""
    place = _first_block(data)
    kept, notes = [data[:place]], []
    while place < len(data) and data[place] != _PICTURE:
        following, sound = _extension(data, place)
        if following is not None and sound:
            kept.append(data[place:following])
        else:
            name = (
                _NAMES.get(data[place + 1]) if data[place] == _EXTENSION and place + 1 < len(data) else None
            )
            notes.append(f"the {name or 'unknown'} extension is damaged and was ignored")
        place = following if following is not None else _next_picture(data, place)
    if place >= len(data):
        return None
    return b"".join((*kept, data[place:])), notes or ["its extensions could not be read and were ignored"]


def _first_block(data: bytes) -> int:
    if len(data) < 13:
        return len(data)
    return 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)


def _extension(data: bytes, place: int) -> tuple[int | None, bool]:
    """Where the extension that begins there ends, if to another block, and whether it can be read."""
    if data[place] != _EXTENSION or place + 2 >= len(data):
        return None, False
    end, _ = _end_of_blocks(data, place + 2, len(data))
    if end is None or end >= len(data) or data[end] not in (_EXTENSION, _PICTURE, _END):
        return None, False
    if data[place + 1] == _CONTROL:
        return end, data[place + 2] == 4 and end == place + 8
    # Pillow takes an empty one, and this one without a body, for the beginning of a longer one.
    return end, data[place + 2] > 0 and data[place + 3 : place + 15] != b"NETSCAPE2.0\0"


def _end_of_blocks(data: bytes, place: int, most: int) -> tuple[int | None, int]:
    """Where the blocks that begin there end, behind the empty one, and how many of them were looked at."""
    blocks = 0
    while place < len(data) and blocks < most:
        length = data[place]
        place += 1 + length
        blocks += 1
        if not length:
            return place, blocks
    return None, blocks


def _next_picture(data: bytes, place: int) -> int:
    """Where the next picture begins that lies on the screen and has pixels, or the file's end."""
    screen_width, screen_height = struct.unpack_from("<HH", data, 6)
    steps = 0
    while (place := data.find(b",", place + 1)) >= 0 and place + 11 < len(data) and steps < _MOST_STEPS:
        steps += 1
        left, top, width, height, flags = struct.unpack_from("<HHHHB", data, place + 1)
        depth_at = place + 10 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
        fits = 0 < width <= screen_width - left and 0 < height <= screen_height - top
        if not fits or depth_at >= len(data) or not 2 <= data[depth_at] <= 8:
            continue
        end, blocks = _end_of_blocks(data, depth_at + 1, _MOST_STEPS - steps)
        steps += blocks
        if end is not None and data[end : end + 1] in (b"", b"!", b",", b";"):
            return place
    return len(data)
