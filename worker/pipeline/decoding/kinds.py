"""Kinds of picture that no decoder here knows, by their first bytes."""

from __future__ import annotations

import re

from worker.pipeline.decoding import heif, jpeg

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF")
"""Pillow's names of what is read; its default list opens EPS, WMF and PSD too."""

_SIGNATURES = (
    (b"8BPS", "a Photoshop document (PSD)"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\xd8\xff\xf7", "JPEG-LS"),
    (b"II\xbc", "JPEG XR"),
    (b"FUJIFILMCCD-RAW", "a camera's raw file"),
    (b"IIU\0", "a camera's raw file"),
    (b"IIRO", "a camera's raw file"),
    (b"IIRS", "a camera's raw file"),
    (b"MMOR", "a camera's raw file"),
    (b"FOVb", "a camera's raw file"),
    (b"\0MRM", "a camera's raw file"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"DDS ", "DDS"),
    (b"qoif", "QOI"),
    (b"%PDF-", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"\0\0\1\0", "an icon (ICO)"),
    (b"gimp xcf", "a GIMP document (XCF)"),
    (b"SDPX", "DPX"),
    (b"XPDS", "DPX"),
    (b"MM\0\x87", "a camera's raw file"),
    (b"FLIF", "FLIF"),
    (b"BPG\xfb", "BPG"),
)
_BRANDS = {
    b"crx ": "a camera's raw file",
    b"jxl ": "JPEG XL",
    b"jp2 ": "JPEG 2000",
    **dict.fromkeys((b"qt  ", b"isom", b"iso2", b"mp41", b"mp42", b"M4V ", b"3gp4", b"avc1"), "a video"),
}
_NETPBM = re.compile(rb"P[1-7fF]\s")
_SVG = re.compile(rb"\s*(?:<\?xml|<!--|<!DOCTYPE svg|<svg)", re.IGNORECASE)


def kind_not_read(data: bytes) -> str | None:
    """What the file is, where it is a picture of some kind but none of those that are read."""
    if data.startswith(jpeg.SIGNATURE) and (kind := jpeg.kind_not_read(data)):
        return kind
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
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


def refusal_of(data: bytes) -> str:
    """Why a file that nobody opened is not read."""
    kind = kind_not_read(data)
    formats = ", ".join(FORMATS)
    if kind:
        return f"{kind} is not read; what is: {formats}"
    return f"not an image in a format that is read ({formats})"
