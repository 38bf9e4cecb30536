"""The server's stream of thumbnails, read member by member."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator

from nightshift.errors import Unreachable

TAR_MEDIA_TYPE = "application/x-tar"
LARGEST_BYTES = 4_000_000
"""More than any WebP of 320 pixels; a longer member is not a thumbnail."""

_NAME = re.compile(r"(pho_[0-9a-f]{32})\.webp")


def thumbnails_in(pieces: Iterator[bytes]) -> Iterator[tuple[str, bytes]]:
    """Photo id and WebP of each thumbnail in a tar; anything else in it is passed over.

    Args:
        pieces: the tar's bytes, in pieces of any size.

    Raises:
        Unreachable: they are no tar, or end within a member.
    """
    try:
        with tarfile.open(fileobj=_Pieces(pieces), mode="r|") as tar:
            for member in tar:
                named = _NAME.fullmatch(member.name)
                file = tar.extractfile(member) if named and member.isreg() else None
                if named is None or file is None or member.size > LARGEST_BYTES:
                    continue
                image = file.read()
                if len(image) != member.size:
                    raise Unreachable("the thumbnails broke off")
                yield named[1], image
    except tarfile.TarError as error:
        raise Unreachable(f"the thumbnails cannot be read: {error}") from error


class _Pieces(io.RawIOBase):
    """An iterator of bytes as a file that is read from its beginning to its end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
