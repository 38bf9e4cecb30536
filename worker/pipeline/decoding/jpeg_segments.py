"""The segments of a JPEG: which are there, which lie about their length, and a file without those."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from PIL import JpegImagePlugin

MARKER = re.compile(rb"\xff+([^\x00\xff])")
"""A marker with its fill bytes; 0xff 0x00 is a byte of the pixels."""

_FILLED_MARKER = re.compile(rb"\0*\xff+([^\x00\xff])")

ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a length."""

RESTARTS = frozenset(range(0xD0, 0xD8))
DHT, EOI, SOS, DQT, APP0, APP1, APP2, APP14, COM = 0xC4, 0xD9, 0xDA, 0xDB, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
SOF = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, 0xCC}
SEQUENTIAL = frozenset((0xC0, 0xC1))

_IN_HEADERS = re.compile(rb"\xff[\xc0-\xcf\xda-\xdf\xe0-\xef\xfe]")
_TABLES = re.compile(rb"\xff\xdb")
_HIDDEN = re.compile(rb"\xff[\xd8\xdb]")
_SEARCHED_BYTES = 4_000_000
"""How far behind a segment that lies the next one is looked for."""
_LONGEST_CHAIN, _MOST_CHAINS = 600, 3000
"""Segments, and chains of them that are followed; the largest colour profiles fill 255."""
_MOST_TABLES, _MOST_WAYS = 32, 30
"""Most places behind a lie that are tried, each for a part of the time that decoding takes."""
_MOST_TRIED = 100
"""Most segments that are tried one by one; of more, none is kept but those that carry the picture."""


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


_Way = tuple[list[Segment], Segment | None]
"""Segments to go by, and the one that is left out since it lies."""


def frame(data: bytes) -> tuple[int, int, int, int] | None:
    """Kind of the start of frame that the first scan follows, bits a channel, width and height."""
    for segment in segments(data):
        if segment.kind in SOF:
            return _frame(data, segment)
    return None


def segments(data: bytes, place: int = 2) -> Iterator[Segment]:
    """The segments up to the first scan's header, which is the last one; junk between them is skipped."""
    while marker := MARKER.search(data, place):
        segment = _segment(data, marker)
        if segment is None:
            return
        yield segment
        place = segment.end
        if segment.kind in (SOS, EOI):
            return


def scans(data: bytes) -> Iterator[Segment]:
    """The headers of the scans of the first picture; thumbnails, which lie in segments, have their own."""
    place = 2
    while (marker := MARKER.search(data, place)) and marker[1][0] != EOI:
        kind, place = marker[1][0], marker.end()
        if kind not in ALONE:
            place += max(2, int.from_bytes(data[place : place + 2], "big"))
        if kind == SOS and place <= len(data):
            yield Segment(kind, marker.start(), place)


def first_scan_channels(data: bytes) -> int:
    """How many channels lie in the first scan; of all, where it has fewer, the others come in later ones."""
    last = None
    for last in segments(data):  # noqa: B007
        pass
    if last is None or last.kind != SOS:
        return 0
    return data[data.find(SOS, last.start) + 3]


def without_damaged(data: bytes) -> Iterator[tuple[bytes, list[str]]]:
    """The file without the ancillary segments that cannot be read, and their names; nothing if all can.

    Where a segment lies about its length, there may be several places where the next one begins.
    """
    found = _chain(data, 2, set())
    ways: list[_Way]
    if found is None:
        ways = _behind_the_lie(data)
    else:
        # One that ends where another does takes the tables along that lie between.
        ways = [(found, None)]
        for index, part in enumerate(found):
            if part.ancillary and _HIDDEN.search(data, part.start + 2, part.end):
                ways += _behind(data, found[:index], part)
    for around, lying in ways[:_MOST_WAYS]:
        needed = b"".join(data[part.start : part.end] for part in around if not part.ancillary)
        damaged = [
            part
            for index, part in enumerate(part for part in around if part.ancillary)
            if index >= _MOST_TRIED or not _opens(data[part.start : part.end], needed)
        ]
        if not damaged and lying is None:
            continue
        whole = b"".join(data[part.start : part.end] for part in around if part not in damaged)
        names = [part.name for part in ([lying] if lying else []) + damaged]
        yield data[:2] + whole + data[around[-1].end :], list(dict.fromkeys(names))


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
    end = end_of_pixels(data)
    pixels = bytearray(data[header[-1].end : end])
    if sequential:
        parts[-1] = parts[-1][:-3] + b"\0\x3f\0"
        for scan in list(scans(data))[1:]:
            place = scan.end - header[-1].end
            pixels[place - 3 : place] = b"\0\x3f\0"
    body = bytes(pixels)
    return b"".join((*parts, without_zeros(body) if end < len(data) else body, data[end : end + 2]))


def without_zeros(pixels: bytes) -> bytes:
    """Without those behind them; one that stands for the byte before it stays."""
    bare = pixels.rstrip(b"\0")
    return bare + b"\0" if bare.endswith(b"\xff") else bare


def _channels(data: bytes, segment: Segment) -> int:
    return data[data.find(segment.kind, segment.start) + 8]


def end_of_pixels(data: bytes) -> int:
    """Where the first picture's end marker stands, or should."""
    place = 2
    while marker := MARKER.search(data, place):
        kind, place = marker[1][0], marker.end()
        if kind == EOI:
            return marker.start()
        if kind not in ALONE:
            place += max(2, int.from_bytes(data[place : place + 2], "big"))
    return len(data)


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
            markers = MARKER.finditer(data, scan.end)
            return next((each.start() for each in markers if each[1][0] not in RESTARTS), len(data))
    return None


def is_end(data: bytes, place: int) -> bool:
    """Whether the picture's end marker stands there."""
    marker = MARKER.match(data, place)
    return marker is not None and marker[1][0] == EOI


def are_in_order(data: bytes) -> bool:
    """Whether each segment's length leads to the next, up to the first scan, and not into a thumbnail."""
    found = _chain(data, 2, set())
    if found is None:
        return False
    before = next((part for part in reversed(found) if part.ancillary), None)
    if before is None:
        return True
    body = data[before.start : before.end]
    thumbnail = body.rfind(b"\xff\xd8\xff")
    if thumbnail < 0 or body.find(b"\xff\xd9", thumbnail) >= 0:
        return True
    # A thumbnail begins within it and goes on behind it: what follows may be the thumbnail's tables.
    own = _area(data, found)
    return all(_area(data, way) <= own for way, _ in _behind(data, found[: found.index(before)], before))


def _area(data: bytes, chain: Sequence[Segment]) -> int:
    _, _, width, height = _frame(data, [part for part in chain if part.kind in SOF][-1])
    return width * height


def _next(data: bytes, place: int) -> re.Match[bytes] | None:
    """The marker there, or behind the zeros that some cameras put between segments."""
    return _FILLED_MARKER.match(data, place)


def _segment(data: bytes, marker: re.Match[bytes]) -> Segment | None:
    kind, end = marker[1][0], marker.end()
    if kind not in ALONE and kind != EOI:
        length = int.from_bytes(data[end : end + 2], "big")
        if length < 2 or end + length > len(data):
            return None
        end += length
    return Segment(kind, marker.start(), end)


def _frame(data: bytes, segment: Segment) -> tuple[int, int, int, int]:
    start = data.find(segment.kind, segment.start) + 1
    bits, sides = data[start + 2 : start + 3], data[start + 3 : start + 7]
    height, width = int.from_bytes(sides[:2], "big"), int.from_bytes(sides[2:], "big")
    return segment.kind, int.from_bytes(bits, "big"), width, height


def _chain(data: bytes, place: int, seen: set[int], before: Sequence[Segment] = ()) -> list[Segment] | None:
    """Segments, each right behind the other, up to the first scan's header, with all that it needs.

    Args:
        data: the whole file.
        place: of the first.
        seen: places that other chains came by, and where this one need not go again; more are put into it.
        before: segments before them.
    """
    found: list[Segment] = []
    complete = False
    while place not in seen and len(found) < _LONGEST_CHAIN and (marker := _next(data, place)):
        segment = _segment(data, marker)
        if segment is None or segment.kind in ALONE or segment.kind == EOI:
            break
        found.append(segment)
        place = segment.end
        if data[place - 2 : place] == b"\xff\xd8":
            break  # what begins there is a thumbnail within the segment
        if segment.kind == SOS:
            kinds = {part.kind for part in (*before, *found)}
            complete = DQT in kinds and not kinds.isdisjoint(SOF)
            break
    if complete or not found or found[-1].kind != SOS:
        seen.update(segment.start for segment in found)
    return found if complete else None


def _behind_the_lie(data: bytes) -> list[_Way]:
    """Ways to go on behind the segment that lies about its length."""
    sound: list[Segment] = []
    place = 2
    while marker := _next(data, place):
        segment = _segment(data, marker)
        if segment is None or segment.kind in ALONE or segment.kind == EOI:
            sound.append(Segment(marker[1][0], marker.start(), marker.end()))
            break
        sound.append(segment)
        place = segment.end
        if data[place - 2 : place] == b"\xff\xd8":
            break
    # What has no segment behind it is the one that lies.
    while sound and not sound[-1].ancillary:
        sound.pop()
    if not sound:
        return []
    lying = sound.pop()
    return _behind(data, sound, lying)


def _behind(data: bytes, sound: list[Segment], lying: Segment) -> list[_Way]:
    """The chains of segments behind the start of one that lies, to the largest frame.

    Thumbnails have theirs, too, and what comes before the picture's tables may be the rest of a thumbnail.
    """
    seen: set[int] = set()
    best: list[Segment] = []
    most = 0
    starts = _IN_HEADERS.finditer(data, lying.start + 2, lying.start + _SEARCHED_BYTES)
    for start in islice(starts, _MOST_CHAINS):
        chain = _chain(data, start.start(), seen, sound)
        if chain is None or _is_thumbnail(data, chain, lying):
            continue
        if (area := _area(data, (*sound, *chain))) > most:
            best, most = chain, area
    if not best:
        return []
    # Another lie in the chain may have taken the first tables along.
    tables = _TABLES.finditer(data, lying.start + 2, best[-1].start)
    more = (_chain(data, start.start(), set(), sound) for start in islice(tables, _MOST_TABLES))
    chains = [best, *(chain for chain in more if chain and chain[-1] == best[-1] and chain[0] not in best)]
    return [([*sound, *chain[start:]], lying) for chain in chains for start in _starts(chain)]


def _starts(chain: list[Segment]) -> range:
    """Where in a chain the picture's own segments may begin: behind another frame, up to its own."""
    frames = [index for index, part in enumerate(chain) if part.kind in SOF]
    if not frames:
        return range(1)
    return range(frames[-2] + 1 if len(frames) > 1 else 0, frames[-1] + 1)


def _is_thumbnail(data: bytes, chain: list[Segment], lying: Segment) -> bool:
    """Whether a chain is a whole picture of its own in the first half of what is there."""
    if data[chain[0].start - 2 : chain[0].start] != b"\xff\xd8":
        return False
    if sum(part.kind in SOF for part in chain) > 1:
        return False
    claimed = lying.start + 2 + int.from_bytes(data[lying.start + 2 : lying.start + 4], "big")
    end = data.find(b"\xff\xd9", chain[-1].end)
    return claimed >= len(data) or 0 <= end < len(data) // 2


def _opens(segment: bytes, needed: bytes) -> bool:
    try:
        JpegImagePlugin.JpegImageFile(io.BytesIO(b"\xff\xd8" + segment + needed))
    except MemoryError:
        raise
    except Exception:
        return False
    return True
