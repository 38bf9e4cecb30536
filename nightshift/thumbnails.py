"""The server's stream of thumbnails, a tar, read member by member."""

from __future__ import annotations

import re
import tarfile
from collections.abc import AsyncIterator

from nightshift.errors import Unreachable

TAR_MEDIA_TYPE = "application/x-tar"
LARGEST_BYTES = 4_000_000
"""More than any WebP of 1600 pixels; a longer member is not a thumbnail."""

_NAME = re.compile(r"(pho_[0-9a-f]{32})\.webp")
_BLOCK = tarfile.BLOCKSIZE
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)
_WITHOUT_BYTES = frozenset(
    {tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE}
)


async def thumbnails(pieces: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, bytes]]:
    """Photo id and WebP of each thumbnail in a tar; anything else in it is passed over.

    Args:
        pieces: of the tar, of any size.

    Raises:
        Unreachable: this is no tar, or it breaks off.
    """
    blocks = _Blocks(pieces)
    while (header := await blocks.read(_BLOCK)).strip(b"\0"):
        photo_id, size = _member(header)
        if photo_id:
            yield photo_id, (await blocks.read(size))[:size]
        else:
            await blocks.pass_over(size)
    # So that the connection can be used again.
    async for _ in pieces:
        pass


class _Blocks:
    """Whole blocks of a tar that comes in pieces of any size."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._waiting = bytearray()

    async def read(self, size: int) -> bytes:
        """The blocks that hold so many bytes."""
        size += -size % _BLOCK
        while len(self._waiting) < size:
            self._waiting += await self._next()
        found = bytes(self._waiting[:size])
        del self._waiting[:size]
        return found

    async def pass_over(self, size: int) -> None:
        """Leave them; however many they are, a piece of them is in memory."""
        size += -size % _BLOCK
        while len(self._waiting) < size:
            size -= len(self._waiting)
            self._waiting[:] = await self._next()
        del self._waiting[:size]

    async def _next(self) -> bytes:
        async for piece in self._pieces:
            return piece
        raise Unreachable("the thumbnails broke off")


def _member(header: bytes) -> tuple[str, int]:
    """The photo of a member, empty where it is no thumbnail, and how many bytes follow."""
    try:
        member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    except tarfile.TarError as error:
        raise Unreachable(f"the thumbnails cannot be read: {error}") from error
    if member.size < 0:
        raise Unreachable("the thumbnails cannot be read: a member of no size")
    if member.type in _WITHOUT_BYTES:
        return "", 0
    is_one = member.type in _FILES and member.size <= LARGEST_BYTES
    named = _NAME.fullmatch(member.name) if is_one else None
    return named[1] if named else "", member.size
