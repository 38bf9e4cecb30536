"""A photo file on its way to the server: read once when it fits in memory, hashed either way."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx

from nightshift.errors import FileChanged, UploadCut
from nightshift.machine.places import as_path

IN_MEMORY_BYTES = 32 * 1024 * 1024
"""Nearly every photo. A larger file is read twice: its digest stands in the header, before the bytes."""

_PIECE_BYTES = 1024 * 1024


class PhotoFile:
    """Digest, size and bytes of one file.

    Raises:
        InvalidInput: `bad_path`, of what is no path.
        OSError: it cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path = as_path(path)
        self._bytes: bytes | None = None
        if path.stat().st_size <= IN_MEMORY_BYTES:
            self._bytes = path.read_bytes()
            self.size_bytes = len(self._bytes)
            digest = hashlib.sha256(self._bytes)
        else:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
                self.size_bytes = file.tell()
        self.sha256 = digest.hexdigest()
        self.content_digest = f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
        """As RFC 9530 writes it."""

    @property
    def in_memory(self) -> bool:
        """True when `content` can be sent more than once."""
        return self._bytes is not None

    def content(self) -> bytes | Iterator[bytes]:
        """The bytes, or pieces of them."""
        return self._bytes if self._bytes is not None else self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        left = self.size_bytes
        with self.path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                left -= len(piece)
                if left < 0:
                    break
                yield piece
        # More or fewer bytes than were announced would break the connection, which says nothing of the file.
        if left:
            raise FileChanged(f"{self.path} changed while it was being sent")


def cut_off(error: Exception, path: Path, size_bytes: int) -> UploadCut | None:
    """What a connection that breaks while it is written to most likely means."""
    if not isinstance(error.__cause__, httpx.WriteError | httpx.ReadError | httpx.RemoteProtocolError):
        return None
    return UploadCut(
        f"the server hung up while {path} ({size_bytes:,} bytes) was being sent:"
        " check its limits (NIGHTSHIFT_MAX_PHOTO_BYTES, NIGHTSHIFT_MAX_UPLOAD_BYTES) and those of any proxy"
    )
