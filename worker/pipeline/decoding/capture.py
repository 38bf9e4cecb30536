"""When a photo was taken and with which camera, by its EXIF. What stands there is anybody's text."""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import datetime

from PIL.ExifTags import Base

from nightshift.words.plain_text import plain

LONGEST_TEXT = 100
"""Characters that are kept of a make or a model."""

_BYTES = 4 * LONGEST_TEXT
_HEAD = b"Exif\0\0"
_ORDERS = {b"II": "<", b"MM": ">"}
"""What follows differs: Panasonic's and Olympus's raw files have signatures of their own on a TIFF's body."""

_ASCII = 2
_WANTED = frozenset({Base.Make, Base.Model, Base.DateTimeOriginal, Base.OffsetTimeOriginal})

_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d)[ T](\d\d):(\d\d):(\d\d)", re.ASCII)
_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Capture:
    """What EXIF says of the moment; None for what it does not say, or not readably.

    Attributes:
        taken_at: DateTimeOriginal as ISO 8601, with OffsetTimeOriginal where that is there.
        camera_make: visible characters, at most `LONGEST_TEXT`.
        camera_model: likewise.
    """

    taken_at: str | None = None
    camera_make: str | None = None
    camera_model: str | None = None

    def or_by(self, other: Capture) -> Capture:
        """The same, with what only another says of the same moment."""
        return Capture(*(mine or its for mine, its in zip(astuple(self), astuple(other), strict=True)))


UNKNOWN = Capture()


def read_capture(exif: bytes) -> Capture:
    """Read it from an EXIF block, a TIFF, or what is laid out as one; what is broken says nothing.

    Four values are looked up where they lie. Pillow would copy every value of both directories first, each as
    long as the block, if the file says so.
    """
    block = memoryview(exif)[len(_HEAD) if exif.startswith(_HEAD) else 0 :]
    order = _ORDERS.get(bytes(block[:2]))
    if order is None:
        return UNKNOWN
    said = _values(block, order, 4)
    said |= _values(block, order, said.get(Base.ExifOffset))
    return Capture(
        _time(_text(said.get(Base.DateTimeOriginal)), _text(said.get(Base.OffsetTimeOriginal))),
        _text(said.get(Base.Make)),
        _text(said.get(Base.Model)),
    )


def _values(block: memoryview, order: str, pointer: object) -> dict[int, int | bytes]:
    """The place of the directory of EXIF, and the first bytes of texts, in the directory pointed to."""
    found: dict[int, int | bytes] = {}
    if not isinstance(pointer, int):
        return found
    with suppress(struct.error):
        (place,) = struct.unpack_from(f"{order}I", block, pointer)
        (entries,) = struct.unpack_from(f"{order}H", block, place)
        for entry in range(place + 2, place + 2 + 12 * entries, 12):
            tag, kind, count, value = struct.unpack_from(f"{order}HHII", block, entry)
            if tag == Base.ExifOffset:
                found.setdefault(tag, entry + 8)
            elif kind == _ASCII and tag in _WANTED:
                start = value if count > 4 else entry + 8
                found.setdefault(tag, bytes(block[start : start + min(count, _BYTES)]))
    return found


def _time(value: str | None, offset: str | None) -> str | None:
    found = _TIME.match(value or "")
    if found is None:
        return None
    try:
        # A camera whose clock was never set says a month 0.
        moment = datetime(*map(int, found.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None
    zone = _OFFSET.fullmatch(offset or "")
    return moment.isoformat() + (zone[0] if zone else "")


def _text(value: int | bytes | None) -> str | None:
    if not isinstance(value, bytes):
        return None
    text = value.split(b"\0")[0].decode("utf-8", "replace")
    return plain(text, instead="").strip()[:LONGEST_TEXT].strip() or None
