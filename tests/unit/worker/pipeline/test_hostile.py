"""Small files made to exhaust memory or time: named errors, at no cost."""

from __future__ import annotations

import ctypes
import gc
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nightshift.words.errors import Unreadable
from tests.support.pictures.chart import PATCHES, SIZE, assert_chart, chart, spread
from tests.support.pictures.containers import RGB, bmp, png, png_of, tiff
from tests.support.pictures.drawn import code_of, decoded, encoded
from tests.support.requirements import require
from tests.unit.worker.pipeline.test_jpeg_colours import with_empty_scans
from worker.pipeline.decoding.decode import decode

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

GIANT = 50_000


def jpeg_of(width: int, height: int) -> bytes:
    data = bytearray(encoded(chart(), "JPEG"))
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def gif_of(width: int, height: int, *, frame: bool) -> bytes:
    data = bytearray(encoded(chart().quantize(24), "GIF"))
    place = data.index(b",\0\0\0\0") + 5 if frame else 6
    data[place : place + 4] = struct.pack("<HH", width, height)
    return bytes(data)


def webp_of(width: int, height: int) -> bytes:
    """An animation whose canvas is that large and whose frame is not."""
    inner = encoded(chart(), "WEBP", lossless=True)[12:]
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame = (
        bytes(6)
        + (SIZE[0] - 1).to_bytes(3, "little")
        + (SIZE[1] - 1).to_bytes(3, "little")
        + bytes(4)
        + inner
    )
    parts = ((b"VP8X", b"\2\0\0\0" + size), (b"ANIM", bytes(6)), (b"ANMF", frame))
    body = b"WEBP" + b"".join(name + struct.pack("<I", len(part)) + part for name, part in parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def heif_of(image_format: str, width: int, height: int) -> bytes:
    data, place = bytearray(encoded(chart(), image_format)), 0
    while (place := data.find(b"ispe", place) + 1) > 0:
        data[place + 7 : place + 15] = struct.pack(">II", width, height)
    return bytes(data)


def tiff_of(width: int, height: int, *more: tuple[int, int, int, int], data: bytes = b"\0" * 64) -> bytes:
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1)]
    tags += [(273, 4, 1, 0), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, len(data))]
    return tiff(sorted({tag[0]: tag for tag in (*tags, *more)}.values()), data)


BOMBS: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: png_of(GIANT, GIANT, 8, RGB, bytes(100)),
    "JPEG": lambda: jpeg_of(GIANT, GIANT),
    "GIF screen": lambda: gif_of(GIANT, GIANT, frame=False),
    "GIF frame": lambda: gif_of(GIANT, GIANT, frame=True),
    "WebP": lambda: webp_of(GIANT, GIANT),
    "WebP, 225 megapixels": lambda: webp_of(15_000, 15_000),
    "BMP": lambda: bmp(GIANT, GIANT, 24, bytes(100)),
    "BMP in run lengths": lambda: bmp(
        GIANT, GIANT, 8, b"\xff\0" * 50, palette=np.zeros((2, 3), np.uint8), compression=1
    ),
    "TIFF": lambda: tiff_of(GIANT, GIANT),
    "HEIC": lambda: heif_of("HEIF", GIANT, GIANT),
    "AVIF": lambda: heif_of("AVIF", GIANT, GIANT),
    "HEIC, the largest number": lambda: heif_of("HEIF", 2**32 - 1, 2**32 - 1),
    "AVIF, the largest number": lambda: heif_of("AVIF", 2**32 - 1, 2**32 - 1),
    "TIFF tiles": lambda: tiff_of(
        10, 10, (322, 4, 1, GIANT), (323, 4, 1, GIANT), (324, 4, 1, 0), (325, 4, 1, 9)
    ),
}


class Peak:
    """The most memory this process takes within a `with`, by the kernel's count: C libraries are in it."""

    def __enter__(self) -> Peak:
        gc.collect()
        if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
            trim(0)  # what earlier tests freed would serve this one, and no peak would show
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:
            require(False, "only Linux can tell a process's peak of memory", essential=False)
        self._before = self._highest()
        return self

    def __exit__(self, *_: object) -> None:
        self.bytes = self._highest() - self._before

    def _highest(self) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def test_the_peak_is_that_of_c_libraries_too() -> None:
    data = encoded(Image.new("RGB", (5000, 5000)), "PNG", compress_level=1)
    with Peak() as peak:
        decoded(data)
    assert peak.bytes > 50_000_000


@pytest.mark.parametrize("make", BOMBS.values(), ids=BOMBS.keys())
def test_a_giant_is_refused_by_its_header_before_memory_is_taken(make: Callable[[], bytes]) -> None:
    data = make()
    assert len(data) < 3000
    code_of(b"")  # whatever is loaded once is loaded
    with Peak() as peak:
        assert code_of(data) == "too_many_pixels"
    assert peak.bytes < 4_000_000


def test_small_tiles_that_are_larger_than_the_picture_are_read() -> None:
    from tests.unit.worker.pipeline.test_tiff_colours import written

    assert_chart(decoded(written(spread(PATCHES).astype(np.uint8), "rgb", tile=(256, 256))), 0)


def test_a_tile_that_unpacks_to_many_megabytes_is_not_unpacked() -> None:
    packed = zlib.compress(bytes(6_000 * 6_000), 9)
    more = [
        (322, 4, 1, 6_000),
        (323, 4, 1, 6_000),
        (324, 4, 1, 8 + 2 + 12 * 12 + 4),
        (325, 4, 1, len(packed)),
    ]
    data = tiff_of(10, 10, *more, data=packed)
    with Peak() as peak:
        assert code_of(data) == "too_many_pixels"
    assert peak.bytes < 4_000_000


TEXT_BOMB = zlib.compress(bytes(64_000_000), 9)


@pytest.mark.parametrize(
    "chunk",
    [
        (b"zTXt", b"Comment\0\0" + TEXT_BOMB),
        (b"iTXt", b"Comment\0\1\0en\0\0" + TEXT_BOMB),
        (b"iCCP", b"profile\0\0" + TEXT_BOMB),
    ],
    ids=lambda chunk: chunk[0].decode(),
)
@pytest.mark.parametrize("count", [1, 50])
def test_a_chunk_that_unpacks_to_64_megabytes_is_not_unpacked(chunk: tuple[bytes, bytes], count: int) -> None:
    data = png(spread(PATCHES), 8, RGB, before=[chunk] * count)
    with Peak() as peak:
        assert_chart(decoded(data), 0, warned=chunk[0] == b"iCCP")  # the texts are none that is read
    assert peak.bytes < 30_000_000


@pytest.mark.parametrize("tag", [273, 279, 258, 320, 270, 34675])
@pytest.mark.parametrize("count", [2**16, 2**28, 2**32 - 1])
def test_a_tag_with_more_values_than_the_file_has_bytes(tag: int, count: int) -> None:
    data = tiff_of(10, 10, (tag, 4, count, 0), data=zlib.compress(bytes(100)))
    with Peak() as peak:
        try:
            photo = decoded(data)
        except Unreadable as error:
            assert error.code in ("corrupt_image", "unsupported_format")
        else:
            assert (photo.width, photo.height) == (10, 10)
    assert peak.bytes < 30_000_000


def test_a_heif_that_lies_about_its_size_is_damaged() -> None:
    for side in (9_000, 10, 200):
        assert code_of(heif_of("HEIF", side, side)) == "corrupt_image"
    assert code_of(heif_of("HEIF", 14_000, 14_000)) == "too_much_memory"


def test_many_scans_cost_no_time() -> None:
    started = time.process_time()
    with pytest.raises(Unreadable, match="scans"):
        decode(with_empty_scans(50_000), height=1080, max_photo_pixels=10**9, max_working_pixels=10**7)
    assert time.process_time() - started < 2
