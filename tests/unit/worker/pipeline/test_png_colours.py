"""Every mode of PNG, exactly."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.support.pictures.chart import PATCHES, SIZE, assert_chart, chart, grey, luma, on_white, spread
from tests.support.pictures.containers import GREY, GREY_ALPHA, PALETTE, RGB, RGB_ALPHA, png
from tests.support.pictures.drawn import decoded, encoded

BOTH = pytest.mark.parametrize("interlaced", [False, True], ids=["rows", "adam7"])
WIDE = pytest.mark.parametrize("bits", [8, 16])
GREYS = pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])


def raised(bits: int) -> int:
    """Factor from 8-bit levels to those of `bits` that means the same."""
    return 257 if bits == 16 else 1


def grey_levels(bits: int) -> NDArray[np.int64]:
    levels: NDArray[np.int64] = np.rint(luma() / 255 * (2**bits - 1)).astype(np.int64)
    return levels


@BOTH
@GREYS
def test_grey(bits: int, interlaced: bool) -> None:
    levels = grey_levels(bits)
    photo = decoded(png(spread(levels), bits, GREY, interlaced=interlaced))
    assert_chart(photo, 0, grey(np.rint(levels * 255 / (2**bits - 1))))


@BOTH
@GREYS
def test_grey_with_a_transparent_level(bits: int, interlaced: bool) -> None:
    levels = grey_levels(bits)
    key = int(levels[0])
    data = png(spread(levels), bits, GREY, before=[(b"tRNS", struct.pack(">H", key))], interlaced=interlaced)
    shown = np.where(levels == key, 255, np.rint(levels * 255 / (2**bits - 1)))
    assert_chart(decoded(data), 0, grey(shown))


@BOTH
@WIDE
def test_colour(bits: int, interlaced: bool) -> None:
    levels = spread(PATCHES) * raised(bits)
    assert_chart(decoded(png(levels, bits, RGB, interlaced=interlaced)), 0)


@pytest.mark.parametrize(("bits", "key"), [(8, 0), (16, 0), (16, 77)])
def test_colour_with_a_transparent_colour(bits: int, key: int) -> None:
    levels = PATCHES * raised(bits)
    levels[3] += key  # in 16 bits a colour of its own, not one of 8 bits drawn out
    chunk = (b"tRNS", struct.pack(">HHH", *levels[3].tolist()))
    shown = PATCHES.copy()
    shown[3] = 255
    assert_chart(decoded(png(spread(levels), bits, RGB, before=[chunk])), 0, shown)


@BOTH
@WIDE
def test_colour_with_alpha(bits: int, interlaced: bool) -> None:
    alpha = np.linspace(0, 255, 24).astype(int)
    levels = np.column_stack([PATCHES, alpha]) * raised(bits)
    photo = decoded(png(spread(levels), bits, RGB_ALPHA, interlaced=interlaced))
    assert_chart(photo, 0.6, on_white(PATCHES, alpha))


@BOTH
@WIDE
def test_grey_with_alpha(bits: int, interlaced: bool) -> None:
    alpha = np.linspace(0, 255, 24).astype(int)
    levels = np.column_stack([luma(), alpha]) * raised(bits)
    photo = decoded(png(spread(levels), bits, GREY_ALPHA, interlaced=interlaced))
    assert_chart(photo, 0.6, on_white(grey(luma()), alpha))


@BOTH
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("transparent", ["nothing", "first", "all"])
def test_palette(bits: int, transparent: str, interlaced: bool) -> None:
    count = min(24, 2**bits)
    indices = np.arange(24) % count
    alpha = np.full(count, 255)
    before = [(b"PLTE", bytes(PATCHES[:count].ravel().tolist()))]
    if transparent == "first":
        alpha[0] = 0
        before.append((b"tRNS", b"\0"))
    elif transparent == "all":
        alpha = np.linspace(30, 220, count).astype(int)
        before.append((b"tRNS", bytes(alpha.tolist())))
    data = png(spread(indices), bits, PALETTE, before=before, interlaced=interlaced)
    assert_chart(decoded(data), 0.6, on_white(PATCHES[:count], alpha)[indices])


def test_an_animated_png_gives_its_first_picture() -> None:
    other = Image.new("RGB", SIZE, "white")
    assert_chart(decoded(encoded(chart(), "PNG", save_all=True, append_images=[other])), 0)
    separate = encoded(chart(), "PNG", save_all=True, default_image=True, append_images=[other, other])
    assert_chart(decoded(separate), 0)


def gamma_chunk(gamma: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(gamma * 100_000))


@pytest.mark.parametrize("gamma", [1.0, 0.55, 0.3])
def test_gamma_is_followed(gamma: float) -> None:
    shown = np.rint(255 * (PATCHES / 255) ** (1 / (gamma * 2.2)))
    assert_chart(decoded(png(spread(PATCHES), 8, RGB, before=[gamma_chunk(gamma)])), 0, shown)


@pytest.mark.parametrize("gamma", [0.45455, 0.4409, 0.0])
def test_the_usual_gamma_and_one_that_means_nothing_change_nothing(gamma: float) -> None:
    assert_chart(decoded(png(spread(PATCHES), 8, RGB, before=[gamma_chunk(gamma)])), 0)


def test_srgb_goes_before_gamma() -> None:
    assert_chart(decoded(png(spread(PATCHES), 8, RGB, before=[gamma_chunk(1.0), (b"sRGB", b"\0")])), 0)


def test_gamma_leaves_transparency_alone() -> None:
    levels = np.column_stack([PATCHES, np.zeros(24, int)])
    photo = decoded(png(spread(levels), 8, RGB_ALPHA, before=[gamma_chunk(1.0)]))
    assert photo.pixels.min() == 255


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize(
    "name",
    [
        *("transparency", "icc_profile", "gamma", "srgb", "original_orientation", "background", "dpi"),
        *("interlace", "xmp", "default_image", "loop", "bbox", "chromaticity", "Raw profile type xmp"),
    ],
)
@pytest.mark.parametrize("text", [b"6", b"hello"])
def test_a_text_is_never_taken_for_something_else(name: str, where: str, text: bytes) -> None:
    # Pillow keeps texts in the same place as what it found out itself, under the names the file gives them.
    chunk = (b"tEXt", name.encode() + b"\0" + text)
    before, after = ([chunk], []) if where == "before" else ([], [chunk])
    photo = decoded(png(spread(PATCHES), 8, RGB, before=before, after=after))
    assert_chart(photo, 0)
    assert photo.exif_orientation == 1


def test_exif_behind_the_pixels_is_obeyed() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    turned = np.asarray(chart().transpose(Image.Transpose.ROTATE_180))
    photo = decoded(png(turned, 8, RGB, after=[(b"eXIf", exif.tobytes()[6:])]))
    assert_chart(photo, 0)
    assert photo.exif_orientation == 3


def test_what_is_written_here_is_read_by_others_alike() -> None:
    """The hand-made writer itself, against one that Pillow wrote."""
    ours = Image.open(io.BytesIO(png(spread(PATCHES), 8, RGB, interlaced=True)))
    theirs = Image.open(io.BytesIO(encoded(chart(), "PNG")))
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
