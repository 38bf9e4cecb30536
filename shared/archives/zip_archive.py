"""Zip archives: their directory checked as a whole before it is believed, then members at any place."""

from __future__ import annotations

import stat
import struct
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.errors import Unreadable
from nightshift.words.pairs import Pairs, PairsWish
from nightshift.words.zip_directory import (
    ENCRYPTED,
    UTF_8,
    Entry,
    find_directory,
    name_of,
    read_entries,
    wide_numbers,
)
from shared.archives.member import (
    CHUNK_BYTES,
    FIRST_CHUNK_BYTES,
    Form,
    Limits,
    Member,
    judged,
    over_limit,
    unless_paired,
)

_LOCAL = struct.Struct("<4s5H3L2H")  # APPNOTE.TXT 4.3.7
_STORED, _DEFLATED, _AES = 0, 8, 99
_SIZES_FOLLOW = 0x8
"""Flag: sizes and checksum stand behind the data, and in the directory."""

_METHODS = {
    1: "Shrink", 6: "Implode", 9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ",
    96: "a method for JPEG", 98: "PPMd",
}  # fmt: skip
_DOS_FOLDER = 0x10
_OVERHEAD_BYTES = 64 * 1024


class ZipArchive:
    """A zip file whose directory can be true.

    Members' bytes may not overlap: what they unpack to is held against bytes that are there, each once.

    Args:
        file: of the archive, seekable.
        limits: what it may have.
        pairs: what becomes of RAW+JPEG of one name.

    Raises:
        InvalidInput: `unreadable_archive`, `unsupported_archive`, `archive_limit`.
    """

    def __init__(self, file: BinaryIO, limits: Limits, pairs: PairsWish = "both") -> None:
        self._file = file
        self._wish = pairs
        self._pairs = Pairs()
        self._limits = limits
        self._directory = find_directory(file)
        limits.check_count(self._directory.entries)
        if self._directory.size_bytes > limits.directory_bytes:
            raise over_limit(
                f"a directory of {self._directory.size_bytes:,} bytes; it may have {limits.directory_bytes:,}"
            )
        self._starts = self._check_entries()

    def members(self, first: int = 0) -> Iterator[Member]:
        """Every member from position `first`, in the directory's order."""
        for position, entry in enumerate(read_entries(self._file, self._directory, first), first):
            yield self._member(position, entry)

    def _check_entries(self) -> array[int]:
        """Go through all entries, keeping a few numbers of each; returns where members begin, in order."""
        starts, ends = array("Q"), array("Q")
        size_bytes = packed_bytes = count = 0
        for entry in read_entries(self._file, self._directory):
            count += 1
            self._limits.check_count(count)
            end = _least_end(entry)
            if entry.broken or end > self._directory.start:
                continue  # fails alone
            # An empty one is no picture that its raw file could be left alone for.
            if self._wish != "both" and entry.size_bytes:
                self._pairs.add(entry.name)
            starts.append(entry.offset)
            ends.append(end)
            size_bytes += entry.size_bytes
            packed_bytes += entry.packed_bytes
        in_order = sorted(range(len(starts)), key=starts.__getitem__)
        for before, after in pairwise(in_order):
            if ends[before] > starts[after]:
                raise over_limit(
                    "members that lie over each other, so that the same bytes would be unpacked twice"
                )
        self._limits.check_size(size_bytes, packed_bytes)
        return array("Q", (starts[index] for index in in_order))

    def _member(self, position: int, entry: Entry) -> Member:
        member = Member(
            position,
            entry.name,
            entry.size_bytes,
            entry.packed_bytes,
            _why_not(entry),
            chunks=lambda: self._chunks(entry),
        )
        return unless_paired(
            judged(member, _form_of(entry), self._limits), entry.name, self._pairs, self._wish
        )

    def _chunks(self, entry: Entry) -> Iterator[bytes]:
        """Its bytes, as many as are declared, and no others than the checksum says."""
        at = self._data_at(entry)
        packed = self._packed(at, entry.packed_bytes)
        size_bytes, crc = 0, 0
        for chunk in packed if entry.method == _STORED else _inflated(packed):
            size_bytes += len(chunk)
            if size_bytes > entry.size_bytes:
                raise _damaged("it has more bytes than it says")
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if size_bytes != entry.size_bytes:
            raise _damaged("it is cut off")
        if crc != entry.crc:
            raise _damaged("its checksum is wrong")

    def _data_at(self, entry: Entry) -> int:
        """Where its data begins, by its own header, which must agree with the directory."""
        if _least_end(entry) > self._directory.start:
            raise _damaged("it is not there: the archive is shorter")
        self._file.seek(entry.offset)
        header = self._file.read(_LOCAL.size)
        if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
            raise _damaged("its header is not where it should be")
        _, _, flags, method, _, _, _, packed, size, name_bytes, extra_bytes = _LOCAL.unpack(header)
        name = self._file.read(name_bytes)
        extra = self._file.read(extra_bytes)
        if method != entry.method or (flags ^ entry.flags) & ENCRYPTED:
            raise _damaged("its header and the directory disagree on how it is packed")
        if name != entry.raw_name and name_of(name, flags & UTF_8, entry.host, extra) != entry.name:
            raise _damaged("its header and the directory disagree on its name")
        try:
            size, packed = wide_numbers(extra, size, packed)
        except ValueError as error:
            raise _damaged(str(error)) from error
        told = (size, packed)
        # Who writes without knowing them leaves zeros, with the flag that says so or without.
        if not flags & _SIZES_FOLLOW and any(told) and told != (entry.size_bytes, entry.packed_bytes):
            raise _damaged("its header and the directory disagree on its size")
        at = entry.offset + _LOCAL.size + int(name_bytes + extra_bytes)
        following = bisect_right(self._starts, entry.offset)
        end = self._starts[following] if following < len(self._starts) else self._directory.start
        if at + entry.packed_bytes > end:
            raise _damaged("it reaches into what follows it")
        return at

    def _packed(self, at: int, size_bytes: int) -> Iterator[bytes]:
        end, most = at + size_bytes, FIRST_CHUNK_BYTES
        while at < end:
            self._file.seek(at)
            chunk, most = self._file.read(min(most, end - at)), CHUNK_BYTES
            if not chunk:
                raise _damaged("it is cut off")
            at += len(chunk)
            yield chunk


def _least_end(entry: Entry) -> int:
    """Where it ends at the earliest: its header may have more, which is looked at when it is read."""
    return entry.offset + _LOCAL.size + len(entry.raw_name) + entry.packed_bytes


def _inflated(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Unpacked in pieces of a bounded size, whatever the data would give at once."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for piece in packed:
            while True:
                if chunk := unpacker.decompress(piece, CHUNK_BYTES):
                    yield chunk
                piece = unpacker.unconsumed_tail
                if unpacker.eof:
                    return
                if not piece:
                    break
        # What one bounded call left inside.
        while not unpacker.eof and (chunk := unpacker.decompress(b"", CHUNK_BYTES)):
            yield chunk
    except zlib.error as error:
        raise _damaged(f"it cannot be unpacked: {error}") from error
    if not unpacker.eof:
        raise _damaged("it is cut off")


def _why_not(entry: Entry) -> PhotoError | None:
    """Why the directory alone says that it cannot be read."""
    if entry.broken:
        return PhotoError.of(Code.ARCHIVE_MEMBER_DAMAGED, "read", entry.broken)
    if entry.flags & ENCRYPTED or entry.method == _AES:
        return PhotoError.of(
            Code.ARCHIVE_ENCRYPTED, "read", "it is encrypted; unpack it with its password first"
        )
    if entry.method not in (_STORED, _DEFLATED):
        name = _METHODS.get(entry.method, f"method {entry.method}")
        message = f"it is packed by {name}; stored and deflated members are read: pack it anew as a plain zip"
        return PhotoError.of(Code.ARCHIVE_MEMBER_UNSAFE, "read", message)
    if entry.packed_bytes > 2 * entry.size_bytes + _OVERHEAD_BYTES:
        return PhotoError.of(Code.ARCHIVE_MEMBER_DAMAGED, "read", "it is packed to far more than its size")
    return None


def _damaged(reason: str) -> Unreadable:
    return Unreadable(Code.ARCHIVE_MEMBER_DAMAGED, reason)


def _form_of(entry: Entry) -> Form:
    mode = entry.attributes >> 16
    empty = entry.size_bytes == 0
    if entry.name.endswith("/") or stat.S_ISDIR(mode):
        return "folder"
    if empty and (entry.name.endswith("\\") or entry.attributes & _DOS_FOLDER):
        return "folder"
    if stat.S_ISLNK(mode):
        return "link"
    return "device" if stat.S_IFMT(mode) not in (0, stat.S_IFREG) else "file"
