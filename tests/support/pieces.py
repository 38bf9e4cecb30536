"""Bytes that come in pieces, as from a server that is never waited for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

from nightshift.transports import at_once

T = TypeVar("T")


async def coming(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    """One after the other."""
    for piece in pieces:
        yield piece


def all_of(items: AsyncIterator[T]) -> list[T]:
    """What is made of them."""

    async def collected() -> list[T]:
        return [item async for item in items]

    return at_once(collected())
