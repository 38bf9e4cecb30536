"""Gzip unpacked in a stream, in bounded memory and without ever reading far for nothing."""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO

_PIECE_BYTES = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS
MOST_FOR_NOTHING_BYTES = 1024 * 1024
"""Read without a byte coming out: long file names and comments in a header, empty blocks, empty files."""


class Gunzip(io.RawIOBase):
    """One gzip file after the other, read as the bytes in them; what follows the last is no matter.

    Reading raises `zlib.error` for what is no gzip, or damaged, and `EOFError` where it is cut off.

    Args:
        file: of the gzip, from its beginning.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unpacker = zlib.decompressobj(_GZIP)
        self._piece = b""
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """Up to so many bytes, empty at the end; `size` must be positive."""
        nothing_bytes = 0
        while not self._ended:
            if not self._piece:
                self._piece = self._file.read(_PIECE_BYTES)
            before = len(self._piece)
            chunk = self._unpacker.decompress(self._piece, size)
            ended = self._unpacker.eof
            self._piece = self._unpacker.unused_data if ended else self._unpacker.unconsumed_tail
            nothing_bytes += before - len(self._piece)
            if ended:
                self._next_file()
            elif not before and not chunk:
                raise EOFError("it is cut off")
            if chunk:
                return chunk
            if nothing_bytes > MOST_FOR_NOTHING_BYTES:
                raise zlib.error("nothing comes out of it")
        return b""

    def _next_file(self) -> None:
        """What follows a file is another, or padding of tapes and blocks, or no matter."""
        for _ in range(MOST_FOR_NOTHING_BYTES // _PIECE_BYTES):
            self._piece = self._piece.lstrip(b"\0")
            if len(self._piece) > 1:
                break
            more = self._file.read(_PIECE_BYTES)
            if not more:
                break
            self._piece += more
        self._unpacker = zlib.decompressobj(_GZIP)
        self._ended = not self._piece.startswith(b"\x1f\x8b")
