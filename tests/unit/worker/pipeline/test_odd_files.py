"""Other formats, files that end anywhere, odd shapes and many frames."""

from __future__ import annotations

import struct
import time

import numpy as np
import pytest
from PIL import Image

from nightshift.words.errors import Unreadable
from tests.support.pictures.chart import chart
from tests.support.pictures.drawn import code_of, decoded, encoded
from tests.support.pictures.seeds import FORMATS, seeds

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def other_bytes() -> dict[str, bytes]:
    """What else a picture may be, under whatever name."""
    plain = chart()
    known = ("ICO", "TGA", "PPM", "JPEG2000", "PCX", "SGI", "EPS", "QOI", "DDS", "PDF", "IM")
    ours = {name: encoded(plain, name) for name in known}
    ours |= {
        "PSD": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 64, 96, 8, 3) + bytes(64),
        "WMF": b"\xd7\xcd\xc6\x9a" + bytes(60),
        "EMF": b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(60),
        "SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        "HTML": b"<!doctype html><p>404",
        "ZIP": b"PK\3\4" + bytes(40),
        "MP4": b"\0\0\0\x18ftypmp42" + bytes(60),
        "RIFF of sound": b"RIFF\x24\0\0\0WAVEfmt " + bytes(30),
        "text": "Ein Text, der photo.jpg heißt.\n".encode() * 20,
        "nothing": b"",
        "one byte": b"\xff",
        "zeros": bytes(4096),
    }
    return ours


@pytest.mark.parametrize("data", other_bytes().values(), ids=other_bytes().keys())
def test_only_the_formats_named_are_opened(data: bytes) -> None:
    assert code_of(data) == "unsupported_format"


def test_pillow_opens_nothing_else_even_when_it_knows_more(monkeypatch: pytest.MonkeyPatch) -> None:
    Image.init()  # all of its plugins
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *_: pytest.fail("Ghostscript was called"))
    for name, data in other_bytes().items():
        assert code_of(data) == "unsupported_format", name


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_file_that_ends_anywhere(image_format: str) -> None:
    for whole in seeds(image_format):
        for sixteenth in range(1, 16):
            data = whole[: len(whole) * sixteenth // 16]
            try:
                photo = decoded(data)
            except Unreadable as error:
                # Under a dozen bytes nothing says what it was going to be.
                assert error.code == "corrupt_image" or len(data) < 16
            else:
                # Whole pixels and a missing rest: of an animation, of chunks behind the pixels, of an index.
                assert photo.pixels.size > 0


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("size", [(1, 1), (10, 20_000), (20_000, 10), (1, 65_000), (65_000, 1)], ids=str)
def test_every_shape_is_a_photo(image_format: str, size: tuple[int, int]) -> None:
    # As far as the format, or the only encoder at hand, goes.
    least, most = {"WEBP": (1, 16_383), "HEIF": (64, 4000), "AVIF": (1, 32_768)}.get(
        image_format, (1, 65_535)
    )
    if max(size) > 1:
        size = (min(max(size[0], least), most), min(max(size[1], least), most))
    options = {"AVIF": {"speed": 10}, "PNG": {"compress_level": 1}}.get(image_format, {})
    image = Image.new("RGB", size, (200, 40, 30))
    photo = decoded(encoded(image, image_format, **options))
    assert (photo.width, photo.height) == size
    assert photo.pixels.shape[0] <= 1080 and photo.pixels.size <= 3 * 8_300_000
    np.testing.assert_allclose(photo.pixels.reshape(-1, 3).mean(axis=0), [200, 40, 30], atol=8)


LONG = {
    "GIF of 200 frames": ("GIF", {}),
    "WebP of 200 frames": ("WEBP", {"lossless": True}),
    "PNG of 200 frames": ("PNG", {}),
    "TIFF of 200 pages": ("TIFF", {"compression": "tiff_lzw"}),
}


@pytest.mark.parametrize(("image_format", "options"), LONG.values(), ids=LONG.keys())
def test_only_the_first_of_many_frames_costs_time(image_format: str, options: dict[str, str]) -> None:
    frames = [Image.effect_noise((24, 16), 50 + index).convert("RGB") for index in range(20)] * 10
    first = chart().resize((24, 16))
    one = encoded(first, image_format, **options)
    many = encoded(first, image_format, save_all=True, append_images=frames, **options)

    def work_ms(data: bytes) -> float:
        # Not by the clock, and the least of some: others are at work on the machine, and in its caches.
        took = []
        for _ in range(5):
            started = time.thread_time()
            decoded(data)
            took.append(time.thread_time() - started)
        return 5000 * min(took)

    # Pages of a TIFF are counted one by one, which is thirty times as much.
    assert work_ms(many) < 50 * max(5.0, work_ms(one)), "it would be 200 times as much"
