"""What is searched for in a damaged file takes a time that grows with the file, not with its square."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from nightshift.words.errors import Unreadable
from tests.support.pictures.containers import jpeg_segments
from tests.support.pictures.drawn import code_of, decoded, encoded, png_chunk, quadrants
from worker.pipeline.decoding import gif, jpeg, jpeg_lies, webp
from worker.pipeline.decoding.tiff_parts import tiff_parts


@pytest.mark.timeout(30)
def test_tens_of_thousands_of_damaged_chunks_of_a_png() -> None:
    data = encoded(quadrants(), "PNG")
    damaged = png_chunk(b"tEXt", b"")[:-1] + b"?"
    for place in (33, len(data) - 12):  # behind IHDR, before IEND
        photo = decoded(data[:place] + 30_000 * damaged + data[place:])
        assert photo.warnings == ("the chunk tEXt is damaged and was ignored",)


def test_the_next_sound_chunk_of_a_png_is_found_where_names_run_into_each_other() -> None:
    data = encoded(quadrants(), "PNG")
    # No length leads from here to the pixels; the first name hides the beginning of the next chunk's length.
    junk = b"\xff\xff\xff\xfftEXtEXt"
    assert decoded(data[:33] + junk + data[33:]).width == 96


@pytest.mark.timeout(30)
def test_tens_of_thousands_of_chunks_of_a_webp() -> None:
    data = encoded(quadrants(), "WEBP")
    empty = [struct.pack("<4sI", name, 0) for name in (b"ICCP", b"ANMF")]
    whole = b"WEBP" + struct.pack("<4sI10s", b"VP8X", 10, b"\x20" + bytes(9))
    whole += 45_000 * empty[0] + 45_000 * empty[1] + data[12:]
    found = webp.without_metadata(b"RIFF" + struct.pack("<I", len(whole)) + whole)
    assert found is not None
    assert b"ICCP" not in found[0]
    assert found[1] == ["the chunk ICCP is damaged and was ignored"]


def test_pixels_of_a_webp_that_spell_metadata_stay_as_they_are() -> None:
    pixels = b"XMP EXIFICCP"
    whole = b"WEBP" + struct.pack("<4sI", b"VP8 ", len(pixels)) + pixels + struct.pack("<4sI", b"EXIF", 0)
    found = webp.without_metadata(b"RIFF" + struct.pack("<I", len(whole)) + whole)
    assert found is not None
    assert pixels in found[0]
    assert not found[0].endswith(b"EXIF\0\0\0\0")


@pytest.mark.timeout(30)
def test_tens_of_thousands_of_pictures_of_a_gif_that_share_their_blocks() -> None:
    header = b"GIF89a" + struct.pack("<HHBBB", 64, 64, 0, 0, 0)
    picture = (b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x0f").ljust(16, b"\x01")
    assert gif.mended(header + b"!\xf9\0\x99\x99" + 60_000 * picture) is None


def test_strips_of_a_tiff_that_are_all_the_same_bytes_are_not_copied_one_by_one() -> None:
    out = io.BytesIO()
    Image.new("RGB", (2000, 600)).save(out, "TIFF", compression="tiff_adobe_deflate", strip_size=1)
    data = out.getvalue()
    assert tiff_parts(data, 100, 4) is not None
    with Image.open(io.BytesIO(data)) as image:
        sizes = image.tag_v2[279]  # type: ignore[attr-defined]
    assert len(sizes) == 600
    packed = struct.pack("<600H", *sizes)
    assert data.count(packed) == 1
    claimed = data.replace(packed, struct.pack("<600H", *[len(data)] * 600))
    assert tiff_parts(claimed, 100, 4) is None


JPEG = encoded(quadrants(), "JPEG")
SCAN = sum(jpeg_segments(JPEG)[-1]) + 14
"""Where its pixels begin."""
COM = b"\xff\xfe\0\x02"


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "between",
    [10_000_000 * b"\xff\xd0", 50_000_000 * b"\xff", 10_000_000 * COM, 10_000_000 * b"\xff\xfe\0\0"],
    ids=["restarts", "fill", "empty segments", "segments of no length"],
)
def test_what_a_jpeg_has_in_its_header_by_the_million(between: bytes) -> None:
    assert code_of(JPEG[:2] + between + JPEG[2:]) == "corrupt_image"
    assert code_of(JPEG[:2] + between) == "corrupt_image"


@pytest.mark.timeout(60)
def test_what_a_jpeg_has_within_its_pixels_by_the_million() -> None:
    for between in (5_000_000 * b"\xff\xd0", 5_000_000 * b"\xff"):
        assert decoded(JPEG[:SCAN] + between + JPEG[SCAN:]).warnings == (jpeg.DAMAGED,)
    assert decoded(JPEG[:SCAN] + 5_000_000 * b"\xff\xd0").warnings == (jpeg.DAMAGED,)
    with pytest.raises(Unreadable, match="over 10,000 segments"):
        decoded(JPEG[:SCAN] + 5_000_000 * COM + JPEG[SCAN:])


@pytest.mark.timeout(30)
def test_segments_of_a_jpeg_that_each_hide_the_beginnings_of_others() -> None:
    empty = 10_000 * (b"\xff\xd8" + COM)
    hiding = b"\xff\xe5" + (2 + len(empty)).to_bytes(2, "big") + empty
    hidden = (b"\xff\xd8" + JPEG[2:SCAN]) * (60_000 // SCAN)
    chains = b"\xff\xe5" + (2 + len(hidden)).to_bytes(2, "big") + hidden
    for segment in (hiding, chains, b"\xff\xe5\0\x04\xff\xdb"):
        assert len(list(jpeg_lies.without_damaged(JPEG[:2] + 500 * segment + JPEG[2:]))) <= 30
