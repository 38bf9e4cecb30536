"""A zip that is made while it is sent: one file of it in memory, and none on the disk."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Iterator
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

MODE = 0o600
"""Of what is unpacked: pictures of people are for who has fetched them."""


def zipped(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """A zip archive, in pieces.

    Args:
        files: names, with `/` between folders, and bytes; what is text is packed, pictures are so already.
    """
    made_at = time.localtime()[:6]
    window = _Window()
    with ZipFile(window, "w") as archive:
        for name, data in files:
            about = ZipInfo(name, made_at)
            about.compress_type = ZIP_STORED if name.endswith(".webp") else ZIP_DEFLATED
            about.external_attr = MODE << 16
            archive.writestr(about, data)
            yield window.taken()
    yield window.taken()


class _Window(io.RawIOBase):
    """The end of a file of which everything before it is gone.

    A member's length and checksum are written before it, once it is packed. Behind it, as into a pipe, some
    programs do not find them.
    """

    def __init__(self) -> None:
        self._gone = 0
        self._held = io.BytesIO()

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._gone + self._held.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET:
            offset -= self._gone
        return self._gone + self._held.seek(offset, whence)

    def write(self, data: object) -> int:
        return self._held.write(data)  # type: ignore[arg-type]

    def taken(self) -> bytes:
        """What has been written since it was asked last; it cannot be changed any more."""
        data = self._held.getvalue()
        self._gone += len(data)
        self._held = io.BytesIO()
        return data
