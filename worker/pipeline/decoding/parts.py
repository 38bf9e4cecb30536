"""A large picture some rows at a time, each part reduced before the next one is decoded."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator

from PIL import Image

from worker.pipeline.decoding import png, png_chunks
from worker.pipeline.decoding.refusal import damaged

PART_PIXELS = 4_000_000
"""About how many pixels are decoded at once, at most."""

_FEWEST_TIMES = 2
"""How many times larger than its target a picture stays in its first reduction, at least."""

_SAME_UNIT = {1: 0, 2: 4, 3: 2, 4: 6}
"""The colour type of 8 bits whose pixels are that many bytes: filters work on bytes, that far apart."""


def factor(size: tuple[int, int], target: tuple[int, int]) -> int:
    """By how much each part can be reduced, so that the rest of the scaling sees enough pixels; 1: not."""
    return max(1, min(size[0] // target[0], size[1] // target[1]) // _FEWEST_TIMES)


def rows_at_once(width: int, by: int, most: int = PART_PIXELS) -> int:
    """How many rows a part has: a multiple of the factor, with about `most` pixels or less."""
    return max(1, min(PART_PIXELS, most) // width // by) * by


def reduced_size(size: tuple[int, int], by: int) -> tuple[int, int]:
    """Width and height of a picture at that fraction of its size."""
    return -(-size[0] // by), -(-size[1] // by)


def reduced(parts: Iterable[Image.Image], size: tuple[int, int], by: int) -> Image.Image:
    """The whole picture at a fraction of its size, by the mean of `by` x `by` pixels.

    Args:
        parts: from the top, of 8 bits a channel; all but the last are a multiple of `by` rows high.
        size: of all together, pixels.
        by: the factor.

    Raises:
        Unreadable: `corrupt_image` where rows are missing.
    """
    whole: Image.Image | None = None
    top = 0
    for part in parts:
        small = part.reduce(by)
        if whole is None:
            whole = Image.new(small.mode, reduced_size(size, by))
        whole.paste(small, (0, top // by))
        top += part.height
    if whole is None or top < size[1]:
        raise damaged(f"{size[1] - top} rows are missing")
    return whole


def of_loaded(image: Image.Image, rows: int) -> Iterator[Image.Image]:
    """Parts of a picture that is decoded already."""
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def of_png(data: bytes, rows: int, _: int) -> tuple[Iterator[Image.Image], int] | None:
    """Parts of a PNG, as `tiff_parts`."""
    chunks = png_chunks.read_chunks(data)
    width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks.header[:13])
    channels = png_chunks.CHANNELS.get(kind)
    if channels is None or interlaced or max(1, channels * bits // 8) not in _SAME_UNIT:
        return None
    return _png_parts(chunks, width, height, bits * channels, rows), rows


def _png_parts(
    chunks: png_chunks.Chunks, width: int, height: int, bits: int, rows: int
) -> Iterator[Image.Image]:
    """Each part as a PNG of its own, whose rows have no filter any more."""
    unit, stride = max(1, bits // 8), (width * bits + 7) // 8
    row = bytes(stride)
    unpacked = _Unpacked(chunks.pixels)
    for top in range(0, height, rows):
        count = min(rows, height - top)
        packed = unpacked.take(count * (stride + 1))
        if len(packed) < count * (stride + 1):
            raise damaged("a part of its pixels is missing")
        # Pillow undoes the filters: to it, these are grey or coloured pixels, whatever they mean.
        lines = _png(_SAME_UNIT[unit], 8, stride // unit, count + 1, b"\0" + row + packed).tobytes()[stride:]
        row = lines[-stride:]
        plain = b"".join(b"\0" + lines[at : at + stride] for at in range(0, len(lines), stride))
        kind = chunks.header[9]
        part = _png(kind, chunks.header[8], width, count, plain, chunks)
        png.correct_colour_key(part)
        yield part


class _Unpacked:
    """The rows of a PNG, as many bytes as are asked for."""

    def __init__(self, packed: list[memoryview]) -> None:
        self._packed = iter(packed)
        self._unpacker = zlib.decompressobj()
        self._rest: bytes | memoryview = b""

    def take(self, count: int) -> bytes:
        """The next bytes; fewer at the end."""
        found = bytearray()
        while len(found) < count and not self._unpacker.eof:
            if not self._rest:
                self._rest = next(self._packed, b"")
                if not self._rest:
                    break
            found += self._unpacker.decompress(self._rest, count - len(found))
            self._rest = self._unpacker.unconsumed_tail
        return bytes(found)


def _png(
    kind: int, bits: int, width: int, height: int, rows: bytes, like: png_chunks.Chunks | None = None
) -> Image.Image:
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    part = png_chunks.Chunks(header, pixels=[memoryview(zlib.compress(rows, 0))])
    if like is not None:
        part.palette = like.palette
        part.ancillary = [each for each in like.ancillary if each[0] == b"tRNS"]
    image = Image.open(io.BytesIO(part.file()), formats=("PNG",))
    if like is None:
        image.load()
    return image
