"""Tar archives, plain or gzipped: one member after the other, from the beginning."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from shared.archives.member import (
    CHUNK_BYTES,
    ArchiveBroken,
    Form,
    Limits,
    Member,
    counted,
    judged,
    storable_name,
)
from shared.errors import InvalidInput

HEADER_BYTES = 2 * 1024 * 1024
"""What may be read from one member's content to the next one's: headers, long names, padding."""


class TarArchive:
    """A tar file whose beginning can be read.

    Args:
        file: of the archive, from its beginning.
        limits: what it may have.
        gzipped: whether it is `tar.gz`.
        size_bytes: of the archive.

    Raises:
        InvalidInput: `unreadable_archive`.
    """

    def __init__(self, file: BinaryIO, limits: Limits, *, gzipped: bool, size_bytes: int) -> None:
        self._limits = limits
        self._packed_bytes = size_bytes
        unpacked = gzip.GzipFile(fileobj=file) if gzipped else file
        self._metered = _Metered(unpacked, limits, size_bytes)  # type: ignore[arg-type]
        try:
            with self._metered.for_headers():
                self._tar = tarfile.open(fileobj=self._metered, mode="r|")  # noqa: SIM115 - lives as long as we
        except _BROKEN as error:
            raise InvalidInput("unreadable_archive", f"the tar archive cannot be read: {error}") from error

    def members(self) -> Iterator[Member]:
        """Every member, from the first.

        Raises:
            ArchiveBroken: it is damaged, or cut off, from here on.
            InvalidInput: `archive_limit`.
        """
        position = 0
        while (info := self._next()) is not None:
            self._limits.check_count(position + 1)
            # tarfile remembers every member it has met.
            self._tar.members = []  # type: ignore[attr-defined]
            yield self._member(position, info)
            self._pass_over()
            position += 1

    def _next(self) -> tarfile.TarInfo | None:
        with self._metered.for_headers():
            try:
                return self._tar.next()
            except _BROKEN as error:
                raise ArchiveBroken(str(error) or type(error).__name__) from error

    def _member(self, position: int, info: tarfile.TarInfo) -> Member:
        member = Member(position, storable_name(info.name), info.size, chunks=lambda: self._chunks(info))
        return judged(member, _form_of(info), self._limits)

    def _chunks(self, info: tarfile.TarInfo) -> Iterator[bytes]:
        return counted(self._read(info), self._limits.photo_bytes)

    def _read(self, info: tarfile.TarInfo) -> Iterator[bytes]:
        left = info.size
        try:
            file = self._tar.extractfile(info)
            while file is not None and left and (chunk := file.read(min(left, CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk
        except _BROKEN as error:
            raise ArchiveBroken(str(error) or type(error).__name__) from error
        if left:
            raise ArchiveBroken("it is cut off")

    def _pass_over(self) -> None:
        """Read what is left of a member in pieces: tarfile would count it among the next one's headers."""
        file = self._tar.fileobj
        try:
            while file is not None and (left := self._tar.offset - file.tell()) > 0:
                if not file.read(min(left, CHUNK_BYTES)):
                    return
        except _BROKEN as error:
            raise ArchiveBroken(str(error) or type(error).__name__) from error


class _Metered(io.RawIOBase):
    """Counts what is read: in all against the archive's limits, between members against what headers need.

    A header may say that a name, or a list of holes, has gigabytes, and tarfile would collect them.
    """

    def __init__(self, file: io.RawIOBase, limits: Limits, packed_bytes: int) -> None:
        self._file = file
        self._limits = limits
        self._packed_bytes = packed_bytes
        self._read_bytes = 0
        self._most_bytes: int | None = None

    def for_headers(self) -> _Budget:
        """Within this, only headers are read."""
        return _Budget(self)

    def allow(self, size_bytes: int | None) -> None:
        """So much more, None for as much as there is."""
        self._most_bytes = None if size_bytes is None else self._read_bytes + size_bytes

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size) or b""
        self._read_bytes += len(data)
        if self._most_bytes is not None and self._read_bytes > self._most_bytes:
            raise tarfile.ReadError("a member's header is too long")
        self._limits.check_size(self._read_bytes, self._packed_bytes)
        return data


class _Budget:
    def __init__(self, metered: _Metered) -> None:
        self._metered = metered

    def __enter__(self) -> None:
        self._metered.allow(HEADER_BYTES)

    def __exit__(self, *_: object) -> None:
        self._metered.allow(None)


_BROKEN = (tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError, OSError, ValueError, OverflowError)


def _form_of(info: tarfile.TarInfo) -> Form:
    if info.isdir():
        return "folder"
    if info.issym() or info.islnk():
        return "link"
    return "file" if info.isreg() and not info.issparse() else "device"
