"""Files of a few hand-made bytes: what no library at hand writes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tests.support.pictures.drawn import png_chunk

Chunks = Iterable[tuple[bytes, bytes]]

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
"""Colour types of PNG."""

ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""PNG's seven passes: first column, first row, steps."""


def png(
    samples: NDArray[np.generic],
    bits: int,
    colour_type: int,
    *,
    before: Chunks = (),
    after: Chunks = (),
    interlaced: bool = False,
) -> bytes:
    """A PNG of any bit depth and colour type.

    Args:
        samples: [H, W] or [H, W, C], each under `2 ** bits`.
        bits: a sample, 1, 2, 4, 8 or 16.
        colour_type: PNG's own number.
        before: chunks before the pixels.
        after: chunks behind them.
        interlaced: in Adam7's passes.
    """
    rows = samples.reshape(*samples.shape[:2], -1)
    passes = [rows[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlaced else [rows]
    raw = b"".join(b"\0" + packed(row.ravel(), bits) for part in passes if part.size for row in part)
    return png_of(rows.shape[1], rows.shape[0], bits, colour_type, raw, before, after, interlaced)


def png_of(
    width: int,
    height: int,
    bits: int,
    colour_type: int,
    raw: bytes,
    before: Chunks = (),
    after: Chunks = (),
    interlaced: bool = False,
) -> bytes:
    """A PNG that says what it is told to say; `raw` is filtered rows."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, interlaced)
    chunks = [(b"IHDR", header), *before, (b"IDAT", zlib.compress(raw)), *after, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, body) for kind, body in chunks)


def packed(samples: NDArray[np.generic], bits: int) -> bytes:
    """One row of samples, big-endian, its last byte filled up with zeros."""
    if bits == 16:
        return samples.astype(">u2").tobytes()
    each = (samples.astype(np.uint8)[:, None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(each.ravel()).tobytes()


def bmp(
    width: int,
    height: int,
    bits: int,
    rows: bytes,
    *,
    palette: NDArray[np.uint8] | None = None,
    compression: int = 0,
    masks: Sequence[int] = (),
    top_down: bool = False,
) -> bytes:
    """A BMP with the 40 bytes' header.

    Args:
        width: pixels.
        height: pixels.
        bits: a pixel.
        rows: as they lie in the file, the lowest first unless `top_down`.
        palette: [N, 3], RGB.
        compression: 0 none, 1 RLE8, 2 RLE4, 3 masks.
        masks: of red, green and blue.
        top_down: by a negative height.
    """
    table = b"".join(struct.pack("<I", mask) for mask in masks)
    if palette is not None:
        table += b"".join(bytes([b, g, r, 0]) for r, g, b in palette.tolist())
    info = struct.pack(
        "<IiiHHIIiiII",
        *(40, width, -height if top_down else height, 1, bits, compression, len(rows), 2835, 2835),
        *(0 if palette is None else len(palette), 0),
    )
    start = 14 + len(info) + len(table)
    return struct.pack("<2sIHHI", b"BM", start + len(rows), 0, 0, start) + info + table + rows


def bmp_rows(pixels: NDArray[np.generic], bits: int) -> bytes:
    """[H, W] of indices or whole pixels, the lowest row first, each filled up to 4 bytes."""
    lines = []
    for row in pixels[::-1]:
        line = packed(row, bits) if bits <= 8 else row.astype({16: "<u2", 32: "<u4"}[bits]).tobytes()
        lines.append(line + b"\0" * (-len(line) % 4))
    return b"".join(lines)


def run_lengths(pixels: NDArray[np.generic], *, nibbles: bool = False) -> bytes:
    """[H, W] of indices in BMP's RLE8, or RLE4 (two equal nibbles a run)."""
    out = bytearray()
    for row in pixels[::-1].tolist():
        start = 0
        while start < len(row):
            end = start
            while end < len(row) and row[end] == row[start] and end - start < 255:
                end += 1
            out += bytes([end - start, row[start] * 17 if nibbles else row[start]])
            start = end
        out += b"\0\0"
    return bytes(out + b"\0\1")


def jpeg_segments(data: bytes) -> list[tuple[int, int]]:
    """Places and lengths (with the marker) of a JPEG's segments up to its first scan."""
    found, place = [], 2
    while data[place + 1] != 0xDA:
        length = 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        found.append((place, length))
        place += length
    return found


def with_segment(data: bytes, marker: int, body: bytes) -> bytes:
    """A JPEG with one more segment, right behind its start."""
    return data[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + data[2:]


def tiff(
    tags: Sequence[tuple[int, int, int, int]],
    data: bytes = b"",
    *,
    big_endian: bool = False,
    following: int = 0,
) -> bytes:
    """A TIFF of one directory behind the header and `data` behind it.

    Args:
        tags: number, type, count and value of each, in rising order; a value that is the place of
            more values counts from the start of `data`, when its count says that it does not fit.
        data: whatever follows the directory.
        big_endian: MM instead of II.
        following: the place of the next directory.
    """
    order = ">" if big_endian else "<"
    start = 8 + 2 + 12 * len(tags) + 4
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8, 11: 4, 12: 8}
    entries = b""
    for number, kind, count, value in tags:
        if kind == 3 and count == 1:
            packed_value = struct.pack(order + "HH", value, 0)
        else:
            far = sizes[kind] * count > 4 or number == 273
            packed_value = struct.pack(order + "I", start + value if far else value)
        entries += struct.pack(order + "HHI", number, kind, count) + packed_value
    header = (b"MM\0*" if big_endian else b"II*\0") + struct.pack(order + "I", 8)
    return header + struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", following) + data
