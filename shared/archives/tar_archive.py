"""Tar archives, plain or gzipped: one member after the other, from the beginning."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.tar_block import BLOCK_BYTES, begins_a_tar
from shared.archives.gunzip import Gunzip
from shared.archives.member import (
    CHUNK_BYTES,
    FIRST_CHUNK_BYTES,
    ArchiveBroken,
    Limits,
    Member,
    counted,
    judged,
)
from shared.archives.tar_header import Headers, TarHeader

DEFLATE_RATIO = 1032
"""What deflated data can at most unpack to, times its size."""


class TarArchive:
    """A tar file whose beginning can be read.

    Args:
        file: of the archive, seekable.
        limits: what it may have.
        gzipped: whether it is `tar.gz`.
        progress: called while it is read; what it raises ends the reading.

    Raises:
        InvalidInput: `unreadable_archive`; `unsupported_archive` for a gzip of something else.
    """

    def __init__(
        self, file: BinaryIO, limits: Limits, *, gzipped: bool, progress: Callable[[], None]
    ) -> None:
        self._limits = limits
        self._source = _Source(file, limits, gzipped, progress)
        self._headers = Headers(self._source.read)
        try:
            beginning = self._source.peek(BLOCK_BYTES)
            if gzipped and not _seems_a_tar(beginning):
                raise InvalidInput(
                    Code.UNSUPPORTED_ARCHIVE,
                    "the archive is a gzip, but not of a tar: unpack it, and send the photos that come out",
                )
            self._first = self._headers.next()
        except ArchiveBroken as error:
            raise InvalidInput(Code.UNREADABLE_ARCHIVE, f"the tar archive cannot be read: {error}") from error

    def members(self, first: int = 0) -> Iterator[Member]:
        """Every member from position `first`; to be asked for once.

        Raises:
            ArchiveBroken: it is damaged, or cut off, from here on.
            InvalidInput: `archive_limit`.
        """
        position, header = 0, self._first
        while header is not None:
            self._limits.check_count(position + 1)
            self._check_size(header)
            end = self._source.position + header.size_bytes
            if position >= first:
                yield self._member(position, header, self._source.position)
            self._source.pass_to(end + -header.size_bytes % BLOCK_BYTES)
            header = self._headers.next()
            position += 1

    def _check_size(self, header: TarHeader) -> None:
        """Nothing is sought past what can be there."""
        if header.size_bytes > self._source.most_bytes:
            raise ArchiveBroken(
                f"a member is said to have {header.size_bytes:,} bytes, more than there can be"
            )
        self._limits.check_total(self._source.position + header.size_bytes)

    def _member(self, position: int, header: TarHeader, start: int) -> Member:
        member = Member(
            position,
            header.name,
            header.size_bytes,
            chunks=lambda: counted(self._read(start, start + header.size_bytes), self._limits.photo_bytes),
        )
        return judged(member, header.form, self._limits)

    def _read(self, at: int, end: int) -> Iterator[bytes]:
        most = FIRST_CHUNK_BYTES
        while at < end:
            if at != self._source.position:
                raise RuntimeError("a tar's member is read before the next one is asked for")
            chunk, most = self._source.read_some(min(end - at, most)), CHUNK_BYTES
            if not chunk:
                raise ArchiveBroken("it is cut off", Code.ARCHIVE_MEMBER_DAMAGED)
            at += len(chunk)
            yield chunk


def _seems_a_tar(beginning: bytes) -> bool:
    """Whether what a gzip holds is a tar: an empty one, a sound one, or a damaged one."""
    empty = not beginning.strip(b"\0")
    return empty or begins_a_tar(beginning) or beginning[257:262] == b"ustar"


class _Source:
    """The tar's bytes, held against what an archive may have; a plain one is not read where it need not."""

    def __init__(self, file: BinaryIO, limits: Limits, gzipped: bool, progress: Callable[[], None]) -> None:
        self._size_bytes = file.seek(0, io.SEEK_END)
        file.seek(0)
        self.most_bytes = self._size_bytes * DEFLATE_RATIO if gzipped else self._size_bytes
        self._file = Gunzip(file) if gzipped else file
        self._gzipped = gzipped
        self._limits = limits
        self._progress = progress
        self._peeked = b""
        self.position = 0

    def peek(self, size: int) -> bytes:
        """The next bytes, which are still to be read."""
        self._peeked = self.read(size)
        self.position -= len(self._peeked)
        return self._peeked

    def read(self, size: int) -> bytes:
        """So many bytes, fewer at the end."""
        pieces = []
        while size and (piece := self.read_some(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def read_some(self, size: int) -> bytes:
        """Up to so many bytes, none at the end.

        Raises:
            ArchiveBroken: it is damaged, or cut off, here.
            InvalidInput: `archive_limit`.
        """
        self._progress()
        if self._peeked:
            piece, self._peeked = self._peeked[:size], self._peeked[size:]
        else:
            piece = self._from_file(size)
        self.position += len(piece)
        if self._gzipped:
            self._limits.check_size(self.position, self._size_bytes)
        return piece

    def _from_file(self, size: int) -> bytes:
        try:
            return self._file.read(size) or b""
        except EOFError as error:
            raise ArchiveBroken(str(error), Code.ARCHIVE_MEMBER_DAMAGED) from error
        except zlib.error as error:
            raise ArchiveBroken(str(error)) from error

    def pass_to(self, position: int) -> None:
        """Leave out what stands before a position.

        Raises:
            ArchiveBroken: it is damaged, or cut off, before that.
        """
        if not self._gzipped and position <= self._size_bytes:
            self._progress()
            self._peeked = b""
            self._file.seek(position)
            self.position = position
        while self.position < position:
            if not self.read_some(min(position - self.position, CHUNK_BYTES)):
                raise ArchiveBroken("it is cut off", Code.ARCHIVE_MEMBER_DAMAGED)
