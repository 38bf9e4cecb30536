"""JPEGs whose pixels are all there, partly lost, or cut off: each is told from the others."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from bench import samples
from tests.support.pictures.containers import with_segment
from tests.support.pictures.drawn import code_of, decoded, encoded
from worker.pipeline.decoding import jpeg_segments

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "colour": ("RGB", {}),
    "colour, progressive": ("RGB", {"progressive": True}),
    "colour, restart markers": ("RGB", {"restart_marker_rows": 2}),
    "grey": ("L", {}),
    "grey, progressive": ("L", {"progressive": True}),
    "CMYK": ("CMYK", {}),
}
EACH = pytest.mark.parametrize(("mode", "options"), KINDS.values(), ids=KINDS.keys())


def jpeg_of(mode: str, options: dict[str, Any]) -> bytes:
    return encoded(samples.astronaut().convert(mode), "JPEG", **options)


def is_said(data: bytes) -> bool:
    return any(text.startswith("damaged_pixels") for text in decoded(data).warnings)


@EACH
@pytest.mark.parametrize("missing", [1, 2])
def test_without_the_end_marker_all_pixels_are_there(
    mode: str, options: dict[str, Any], missing: int
) -> None:
    whole = jpeg_of(mode, options)
    assert not decoded(whole).warnings
    found = decoded(whole[:-missing])
    np.testing.assert_array_equal(found.pixels, decoded(whole).pixels)
    assert found.warnings == ("the file's end is missing; all of its pixels are there",)


@EACH
@pytest.mark.parametrize("missing", [3, 4, 10, 100, 2000])
def test_cut_off_it_is_corrupt(mode: str, options: dict[str, Any], missing: int) -> None:
    assert code_of(jpeg_of(mode, options)[:-missing]) == "corrupt_image"


ANOTHER = encoded(samples.astronaut().resize((40, 40)), "JPEG")
NO_END = "the file's end is missing; all of its pixels are there"
REPLACED = "the file's end is missing; what stands in its place was ignored"
MIXED = "damaged_pixels: the file's end is missing; what stands in its place may have been read as pixels"
JUNK = {
    "another picture": (ANOTHER, REPLACED),
    "a segment": (b"\xff\xfe\0\x10 fourteen more", REPLACED),
    "a segment, cut": (b"\xff\xe1\xff\xff more", REPLACED),
    "fill bytes": (b"\xff" * 2000, NO_END),
    "zeros": (bytes(2000), NO_END),
    "text": (b"It was behind the pixels. " * 90, MIXED),
    "zeros and text": (bytes(2000) + b"It was behind them.", MIXED),
    "anything": (random.Random(5).randbytes(5000), MIXED),
}


@EACH
@pytest.mark.parametrize(("junk", "said"), JUNK.values(), ids=JUNK.keys())
def test_in_place_of_the_end_marker_anything_may_stand(
    mode: str, options: dict[str, Any], junk: bytes, said: str
) -> None:
    whole = jpeg_of(mode, options)
    found = decoded(whole[:-2] + junk)
    np.testing.assert_array_equal(found.pixels, decoded(whole).pixels)
    assert found.warnings == (said,)


@EACH
def test_cut_off_with_another_picture_behind_it_is_corrupt(mode: str, options: dict[str, Any]) -> None:
    assert code_of(jpeg_of(mode, options)[:-2000] + ANOTHER) == "corrupt_image"


@pytest.mark.parametrize("missing", [40, 1000, 9000])
def test_what_may_have_been_read_as_pixels_is_said(missing: int) -> None:
    junk = random.Random(missing).randbytes(20_000).replace(b"\xff", b"")
    assert is_said(jpeg_of("RGB", {})[:-missing] + junk)


def test_a_progressive_one_cut_off_between_scans_is_corrupt() -> None:
    data = jpeg_of("RGB", {"progressive": True})
    scans = list(jpeg_segments.scans(data))
    assert len(scans) > 5
    for scan in scans[1:]:
        assert code_of(data[: scan.start]) == "corrupt_image"


@EACH
@pytest.mark.parametrize("place", [0.3, 0.5, 0.8])
def test_a_hole_in_the_pixels_is_said(mode: str, options: dict[str, Any], place: float) -> None:
    data = bytearray(jpeg_of(mode, options))
    start = int(len(data) * place)
    data[start : start + 4096] = bytes(4096)
    assert is_said(bytes(data))


@EACH
@pytest.mark.parametrize("place", [0.3, 0.5, 0.8])
def test_lost_bytes_are_said(mode: str, options: dict[str, Any], place: float) -> None:
    data = jpeg_of(mode, options)
    start = int(len(data) * place)
    assert is_said(data[:start] + data[start + 512 :])


HARMLESS = {
    "zeros before the end": lambda data: data[:-2] + bytes(1000) + b"\xff\xd9",
    "more behind the end": lambda data: data + b"\xff\xfe junk" * 100,
    "an unknown revision of JFIF": lambda data: data.replace(b"JFIF\0\x01", b"JFIF\0\x07", 1),
    "other parameters of a sequential scan": lambda data: data.replace(b"\x11\0\x3f\0", b"\x11\0\0\0", 1),
    "a colour transform that nobody knows": lambda data: with_segment(data, 0xEE, b"Adobe\0\x64\0\0\0\0\x07"),
    "zeros behind a segment": lambda data: data[:20] + bytes(9) + data[20:],
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_libjpeg_complains_of_and_does_no_harm_is_not_said(change: Any) -> None:
    whole = jpeg_of("RGB", {})
    data = change(whole)
    assert data != whole
    found = decoded(data)
    np.testing.assert_array_equal(found.pixels, decoded(whole).pixels)
    assert not found.warnings


def test_damage_is_heard_behind_a_complaint_that_does_no_harm() -> None:
    data = bytearray(jpeg_of("RGB", {}).replace(b"JFIF\0\x01", b"JFIF\0\x07", 1))
    start = len(data) // 2
    data[start : start + 4096] = bytes(4096)
    assert is_said(bytes(data))


def test_small_ones_are_as_large_ones() -> None:
    data = bytearray(jpeg_of("RGB", {"quality": 95}))
    start = len(data) // 2
    data[start : start + 4096] = bytes(4096)
    found = decoded(bytes(data), height=64)
    assert found.pixels.shape == (64, 64, 3)
    assert any(text.startswith("damaged_pixels") for text in found.warnings)
