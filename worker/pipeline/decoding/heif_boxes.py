"""The boxes of a HEIF or AVIF, put in order where their lengths lie."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FULL = 4
"""Bytes of version and flags."""

_TOP = b"ftyp meta mdat moov free skip uuid mpvd sefd"
_INSIDE = {
    b"meta": (_FULL, b"hdlr pitm iloc iinf iref iprp idat dinf ipro grpl uuid free skip"),
    b"iinf": (_FULL + 2, b"infe"),
    b"iref": (_FULL, b"cdsc thmb auxl dimg dpnd base prem exbl iloc font mint tbas fdel"),
    b"iprp": (0, b"ipco ipma free skip"),
    b"ipco": (
        0,
        b"ispe hvcC av1C colr pixi irot imir clap pasp auxC clli mdcv cclv amve lsel a1op a1lx rloc udes lhvC"
        b" altt iscl rrtp wipe crtt mdft subs tols jpgC j2kH uncC cmpd free skip",
    ),
}
"""Of each box that has others in it: where these begin behind its name, and how they may be called."""

_ANYWHERE = (b"free", b"skip", b"uuid")
_NAME = re.compile(rb"[A-Za-z0-9]{3}[A-Za-z0-9 ]")
_HEAD = 8
_MOST_BOXES, _MOST_LIES = 20_000, 60
_PRICE = 500
"""Bytes that can be searched in the time in which one place is looked at."""


def in_order(data: bytes) -> tuple[bytes, list[str]] | None:
    """The file with each length leading to the next box, and a sentence on each that did not; None: all did.

    No byte moves, for places in the file are counted from its start.
    """
    boxes = _Boxes(bytearray(data))
    boxes.walk(0, len(data), _TOP.split(), top=True)
    if not boxes.wrong:
        return None
    return bytes(boxes.data), [
        f"the length of its box {name} is wrong" for name in dict.fromkeys(boxes.wrong)
    ]


class _Boxes:
    def __init__(self, data: bytearray) -> None:
        self.data = data
        self.wrong: list[str] = []
        self._left = _MOST_BOXES
        self._to_search = 2 * len(data) + 100 * _PRICE

    def walk(self, place: int, end: int, names: list[bytes], *, top: bool = False) -> None:
        """Put the boxes in order that lie there, and those in them.

        Args:
            place: of the first.
            end: of the last.
            names: that they may have; others are passed where their lengths are right.
            top: whether they lie in no other.
        """
        while place + _HEAD <= end and self._left and len(self.wrong) < _MOST_LIES:
            self._left -= 1
            name = bytes(self.data[place + 4 : place + _HEAD])
            following = self._following(place, end, names)
            if following is None:
                following = self._next(place, end, names)
                if self.data[place : place + 4] != bytes(4) or following < end or not top:
                    length = following - place
                    if length >= 1 << 32:
                        return
                    self.data[place : place + 4] = length.to_bytes(4, "big")
                    self.wrong.append(name.decode("ascii") if _NAME.fullmatch(name) else "of no name")
            if name in _INSIDE:
                skipped, inside = _INSIDE[name]
                if name == b"iinf" and self.data[place + _HEAD : place + _HEAD + 1] != b"\0":
                    skipped += 2  # a longer count
                self.walk(place + _HEAD + skipped, following, inside.split())
            place = following

    def _following(self, place: int, end: int, names: list[bytes]) -> int | None:
        """Where the box ends that begins there, if another one begins there or nothing does."""
        following = self._end(place, end)
        if following is None or following == end:
            return following
        name = bytes(self.data[following + 4 : following + _HEAD])
        if name in names:
            return following
        # Where the next one is unknown, this one lies if another begins within it.
        own = [known for known in names if known not in _ANYWHERE]
        if not _NAME.fullmatch(name) or any(
            self._end(start, end) for start in self._known(place, following, own)
        ):
            return None
        return following

    def _end(self, place: int, most: int) -> int | None:
        """Where the box ends by its length, where that can be."""
        length, head = int.from_bytes(self.data[place : place + 4], "big"), _HEAD
        if length == 1:
            length, head = int.from_bytes(self.data[place + 8 : place + 16], "big"), 16
        return place + length if head <= length <= most - place else None

    def _next(self, place: int, end: int, names: list[bytes]) -> int:
        """Where the next box begins whose name is known and whose length is right; else the end."""
        for start in self._known(place, end, names):
            following = self._end(start, end)
            name = b"" if following is None else bytes(self.data[following + 4 : following + _HEAD])
            if following == end or name in names or _NAME.fullmatch(name):
                return start
        return end

    def _known(self, place: int, end: int, names: list[bytes]) -> Iterator[int]:
        """Where others may begin within the box there, as far as the search may still go."""
        end = min(end, place + self._to_search)
        begun = place
        for found in re.compile(b"|".join(names)).finditer(self.data, place + _HEAD + 4, end):
            self._to_search -= found.start() - begun + _PRICE
            begun = found.start()
            yield found.start() - 4
            if self._to_search <= 0:
                return
        self._to_search -= max(0, end - begun)
