"""The segments of a JPEG: which are there, and a file without those that say nothing of the pixels."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from worker.pipeline.decoding.refusal import damaged

_MARKER = re.compile(rb"\xff([^\x00\x01\xff\xd0-\xd7])")
"""One that says something, behind its fill bytes; 0xff 0x00 is a byte of the pixels."""

ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a length."""

DHT, EOI, SOS, DQT, APP0, APP1, APP14, COM = 0xC4, 0xD9, 0xDA, 0xDB, 0xE0, 0xE1, 0xEE, 0xFE
SOF = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, 0xCC}
SEQUENTIAL = frozenset((0xC0, 0xC1))

MOST_SEGMENTS = 10_000
"""Of the header, and of all of the first picture. Cameras write some hundreds at most; empty ones have four
bytes, and cost Pillow and us a microsecond each."""
_MOST_JUNK = 100_000
"""Bytes of a header that belong to no segment; Pillow passes them one by one."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker and what belongs to it, from `start` to before `end`."""

    kind: int
    start: int
    end: int

    @property
    def ancillary(self) -> bool:
        """Whether the pixels are the same without it; APP14, which says what the channels are, is as well."""
        return APP0 <= self.kind <= 0xEF or self.kind == COM

    @property
    def name(self) -> str:
        """APP0-APP15, or COM."""
        return "COM" if self.kind == COM else f"APP{self.kind - APP0}"


def frame(data: bytes) -> tuple[int, int, int, int] | None:
    """Kind of the start of frame that the first scan follows, bits a channel, width and height."""
    for segment in segments(data):
        if segment.kind in SOF:
            return frame_of(data, segment)
    return None


def check_header(data: bytes) -> None:
    """Refuse a header over which Pillow would take seconds.

    Raises:
        Unreadable: `corrupt_image`.
    """
    place, junk = 2, 0
    for _ in range(MOST_SEGMENTS):
        marker = _MARKER.search(data, place, place + _MOST_JUNK + 2)
        junk += (marker.start() if marker else len(data)) - place
        if junk > _MOST_JUNK:
            raise damaged(f"over {_MOST_JUNK:,} bytes of its header are in no segment")
        if marker is None or marker[1][0] == SOS:
            return
        place = _behind_marker(data, marker)
    raise damaged(f"it has over {MOST_SEGMENTS:,} segments")


def segments(data: bytes, place: int = 2) -> Iterator[Segment]:
    """The segments up to the first scan's header, which is the last one; junk between them is skipped."""
    for _ in range(MOST_SEGMENTS):
        marker = _MARKER.search(data, place)
        segment = marker and segment_at(data, marker)
        if segment is None:
            return
        yield segment
        place = segment.end
        if segment.kind in (SOS, EOI):
            return


def scans(data: bytes) -> Iterator[Segment]:
    """The headers of the scans of the first picture; thumbnails, which lie in segments, have their own."""
    return (part for part in _parts(data) if part.kind == SOS and part.end <= len(data))


def first_scan_channels(data: bytes) -> int:
    """How many channels lie in the first scan; of all, where it has fewer, the others come in later ones."""
    last = None
    for last in segments(data):  # noqa: B007
        pass
    if last is None or last.kind != SOS:
        return 0
    return data[data.find(SOS, last.start) + 3]


def bare(data: bytes) -> bytes:
    """The same pixels without anything that a decoder may complain of and that says nothing of the pixels.

    These are: ancillary segments, junk between segments, numbers in what says how the channels are meant that
    nobody knows, parameters of sequential scans, which decoders ignore, and the zeros that some cameras put
    behind the pixels.
    """
    header = list(segments(data))
    if not header or header[-1].kind != SOS:
        return data
    sequential = any(segment.kind in SEQUENTIAL for segment in header)
    channels = next((_channels(data, segment) for segment in header if segment.kind in SOF), 3)
    whole = list(_parts(data))
    parts = [data[:2]]
    for segment in header:
        body = data[segment.start : segment.end]
        if segment.kind == APP0 and body[4:9] == b"JFIF\0":
            parts.append(body[:9] + b"\x01" + body[10:])
        elif segment.kind == APP14 and body[4:9] == b"Adobe" and len(body) >= 16:
            known = body[15] <= 2
            parts.append(body if known else body[:15] + (b"\x02" if channels == 4 else b"\x01") + body[16:])
        elif not segment.ancillary:
            parts.append(body)
    end = next((part.start for part in whole if part.kind == EOI), len(data))
    pixels = bytearray(data[header[-1].end : end])
    if sequential:
        parts[-1] = parts[-1][:-3] + b"\0\x3f\0"
        for scan in [part for part in whole if part.kind == SOS and part.end <= len(data)][1:]:
            place = scan.end - header[-1].end
            pixels[place - 3 : place] = b"\0\x3f\0"
    body = bytes(pixels)
    return b"".join((*parts, without_zeros(body) if end < len(data) else body, data[end : end + 2]))


def without_zeros(pixels: bytes) -> bytes:
    """Without those behind them; one that stands for the byte before it stays."""
    bare = pixels.rstrip(b"\0")
    return bare + b"\0" if bare.endswith(b"\xff") else bare


def turned(data: bytes, orientation: int) -> bytes:
    """The file with that orientation before any that it has: the first EXIF counts."""
    tags = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(tags) + 2) + tags + data[2:]


def _channels(data: bytes, segment: Segment) -> int:
    return data[data.find(segment.kind, segment.start) + 8]


def end_of_last_scan(data: bytes) -> int | None:
    """Where the scan ends by which every coefficient of all channels is there to its last bit; None: nowhere.

    There the picture's end marker stands, or the first one of what is in its place, or the file ends.
    """
    sof = next((segment for segment in segments(data) if segment.kind in SOF), None)
    if sof is None:
        return None
    start = data.find(sof.kind, sof.start) + 1
    channels = [data[start + 8 + 3 * index] for index in range(data[start + 7])]
    missing = {channel: set(range(64)) for channel in channels}
    for scan in scans(data):
        place = scan.end - 3
        first, last, low = data[place], data[place + 1], data[place + 2] & 15
        if sof.kind in SEQUENTIAL:
            first, last, low = 0, 63, 0
        count = data[data.find(SOS, scan.start) + 3]
        for index in range(count):
            channel = data[place - 2 * (count - index)]
            if low == 0 and channel in missing:
                missing[channel] -= set(range(first, last + 1))
        if not any(missing.values()):
            marker = _MARKER.search(data, scan.end)
            return marker.start() if marker else len(data)
    return None


def is_end(data: bytes, place: int) -> bool:
    """Whether the picture's end marker stands there."""
    marker = _MARKER.match(data, place)
    return marker is not None and marker[1][0] == EOI


def _parts(data: bytes) -> Iterator[Segment]:
    """All segments of the first picture with its end marker, whatever their lengths say.

    Raises:
        Unreadable: `corrupt_image` for over `MOST_SEGMENTS`.
    """
    place = 2
    for _ in range(MOST_SEGMENTS):
        marker = _MARKER.search(data, place)
        if marker is None:
            return
        place = _behind_marker(data, marker)
        yield Segment(marker[1][0], marker.start(), place)
        if marker[1][0] == EOI:
            return
    raise damaged(f"it has over {MOST_SEGMENTS:,} segments")


def _behind_marker(data: bytes, marker: re.Match[bytes]) -> int:
    """Where what belongs to it ends, if that is there."""
    end = marker.end()
    if marker[1][0] in ALONE or marker[1][0] == EOI:
        return end
    return end + max(2, int.from_bytes(data[end : end + 2], "big"))


def segment_at(data: bytes, marker: re.Match[bytes]) -> Segment | None:
    """The segment that begins with a marker; None where it does not fit into the file."""
    kind, end = marker[1][0], marker.end()
    if kind not in ALONE and kind != EOI:
        length = int.from_bytes(data[end : end + 2], "big")
        if length < 2 or end + length > len(data):
            return None
        end += length
    return Segment(kind, marker.start(), end)


def frame_of(data: bytes, segment: Segment) -> tuple[int, int, int, int]:
    """Kind of a start of frame, bits a channel, width and height."""
    start = data.find(segment.kind, segment.start) + 1
    bits, sides = data[start + 2 : start + 3], data[start + 3 : start + 7]
    height, width = int.from_bytes(sides[:2], "big"), int.from_bytes(sides[2:], "big")
    return segment.kind, int.from_bytes(bits, "big"), width, height
