"""Zip archives: the directory at their end, checked before it is read, then members at any place."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from shared.archives.member import CHUNK_BYTES, Form, Limits, Member, judged, storable_name
from shared.domain import PhotoError
from shared.errors import InvalidInput, Unreadable

SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
"""What a zip file, or an empty one, begins with."""

_END = struct.Struct("<4s4H2LH")  # APPNOTE.TXT 4.3.16
_END_64_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
_END_64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_END_SIGNATURE = b"PK\x05\x06"
# Of a directory entry, 4.3.12: its signature, and the lengths of name, extra field and comment.
_ENTRY = struct.Struct("<4s24x3H12x")
_ENCRYPTED = 0x1
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError)
# The others are decompressed without a bound on what one read gives.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class ZipArchive:
    """A zip file with a readable directory.

    Args:
        file: of the archive, seekable.
        limits: what it may have.

    Raises:
        InvalidInput: `unreadable_archive`, `archive_limit`.
    """

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._limits = limits
        _check_directory(file, limits)
        try:
            self._zip = zipfile.ZipFile(file)
            self._members = self._zip.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError) as error:
            raise _unreadable(str(error)) from error
        limits.check_count(len(self._members))
        packed = sum(info.compress_size for info in self._members)
        limits.check_size(sum(info.file_size for info in self._members), packed)

    def members(self) -> Iterator[Member]:
        """Every member, in the directory's order."""
        for position in range(len(self._members)):
            yield self._member(position)

    def _member(self, position: int) -> Member:
        info = self._members[position]
        error = None
        if info.flag_bits & _ENCRYPTED:
            error = PhotoError(
                "archive_encrypted", "read", "it is encrypted; unpack it with its password first"
            )
        elif info.compress_type not in _METHODS:
            message = f"it is packed by method {info.compress_type}; stored and deflated members are read"
            error = PhotoError("archive_member_unsafe", "read", message)
        member = Member(
            position,
            storable_name(info.filename),
            info.file_size,
            info.compress_size,
            error,
            chunks=lambda: self._chunks(info),
        )
        return judged(member, _form_of(info), self._limits)

    def _chunks(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        # zipfile gives no more bytes than are declared, and then compares the checksum.
        try:
            with self._zip.open(info) as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        except _BROKEN as error:
            raise Unreadable("archive_member_damaged", f"it cannot be unpacked: {error}") from error


def _form_of(info: zipfile.ZipInfo) -> Form:
    mode = info.external_attr >> 16
    # ZipInfo.is_dir() fails on a member without a name.
    if info.filename.endswith("/"):
        return "folder"
    if stat.S_ISLNK(mode):
        return "link"
    return "device" if stat.S_IFMT(mode) not in (0, stat.S_IFREG) else "file"


def _check_directory(file: BinaryIO, limits: Limits) -> None:
    """Count the directory's entries before zipfile makes objects of them; the count it tells is a claim."""
    file.seek(0, 2)
    end = file.tell()
    tail_at = max(0, end - _END.size - 0xFFFF)
    file.seek(tail_at)
    tail = file.read()
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) - at < _END.size:
        raise _unreadable("its directory is not there; it may be cut off")
    _, _, _, _, entries, size_bytes, _, _ = _END.unpack_from(tail, at)
    directory_end = tail_at + at
    if (found := _of_zip_64(file, directory_end)) is not None:
        entries, size_bytes = found
        directory_end -= _END_64.size + _END_64_LOCATOR.size
    limits.check_count(entries)
    if size_bytes > directory_end:
        raise _unreadable("its directory is longer than the file")
    file.seek(directory_end - size_bytes)
    counted = 0
    while file.tell() < directory_end:
        entry = file.read(_ENTRY.size)
        if len(entry) < _ENTRY.size or not entry.startswith(b"PK\x01\x02"):
            raise _unreadable("its directory is damaged")
        counted += 1
        limits.check_count(counted)
        file.seek(sum(_ENTRY.unpack(entry)[1:]), 1)


def _of_zip_64(file: BinaryIO, end_at: int) -> tuple[int, int] | None:
    """Entries and bytes of the directory by the zip64 record before the end; None without one."""
    if end_at < _END_64_LOCATOR.size + _END_64.size:
        return None
    file.seek(end_at - _END_64_LOCATOR.size - _END_64.size)
    record = file.read(_END_64.size)
    locator = file.read(_END_64_LOCATOR.size)
    if not locator.startswith(b"PK\x06\x07"):
        return None
    if not record.startswith(b"PK\x06\x06"):
        raise _unreadable("its zip64 record is not where it should be")
    _, _, _, _, _, _, _, entries, size_bytes, _ = _END_64.unpack(record)
    return int(entries), int(size_bytes)


def _unreadable(reason: str) -> InvalidInput:
    return InvalidInput("unreadable_archive", f"the zip archive cannot be read: {reason}")
