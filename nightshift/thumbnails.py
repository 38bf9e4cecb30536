"""The server's stream of thumbnails, a tar, read member by member."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator

from nightshift.errors import Unreachable

TAR_MEDIA_TYPE = "application/x-tar"
LARGEST_BYTES = 4_000_000
"""More than any WebP of 320 pixels; a longer member is not a thumbnail."""

_NAME = re.compile(r"(pho_[0-9a-f]{32})\.webp")
_BLOCK = tarfile.BLOCKSIZE
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)
_WITHOUT_BYTES = (
    *(tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE),
)


class Thumbnails:
    """Photo id and WebP of each thumbnail in a tar; anything else in it is passed over."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._passed_over = 0
        self._photo_id = ""
        self._size = 0
        self._ended = False

    def feed(self, piece: bytes) -> Iterator[tuple[str, bytes]]:
        """Thumbnails that are whole with this piece, which may be of any size.

        Raises:
            Unreachable: this is no tar.
        """
        self._waiting += piece
        while not self._ended:
            passed = min(self._passed_over, len(self._waiting))
            del self._waiting[:passed]
            self._passed_over -= passed
            wanted = _blocks(self._size) if self._photo_id else _BLOCK
            if self._passed_over or len(self._waiting) < wanted:
                return
            block = bytes(self._waiting[:wanted])
            del self._waiting[:wanted]
            if self._photo_id:
                yield self._photo_id, block[: self._size]
                self._photo_id = ""
            else:
                self._begin(block)
        self._waiting.clear()

    def rest(self) -> Iterator[tuple[str, bytes]]:
        """None: a tar says where it ends.

        Raises:
            Unreachable: it did not.
        """
        if not self._ended:
            raise Unreachable("the thumbnails broke off")
        return iter(())

    def _begin(self, header: bytes) -> None:
        if not header.strip(b"\0"):
            self._ended = True
            return
        try:
            member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except tarfile.TarError as error:
            raise Unreachable(f"the thumbnails cannot be read: {error}") from error
        if member.size < 0:
            raise Unreachable("the thumbnails cannot be read: a member of no size")
        named = _NAME.fullmatch(member.name)
        if named and member.type in _FILES and member.size <= LARGEST_BYTES:
            self._photo_id, self._size = named[1], member.size
        elif member.type not in _WITHOUT_BYTES:
            self._passed_over = _blocks(member.size)


def _blocks(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
