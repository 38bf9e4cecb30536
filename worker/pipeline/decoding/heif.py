"""The items of a HEIF or AVIF: what else than pictures may be left out, and what codecs they need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from worker.pipeline.decoding import heif_boxes

_ITEM = re.compile(rb"(infe[\x02\x03]...(?:..|....)..)(Exif|mime)", re.DOTALL)
"""Where a file says that one of its items is metadata."""
_PROFILE = re.compile(rb"colr(?!nclx)")
_CODED = re.compile(rb"infe[\x02\x03]...(?:..|....)..([a-z0-9]{4})", re.DOTALL)
_SEARCHED_BYTES = 1_000_000

_CODECS = {
    "vvc1": "VVC",
    "evc1": "EVC",
    "avc1": "AVC",
    "jpeg": "JPEG",
    "j2k1": "JPEG 2000",
    "unci": "uncompressed pixels",
    "hvc1": "HEVC",
    "av01": "AV1",
}
_NAMES = {b"mime": "XMP", b"Exif": "EXIF"}
_COLOUR = b"colr"


def is_heif(data: bytes) -> bool:
    """Whether the file begins like one of its family."""
    return data[4:8] == b"ftyp"


def mended(data: bytes) -> Iterator[tuple[bytes, list[str]]]:
    """Files whose boxes are in order and, of those, some whose metadata has names that no decoder looks at.

    With sentences on it; the least change first. No byte moves, for places are counted from the file's start.
    """
    said: list[str] = []
    if (in_order := heif_boxes.in_order(data)) is not None:
        yield in_order
        data, said = in_order
    head, rest = data[:_SEARCHED_BYTES], memoryview(data)[_SEARCHED_BYTES:]
    there = [kind for kind in _NAMES if any(found[2] == kind for found in _ITEM.finditer(head))]
    if _PROFILE.search(head):
        there.append(_COLOUR)
    for count in range(1, len(there) + 1):
        for kinds in combinations(there, count):
            changed = _ITEM.sub(lambda item: item[1] + b"skip" if item[2] in kinds else item[0], head)  # noqa: B023
            if _COLOUR in kinds:
                changed = _PROFILE.sub(b"free", changed)
            notes = said + [
                f"its {_NAMES.get(kind, 'colour profile')} could not be read and was ignored"
                for kind in kinds
            ]
            yield b"".join((changed, rest)), notes


def codec(data: bytes) -> str | None:
    """The codec of the file's pictures, where only one is there and it is known by name."""
    kinds = {found[1].decode("ascii") for found in _CODED.finditer(data[:_SEARCHED_BYTES])}
    named = [_CODECS[kind] for kind in sorted(kinds) if kind in _CODECS]
    return named[0] if len(named) == 1 else None
