"""A file of several pictures: the largest is the photo, whatever lies before it."""

from __future__ import annotations

import io
import struct
import time
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from bench import samples
from nightshift.words.errors import Unreadable
from tests.support.pictures.drawn import code_of, decoded, encoded

PHOTO = samples.astronaut().resize((300, 200))
PIXELS = np.asarray(PHOTO)
SMALL = np.asarray(PHOTO.resize((60, 40)))


def written(*pages: tuple[np.ndarray[Any, Any], dict[str, Any]], **options: Any) -> bytes:
    out = io.BytesIO()
    with tifffile.TiffWriter(out, **options) as writer:
        for pixels, more in pages:
            kind = "rgb" if pixels.ndim == 3 else "mask"
            writer.write(pixels, photometric=kind, metadata=None, **more)
    return out.getvalue()


TIFFS = {
    "thumbnail first": lambda: written((SMALL, {"subfiletype": 1}), (PIXELS, {})),
    "thumbnail first, not called so": lambda: written((SMALL, {}), (PIXELS, {})),
    "thumbnail first, BigTIFF": lambda: written((SMALL, {}), (PIXELS, {}), bigtiff=True),
    "thumbnail first, big-endian": lambda: written((SMALL, {}), (PIXELS, {}), byteorder=">"),
    "thumbnail first, big-endian BigTIFF": lambda: written(
        (SMALL, {}), (PIXELS, {"rowsperstrip": 7}), byteorder=">", bigtiff=True
    ),
    "thumbnail first, tiles": lambda: written((SMALL, {}), (PIXELS, {"tile": (64, 64)})),
    "photo within a thumbnail": lambda: written((SMALL, {"subifds": 1}), (PIXELS, {"subfiletype": 0})),
}


@pytest.mark.parametrize("make", TIFFS.values(), ids=TIFFS.keys())
def test_of_a_tiff_the_largest_is_taken(make: Any) -> None:
    photo = decoded(make())
    np.testing.assert_array_equal(photo.pixels, PIXELS)
    assert photo.warnings == ("the largest of 2 images in the file was analysed",)


def test_of_a_pyramid_the_full_size_is_taken() -> None:
    data = written(
        (PIXELS, {"subifds": 2}), (SMALL, {"subfiletype": 1}), (SMALL[::2, ::2], {"subfiletype": 1})
    )
    photo = decoded(data)
    np.testing.assert_array_equal(photo.pixels, PIXELS)
    assert not photo.warnings


def test_of_pages_of_one_size_the_first_is_taken() -> None:
    photo = decoded(written((PIXELS, {}), (255 - PIXELS, {}), (PIXELS // 2, {})))
    np.testing.assert_array_equal(photo.pixels, PIXELS)
    assert not photo.warnings


def test_a_mask_is_no_picture() -> None:
    mask = np.zeros((400, 600), bool)
    np.testing.assert_array_equal(decoded(written((PIXELS, {}), (mask, {"subfiletype": 4}))).pixels, PIXELS)


def test_orientation_and_profile_are_the_largest_ones_own() -> None:
    turned = (274, 3, 1, 6, True)
    photo = decoded(
        written((SMALL, {"extratags": [(274, 3, 1, 3, True)]}), (PIXELS, {"extratags": [turned]}))
    )
    assert photo.exif_orientation == 6
    np.testing.assert_array_equal(photo.pixels, np.rot90(PIXELS, -1))


def test_directories_that_lead_in_a_circle_end() -> None:
    data = bytearray(encoded(PHOTO, "TIFF"))
    place = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, place)[0]
    struct.pack_into("<I", data, place + 2 + 12 * count, place)
    np.testing.assert_array_equal(decoded(bytes(data)).pixels, PIXELS)


def test_directories_without_end_cost_no_time() -> None:
    # Each begins two bytes behind the one before, and each has all of the same tags.
    count = 4000
    data = bytearray(b"II*\0\x08\0\0\0" + struct.pack("<H", 65_535) * 900_000)
    places = range(8, 8 + 2 * count, 2)
    for place in places:
        end = place + 2 + 12 * 65_535
        struct.pack_into("<I", data, end, place + 2)
    started = time.process_time()
    assert code_of(bytes(data)) in ("corrupt_image", "unsupported_format")
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("compression", "name"),
    [(34712, "JPEG 2000"), (34887, "LERC"), (50002, "JPEG XL"), (34661, "JBIG"), (4711, "compression 4711")],
)
def test_a_compression_that_nobody_reads_is_named(compression: int, name: str) -> None:
    data = encoded(PHOTO, "TIFF", compression="raw")
    raw = struct.pack("<HHIHH", 259, 3, 1, 1, 0)
    assert raw in data
    data = data.replace(raw, struct.pack("<HHIHH", 259, 3, 1, compression, 0))
    with pytest.raises(Unreadable, match=f"TIFF with {name}$") as refused:
        decoded(data)
    assert refused.value.code == "unsupported_format"


@pytest.mark.parametrize(("image_format", "tolerance"), [("HEIF", 12), ("AVIF", 12)])
def test_of_heif_the_primary_item_is_taken(image_format: str, tolerance: int) -> None:
    if image_format == "AVIF":
        data = encoded(PHOTO, "AVIF", save_all=True, append_images=[Image.new("RGB", PHOTO.size)], quality=90)
    else:
        import pillow_heif

        file = pillow_heif.from_pillow(PHOTO.resize((96, 64)))
        file.add_from_pillow(PHOTO)
        out = io.BytesIO()
        file.save(out, quality=90, primary_index=1)
        data = out.getvalue()
    photo = decoded(data)
    assert (photo.width, photo.height) == PHOTO.size
    assert np.abs(photo.pixels.astype(int) - PIXELS).mean() < tolerance


def test_of_mpo_the_first_is_taken() -> None:
    larger = Image.new("RGB", (600, 400))
    photo = decoded(encoded(PHOTO, "MPO", save_all=True, append_images=[larger]))
    assert (photo.width, photo.height) == PHOTO.size


def test_a_gif_frame_that_is_smaller_than_its_screen_lies_where_it_says() -> None:
    first = Image.new("P", (60, 40), 0)
    first.putpalette([255, 255, 255, 200, 40, 30])
    data = bytearray(encoded(first, "GIF"))
    place = data.index(b",\0\0\0\0")
    data[6:10] = struct.pack("<HH", 120, 80)
    struct.pack_into("<HH", data, place + 1, 30, 20)
    photo = decoded(bytes(data))
    assert (photo.width, photo.height) == (120, 80)
