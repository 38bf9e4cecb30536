"""What Pillow leaves undone or mistakes in a PNG."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image

from worker.pipeline.decoding import png_chunks
from worker.pipeline.decoding.jpeg import DAMAGED, NO_END

DISPLAY_GAMMA = 2.2
GAMMA_THRESHOLD = 0.05
"""As in libpng: a gAMA nearer to 1 / 2.2 than this changes nothing that could be seen."""

TRAILER = "what lies behind the pixels was ignored"

_BEGINNING = b"\x78\x01"
"""Of zlib's streams, for any window."""
_PACKED_AT_ONCE, _UNPACKED_AT_ONCE = 1 << 16, 1 << 20

_RAISED = {"L;2": 85, "L;4": 17}
"""Factor that Pillow applies to the pixels of 2-bit and 4-bit grey, and forgets for their colour key."""


def open_png(data: bytes, warnings: list[str]) -> Image.Image:
    """Open a file that begins with PNG's signature, without the chunks that are damaged or not read.

    Pillow gives up the whole picture for a wrong checksum in its time stamp, and takes a text that is called
    `transparency` for the real thing.

    Raises:
        Unreadable: see `read_chunks`.
    """
    chunks = png_chunks.read_chunks(data)
    warnings += chunks.notes
    if chunks.wrong_pixels:
        warnings.append(DAMAGED)
    if not chunks.ended:
        warnings.append(NO_END)
    return Image.open(io.BytesIO(chunks.file()), formats=("PNG",))


def mended(data: bytes) -> tuple[bytes, list[str]] | None:
    """The file with the checksum behind its unpacked pixels as it must be, where these come to an end.

    Pillow gives up the whole picture for it, with the last row in hand.
    """
    chunks = png_chunks.read_chunks(data)
    packed = memoryview(b"".join(chunks.pixels))
    width, height, bits, kind = struct.unpack(">IIBB", chunks.header[:10])
    found = _end_of_pixels(packed, height * (width * bits * png_chunks.CHANNELS.get(kind, 4) // 8 + 8))
    if found is None:
        return None
    end, right = found
    there = packed[end : end + 4]
    chunks.pixels = [memoryview(_BEGINNING), packed[len(_BEGINNING) : end], memoryview(right)]
    note = TRAILER if there == right else DAMAGED if len(there) == len(right) else NO_END
    return chunks.file(summed=True), [*chunks.notes, note]


def _end_of_pixels(packed: memoryview, most: int) -> tuple[int, bytes] | None:
    """Where the packed pixels end, and the checksum that is right behind them.

    Args:
        packed: the bodies of all IDAT chunks.
        most: bytes that they can have, unpacked; who sends more wants to be unpacked for minutes.
    """
    unpacker, sum_ = zlib.decompressobj(-zlib.MAX_WBITS), 1
    for start in range(len(_BEGINNING), len(packed), _PACKED_AT_ONCE):
        rest: memoryview | bytes = packed[start : start + _PACKED_AT_ONCE]
        following = start + len(rest)
        more = True
        while more and most >= 0:
            try:
                piece = unpacker.decompress(rest, _UNPACKED_AT_ONCE)
            except zlib.error:
                return None
            sum_, most, rest = zlib.adler32(piece, sum_), most - len(piece), unpacker.unconsumed_tail
            # At the end, what is left of the input stays the same for ever.
            more = not unpacker.eof and (bool(rest) or len(piece) == _UNPACKED_AT_ONCE)
        if most < 0:
            return None
        if unpacker.eof:
            return following - len(unpacker.unused_data), sum_.to_bytes(4, "big")
    return None


def correct_colour_key(image: Image.Image) -> None:
    """Bring the transparent colour to the depth of the loaded pixels; to be called before loading."""
    key = image.info.get("transparency")
    raw_mode = _raw_mode(image)
    if raw_mode in _RAISED and isinstance(key, int):
        image.info["transparency"] = key * _RAISED[raw_mode]
    elif raw_mode == "RGB;16B" and isinstance(key, tuple):
        image.info["transparency"] = tuple(level >> 8 for level in key)


def gamma_table(image: Image.Image) -> list[int] | None:
    """256 levels for the levels 0-255 as the gAMA chunk asks for, or None when they stay as they are.

    As browsers do it: a colour profile or an sRGB chunk goes before gAMA.
    """
    gamma = image.info.get("gamma")
    if not isinstance(gamma, float) or gamma <= 0 or "icc_profile" in image.info or "srgb" in image.info:
        return None
    exponent = 1 / (gamma * DISPLAY_GAMMA)
    if abs(exponent - 1) < GAMMA_THRESHOLD:
        return None
    return [round(255 * (level / 255) ** exponent) for level in range(256)]


def _raw_mode(image: Image.Image) -> str:
    tile = getattr(image, "tile", None)
    args = tile[0][3] if tile else ""
    return args if isinstance(args, str) else ""
