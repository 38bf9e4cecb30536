"""Cameras' raw files: the JPEG in them or a development, turned as the sensor was, refused by name."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bench import samples
from nightshift.words.errors import Unreadable
from tests.support.decoders import require_rawpy
from tests.support.pictures.drawn import assert_quadrants, code_of, decoded, encoded, quadrants
from tests.support.pictures.raws import cr2, dng, nef
from worker.pipeline.decoding import raw
from worker.pipeline.decoding.capture import UNKNOWN, Capture
from worker.pipeline.decoding.opened import Limits

require_rawpy()

SEEN = quadrants(360, 240)
"""What the sensor sees."""

LIMITS = Limits(1080, 200_000_000, 8_300_000, 1_000_000_000, 30)

UPRIGHT = {
    1: (), 2: (Image.Transpose.FLIP_LEFT_RIGHT,), 3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,), 5: (Image.Transpose.TRANSPOSE,), 6: (Image.Transpose.ROTATE_270,),
    7: (Image.Transpose.TRANSVERSE,), 8: (Image.Transpose.ROTATE_90,),
}  # fmt: skip
LAID = UPRIGHT | {6: (Image.Transpose.ROTATE_90,), 8: (Image.Transpose.ROTATE_270,)}


def lying(image: Image.Image, orientation: int) -> Image.Image:
    """An upright picture as it lies on a sensor that was turned."""
    for how in LAID[orientation]:
        image = image.transpose(how)
    return image


def red_is_red(pixels: NDArray[np.uint8]) -> None:
    """Each quadrant has its own colour, whatever became of the brightness."""
    rows, columns = pixels.shape[:2]
    means = [
        pixels[y - 4 : y + 4, x - 4 : x + 4].reshape(-1, 3).mean(axis=0)
        for y in (rows // 4, 3 * rows // 4)
        for x in (columns // 4, 3 * columns // 4)
    ]
    assert [int(mean.argmax()) for mean in means[:3]] == [0, 1, 2]
    assert all(np.sort(mean)[2] > 2 * np.sort(mean)[1] for mean in means[:3])
    assert np.ptp(means[3]) < 12


MAKERS = {
    "DNG": lambda image, orientation: dng(image, preview=image, orientation=orientation),
    "DNG, MM": lambda image, orientation: dng(image, preview=image, orientation=orientation, order=">"),
    "NEF": lambda image, orientation: nef(image, preview=image, orientation=orientation),
    "CR2": lambda image, orientation: cr2(image, preview=image, orientation=orientation),
}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_jpeg_in_it_is_the_photo_turned_as_the_sensor_was(orientation: int) -> None:
    photo = decoded(dng(lying(SEEN, orientation), preview=lying(SEEN, orientation), orientation=orientation))
    assert (photo.width, photo.height, photo.exif_orientation) == (360, 240, orientation)
    assert_quadrants(photo, 6)
    assert photo.warnings == ()


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_so_it_is_in_other_makers_files(make: object) -> None:
    photo = decoded(make(lying(SEEN, 6), 6))  # type: ignore[operator]
    assert (photo.width, photo.height, photo.exif_orientation) == (360, 240, 6)
    assert_quadrants(photo, 6)
    # It is not in the JPEG.
    assert photo.capture.camera_model in ("Shift 1", "NIKON D90", "Canon EOS 550D")


def test_what_the_file_does_not_say_of_the_moment_the_jpeg_in_it_says() -> None:
    # Fujifilm's files say nothing themselves. Developed or not, it is the same moment.
    tags = Image.Exif()
    tags[272] = "of the JPEG"
    tags.get_ifd(0x8769)[0x9003] = "2026:11:24 21:35:26"
    for pixels in (SEEN, SEEN.resize((90, 60))):
        preview = encoded(pixels, "JPEG", exif=tags.tobytes())
        capture = decoded(dng(SEEN, preview=pixels, data=preview), 200).capture
        assert capture == Capture("2026-11-24T21:35:26", "Night", "Shift 1")
        alone = Capture("2026-11-24T21:35:26", None, "of the JPEG")
        assert raw.capture_of(b"FUJIFILMCCD-RAW", preview) == alone


def test_canons_boxes_say_it() -> None:
    camera, moment = Image.Exif(), Image.Exif()
    camera[271], camera[272] = "Canon", "EOS R6"
    moment[0x9003], moment[0x9011] = "2026:11:24 21:35:26", "+01:00"
    bodies = [(b"CMT1", camera.tobytes()[6:]), (b"CMT2", moment.tobytes()[6:])]
    boxes = b"".join(struct.pack(">I4s", len(body) + 8, kind) + body for kind, body in bodies)
    data = struct.pack(">I8s4x", 16, b"ftypcrx ") + boxes
    assert raw.capture_of(data) == Capture("2026-11-24T21:35:26+01:00", "Canon", "EOS R6")
    assert raw.capture_of(data[:70]).taken_at is None


def test_a_jpeg_that_was_turned_already_is_not_turned_again() -> None:
    photo = decoded(dng(lying(SEEN, 6), preview=SEEN, orientation=6))
    assert (photo.width, photo.height, photo.exif_orientation) == (360, 240, 6)
    assert_quadrants(photo, 6)


def test_the_files_orientation_is_obeyed_and_not_that_of_the_jpeg() -> None:
    tags = Image.Exif()
    tags[274] = 3
    data = dng(SEEN)
    first = dng(SEEN, preview=SEEN)
    plain, said = encoded(SEEN, "JPEG", quality=90), encoded(SEEN, "JPEG", quality=90, exif=tags)
    assert plain in first and len(data) < len(first)
    whole = first.replace(plain, b"", 1) + said
    place = struct.pack("<I", first.index(plain))
    assert whole.count(place) == 1
    whole = whole.replace(place, struct.pack("<I", len(whole) - len(said)))
    whole = whole.replace(struct.pack("<I", len(plain)), struct.pack("<I", len(said)))
    assert_quadrants(decoded(whole), 6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_without_a_jpeg_the_sensors_values_are_developed(orientation: int) -> None:
    photo = decoded(dng(lying(SEEN, orientation), orientation=orientation))
    assert (photo.width, photo.height, photo.exif_orientation) == (360, 240, orientation)
    assert photo.pixels.shape == (240, 360, 3)
    assert (photo.capture.camera_make, photo.capture.camera_model) == ("Night", "Shift 1")
    red_is_red(photo.pixels)


def test_a_large_one_is_developed_at_half_its_size() -> None:
    photo = decoded(dng(SEEN), 64)
    assert (photo.width, photo.height, photo.pixels.shape) == (360, 240, (64, 96, 3))
    red_is_red(photo.pixels)
    limits = replace(LIMITS, height=64)
    asked = raw.opened(raw.read_raw(dng(SEEN), limits), limits)
    assert asked.pixels == 360 * 240 // 4


def test_three_values_a_pixel_are_developed_whole() -> None:
    photo = decoded(dng(SEEN, flat=False), 64)
    assert (photo.width, photo.height, photo.pixels.shape) == (360, 240, (64, 96, 3))
    red_is_red(photo.pixels)


def test_a_jpeg_lower_than_what_is_asked_for_is_not_enough() -> None:
    data = dng(SEEN, preview=SEEN.resize((180, 120)))
    assert decoded(data, 120).width == 180
    assert decoded(data, 121).width == 360


def test_a_damaged_jpeg_is_developed_around_and_the_row_says_so() -> None:
    data = dng(SEEN, preview=SEEN)
    jpeg = encoded(SEEN, "JPEG", quality=90)
    broken = data.replace(jpeg, jpeg[: len(jpeg) // 2] + bytes(len(jpeg) - len(jpeg) // 2))
    photo = decoded(broken)
    red_is_red(photo.pixels)
    assert photo.warnings == (raw.DEVELOPED,)


def test_a_face_is_there_in_both() -> None:
    seen = samples.astronaut()
    shown, developed = (decoded(data).pixels for data in (dng(seen, preview=seen), dng(seen)))
    assert np.abs(shown.astype(int) - np.asarray(seen)).mean() < 4
    grey = [pixels.mean(axis=2).ravel() for pixels in (shown, developed)]
    assert np.corrcoef(*grey)[0, 1] > 0.97


def test_cut_off_it_is_corrupt_unless_its_jpeg_is_whole() -> None:
    data = dng(SEEN)
    for size in (1000, len(data) // 2, len(data) * 9 // 10):
        assert code_of(data[:size]) == "corrupt_image"
    both = nef(SEEN, preview=SEEN)
    assert_quadrants(decoded(both[: len(both) * 9 // 10]), 6)


def test_of_an_unknown_camera_it_is_named() -> None:
    for data in (
        b"FUJIFILMCCD-RAW 0201FF999999" + bytes(400),
        b"IIU\0\x18\0\0\0" + bytes(400),
        b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(400),
    ):
        with pytest.raises(Unreadable) as caught:
            decoded(data)
        assert caught.value.code == "unsupported_format"
        assert "LibRaw does not know" in caught.value.message


def with_sides(data: bytes, width: int, height: int) -> bytes:
    """The file, its sensor another one."""
    old = struct.pack("<HHIIHHII", 256, 4, 1, 360, 257, 4, 1, 240)
    assert data.count(old) == 1
    return data.replace(old, struct.pack("<HHIIHHII", 256, 4, 1, width, 257, 4, 1, height))


def test_too_many_pixels_are_refused_before_they_are_developed() -> None:
    assert code_of(dng(SEEN), max_photo_pixels=80_000) == "too_many_pixels"
    assert code_of(dng(SEEN), max_memory=300_000) == "too_much_memory"


def test_sizes_that_are_not_there_are_refused() -> None:
    for sides in ((60_000, 60_000), (15_000, 10_000), (65_535, 3), (4, 65_535), (0, 240)):
        code = code_of(with_sides(dng(SEEN), *sides))
        assert code in {"corrupt_image", "too_many_pixels", "too_much_memory", "unsupported_format"}


def test_150_megapixels_are_reckoned() -> None:
    size = (14_204, 10_652)
    file = raw.RawFile(b"", size, size[0] * size[1], 1, mosaic=True, preview=None, capture=UNKNOWN)
    asked = raw.opened(file, LIMITS)
    assert asked.pixels < 38_000_000
    assert 800_000_000 < asked.bytes_ < 1_000_000_000
    linear = raw.opened(replace(file, mosaic=False), LIMITS)
    assert linear.bytes_ > 2_000_000_000


def test_what_only_looks_like_one_is_a_tiff() -> None:
    data = encoded(SEEN, "TIFF")
    assert not raw.is_raw(data)
    assert_quadrants(decoded(data), 0)
