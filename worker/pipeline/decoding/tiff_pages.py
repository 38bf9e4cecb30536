"""The pictures of a TIFF: which there are, which one is the photo, and a file of that one alone."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import TiffTags
from PIL.ExifTags import Base

from worker.pipeline.decoding.refusal import not_read

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

MAX_PAGES, MAX_WITHIN, MAX_TAGS = 4096, 256, 400_000
"""Most pictures, those within one, and tags of all of them, that are looked at: each takes time."""

_LAYOUT = (256, 257, 273, 277, 278, 279, 284, 322, 323, 324, 325)
_CODING = (258, 259, 262, 266, 292, 293, *range(317, 321), 339, 347, *range(512, 522), *range(529, 533))
_COLOURS = (301, 332, 334, 336, 338)
NEEDED = frozenset((*_LAYOUT, *_CODING, *_COLOURS))
"""Tags without which the pixels, or their colours, would be others."""

_WELCOME = (Base.Orientation, Base.InterColorProfile)

MASK = 4
"""The bit of `NewSubfileType` that says: a mask for another picture."""

READ = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32946, 34676, 34677, 34925, 50000, 50001))
"""Compressions that Pillow knows by number."""

_COMPRESSIONS = {
    **dict.fromkeys((9, 10, 34661), "JBIG"),
    **dict.fromkeys((33003, 33004, 33005, 34712), "JPEG 2000"),
    **dict.fromkeys((50002, 52546), "JPEG XL"),
    34887: "LERC",
    34933: "PNG",
    34934: "JPEG XR",
}
_MOSAIC, _LINEAR = 32803, 34892
"""Photometric interpretations of sensors' own values: one colour a pixel, or three."""
_RAW_COMPRESSIONS = frozenset((32767, 32769, 32770, 34713, 65000, 65535))
"""Of Sony, Epson, Samsung, Nikon, Kodak and Pentax."""
VALUE_BYTES = dict(enumerate((1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4), start=1)) | {16: 8, 17: 8, 18: 8}
"""Of each type's values."""
_LONG, WIDE, _MOST_WIDE = 4, (16, 18), 1_000_000
"""The type of 32 bits, those of 64, and most values of one tag that are made narrow."""
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}


@dataclass(frozen=True, slots=True)
class Tag:
    """One entry of a directory: its type, how many values, and where they lie."""

    kind: int
    count: int
    place: int
    entry: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """One picture: where its directory lies, and its tags by number."""

    place: int
    tags: dict[int, Tag]


@dataclass(frozen=True, slots=True)
class Tiff:
    """A file's header.

    Attributes:
        data: the whole file.
        order: `<` or `>`, of its numbers.
        big: whether it is a BigTIFF.
    """

    data: bytes
    order: str
    big: bool

    def first(self, page: Page, number: int, default: int = 0) -> int:
        """The first value of a tag of integers, or the default where there is none that can be read."""
        return next(iter(self.values(page, number, 1)), default)

    def values(self, page: Page, number: int, most: int) -> Sequence[int]:
        """The first values of a tag of integers, at most so many."""
        tag = page.tags.get(number)
        if tag is None or tag.kind not in _INTEGERS:
            return ()
        count = min(tag.count, most)
        code = f"{self.order}{count}{_INTEGERS[tag.kind]}"
        if tag.place + struct.calcsize(code) > len(self.data):
            return ()
        return struct.unpack_from(code, self.data, tag.place)

    def pages(self) -> list[Page]:
        """All pictures of the file, those within others behind them; loops end."""
        pages: list[Page] = []
        seen: set[int] = set()
        tags = 0
        waiting = deque([self._number(8 if self.big else 4, "Q" if self.big else "I")])
        while waiting and len(pages) < MAX_PAGES and tags < MAX_TAGS:
            place = waiting.popleft()
            if place in seen or not 0 < place < len(self.data):
                continue
            seen.add(place)
            page, following, count = self._page(place)
            pages.append(page)
            tags += count
            waiting.append(following)
            waiting += self.values(page, Base.SubIFDs, MAX_WITHIN)
        return pages

    def is_whole(self, tag: Tag) -> bool:
        """Whether a tag has values of a known type, and all of them lie in the file."""
        size = VALUE_BYTES.get(tag.kind)
        return size is not None and tag.count > 0 and tag.place + size * tag.count <= len(self.data)

    def size(self, page: Page) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.first(page, Base.ImageWidth), self.first(page, Base.ImageLength)

    def with_first(self, page: Page) -> bytes:
        """The file with that picture as its first."""
        if self.big and self.order == ">":  # Pillow takes none for one
            return self._classic(page)
        first = self._number(8 if self.big else 4, "Q" if self.big else "I")
        return self.data if page.place == first else self._pointing_to(page.place)

    def with_needed(self, page: Page) -> tuple[bytes, list[str]]:
        """The file with a first picture of needed tags alone, and the names of tags that are no good."""
        kept, bad = [], []
        for number, tag in sorted(page.tags.items()):
            sound = self.is_whole(tag)
            short = number != Base.Orientation or (tag.kind == 3 and tag.count == 1)
            if number in NEEDED or (number in _WELCOME and sound and short):
                kept.append(tag.entry)
            elif not sound:
                bad.append(number)
        names = [str(TiffTags.lookup(number).name) for number in bad[:5]]
        counts, place = ("Q", "Q") if self.big else ("H", "I")
        directory = (
            struct.pack(self.order + counts, len(kept)) + b"".join(kept) + struct.pack(self.order + place, 0)
        )
        padded = self.data + b"\0" * (-len(self.data) % 8)
        return Tiff(padded + directory, self.order, self.big)._pointing_to(len(padded)), names

    def _classic(self, page: Page) -> bytes:
        """The file as a TIFF of 32 bits with that picture alone: no photo is larger than these can be."""
        numbers = sorted(page.tags.keys() & NEEDED.union(_WELCOME))
        padded = self.data + b"\0" * (-len(self.data) % 8)
        entries, far = [], b""
        for number in numbers:
            tag = page.tags[number]
            kind, place, size = tag.kind, tag.place, VALUE_BYTES.get(tag.kind, 0) * tag.count
            if not self.is_whole(tag) or (kind in WIDE and tag.count > _MOST_WIDE):
                continue
            value = self.data[place : place + size] if size <= 4 else struct.pack(">I", place)
            if kind in WIDE:
                narrow = (each & 0xFFFFFFFF for each in self.values(page, number, tag.count))
                kind, value = _LONG, struct.pack(f">{tag.count}I", *narrow)
                if tag.count > 1:
                    place, far = len(padded) + len(far), far + value
                    value = struct.pack(">I", place)
            entries.append(struct.pack(">HHI", number, kind, tag.count) + value.ljust(4, b"\0"))
        directory = struct.pack(">H", len(entries)) + b"".join(entries) + bytes(4)
        start = b"MM\0*" + struct.pack(">I", len(padded) + len(far))
        return start + padded[len(start) :] + far + directory

    def _pointing_to(self, place: int) -> bytes:
        start, code = (8, "Q") if self.big else (4, "I")
        packed = struct.pack(self.order + code, place)
        return self.data[:start] + packed + self.data[start + len(packed) :]

    def _page(self, place: int) -> tuple[Page, int, int]:
        counts, size, inline = ("Q", 20, 8) if self.big else ("H", 12, 4)
        offset = "Q" if self.big else "I"
        start = place + struct.calcsize(counts)
        count = min(self._number(place, counts), 65535, max(0, (len(self.data) - start) // size))
        tags: dict[int, Tag] = {}
        for entry in range(start, start + count * size, size):
            number, kind = struct.unpack_from(self.order + "HH", self.data, entry)
            values = self._number(entry + 4, offset)
            at = entry + size - inline
            if VALUE_BYTES.get(kind, 1) * values > inline:
                at = self._number(at, offset)
            tags.setdefault(number, Tag(kind, values, at, self.data[entry : entry + size]))
        return Page(place, tags), self._number(start + count * size, offset), count

    def _number(self, place: int, code: str) -> int:
        if place + struct.calcsize(self.order + code) > len(self.data):
            return 0
        return int(struct.unpack_from(self.order + code, self.data, place)[0])


def read_header(data: bytes) -> Tiff | None:
    """The header of a file that begins with one of `SIGNATURES`; None for any other."""
    if data[:4] not in SIGNATURES:
        return None
    return Tiff(data, "<" if data[:2] == b"II" else ">", data[2:4] in (b"+\0", b"\0+"))


def is_of_a_sensor(tiff: Tiff) -> bool:
    """Whether one of its pictures is a sensor's own values: then the file is a camera's raw one."""
    return any(
        tiff.first(page, Base.PhotometricInterpretation) in (_MOSAIC, _LINEAR)
        or tiff.first(page, Base.Compression, 1) in _RAW_COMPRESSIONS
        for page in tiff.pages()
    )


def is_linear(tiff: Tiff) -> bool:
    """Whether a sensor's values are of three colours a pixel."""
    return any(tiff.first(page, Base.PhotometricInterpretation) == _LINEAR for page in tiff.pages())


def photo_of(tiff: Tiff) -> tuple[Page | None, list[str]]:
    """The largest picture, of several the first one, and sentences on the others.

    Raises:
        Unreadable: `unsupported_format` for compressions that no decoder at hand knows.
    """
    pages = [page for page in tiff.pages() if all(tiff.size(page))]
    pages = [page for page in pages if not tiff.first(page, Base.NewSubfileType) & MASK]
    if not pages:
        return None, []
    sizes = [width * height for width, height in map(tiff.size, pages)]
    photo = pages[sizes.index(max(sizes))]
    compression = tiff.first(photo, Base.Compression, 1)
    if compression not in READ:
        name = _COMPRESSIONS.get(compression, f"compression {compression}")
        raise not_read(f"TIFF with {name}")
    notes = [
        f"the tag {TiffTags.lookup(number).name} is damaged and was ignored"
        for number in _WELCOME
        if number in photo.tags and not tiff.is_whole(photo.tags[number])
    ]
    if photo is not pages[0]:
        notes.append(f"the largest of {len(pages)} images in the file was analysed")
    return photo, notes


def of_photo(data: bytes) -> tuple[bytes, list[str]]:
    """The file with its photo as its first picture, and sentences on the others.

    Raises:
        Unreadable: see `photo_of`.
    """
    tiff = read_header(data)
    if tiff is None:
        return data, []
    photo, notes = photo_of(tiff)
    return (data if photo is None else tiff.with_first(photo)), notes


def mended(data: bytes) -> tuple[bytes, list[str]] | None:
    """The file with needed tags alone, and sentences on those that were left out."""
    tiff = read_header(data)
    if tiff is None:
        return None
    page, _ = photo_of(tiff)
    if page is None:
        return None
    whole, names = tiff.with_needed(page)
    notes = [f"the tag {name} is damaged and was ignored" for name in names]
    return whole, notes or ["tags that say nothing of the pixels could not be read and were ignored"]
