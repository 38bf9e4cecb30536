"""JSON Lines, split at the line feed and nowhere else: names may hold what Unicode calls a line's end."""

from __future__ import annotations

from collections.abc import AsyncIterator


async def lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines that hold anything, without their ends, of bytes in pieces of any size."""
    begun: list[bytes] = []
    async for piece in pieces:
        *ends, rest = piece.split(b"\n")
        for end in ends:
            line = b"".join([*begun, end])
            begun.clear()
            if line.strip():
                yield line
        begun.append(rest)
    # The last needs no end.
    if (line := b"".join(begun)).strip():
        yield line
