"""Bytes in every format and mode against pixels known beforehand."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from tests.support import samples
from tests.support.pictures.drawn import (
    BLUE,
    RED,
    assert_quadrants,
    corners,
    decoded,
    encoded,
    quadrants,
)
from worker.pipeline.decoding.decode import thumbnail
from worker.pipeline.decoding.opened import fit_size


@pytest.mark.parametrize(
    ("image_format", "options", "tolerance"),
    [
        ("JPEG", {"quality": 95}, 4),
        ("JPEG", {"quality": 95, "progressive": True}, 4),
        ("PNG", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 90}, 6),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("BMP", {}, 0),
        ("AVIF", {"quality": 95}, 6),
        ("HEIF", {"quality": 95}, 6),
    ],
)
def test_each_format_gives_its_pixels(image_format: str, options: dict[str, Any], tolerance: int) -> None:
    photo = decoded(encoded(quadrants(), image_format, **options))
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.shape == (64, 96, 3)
    assert photo.pixels.flags.c_contiguous
    assert (photo.width, photo.height, photo.exif_orientation, photo.scale) == (96, 64, 1, 1.0)
    assert photo.warnings == ()
    assert_quadrants(photo, tolerance)


def test_a_gif_gives_its_first_frame() -> None:
    other = Image.new("RGB", (96, 64), "white")
    photo = decoded(encoded(quadrants(), "GIF", save_all=True, append_images=[other, other]))
    assert_quadrants(photo, 8)


def test_an_animated_webp_gives_its_first_frame() -> None:
    other = Image.new("RGB", (96, 64), "white")
    data = encoded(quadrants(), "WEBP", save_all=True, append_images=[other], lossless=True)
    assert_quadrants(decoded(data), 0)


def ramp() -> NDArray[np.uint16]:
    """16-bit grey from black to white, most of it over 255."""
    return np.broadcast_to(np.linspace(0, 65535, 64).astype(np.uint16), (48, 64)).copy()


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(image_format: str) -> None:
    photo = decoded(encoded(Image.fromarray(ramp()), image_format))
    expected = np.rint(ramp() / 257)
    np.testing.assert_allclose(photo.pixels, np.repeat(expected[..., None], 3, axis=2), atol=1)


@pytest.mark.parametrize(
    ("values", "expected", "warned"),
    [
        (np.linspace(0, 1, 64), np.linspace(0, 255, 64), False),
        (np.linspace(0, 255, 64), np.linspace(0, 255, 64), False),
        (np.linspace(0, 65535, 64), np.linspace(0, 255, 64), False),
        (np.linspace(-3, 9, 64), np.linspace(0, 255, 64), True),
    ],
)
def test_float_pictures_are_scaled_by_their_range(
    values: NDArray[np.float64], expected: NDArray[np.float64], warned: bool
) -> None:
    image = Image.fromarray(np.broadcast_to(values.astype(np.float32), (40, 64)).copy())
    photo = decoded(encoded(image, "TIFF"))
    np.testing.assert_allclose(photo.pixels[20, :, 1], expected, atol=1)
    assert bool(photo.warnings) is warned


def test_32_bit_integers_with_16_bit_values_are_scaled() -> None:
    photo = decoded(encoded(Image.fromarray(ramp().astype(np.int32)), "TIFF"))
    np.testing.assert_allclose(photo.pixels[..., 2], np.rint(ramp() / 257), atol=1)


def test_a_float_picture_without_a_number_in_it_is_black() -> None:
    photo = decoded(encoded(Image.fromarray(np.full((30, 30), np.nan, np.float32)), "TIFF"))
    assert photo.pixels.max() == 0


def test_a_scaled_palette_has_mixed_colours_not_mixed_indices() -> None:
    stripes = Image.fromarray((np.indices((400, 400)).sum(axis=0) % 2).astype(np.uint8), "L").convert("P")
    stripes.putpalette([255, 0, 0, 0, 0, 255])
    photo = decoded(encoded(stripes, "PNG"), height=100)
    np.testing.assert_allclose(photo.pixels.reshape(-1, 3).mean(axis=0), [127, 0, 127], atol=3)


def test_what_is_transparent_lies_on_white() -> None:
    image = Image.new("RGBA", (40, 40), (*RED, 0))
    image.paste((*BLUE, 255), (0, 0, 20, 40))
    image.paste((0, 0, 0, 128), (20, 20, 40, 40))
    pixels = decoded(encoded(image, "PNG")).pixels
    assert tuple(pixels[10, 10]) == BLUE
    assert tuple(pixels[10, 30]) == (255, 255, 255)  # and not the red that hides there
    np.testing.assert_allclose(pixels[30, 30], 127, atol=1)


def test_scaling_a_cut_out_does_not_bleed_the_hidden_colour() -> None:
    image = Image.new("RGBA", (400, 400), (255, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 201, 400))
    pixels = decoded(encoded(image, "PNG"), height=100).pixels.astype(int)
    assert np.abs(pixels[..., 0] - pixels[..., 1]).max() <= 2


def swapped_profile() -> bytes:
    """A real RGB profile whose red and blue primaries are exchanged: using it swaps the channels."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", data[128:132])[0]
    places = {}
    for index in range(count):
        start = 132 + 12 * index
        places[bytes(data[start : start + 4])] = start
    red, blue = places[b"rXYZ"], places[b"bXYZ"]
    data[red + 4 : red + 12], data[blue + 4 : blue + 12] = (
        data[blue + 4 : blue + 12],
        data[red + 4 : red + 12],
    )
    description = places[b"desc"]
    offset, size = struct.unpack(">II", data[description + 4 : description + 12])
    text = data[offset : offset + size]
    data[offset : offset + size] = text.replace("sRGB".encode("utf-16-be"), "XRGB".encode("utf-16-be"))
    return bytes(data)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_colour_profile_is_followed(image_format: str) -> None:
    options: dict[str, Any] = {"quality": 95} if image_format == "JPEG" else {}
    options |= {"lossless": True} if image_format == "WEBP" else {}
    photo = decoded(encoded(quadrants(), image_format, icc_profile=swapped_profile(), **options))
    assert photo.warnings == ()
    red_quadrant = corners(photo)[0]
    assert red_quadrant[2] > 150 > red_quadrant[0]


def test_a_grey_picture_with_an_rgb_profile_stays_grey() -> None:
    photo = decoded(encoded(Image.new("L", (30, 30), 90), "PNG", icc_profile=swapped_profile()))
    np.testing.assert_allclose(photo.pixels, 90, atol=3)


@pytest.mark.parametrize("profile", [b"not a profile", b"\0" * 200])
def test_a_broken_profile_is_a_warning(profile: bytes) -> None:
    photo = decoded(encoded(quadrants(), "PNG", icc_profile=profile))
    assert_quadrants(photo, 0)
    assert "colour profile" in photo.warnings[0]


def test_a_profile_of_another_kind_of_image_is_a_warning() -> None:
    photo = decoded(encoded(quadrants().convert("CMYK"), "TIFF", icc_profile=swapped_profile()))
    assert_quadrants(photo, 4)
    assert "colour profile" in photo.warnings[0]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_each_orientation_becomes_upright(orientation: int, image_format: str) -> None:
    stored = Image.open(io.BytesIO(samples.jpeg(quadrants(), exif_orientation=orientation, quality=95)))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored.load()
    plain = Image.fromarray(np.asarray(stored))
    photo = decoded(encoded(plain, image_format, exif=exif))
    assert (photo.width, photo.height, photo.exif_orientation) == (96, 64, orientation)
    assert photo.pixels.shape == (64, 96, 3)
    assert_quadrants(photo, 8)


@pytest.mark.parametrize("orientation", [1, 6, 3])
def test_heic_is_turned_once(orientation: int) -> None:
    stored = Image.open(io.BytesIO(samples.jpeg(quadrants(), exif_orientation=orientation, quality=95)))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored.load()
    # Given as bytes, the encoder writes HEIF's own turn (irot) beside the EXIF tag, as telephones do.
    plain = Image.fromarray(np.asarray(stored))
    photo = decoded(encoded(plain, "HEIF", quality=95, exif=exif.tobytes()))
    assert (photo.width, photo.height, photo.exif_orientation) == (96, 64, orientation)
    assert_quadrants(photo, 8)


def test_a_heic_is_turned_by_its_own_boxes_and_never_by_exif() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    data = encoded(quadrants(), "HEIF", quality=95, exif=exif)  # not as bytes: the tag alone, no irot
    assert b"irot" not in data
    assert_quadrants(decoded(data), 8)


def test_a_large_sideways_jpeg_is_scaled_by_its_upright_height() -> None:
    photo = decoded(samples.jpeg(quadrants(1600, 1200), exif_orientation=8), height=300)
    assert (photo.width, photo.height) == (1600, 1200)
    assert photo.pixels.shape == (300, 400, 3)
    assert photo.scale == 0.25
    assert_quadrants(photo, 8)


def test_dct_scaling_shows_the_same_picture_as_scaling_the_whole() -> None:
    picture = samples.astronaut(1999)
    small = decoded(samples.jpeg(picture, quality=95), height=240).pixels.astype(int)
    whole = decoded(encoded(picture, "PNG"), height=240).pixels.astype(int)
    assert np.abs(small - whole).mean() < 3


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("body", [b"this is no TIFF header", b"II*\0\x08\0\0\0\x05\0\x12\x01"])
def test_broken_exif_is_a_warning(body: bytes) -> None:
    data = encoded(quadrants(), "JPEG", quality=95, exif=b"Exif\0\0" + body)
    photo = decoded(data)
    assert_quadrants(photo, 4)
    assert "EXIF" in photo.warnings[0]


def test_an_orientation_that_does_not_exist_is_a_warning() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 77
    photo = decoded(encoded(quadrants(), "JPEG", quality=95, exif=exif))
    assert photo.exif_orientation == 1
    assert "77" in photo.warnings[0]


@pytest.mark.parametrize(("height", "expected"), [(1080, 1080), (1081, 1080), (1079, 1079)])
def test_only_a_photo_over_the_height_is_scaled(height: int, expected: int) -> None:
    photo = decoded(encoded(Image.new("RGB", (40, height)), "PNG"))
    assert photo.pixels.shape[0] == expected
    assert (photo.scale == 1.0) is (height <= 1080)
    assert photo.height == height


def test_a_panorama_is_scaled_by_its_pixels() -> None:
    photo = decoded(encoded(Image.new("RGB", (6000, 500)), "PNG"), max_working_pixels=1_000_000)
    rows, columns = photo.pixels.shape[:2]
    assert 980_000 <= rows * columns <= 1_000_000
    assert columns / rows == pytest.approx(12, rel=0.01)


@settings(deadline=None)
@given(st.integers(1, 70_000), st.integers(1, 70_000), st.integers(64, 4320), st.integers(5_000, 10_000_000))
def test_a_fitted_size_keeps_every_limit_and_the_shape(w: int, h: int, height: int, most: int) -> None:
    fitted_w, fitted_h = fit_size(w, h, height, most)
    assert 1 <= fitted_w <= w
    assert 1 <= fitted_h <= min(h, height)
    assert fitted_w * fitted_h <= max(most, fitted_w, fitted_h)
    if fitted_w > 40 and fitted_h > 40:
        assert fitted_w / fitted_h == pytest.approx(w / h, rel=0.06)


@pytest.mark.parametrize("size", [(1, 1), (10, 20_000), (20_000, 10)])
def test_odd_sizes_are_photos_too(size: tuple[int, int]) -> None:
    photo = decoded(encoded(Image.new("RGB", size, RED), "PNG"))
    assert (photo.width, photo.height) == size
    assert tuple(photo.pixels[0, 0]) == RED


@pytest.mark.parametrize(
    ("size", "expected"), [((1600, 800), (320, 160)), ((100, 50), (100, 50)), ((3000, 2), (320, 1))]
)
def test_a_thumbnail_is_small_never_enlarged_and_upright(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    image = Image.open(io.BytesIO(thumbnail(decoded(encoded(quadrants(*size), "PNG")))))
    assert (image.format, image.size) == ("WEBP", expected)


def test_a_thumbnail_shows_the_photo() -> None:
    small = decoded(thumbnail(decoded(encoded(quadrants(800, 600), "PNG"))))
    assert_quadrants(small, 8)
