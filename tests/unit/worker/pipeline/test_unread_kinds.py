"""Pictures of kinds that no decoder here knows are called by their names, and not damaged."""

from __future__ import annotations

import pytest

from nightshift.words.errors import Unreadable
from tests.support.pictures.chart import chart
from tests.support.pictures.containers import png_of
from tests.support.pictures.drawn import decoded, encoded, png_chunk
from tests.unit.worker.pipeline.test_odd_files import other_bytes


def jpeg_of_kind(kind: int, bits: int = 8) -> bytes:
    data = bytearray(encoded(chart(), "JPEG"))
    place = data.index(b"\xff\xc0")
    data[place + 1], data[place + 4] = kind, bits
    return bytes(data)


def cgbi() -> bytes:
    whole = png_of(8, 8, 8, 2, bytes(8 * 25))
    return whole[:8] + png_chunk(b"CgBI", b"\x50\0\x20\x02") + whole[8:]


def heif_of_codec(name: bytes) -> bytes:
    return encoded(chart(), "HEIF").replace(b"hvc1", name)


KINDS = {
    "12 bits": (lambda: jpeg_of_kind(0xC1, 12), "JPEG of 12 bits"),
    "lossless JPEG": (lambda: jpeg_of_kind(0xC3), "lossless JPEG"),
    "lossless JPEG of 14 bits": (lambda: jpeg_of_kind(0xC3, 14), "lossless JPEG"),
    "hierarchical JPEG": (lambda: jpeg_of_kind(0xC5), "hierarchical JPEG"),
    "arithmetic lossless JPEG": (lambda: jpeg_of_kind(0xCB), "lossless JPEG"),
    "JPEG-LS": (lambda: b"\xff\xd8\xff\xf7\0\x0b\x08" + bytes(40), "JPEG-LS"),
    "Apple's PNG": (cgbi, "CgBI"),
    "JPEG 2000": (lambda: encoded(chart(), "JPEG2000"), "JPEG 2000"),
    "JPEG 2000, bare": (lambda: encoded(chart(), "JPEG2000", no_jp2=True), "JPEG 2000"),
    "PSD": (lambda: other_bytes()["PSD"], "Photoshop"),
    "SVG": (lambda: other_bytes()["SVG"], "SVG"),
    "ICO": (lambda: encoded(chart(), "ICO"), "ICO"),
    "PPM": (lambda: encoded(chart(), "PPM"), "Netpbm"),
    "MP4": (lambda: other_bytes()["MP4"], "video"),
    "HEIF in VVC": (lambda: heif_of_codec(b"vvc1"), "VVC"),
    "HEIF in AVC": (lambda: heif_of_codec(b"avc1"), "AVC"),
    "HEIF in JPEG 2000": (lambda: heif_of_codec(b"j2k1"), "JPEG 2000"),
}


@pytest.mark.parametrize(("make", "name"), KINDS.values(), ids=KINDS.keys())
def test_it_is_named(make: object, name: str) -> None:
    with pytest.raises(Unreadable) as caught:
        decoded(make())  # type: ignore[operator]
    assert caught.value.code == "unsupported_format"
    assert name in caught.value.message
