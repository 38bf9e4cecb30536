"""When a photo was taken and by which camera, whatever EXIF says."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from tests.support.decoders import require_jxl
from tests.support.pictures.drawn import decoded
from worker.pipeline.decoding.capture import LONGEST_TEXT, UNKNOWN, Capture, read_capture

Base = ExifTags.Base


def exif_of(
    taken_at: str | None = None, offset: str | None = None, make: str = "", model: str = ""
) -> Image.Exif:
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model] = make, model
    about = exif.get_ifd(ExifTags.IFD.Exif)
    if taken_at is not None:
        about[Base.DateTimeOriginal] = taken_at
    if offset is not None:
        about[Base.OffsetTimeOriginal] = offset
    return exif


def photo(image_format: str, exif: Image.Exif) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "white").save(out, image_format, exif=exif.tobytes())
    return out.getvalue()


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_time_with_its_offset_and_camera_are_kept(image_format: str) -> None:
    exif = exif_of("2026:11:24 21:35:26", "+01:00", "Canon", "EOS R6")
    found = decoded(photo(image_format, exif)).capture
    assert found == Capture("2026-11-24T21:35:26+01:00", "Canon", "EOS R6")


def test_so_they_are_of_a_jpeg_xl() -> None:
    require_jxl()
    import pillow_jxl  # noqa: F401 - it registers itself

    exif = exif_of("2026:11:24 21:35:26", "+01:00", "Canon", "EOS R6")
    data = photo("JXL", exif)
    place = data.index(b"Exif") + 4
    size = int.from_bytes(data[place - 8 : place - 4], "big")
    # As the standard has it, which this writer does not follow.
    standard = data[: place - 8] + (size + 6).to_bytes(4, "big") + b"Exif\0\0\0\2//" + data[place:]
    for each in (data, standard):
        found = decoded(each).capture
        assert found == Capture("2026-11-24T21:35:26+01:00", "Canon", "EOS R6")


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_photo_without_an_offset_says_the_cameras_time_alone(order: str) -> None:
    exif = exif_of("2026:11:24 21:35:26")
    exif.endian = order
    assert read_capture(exif.tobytes()) == Capture("2026-11-24T21:35:26")


def test_a_photo_without_exif_says_nothing() -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 48)).save(out, "JPEG")
    assert decoded(out.getvalue()).capture == UNKNOWN


@pytest.mark.parametrize(
    "value",
    [
        "0000:00:00 00:00:00",
        "2026:13:01 00:00:00",
        "    :  :     :  :  ",
        "yesterday",
        "",
        "٢٠٢٦:11:24 21:35:26",
    ],
)
def test_a_time_that_is_none_is_none(value: str) -> None:
    assert read_capture(exif_of(value).tobytes()).taken_at is None


@pytest.mark.parametrize("offset", ["+99:00", "01:00", "Z", "+1:00", "   :  ", "+01:00; drop"])
def test_an_offset_that_is_none_is_left_out(offset: str) -> None:
    assert read_capture(exif_of("2026:11:24 21:35:26", offset).tobytes()).taken_at == "2026-11-24T21:35:26"


def test_names_are_short_and_steer_nothing() -> None:
    found = read_capture(exif_of(make="A\x1b[31m\u202e\nB\x7f", model="x" * 60_000).tobytes())
    assert found.camera_make is not None
    assert found.camera_make.isprintable()
    assert found.camera_make.startswith("A[31m")
    assert found.camera_model == "x" * LONGEST_TEXT


def test_directories_that_point_at_themselves_or_nowhere_say_nothing() -> None:
    entry = struct.pack("<HHII", Base.ExifOffset, 4, 1, 8)
    assert read_capture(b"II*\0\x08\0\0\0\x01\0" + entry) == UNKNOWN
    assert read_capture(b"II*\0\xff\xff\xff\xff") == UNKNOWN
    many = b"".join(struct.pack("<HHII", Base.Model, 2, 0xFFFFFFFF, 0) for _ in range(65_535))
    assert read_capture(b"II*\0\x08\0\0\0\xff\xff" + many).camera_make is None


@given(st.binary(max_size=200), st.sampled_from([b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b""]))
def test_any_bytes_are_read(body: bytes, head: bytes) -> None:
    found = read_capture(b"Exif\0\0" + head + body)
    assert all(value is None or value.isprintable() for value in (found.camera_make, found.camera_model))
