"""What is damaged around the pixels is left out and named; the picture is the same."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.support.pictures.containers import with_segment
from tests.support.pictures.drawn import code_of, decoded, encoded, png_chunk
from tests.support.pictures.parts import (
    Part,
    jpeg_of_parts,
    jpeg_parts,
    photo,
    png_of_parts,
    png_parts,
    srgb,
)
from tests.support.pictures.seeds import exif
from worker.pipeline.decoding.decode import DecodedPhoto
from worker.pipeline.decoding.tiff_pages import read_header

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>'


def assert_same(data: bytes, whole: bytes, *named: str) -> DecodedPhoto:
    """As many warnings as names, each with its name in it, and the pixels of the undamaged file."""
    found, expected = decoded(data), decoded(whole)
    assert not expected.warnings
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    assert len(found.warnings) == len(named), found.warnings
    for name, warning in zip(named, found.warnings, strict=True):
        assert name in warning
    return found


PNG_CHUNKS = sorted({part.name for part in png_parts() if part.ancillary})


@pytest.mark.parametrize("name", PNG_CHUNKS, ids=bytes.decode)
@pytest.mark.parametrize("how", ["sum", "length", "lost"])
def test_a_png_chunk(name: bytes, how: str) -> None:
    damage = {"sum": {"sum": 1}, "length": {"length": 77_777}, "lost": {"lost": 1}}[how]
    parts = png_parts()
    mutant = tuple(replace(part, **damage) if part.name == name else part for part in parts)  # type: ignore[arg-type]
    assert_same(png_of_parts(mutant), png_of_parts(parts), name.decode())


@pytest.mark.parametrize("name", [b"cHRM", b"gAMA", b"sRGB", b"pHYs", b"tIME", b"iCCP"], ids=bytes.decode)
def test_a_png_chunk_that_is_too_short(name: bytes) -> None:
    parts = png_parts()
    mutant = tuple(replace(part, body=part.body[:-1]) if part.name == name else part for part in parts)
    assert_same(png_of_parts(mutant), png_of_parts(parts), name.decode())


def test_a_png_whose_header_is_no_longer_before_what_it_explains() -> None:
    header, *others = png_parts()
    assert header.name == b"IHDR"
    transparent = Part(b"tRNS", bytes(6), True)
    assert code_of(png_of_parts((transparent, header, *others))) == "corrupt_image"


def test_a_png_without_its_end() -> None:
    whole = png_of_parts(png_parts())
    assert_same(whole[:-12], whole, "end is missing")


def test_png_pixels_with_a_wrong_checksum_may_be_wrong() -> None:
    parts = png_parts()
    mutant = tuple(replace(part, sum=1) if part.name == b"IDAT" else part for part in parts)
    assert_same(png_of_parts(mutant), png_of_parts(parts), "damaged_pixels")


JPEG_SEGMENTS = [index for index, part in enumerate(jpeg_parts()) if part.ancillary]
NAMES = {b"\xfe": "COM", **{bytes([0xE0 + number]): f"APP{number}" for number in range(16)}}


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("length", [0, 1, 49, 300, 60_000])
@pytest.mark.parametrize("index", JPEG_SEGMENTS)
def test_a_jpeg_segment_that_lies_about_its_length(index: int, length: int, progressive: bool) -> None:
    parts = jpeg_parts(progressive=progressive)
    mutant = list(parts)
    mutant[index] = replace(parts[index], length=length)
    found = assert_pixels(jpeg_of_parts(tuple(mutant)), jpeg_of_parts(parts))
    assert any(NAMES[parts[index].name] in warning for warning in found.warnings), found.warnings


def assert_pixels(data: bytes, whole: bytes) -> DecodedPhoto:
    found = decoded(data)
    np.testing.assert_array_equal(found.pixels, decoded(whole).pixels)
    return found


SHORT = {
    "APP13": (0xED, b"Photoshop 3.0\x008BIM\x03\xed"),
    "APP2": (0xE2, b"ICC_PROFILE\0\x01"),
    "APP0": (0xE0, b"JFIF\0"),
    "APP14": (0xEE, b"Adobe\0"),
}


@pytest.mark.parametrize(("marker", "body"), SHORT.values(), ids=SHORT.keys())
def test_a_jpeg_segment_that_ends_early(marker: int, body: bytes) -> None:
    whole = encoded(photo(), "JPEG")
    found = assert_pixels(with_segment(whole, marker, body), whole)
    assert found.warnings == (f"the segment APP{marker - 0xE0} is damaged and was ignored",)


def test_a_jpeg_profile_of_which_a_part_is_missing() -> None:
    whole = encoded(photo(), "JPEG")
    assert_same(with_segment(whole, 0xE2, b"ICC_PROFILE\0\x01\x02" + srgb()), whole, "colour profile")


def test_a_jpeg_cut_off_within_its_exif_is_not_its_thumbnail() -> None:
    whole = jpeg_of_parts(jpeg_parts())
    thumbnail_ends = whole.index(b"\xff\xd9") + 2
    assert code_of(whole[:thumbnail_ends]) == "corrupt_image"


def test_zeros_between_segments_are_no_damage() -> None:
    turned = encoded(photo(), "JPEG", exif=exif(6))
    end = 4 + int.from_bytes(turned[4:6], "big")
    end += 2 + int.from_bytes(turned[end + 2 : end + 4], "big")
    assert assert_same(turned[:end] + bytes(7) + turned[end:], turned).exif_orientation == 6


def webp_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    place, found = 12, []
    while place < len(data):
        name, length = struct.unpack_from("<4sI", data, place)
        found.append((name, data[place + 8 : place + 8 + length]))
        place += 8 + length + length % 2
    return found


def webp_of(
    chunks: list[tuple[bytes, bytes]], *, size: int | None = None, lengths: dict[bytes, int] | None = None
) -> bytes:
    body = b"WEBP"
    for name, part in chunks:
        length = (lengths or {}).get(name, len(part))
        body += name + struct.pack("<I", length) + part + b"\0" * (len(part) % 2)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


@pytest.fixture(scope="module")
def webp() -> bytes:
    return encoded(photo(), "WEBP", lossless=True, exif=exif(1), icc_profile=srgb(), xmp=XMP)


@pytest.mark.parametrize("name", [b"ICCP", b"EXIF", b"XMP "], ids=bytes.decode)
@pytest.mark.parametrize("length", [0, 5000, 10**6, 2**31 - 1, 2**32 - 1])
def test_a_webp_chunk_that_lies_about_its_length(webp: bytes, name: bytes, length: int) -> None:
    assert_same(webp_of(webp_chunks(webp), lengths={name: length}), webp, name.decode().strip())


@pytest.mark.parametrize("size", [0, 10, 2**31, 2**32 - 1])
def test_a_webp_that_lies_about_its_own_length(webp: bytes, size: int) -> None:
    assert_same(webp_of(webp_chunks(webp), size=size), webp, "lengths")


@pytest.mark.parametrize(("missing", "name"), [(20, "XMP"), (120, "EXIF")])
def test_a_webp_cut_off_behind_its_pixels(webp: bytes, missing: int, name: str) -> None:
    assert_same(webp[:-missing], webp, name)


@pytest.mark.parametrize("name", ["short", "missing", "first"])
def test_what_says_how_a_webp_goes_on_is_not_needed_for_its_first_picture(name: str) -> None:
    moving = encoded(photo(), "WEBP", save_all=True, append_images=[photo().rotate(90)], lossless=True)
    chunks = webp_chunks(moving)
    rest = [part for part in chunks if part[0] != b"ANIM"]
    made = {
        "short": [rest[0], (b"ANIM", b"\0"), *rest[1:]],
        "missing": rest,
        "first": [(b"ANIM", bytes(6)), *rest],
    }
    assert_same(webp_of(made[name]), moving, "ANIM" if name == "short" else "lengths or flags")


@pytest.mark.parametrize("flag", [0x01, 0x02, 0x40, 0x80])
def test_flags_of_a_webp_that_say_what_is_not_so(webp: bytes, flag: int) -> None:
    (name, body), *rest = webp_chunks(webp)
    assert_same(webp_of([(name, bytes([body[0] ^ flag]) + body[1:]), *rest]), webp, "flags")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda pixels: pixels[:-4] + b"\1\2\3\4", "damaged_pixels"),
        (lambda pixels: b"\x08" + pixels[1:], "what lies behind"),
        (lambda pixels: pixels[:-2], "end is missing"),
        (lambda pixels: pixels + b"?" * 70_000, "what lies behind"),
    ],
    ids=["checksum", "window", "no checksum", "more"],
)
def test_pixels_of_a_png_with_a_wrong_checksum(change: Callable[[bytes], bytes], named: str) -> None:
    parts = png_parts()
    packed = change(b"".join(part.body for part in parts if part.name == b"IDAT"))
    place = next(index for index, part in enumerate(parts) if part.name == b"IDAT")
    others = [part for part in parts if part.name != b"IDAT"]
    mutant = (*others[:place], replace(parts[place], body=packed), *others[place:])
    found, expected = decoded(png_of_parts(mutant)), decoded(png_of_parts(parts))
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    assert all(named in warning for warning in found.warnings), found.warnings  # Pillow is content with some
    assert found.warnings or named != "damaged_pixels"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("missing", [0, 1])
def test_a_wrong_checksum_behind_many_pixels_costs_no_time(missing: int) -> None:
    width, height = 1500, 1000
    rows = (b"\0" + bytes(3 * width)) * (height - missing)
    packed = zlib.compress(rows, 9)[:-4] + b"\1\2\3\4"
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)
    if missing:
        assert code_of(data) == "corrupt_image"
    else:
        assert "damaged_pixels" in decoded(data).warnings[0]


GIF_EXTENSIONS = {
    "application, without a body": (b"!\xff\x0bNETSCAPE2.0\0", "application"),
    "control, short": (b"!\xf9\x02\0\0\0", "graphic control"),
    "control, empty": (b"!\xf9\0", "graphic control"),
    "control, no end": (b"!\xf9\x04\0\0\0\0", "graphic control"),
    "control, long": (b"!\xf9\xff\0\0\0\0\0", "graphic control"),
    "application, no end": (b"!\xff\x0bNETSCAPE2.0\x03\x01\0", "application"),
    "application, empty": (b"!\xff\0", "application"),
    "application, cut": (b"!\xff\x0bICCRGBG1012\xff" + bytes(40) + b"\0", "application"),
    "comment, long": (b"!\xfe\xffabc\0", "comment"),
    "comment, short": (b"!\xfe\x02abcdefgh\0", "comment"),
    "unknown": (b"!\x99\x05abc", "unknown"),
    "no name": (b"!", "extension"),
}


@pytest.mark.parametrize(("extension", "name"), GIF_EXTENSIONS.values(), ids=GIF_EXTENSIONS.keys())
def test_a_gif_extension(extension: bytes, name: str) -> None:
    whole = encoded(photo().quantize(64), "GIF")
    start = 13 + (3 << ((whole[10] & 7) + 1))
    assert_same(whole[:start] + extension + whole[whole.index(b",\0\0\0\0", start) :], whole, name)


BMP_FIELDS = {
    "pixels within the header": (10, "<I", 13, "place of the pixels"),
    "pixels beyond the end": (10, "<I", 2**32 - 1, "place of the pixels"),
    "pixels too late": (10, "<I", 2000, "place of the pixels"),
    "too many colours": (46, "<I", 300, "number of colours"),
    "far too many colours": (46, "<I", 2**32 - 1, "number of colours"),
    "length of the file": (2, "<I", 0, ""),
    "length of the pixels": (34, "<I", 2**32 - 1, ""),
    "resolution": (38, "<i", -1, ""),
}


@pytest.mark.parametrize(("place", "code", "value", "name"), BMP_FIELDS.values(), ids=BMP_FIELDS.keys())
def test_a_bmp_header(place: int, code: str, value: int, name: str) -> None:
    whole = encoded(photo().quantize(256), "BMP")
    data = bytearray(whole)
    struct.pack_into(code, data, place, value)
    assert_same(bytes(data), whole, *([name] if name else []))


@pytest.mark.parametrize("image_format", ["HEIF", "AVIF"])
def test_metadata_of_heif_that_lies_beyond_the_end(image_format: str) -> None:
    whole = encoded(photo(), image_format, exif=exif(1), xmp=XMP)
    place = whole.index(b"iloc")
    entries = [at for at in range(place, place + 90) if whole[at : at + 4] == struct.pack(">I", len(XMP))]
    data = bytearray(whole)
    data[entries[0] : entries[0] + 4] = b"\x7f\xff\xff\xff"
    assert_same(bytes(data), whole, "XMP")


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def boxes(data: bytes, place: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Name, place and length of each box and of those in it."""
    while place < end:
        length, name = struct.unpack_from(">I4s", data, place)
        yield name.decode(), place, length
        if (skipped := {b"meta": 4, b"iinf": 6, b"iref": 4, b"iprp": 0, b"ipco": 0}.get(name)) is not None:
            yield from boxes(data, place + 8 + skipped, place + length)
        place += length


@pytest.mark.parametrize("length", [0, 1, 4, 9, "-3", "+5", "+200", 2**31, 2**32 - 1])
@pytest.mark.parametrize("image_format", ["HEIF", "AVIF"])
def test_a_box_of_heif_that_lies_about_its_length(image_format: str, length: int | str) -> None:
    whole = encoded(photo(), image_format, exif=exif(1), icc_profile=srgb(), xmp=XMP)
    whole += box(b"free", bytes(40)) + box(b"uuid", bytes(30))
    for name, place, right in boxes(whole, 0, len(whole)):
        wrong = right + int(length) if isinstance(length, str) else length
        found = assert_pixels(whole[:place] + struct.pack(">I", wrong) + whole[place + 4 :], whole)
        if found.warnings and not found.warnings[0].startswith("orientation"):
            assert any(f"box {name}" in warning for warning in found.warnings), (name, found.warnings)


@pytest.mark.parametrize("image_format", ["HEIF", "AVIF"])
def test_an_unknown_box_of_heif_that_lies_is_named(image_format: str) -> None:
    whole = encoded(photo(), image_format)
    place, pixels = whole.index(b"meta") - 4, whole.index(b"mdat") + 4
    for name in (b"free", b"junk"):
        lying = struct.pack(">I4s", 2**31, name) + bytes(20)
        moved = whole.replace(struct.pack(">I", pixels), struct.pack(">I", pixels + len(lying)), 1)
        assert_same(moved[:place] + lying + moved[place:], whole, f"box {name.decode()}")


@pytest.mark.parametrize("number", [274, 34675])
def test_a_tiff_tag_whose_values_lie_beyond_the_end(number: int) -> None:
    whole = encoded(photo(), "TIFF", compression="tiff_lzw", icc_profile=srgb(), tiffinfo={274: 1})
    header = read_header(whole)
    assert header is not None
    entry = header.pages()[0].tags[number].entry
    data = whole.replace(entry, entry[:4] + struct.pack("<II", 2**31, 2**31))
    assert_same(data, whole, {274: "Orientation", 34675: "ICCProfile"}[number])


def test_a_mended_file_keeps_what_is_sound() -> None:
    turned = photo().transpose(Image.Transpose.ROTATE_90)
    whole = encoded(turned, "JPEG", exif=exif(6))
    found = assert_pixels(with_segment(whole, *SHORT["APP13"]), whole)
    assert (found.exif_orientation, found.width) == (6, photo().width)
    data = io.BytesIO()
    turned.save(data, "PNG", exif=exif(6), icc_profile=b"no profile")
    assert decoded(data.getvalue()).exif_orientation == 6


@pytest.mark.parametrize("number", [269, 270, 271, 272], ids=str)
def test_a_text_that_lies_outside_a_tiff_costs_no_tag_behind_it(number: int) -> None:
    whole = encoded(photo(), "TIFF", tiffinfo={number: "a text of some length"})
    tiff = read_header(whole)
    assert tiff is not None
    entry = tiff.pages()[0].tags[number].entry
    assert_same(whole.replace(entry, entry[:8] + b"\xff\xff\xff\x7f"), whole, "is damaged")


def test_a_colour_box_of_an_unknown_kind_in_a_heif() -> None:
    whole = encoded(photo(), "HEIF", icc_profile=srgb(), quality=-1)
    assert_same(whole.replace(b"colrprof", b"colr\xff\xff\xff\xff"), whole, "colour profile")
