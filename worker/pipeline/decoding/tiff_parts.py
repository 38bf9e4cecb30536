"""A large TIFF some rows at a time: strips and tiles are packed one by one, and are unpacked so."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterator, Sequence

from PIL import Image
from PIL.ExifTags import Base

from worker.pipeline.decoding.tiff import prepare
from worker.pipeline.decoding.tiff_pages import NEEDED, VALUE_BYTES, WIDE, Page, Tiff, photo_of, read_header

_NONE, _OLD_JPEG = 1, 6
_TILES, _STRIPS = (Base.TileOffsets, Base.TileByteCounts), (Base.StripOffsets, Base.StripByteCounts)
_MOST_PIECES = 1_000_000
_MOST_PIXELS = 16_000_000
"""Of one part; a strip that has more is decoded with all of the picture."""
_MOST_TIMES = 2
"""How often the file's bytes may be used, all strips or tiles together: they may all name the same ones."""
_SHORT, _LONG = 3, 4


def tiff_parts(data: bytes, rows: int, by: int) -> tuple[Iterator[Image.Image], int] | None:
    """Parts of a TIFF's photo, from the top, prepared to be loaded, not turned and without its profile.

    Args:
        data: the whole file.
        rows: how many each has, about.
        by: of what it is a multiple, but for the last.

    Returns:
        These, and how many rows they have; None where the photo can only be decoded whole.
    """
    tiff = read_header(data)
    page = photo_of(tiff)[0] if tiff else None
    if tiff is None or page is None or tiff.first(page, Base.Compression, 1) == _OLD_JPEG:
        return None
    width, height = tiff.size(page)
    tiled = Base.TileOffsets in page.tags
    step = tiff.first(page, Base.TileLength if tiled else Base.RowsPerStrip, height)
    step = min(step, height) if not tiled else step
    across = math.ceil(width / max(1, tiff.first(page, Base.TileWidth))) if tiled else 1
    apart = tiff.first(page, Base.PlanarConfiguration, 1) == 2
    planes = tiff.first(page, Base.SamplesPerPixel, 1) if apart else 1
    places, sizes = (tiff.values(page, number, _MOST_PIECES) for number in (_TILES if tiled else _STRIPS))
    if step < 1 or planes < 1:
        return None
    if len(places) == planes and not tiled and tiff.first(page, Base.Compression, 1) == _NONE:
        step = rows
        places, sizes = _cut_up(tiff, page, places, step)
    down = math.ceil(height / step)
    if len(places) != down * across * planes or len(sizes) != len(places):
        return None
    if sum(sizes) > _MOST_TIMES * len(data):
        return None
    together = by // math.gcd(by, step)
    together *= max(1, rows // (step * together))
    if step * together * width > _MOST_PIXELS:
        return None

    def parts() -> Iterator[Image.Image]:
        """Each as a TIFF of its own."""
        for first in range(0, down, together):
            last = min(down, first + together)
            chosen = [
                index
                for plane in range(planes)
                for index in range((plane * down + first) * across, (plane * down + last) * across)
            ]
            length = min(height, last * step) - first * step
            body = [data[places[index] : places[index] + sizes[index]] for index in chosen]
            part = Image.open(io.BytesIO(_file(tiff, page, length, step, body, tiled)), formats=("TIFF",))
            prepare(part)
            yield part

    return parts(), step * together


def _cut_up(tiff: Tiff, page: Page, places: Sequence[int], rows: int) -> tuple[list[int], list[int]]:
    """One strip a plane that is not packed, as many."""
    width, height = tiff.size(page)
    samples = tiff.first(page, Base.SamplesPerPixel, 1) if len(places) == 1 else 1
    bits = tiff.values(page, Base.BitsPerSample, samples) or (1,)
    stride = (width * (sum(bits) if len(bits) == samples else bits[0] * samples) + 7) // 8
    tops = range(0, height, rows)
    cut = [place + top * stride for place in places for top in tops]
    return cut, [min(rows, height - top) * stride for top in tops] * len(places)


def _file(tiff: Tiff, page: Page, length: int, step: int, body: list[bytes], tiled: bool) -> bytes:
    """A TIFF of some strips or rows of tiles; the strips lie behind the header, the directory behind them."""
    order = tiff.order
    values: dict[int, tuple[int, int, bytes]] = {}
    for number, tag in page.tags.items():
        if number not in NEEDED:
            continue
        if tag.kind in WIDE:
            numbers = tiff.values(page, number, tag.count)
            values[number] = (_LONG, len(numbers), struct.pack(f"{order}{len(numbers)}I", *numbers))
        elif tag.kind < min(WIDE) and (size := VALUE_BYTES.get(tag.kind)):
            values[number] = (tag.kind, tag.count, tiff.data[tag.place : tag.place + size * tag.count])
    place, places = 8, []
    for piece in body:
        places.append(place)
        place += len(piece)
    count = len(body)
    values[Base.ImageLength] = (_LONG, 1, struct.pack(order + "I", length))
    for number, numbers in zip(_TILES if tiled else _STRIPS, (places, [*map(len, body)]), strict=True):
        values[number] = (_LONG, count, struct.pack(f"{order}{count}I", *numbers))
    if not tiled:
        values[Base.RowsPerStrip] = (_LONG, 1, struct.pack(order + "I", step))
    place += place % 2
    far_place = place + 2 + 12 * len(values) + 4
    entries, far = [], b""
    for number, (kind, values_count, packed) in sorted(values.items()):
        entry = packed.ljust(4, b"\0")
        if len(packed) > 4:
            entry = struct.pack(order + "I", far_place + len(far))
            far += packed + b"\0" * (len(packed) % 2)
        entries.append(struct.pack(order + "HHI", number, kind, values_count) + entry)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", place)
    directory = struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)
    pixels = b"".join(body)
    return head + pixels + b"\0" * (len(pixels) % 2) + directory + far
