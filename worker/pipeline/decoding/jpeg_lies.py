"""Segments of a JPEG that lie about their length or cannot be read, and a file without those."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence, Set
from itertools import islice

from PIL import JpegImagePlugin

from worker.pipeline.decoding.jpeg_segments import ALONE, DQT, EOI, SOF, SOS, Segment, frame_of, segment_at

_FILLED_MARKER = re.compile(rb"\0{0,100000}+\xff{1,100000}+([^\x00\xff])")
_IN_HEADERS = re.compile(rb"\xff[\xc0-\xcf\xda-\xdf\xe0-\xef\xfe]")
_TABLES = re.compile(rb"\xff\xdb")
_HIDDEN = re.compile(rb"\xff[\xd8\xdb]")
_SEARCHED_BYTES = 4_000_000
"""How far behind a segment that lies the next one is looked for."""
_LONGEST_CHAIN, _MOST_CHAINS = 600, 3000
"""Segments, and chains of them that are followed; the largest colour profiles fill 255."""
MOST_FOLLOWED = 100_000
"""Segments of all the chains of a file."""
_MOST_TABLES, _MOST_WAYS = 32, 30
"""Most places behind a lie that are tried, each for a part of the time that decoding takes; and most segments
behind which they are looked for."""
_SMALLEST = b"\xff\xc0\0\x0b\x08\0\x01\0\x01\x01\x01\x11\0" + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0"
"""A frame and a scan, for Pillow to open a segment with."""
_MOST_TRIED = 100
"""Most segments that are tried one by one; of more, none is kept but those that carry the picture."""

_Way = tuple[list[Segment], Segment | None]
"""Segments to go by, and the one that is left out since it lies."""


def without_damaged(data: bytes) -> Iterator[tuple[bytes, list[str]]]:
    """The file without the ancillary segments that cannot be read, and their names; nothing if all can.

    Where a segment lies about its length, there may be several places where the next one begins.
    """
    found = _chain(data, 2, _Followed())
    ways = _behind_the_lie(data) if found is None else _around(data, found)
    opened: dict[Segment, bool] = {}
    for around, lying in islice(ways, _MOST_WAYS):
        sound = set()
        for part in islice((part for part in around if part.ancillary), _MOST_TRIED):
            if part not in opened:
                opened[part] = _opens(data[part.start : part.end])
            if opened[part]:
                sound.add(part)
        damaged = [part for part in around if part.ancillary and part not in sound]
        if not damaged and lying is None:
            continue
        whole = b"".join(
            data[part.start : part.end] for part in around if not part.ancillary or part in sound
        )
        names = [part.name for part in ([lying] if lying else []) + damaged]
        yield data[:2] + whole + data[around[-1].end :], list(dict.fromkeys(names))


def are_in_order(data: bytes) -> bool:
    """Whether each segment's length leads to the next, up to the first scan, and not into a thumbnail."""
    found = _chain(data, 2, _Followed())
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
    ways = _behind(data, found[: found.index(before)], before, _Followed())
    return all(_area(data, way) <= own for way, _ in ways)


def _area(data: bytes, chain: Sequence[Segment]) -> int:
    _, _, width, height = frame_of(data, [part for part in chain if part.kind in SOF][-1])
    return width * height


def _next(data: bytes, place: int) -> re.Match[bytes] | None:
    """The marker there, or behind the zeros that some cameras put between segments."""
    return _FILLED_MARKER.match(data, place)


class _Followed:
    """What has been looked at of a file's chains, and how many segments of all of them still may be."""

    def __init__(self) -> None:
        self.left = MOST_FOLLOWED
        self.seen: set[int] = set()


def _chain(
    data: bytes, place: int, followed: _Followed, before: Set[int] = frozenset()
) -> list[Segment] | None:
    """Segments, each right behind the other, up to the first scan's header, with all that it needs.

    Args:
        data: the whole file.
        place: of the first.
        followed: where other chains came by, and this one need not go again; its own places are put into it.
        before: kinds of the segments before them.
    """
    found: list[Segment] = []
    complete = False
    while place not in followed.seen and len(found) < _LONGEST_CHAIN and followed.left > 0:
        followed.left -= 1
        if (marker := _next(data, place)) is None:
            break
        segment = segment_at(data, marker)
        if segment is None or segment.kind in ALONE or segment.kind == EOI:
            break
        found.append(segment)
        place = segment.end
        if data[place - 2 : place] == b"\xff\xd8":
            break  # what begins there is a thumbnail within the segment
        if segment.kind == SOS:
            kinds = {part.kind for part in found} | before
            complete = DQT in kinds and not kinds.isdisjoint(SOF)
            break
    if complete or not found or found[-1].kind != SOS:
        followed.seen.update(segment.start for segment in found)
    return found if complete else None


def _behind_the_lie(data: bytes) -> Iterator[_Way]:
    """Ways to go on behind the segment that lies about its length."""
    sound: list[Segment] = []
    place = 2
    while len(sound) < _LONGEST_CHAIN and (marker := _next(data, place)):
        segment = segment_at(data, marker)
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
    return _behind(data, sound[:-1], sound[-1], _Followed()) if sound else iter(())


def _around(data: bytes, found: list[Segment]) -> Iterator[_Way]:
    """A chain itself, and what is behind those of its segments that may hide another's beginning.

    One that ends where another does takes the tables along that lie between.
    """
    yield found, None
    followed = _Followed()
    hiding = (
        index
        for index, part in enumerate(found)
        if part.ancillary and _HIDDEN.search(data, part.start + 2, part.end)
    )
    for index in islice(hiding, _MOST_WAYS):
        followed.seen.clear()  # what is complete depends on what is before
        yield from _behind(data, found[:index], found[index], followed)


def _behind(data: bytes, sound: list[Segment], lying: Segment, followed: _Followed) -> Iterator[_Way]:
    """The chains of segments behind the start of one that lies, to the largest frame.

    Thumbnails have theirs, too, and what comes before the picture's tables may be the rest of a thumbnail.
    """
    best: list[Segment] = []
    most = 0
    before = {part.kind for part in sound}
    frames = [part for part in sound if part.kind in SOF][-1:]
    starts = _IN_HEADERS.finditer(data, lying.start + 2, lying.start + _SEARCHED_BYTES)
    end_in_first_half = data.rfind(b"\xff\xd9", 0, len(data) // 2 + 1)
    for start in islice(starts, _MOST_CHAINS):
        found = _chain(data, start.start(), followed, before)
        if found is None or _is_thumbnail(data, found, lying, end_in_first_half):
            continue
        if (area := _area(data, (*frames, *found))) > most:
            best, most = found, area
    if not best:
        return
    # Another lie in the chain may have taken the first tables along.
    tables = _TABLES.finditer(data, lying.start + 2, best[-1].start)
    chains = [best]
    for start in islice(tables, _MOST_TABLES):
        followed.seen.clear()
        more = _chain(data, start.start(), followed, before)
        if more and more[-1] == best[-1] and more[0] not in best:
            chains.append(more)
    for each in chains:
        for first in _starts(each):
            yield [*sound, *each[first:]], lying


def _starts(chain: list[Segment]) -> range:
    """Where in a chain the picture's own segments may begin: behind another frame, up to its own."""
    frames = [index for index, part in enumerate(chain) if part.kind in SOF]
    if not frames:
        return range(1)
    return range(frames[-2] + 1 if len(frames) > 1 else 0, frames[-1] + 1)


def _is_thumbnail(data: bytes, chain: list[Segment], lying: Segment, end_in_first_half: int) -> bool:
    """Whether a chain is a whole picture of its own in the first half of what is there."""
    if data[chain[0].start - 2 : chain[0].start] != b"\xff\xd8":
        return False
    if sum(part.kind in SOF for part in chain) > 1:
        return False
    claimed = lying.start + 2 + int.from_bytes(data[lying.start + 2 : lying.start + 4], "big")
    return claimed >= len(data) or end_in_first_half >= chain[-1].end


def _opens(segment: bytes) -> bool:
    try:
        JpegImagePlugin.JpegImageFile(io.BytesIO(b"\xff\xd8" + segment + _SMALLEST))
    except MemoryError:
        raise
    except Exception:
        return False
    return True
