"""What a photo may cost: estimated before it is decoded, kept to, refused by name, one at a time."""

from __future__ import annotations

import multiprocessing
import struct
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from bench import samples
from nightshift.words.errors import Unreadable
from tests.support.pictures.containers import RGB, bmp, png_of
from tests.support.pictures.drawn import code_of, decoded, encoded
from tests.unit.worker.pipeline.test_hostile import Peak
from tests.unit.worker.pipeline.test_largest_picture import written
from worker.pipeline.decoding.alone import Alone
from worker.pipeline.decoding.decode import decode

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

LITTLE = 60_000_000
"""Bytes of memory with which a photo of 6 megapixels is a large one."""

PHOTO = samples.astronaut().resize((3001, 2003))
PIXELS = np.asarray(PHOTO)


XMP = b'<rdf:Description tiff:Orientation="6"/>'


def turned() -> Image.Exif:
    tags = Image.Exif()
    tags[274] = 6
    return tags


def png(image: Image.Image, **options: Any) -> bytes:
    return encoded(image, "PNG", compress_level=1, **options)


GREY_16 = Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257)

LARGE: dict[str, Callable[[], bytes]] = {
    "PNG, RGB": lambda: png(PHOTO),
    "PNG, RGBA": lambda: png(PHOTO.convert("RGBA")),
    "PNG, grey": lambda: png(PHOTO.convert("L")),
    "PNG, grey and alpha": lambda: png(PHOTO.convert("LA")),
    "PNG, 200 colours": lambda: png(PHOTO.quantize(200)),
    "PNG, 200 colours, one transparent": lambda: png(PHOTO.quantize(200), transparency=3),
    "PNG, 9 colours": lambda: png(PHOTO.quantize(9)),
    "PNG, black and white": lambda: png(PHOTO.convert("1")),
    "PNG, 16 bits": lambda: png(GREY_16),
    "PNG, turned": lambda: png(PHOTO, exif=turned()),
    "PNG, tall and turned": lambda: png(PHOTO.resize((1500, 4000)), exif=turned()),
    "TIFF": lambda: encoded(PHOTO, "TIFF"),
    "TIFF, LZW": lambda: encoded(PHOTO, "TIFF", compression="tiff_lzw"),
    "TIFF, JPEG": lambda: encoded(PHOTO, "TIFF", compression="jpeg"),
    "TIFF, turned": lambda: encoded(PHOTO, "TIFF", compression="tiff_lzw", tiffinfo={274: 6}),
    "TIFF, turned by its XMP": lambda: encoded(PHOTO, "TIFF", compression="tiff_lzw", tiffinfo={700: XMP}),
    "TIFF, CMYK": lambda: encoded(PHOTO.convert("CMYK"), "TIFF", compression="packbits"),
    "TIFF, 16 bits": lambda: encoded(GREY_16, "TIFF"),
    "TIFF, tiles": lambda: written((PIXELS, {"tile": (256, 256)})),
    "TIFF, one strip": lambda: written((PIXELS, {"rowsperstrip": 2003})),
    "TIFF, strips of 7": lambda: written((PIXELS, {"rowsperstrip": 7, "compression": "zlib"})),
    "TIFF, planes": lambda: written((np.moveaxis(PIXELS, -1, 0), {"planarconfig": "separate"})),
    "TIFF, big-endian": lambda: written((PIXELS, {"predictor": True, "compression": "zlib"}), byteorder=">"),
    "BigTIFF": lambda: written((PIXELS, {"tile": (64, 64)}), bigtiff=True),
}


@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE.keys())
def test_in_parts_a_photo_looks_as_it_does_whole(make: Callable[[], bytes]) -> None:
    data = make()
    whole, parts = decoded(data, 300), decoded(data, 300, max_memory=LITTLE)
    said = [(photo.width, photo.height, photo.exif_orientation, photo.warnings) for photo in (whole, parts)]
    assert said[0] == said[1]
    assert whole.pixels.shape == parts.pixels.shape
    apart = np.abs(whole.pixels.astype(int) - parts.pixels)
    assert apart.mean() < 1.5 and apart.max() < 16
    assert apart.max() > 0, "it was decoded whole"


@pytest.mark.parametrize("image_format", ["BMP", "GIF", "WEBP", "HEIF", "AVIF"])
def test_other_formats_are_scaled_in_parts(image_format: str) -> None:
    image = PHOTO.quantize(200) if image_format == "GIF" else PHOTO
    data = encoded(image, image_format)
    whole, parts = decoded(data, 300), decoded(data, 300, max_memory=200_000_000)
    assert np.abs(whole.pixels.astype(int) - parts.pixels).mean() < 1


@pytest.mark.parametrize("name", ["PNG, RGB", "TIFF, LZW"])
def test_parts_of_which_some_are_missing_are_corrupt(name: str) -> None:
    data = LARGE[name]()
    assert code_of(data[: len(data) * 2 // 3], height=300, max_memory=LITTLE) == "corrupt_image"


def plain(name: str, side: int) -> bytes:
    if name == "PNG":
        return png_of(side, side, 8, RGB, bytes(side * (1 + 3 * side)))
    image = Image.new("RGB", (side, side), (200, 40, 30))
    options = {"WEBP": {"lossless": True, "quality": 0, "method": 0}, "AVIF": {"speed": 10}}
    return encoded(image.quantize(4) if name == "GIF" else image, name, **options.get(name, {}))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF"])
def test_no_photo_takes_more_than_it_may(name: str) -> None:
    data = plain(name, 3500)
    decoded(plain(name, 64))  # whatever is loaded once is loaded
    for most in (10**9, 150_000_000):
        with Peak() as peak:
            try:
                decoded(data, max_memory=most)
            except Unreadable as error:
                assert error.code == "too_much_memory"
        assert peak.bytes < most


def drawn(image_format: str, width: int, height: int) -> bytes:
    """A picture of that shape and of one colour, made without taking memory for longer."""
    if image_format == "PNG":
        return png_of(width, height, 8, RGB, bytes(height * (1 + 3 * width)))
    image = Image.new("RGB", (width, height), (200, 40, 30))
    return encoded(image, image_format, **({"compression": "tiff_lzw"} if image_format == "TIFF" else {}))


SHAPES = {
    "in parts, wide": ("PNG", 60_000, 2_400, 300_000_000),
    "in parts, wide, TIFF": ("TIFF", 60_000, 2_400, 300_000_000),
    "in parts, very wide": ("PNG", 500_000, 280, 300_000_000),
    "one row": ("PNG", 10_000_000, 1, 300_000_000),
    "one row, TIFF": ("TIFF", 10_000_000, 1, 300_000_000),
    "one column": ("PNG", 1, 5_000_000, 100_000_000),
    "one column, BMP": ("BMP", 1, 5_000_000, 100_000_000),
}


@pytest.mark.parametrize(("image_format", "width", "height", "most"), SHAPES.values(), ids=SHAPES.keys())
def test_no_shape_takes_more_than_it_may(image_format: str, width: int, height: int, most: int) -> None:
    data = drawn(image_format, width, height)
    decoded(drawn(image_format, 1200, 1200), 300)  # whatever is loaded once is loaded
    with Peak() as peak:
        assert code_of(data, max_memory=most) == "too_much_memory"
    assert peak.bytes < most / 10


@pytest.mark.parametrize(
    ("width", "height"), [(10_000, 1_000), (150, 200_000), (2_000_000, 1), (1, 2_000_000)]
)
def test_long_ones_are_read_in_the_memory_that_is_reckoned(width: int, height: int) -> None:
    data = drawn("PNG", width, height)
    decoded(drawn("PNG", 1200, 1200), 300)
    with Peak() as peak:
        found = decoded(data, max_memory=250_000_000)
    assert (found.width, found.height) == (width, height)
    assert peak.bytes < 250_000_000


def test_a_small_file_of_a_giant_is_refused_by_its_cost() -> None:
    data = encoded(Image.new("RGB", (16383, 12000)), "WEBP", lossless=True, quality=0, method=0)
    assert len(data) < 1000
    decoded(plain("WEBP", 64))
    with Peak() as peak, pytest.raises(Unreadable, match=r"3\.5 GB of memory, over 1\.0 GB") as caught:
        decoded(data)
    assert caught.value.code == "too_much_memory"
    assert peak.bytes < 10_000_000


def test_a_progressive_jpeg_is_counted_with_its_coefficients() -> None:
    image = Image.new("RGB", (5000, 4000))
    plain_one, several = (encoded(image, "JPEG", progressive=progressive) for progressive in (False, True))
    assert decoded(plain_one, 300, max_memory=40_000_000).width == 5000
    assert code_of(several, max_memory=40_000_000) == "too_much_memory"


def test_run_lengths_that_would_take_minutes_are_refused() -> None:
    side = 3300
    rows = (b"\x01\x05" * side + b"\0\0") * side + b"\0\1"
    data = bmp(side, side, 8, rows, palette=np.arange(768, dtype=np.uint8).reshape(256, 3), compression=1)
    started = time.process_time()
    assert code_of(data) == "too_many_pixels"
    assert time.process_time() - started < 5


def test_chunks_without_end_are_refused() -> None:
    empty = struct.pack(">I4sI", 0, b"IDAT", zlib.crc32(b"IDAT"))
    whole = png_of(8, 8, 8, RGB, bytes(8 * 25))
    started = time.process_time()
    assert code_of(whole[:33] + empty * 600_000 + whole[33:]) == "corrupt_image"
    assert time.process_time() - started < 20


def heif_with(metadata: bytes) -> bytes:
    """A small picture in a file of 20 MB."""
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    whole = encoded(PHOTO.resize((300, 200)), "HEIF", exif=turned(), xmp=metadata, icc_profile=icc)
    return whole + struct.pack(">I4s", 20_000_000, b"free") + bytes(20_000_000 - 8)


def test_files_that_are_tried_in_place_of_another_are_made_one_by_one() -> None:
    damaged = heif_with(XMP).replace(b"hvcC", b"hvcD")
    decoded(encoded(PHOTO, "HEIF"))
    with Peak() as peak:
        assert code_of(damaged) == "corrupt_image"
    assert peak.bytes < 4 * len(damaged)


def test_a_file_that_is_tried_in_place_of_another_is_counted_beside_it() -> None:
    xmp = XMP.ljust(777)
    whole = heif_with(xmp)
    length = whole.index(struct.pack(">I", len(xmp)), whole.index(b"iloc"))
    damaged = whole[:length] + b"\x7f" + whole[length + 1 :]
    assert decoded(whole, max_memory=30_000_000).warnings == ()
    assert "XMP" in decoded(damaged, max_memory=80_000_000).warnings[0]
    assert code_of(damaged, max_memory=30_000_000) == "too_much_memory"


def hold(path: Path, seconds: float, held: Any) -> None:
    with Alone(path).held(lambda: None):
        held.set()
        time.sleep(seconds)


def decode_large(lock: Alone, admitted: Callable[[int], None] = lambda _: None) -> None:
    decode(
        LARGE["PNG, RGB"](),
        height=300,
        max_photo_pixels=10**9,
        max_working_pixels=10**7,
        max_memory=LITTLE * 8,
        admit=admitted,
        alone=lock,
    )


def test_large_ones_wait_for_those_of_other_processes(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lock"
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    other = context.Process(target=hold, args=(path, 3.0, held))
    other.start()
    try:
        assert held.wait(120)
        started = time.monotonic()
        pixels: list[int] = []
        # Of 6 megapixels, and not to be reduced: it is decoded whole, for over a quarter of what it may take.
        data = png(PHOTO)
        decode(
            data,
            height=2003,
            max_photo_pixels=10**9,
            max_working_pixels=10**7,
            max_memory=150_000_000,
            admit=pixels.append,
            alone=Alone(path),
        )
        assert time.monotonic() - started > 0.5
        assert 0 in pixels, "nobody heard that it waited"
        assert pixels[-1] == 3001 * 2003
    finally:
        other.join()


def test_a_holder_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    other = context.Process(target=hold, args=(tmp_path / "lock", 1000.0, held))
    other.start()
    assert held.wait(120)
    other.kill()
    other.join()
    with Alone(tmp_path / "lock").held(lambda: pytest.fail("it waits for the dead")):
        pass


def test_threads_wait_for_each_other(tmp_path: Path) -> None:
    inside, most = 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        with Alone(tmp_path / "lock").held(lambda: None):
            with guard:
                inside += 1
                most = max(most, inside)
            time.sleep(0.05)
            with guard:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_what_the_waiting_raises_ends_it(tmp_path: Path) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    lock = Alone(tmp_path / "lock")
    with lock.held(lambda: None), pytest.raises(KeyboardInterrupt), lock.held(stop):
        pass


def test_where_nothing_can_be_locked_photos_go_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    decode_large(Alone(tmp_path / "file" / "lock"))
