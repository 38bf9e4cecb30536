"""Kinds of picture that no decoder here knows, by their first bytes, and why a file is not opened."""

from __future__ import annotations

import io
import re
import struct
from typing import NoReturn

from PIL import Image

from nightshift.words.error_codes import Code
from nightshift.words.errors import Unreadable
from worker.pipeline.decoding import heif, jpeg
from worker.pipeline.decoding.refusal import check_pixels, damaged
from worker.pipeline.decoding.webp import is_webp

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF")
"""Pillow's names of what is read; its default list opens EPS, WMF and PSD too."""

_SIGNATURES = {
    "a Photoshop document (PSD)": (b"8BPS",),
    "JPEG 2000": (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
    "JPEG-LS": (b"\xff\xd8\xff\xf7",),
    "JPEG XR": (b"II\xbc",),
    "OpenEXR": (b"\x76\x2f\x31\x01",),
    "Radiance HDR": (b"#?RADIANCE",),
    "DDS": (b"DDS ",),
    "QOI": (b"qoif",),
    "PDF": (b"%PDF-",),
    "PostScript": (b"%!PS",),
    "WMF": (b"\xd7\xcd\xc6\x9a",),
    "an icon (ICO)": (b"\0\0\1\0",),
    "a GIMP document (XCF)": (b"gimp xcf",),
    "DPX": (b"SDPX", b"XPDS"),
    "FLIF": (b"FLIF",),
    "BPG": (b"BPG\xfb",),
}
_BRANDS = {
    b"jp2 ": "JPEG 2000",
    **dict.fromkeys((b"qt  ", b"isom", b"iso2", b"mp41", b"mp42", b"M4V ", b"3gp4", b"avc1"), "a video"),
}
_NETPBM = re.compile(rb"P[1-7fF]\s")
_SVG = re.compile(rb"\s*(?:<\?xml|<!--|<!DOCTYPE svg|<svg)", re.IGNORECASE)


def kind_not_read(data: bytes) -> str | None:
    """What the file is, where it is a picture of some kind but none of those that are read."""
    if data.startswith(jpeg.SIGNATURE) and (kind := jpeg.kind_not_read(data)):
        return kind
    for name, signatures in _SIGNATURES.items():
        if data.startswith(signatures):
            return name
    if heif.is_heif(data):
        codec = heif.codec(data)
        other = codec is not None and codec not in ("HEVC", "AV1")
        return _BRANDS.get(data[8:12], f"HEIF in {codec}" if other else None)
    if _NETPBM.match(data):
        return "a Netpbm image"
    if _SVG.match(data) and b"<svg" in data[:4096].lower():
        return "SVG"
    return None


def raise_unidentified(data: bytes, max_photo_pixels: int, error: Exception) -> NoReturn:
    """Say of a file that no plugin opened whether it is damaged, of a kind that is not read, or neither."""
    if not data:
        raise Unreadable(Code.UNSUPPORTED_FORMAT, "the file is empty") from error
    for name in FORMATS:
        if not _accepts(name, data[:16]):
            continue
        if data[4:8] == b"ftyp" and (claimed := _claimed_size(data)):
            check_pixels(claimed, max_photo_pixels)  # over libavif's own limit, it is "not identified"
        try:
            Image.OPEN[name][0](io.BytesIO(data), "")
        except Exception as reason:
            if "unknown pixel mode" in str(reason):
                raise Unreadable(Code.UNSUPPORTED_FORMAT, f"a kind of {name} that is not read") from error
        raise damaged("its header cannot be read") from error
    if is_webp(data):  # Pillow looks at the first chunk's name, too
        raise damaged("its first chunk is none of WebP's") from error
    raise Unreadable(Code.UNSUPPORTED_FORMAT, _refusal_of(data)) from error


def _refusal_of(data: bytes) -> str:
    """Why a file that nobody opened is not read."""
    formats = ", ".join((*FORMATS, "JPEG XL", "cameras' raw files"))
    if kind := kind_not_read(data):
        return f"{kind} is not read; what is: {formats}"
    return f"not an image in a format that is read ({formats})"


def _claimed_size(data: bytes) -> tuple[int, int] | None:
    """Width and height by the first `ispe` box of a HEIF or AVIF file."""
    place = data.find(b"ispe", 0, 65536)
    if not 0 <= place <= len(data) - 16:
        return None
    width, height = struct.unpack_from(">II", data, place + 8)
    return (width, height) if width and height else None


def _accepts(name: str, prefix: bytes) -> bool:
    accept = Image.OPEN[name][1]
    return accept is not None and accept(prefix) is True
