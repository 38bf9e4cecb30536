"""What a file is by its first bytes. Its name is no evidence; it says at most which kind of TIFF it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BEGINNING_BYTES = 512
"""So much of a file is enough for everything here; a tar's first header ends there."""

Sort = Literal["picture", "other picture", "raw", "video", "archive", "document"]


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file.

    Attributes:
        sort: `picture` and `raw`, cameras' raw files, are read here; `other picture` is not.
        name: for a person. Of a picture, the name that Pillow has for its format.
    """

    sort: Sort
    name: str


AT_THE_START: tuple[tuple[bytes, Sort, str], ...] = (
    (b"\xff\xd8\xff", "picture", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "picture", "PNG"),
    (b"GIF87a", "picture", "GIF"),
    (b"GIF89a", "picture", "GIF"),
    (b"\xff\x0a", "picture", "JXL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "picture", "JXL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "other picture", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "other picture", "JPEG 2000"),
    (b"II\xbc", "other picture", "JPEG XR"),
    (b"8BPS", "other picture", "Photoshop"),
    (b"gimp xcf", "other picture", "GIMP"),
    (b"qoif", "other picture", "QOI"),
    (b"v/1\x01", "other picture", "OpenEXR"),
    (b"\0\0\1\0", "other picture", "icon"),
    (b"FUJIFILMCCD-RAW", "raw", "Fujifilm RAW"),
    (b"IIRO", "raw", "Olympus RAW"),
    (b"IIRS", "raw", "Olympus RAW"),
    (b"MMOR", "raw", "Olympus RAW"),
    (b"IIU\0", "raw", "Panasonic RAW"),
    (b"FOVb", "raw", "Sigma RAW"),
    (b"\0MRM", "raw", "Minolta RAW"),
    (b"II\x1a\0\0\0HEAPCCDR", "raw", "Canon RAW"),
    (b"\x1aE\xdf\xa3", "video", "Matroska"),
    (b"OggS", "video", "Ogg"),
    (b"FLV\1", "video", "Flash video"),
    (b"0&\xb2u\x8ef\xcf\x11", "video", "Windows Media"),
    (b"\0\0\1\xba", "video", "MPEG"),
    (b"\0\0\1\xb3", "video", "MPEG"),
    (b"%PDF-", "document", "PDF"),
    (b"%!PS", "document", "PostScript"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "document", "old Office document"),
    (b"SQLite format 3\0", "document", "SQLite database"),
    (b"<?xml", "document", "XML"),
    (b"{\\rtf", "document", "RTF"),
    (b"PK\x03\x04", "archive", "zip"),
    (b"PK\x05\x06", "archive", "zip"),
    (b"PK00PK\x03\x04", "archive", "zip"),  # to be split over several, and then was not
    (b"PK\x07\x08PK\x03\x04", "archive", "split zip"),
    (b"\x1f\x8b", "archive", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "archive", "7z"),
    (b"Rar!\x1a\x07", "archive", "rar"),
    (b"BZh", "archive", "bzip2"),
    (b"\xfd7zXZ\0", "archive", "xz"),
    (b"\x28\xb5\x2f\xfd", "archive", "zstd"),
    (b"\x04\x22\x4d\x18", "archive", "lz4"),
    (b"LZIP", "archive", "lzip"),
    (b"\x1f\x9d", "archive", "compress (.Z)"),
    (b"\x5d\0\0", "archive", "lzma"),
    (b"MSCF", "archive", "cab"),
    (b"xar!", "archive", "xar"),
    (b"!<arch>\n", "archive", "ar"),
    (b"070701", "archive", "cpio"),
    (b"070707", "archive", "cpio"),
    (b"StuffIt", "archive", "StuffIt"),
    (b"SIT!", "archive", "StuffIt"),
)

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_RAW_IN_TIFF = frozenset(
    f".{extension}"
    for extension in (
        "3fr arw cr2 dcr dng erf fff gpr iiq k25 kdc mef mos nef nrw pef raw rwl sr2 srf srw".split()  # noqa: SIM905
    )
)
"""Cameras' own formats that begin as any TIFF does, and whose first picture is a thumbnail."""

HEIF = frozenset(b"heic heix heim heis hevc hevx hevm hevs mif1 msf1".split())
AVIF = frozenset(b"avif avis".split())
# Lengths of the headers that follow a bitmap's own: OS/2's, Windows' and those between.
BITMAP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})


def kind_of_file(beginning: bytes, extension: str = "") -> FileKind | None:
    """What a file is, None when nothing known begins like this.

    Args:
        beginning: its first `BEGINNING_BYTES`, or all of it.
        extension: of its name, with the dot, in lower case. Only tells cameras' raw files from other TIFFs.
    """
    if beginning[4:8] == b"ftyp":
        return _by_brands(beginning)
    for signature, sort, name in AT_THE_START:
        if beginning.startswith(signature):
            return FileKind(sort, name)
    if beginning.startswith(TIFF):
        if beginning[8:10] == b"CR" or extension in _RAW_IN_TIFF:
            return FileKind("raw", "camera RAW")
        return FileKind("picture", "TIFF")
    if beginning.startswith(b"RIFF"):
        if beginning[8:12] == b"WEBP":
            return FileKind("picture", "WEBP")
        return FileKind("video", "RIFF (AVI or sound)")
    if beginning.startswith(b"BM") and int.from_bytes(beginning[14:18], "little") in BITMAP_HEADERS:
        return FileKind("picture", "BMP")
    return None


def _by_brands(beginning: bytes) -> FileKind:
    """Photos of phones and their films are boxes of one kind; brands tell which (ISO/IEC 14496-12, 4.3)."""
    brand = beginning[8:12]
    end = min(int.from_bytes(beginning[:4], "big"), len(beginning))
    compatible = {beginning[at : at + 4] for at in range(16, end - 3, 4)}
    for brands in ({brand}, compatible):
        if brands & AVIF:
            return FileKind("picture", "AVIF")
        if brands & HEIF:
            return FileKind("picture", "HEIF")
        if b"crx " in brands:
            return FileKind("raw", "Canon RAW")
    return FileKind("video", "MP4 or QuickTime")
