"""A zip's directory: found at the file's end, and read in a stream, an entry at a time.

Numbers in brackets are sections of APPNOTE.TXT, the format's description.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput

ENCRYPTED, UTF_8 = 0x1, 0x800
"""Flags of a member (4.4.4)."""

_TAIL_BYTES = 256 * 1024
"""Where the end's record is looked for: behind it may stand a comment of 64 kB, and what was appended."""

_MOST_TRIED = 64
_BLOCK_BYTES = 256 * 1024
"""Read of the directory at once; the longest entry has 197 kB."""

_END = struct.Struct("<4s4H2LH")  # 4.3.16
_END_64_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
_END_64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_ENTRY = struct.Struct("<4s2B5H3L5H2L")  # 4.3.12
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF
_ZIP_64, _UNICODE_PATH = 0x0001, 0x7075
_DOS_LIKE = frozenset({0, 6, 10, 11, 14})
"""Systems of the writer (4.4.2) whose names without a flag are in its DOS code page."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the directory lies.

    Attributes:
        start: of its first entry, in the file.
        size_bytes: of all entries.
        entries: how many it is said to have.
        shift: what is to be added to the members' offsets: bytes in front of the zip, of a self-extractor.
    """

    start: int
    size_bytes: int
    entries: int
    shift: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What the directory says of one member.

    Attributes:
        raw_name: as it is written.
        name: what it says; bytes that are no text are surrogates.
        host: system of the writer.
        flags: see `ENCRYPTED`.
        method: how it is packed.
        crc: of its bytes.
        packed_bytes: in the file.
        size_bytes: unpacked.
        offset: of its own header, in the file.
        attributes: external ones: Unix mode, and DOS bits.
        broken: why it cannot be read; None when it can.
    """

    raw_name: bytes
    name: str
    host: int
    flags: int
    method: int
    crc: int
    packed_bytes: int
    size_bytes: int
    offset: int
    attributes: int
    broken: str | None


def find_directory(file: BinaryIO) -> Directory:
    """Find the directory by the records at the end, the last that fit.

    Raises:
        InvalidInput: `unreadable_archive`; `unsupported_archive` for a part of a split zip.
    """
    file.seek(0, 2)
    end = file.tell()
    tail_at = max(0, end - _TAIL_BYTES)
    file.seek(tail_at)
    tail = file.read(_TAIL_BYTES)
    error = unreadable("its directory is not there; it may be cut off, or the first part of a split zip")
    for at in _ends(tail):
        try:
            return _directory_before(file, tail_at + at, _END.unpack_from(tail, at), file_end=end)
        except InvalidInput as why:
            if why.code == Code.UNSUPPORTED_ARCHIVE:
                raise
            error = why
    file.seek(0)
    if file.read(4) == b"PK\x07\x08":
        raise _split()
    raise error


def has_directory(file: BinaryIO) -> bool:
    """Whether a file that begins as anything ends as a zip, or as a part of one."""
    try:
        find_directory(file)
    except InvalidInput as error:
        return error.code == Code.UNSUPPORTED_ARCHIVE
    return True


def _ends(tail: bytes) -> list[int]:
    """Where end records may be: first those whose comment ends with the file, from the last on."""
    found: list[tuple[bool, int]] = []
    at = len(tail)
    while len(found) < _MOST_TRIED and (at := tail.rfind(b"PK\x05\x06", 0, at)) >= 0:
        if len(tail) - at >= _END.size:
            comment_bytes = int.from_bytes(tail[at + 20 : at + 22], "little")
            found.append((at + _END.size + comment_bytes != len(tail), at))
    return [at for _, at in sorted(found, key=lambda one: (one[0], -one[1]))]


def _directory_before(file: BinaryIO, end_at: int, record: tuple[int, ...], *, file_end: int) -> Directory:
    _, disk, first_disk, _, entries, size_bytes, offset, comment_bytes = record
    directory_end = end_at
    if (found := _of_zip_64(file, end_at)) is not None:
        directory_end, disk, first_disk, *large = found
        for plain, full, wide in zip(
            (entries, size_bytes, offset), (_FULL_16, _FULL_32, _FULL_32), large, strict=True
        ):
            if plain not in (full, wide & full):
                raise unreadable("its end and its zip64 record disagree")
        entries, size_bytes, offset = large
    if disk or first_disk:
        raise _split()
    whole = end_at + _END.size + comment_bytes == file_end
    for start in (directory_end - size_bytes, offset):
        if start < 0 or start + size_bytes > directory_end or start < offset:
            continue
        if start != offset and not whole:
            # Bytes in front and behind: more likely a zip within one that was cut off.
            continue
        file.seek(start)
        if size_bytes == 0 or file.read(4) == b"PK\x01\x02":
            return Directory(start, size_bytes, entries, start - offset)
    raise unreadable("its directory is not where it should be")


def _of_zip_64(file: BinaryIO, end_at: int) -> tuple[int, int, int, int, int, int] | None:
    """Place, disk, first disk, entries, bytes and offset by the zip64 record; None without one."""
    locator_at = end_at - _END_64_LOCATOR.size
    if locator_at < _END_64.size:
        return None
    file.seek(locator_at)
    signature, disk, offset, disks = _END_64_LOCATOR.unpack(file.read(_END_64_LOCATOR.size))
    if signature != b"PK\x06\x07":
        return None
    if disks > 1 or disk:
        raise _split()
    # It may be longer than the least, and there may be something in front of the zip.
    back = min(locator_at, 64 * 1024)
    file.seek(locator_at - back)
    before = file.read(back)
    at = back
    tried = 0
    while tried < _MOST_TRIED and (at := before.rfind(b"PK\x06\x06", 0, at)) >= 0:
        tried += 1
        if back - at < _END_64.size:
            continue
        _, record_bytes, _, _, disk, first_disk, _, entries, size_bytes, offset = _END_64.unpack_from(
            before, at
        )
        if record_bytes + 12 == back - at:
            return locator_at - back + at, disk, first_disk, entries, size_bytes, offset
    raise unreadable("its zip64 record is not where it should be")


def read_entries(file: BinaryIO, directory: Directory, first: int = 0) -> Iterator[Entry]:
    """Every entry from `first` on; the file may be used elsewhere between two of them.

    Raises:
        InvalidInput: `unreadable_archive`.
    """
    at, end = directory.start, directory.start + directory.size_bytes
    block, block_at, number = b"", at, 0
    while at < end:
        here = at - block_at
        if not _holds_entry(block, here):
            file.seek(at)
            block, block_at, here = file.read(min(_BLOCK_BYTES, end - at)), at, 0
        if block[here : here + 4] != b"PK\x01\x02" or not _holds_entry(block, here):
            raise unreadable("its directory is damaged")
        size_bytes = _entry_bytes(block, here)
        if number >= first:
            yield _entry(block[here : here + size_bytes], directory)
        at += size_bytes
        number += 1


def _entry_bytes(block: bytes, at: int) -> int:
    name_bytes, extra_bytes, comment_bytes = struct.unpack_from("<3H", block, at + 28)
    return _ENTRY.size + int(name_bytes + extra_bytes + comment_bytes)


def _holds_entry(block: bytes, at: int) -> bool:
    return len(block) - at >= _ENTRY.size and len(block) - at >= _entry_bytes(block, at)


def _entry(data: bytes, directory: Directory) -> Entry:
    fields = _ENTRY.unpack_from(data)
    host, flags, method, crc = fields[2], fields[4], fields[5], fields[8]
    packed, size, name_bytes, extra_bytes = fields[9], fields[10], fields[11], fields[12]
    disk, attributes, offset = fields[14], fields[16], fields[17]
    raw_name = data[_ENTRY.size : _ENTRY.size + name_bytes]
    extra = data[_ENTRY.size + name_bytes : _ENTRY.size + name_bytes + extra_bytes]
    broken = None
    try:
        size, packed, offset = wide_numbers(extra, size, packed, offset)
    except ValueError as error:
        broken = str(error)
    if disk not in (0, _FULL_16):
        broken = "it lies in another part of a split zip"
    return Entry(
        raw_name,
        name_of(raw_name, flags, host, extra),
        host,
        flags,
        method,
        crc,
        packed,
        size,
        offset + directory.shift,
        attributes,
        broken,
    )


def wide_numbers(extra: bytes, *numbers: int) -> tuple[int, ...]:
    """Each number, or what the zip64 field has in its place where it is full (4.5.3).

    Raises:
        ValueError: it is full, and the field is too short or not there.
    """
    wide = extra_field(extra, _ZIP_64) or b""
    found = []
    for number in numbers:
        if number == _FULL_32:
            if len(wide) < 8:
                raise ValueError("its zip64 field is too short")
            number, wide = int.from_bytes(wide[:8], "little"), wide[8:]
        found.append(number)
    return tuple(found)


def extra_field(extra: bytes, wanted: int) -> bytes | None:
    """The content of the first such field (4.5.1), None without one."""
    at = 0
    while at + 4 <= len(extra):
        kind, size_bytes = struct.unpack_from("<2H", extra, at)
        if kind == wanted:
            return extra[at + 4 : at + 4 + size_bytes]
        at += 4 + size_bytes
    return None


def name_of(raw: bytes, flags: int, host: int, extra: bytes = b"") -> str:
    """A member's name as Info-ZIP and 7-Zip read it.

    UTF-8 where a flag or a field of its own says so, and where it is that without a word, as macOS writes
    it; else the old code page of DOS where the writer was such a system. What is left are bytes of a code
    page that nobody knows: they become surrogates, as in a tar or a folder.
    """
    field = extra_field(extra, _UNICODE_PATH)
    if field and not flags & UTF_8 and field[0] == 1 and field[1:5] == zlib.crc32(raw).to_bytes(4, "little"):
        raw, flags = field[5:], flags | UTF_8
    raw = raw.partition(b"\0")[0]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        dos = host in _DOS_LIKE and not flags & UTF_8
        return raw.decode("cp437") if dos else raw.decode("utf-8", "surrogateescape")


def unreadable(reason: str) -> InvalidInput:
    """A zip that cannot be read as a whole."""
    return InvalidInput(Code.UNREADABLE_ARCHIVE, f"the zip archive cannot be read: {reason}")


def _split() -> InvalidInput:
    message = (
        "the archive is one part of a split zip: join the parts first (`zip -s 0 parts.zip --out whole.zip`)"
    )
    return InvalidInput(Code.UNSUPPORTED_ARCHIVE, message)
