"""JSON Lines, split at the line feed and nowhere else: names may hold what Unicode calls a line's end."""

from __future__ import annotations

from collections.abc import Iterator


class Lines:
    """The lines that hold anything, without their ends, of bytes in pieces of any size."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Lines that end in this piece."""
        *ends, rest = piece.split(b"\n")
        for end in ends:
            line = b"".join([*self._begun, end])
            self._begun.clear()
            if line.strip():
                yield line
        self._begun.append(rest)

    def rest(self) -> Iterator[bytes]:
        """The last line, where it has no end."""
        if (line := b"".join(self._begun)).strip():
            yield line
