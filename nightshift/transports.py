"""The two ways of the client to a server, behind one face: one that blocks, and one that is awaited."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

import anyio
import anyio.to_thread
import httpx

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_AGAIN = 2
"""Times, before a request is on its way."""


class Blocking:
    """Its coroutines never wait for anything: see `at_once`.

    Args:
        way: used instead of the network; None for the network.
        settings: of httpx's clients.
    """

    def __init__(self, way: httpx.BaseTransport | None, settings: dict[str, Any]) -> None:
        self._http = httpx.Client(transport=way or httpx.HTTPTransport(retries=CONNECT_AGAIN), **settings)

    async def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request, as for `httpx.Client.request`, and read the whole answer."""
        return self._http.request(method, path, **request)

    @asynccontextmanager
    async def stream(
        self, path: str, **request: Any
    ) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[bytes]]]:
        """GET an answer and its body in pieces; the whole body is read first where it is no success."""
        with self._http.stream("GET", path, **request) as response:
            if not response.is_success:
                response.read()
            yield response, _in_turn(response.iter_bytes())

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    async def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call what reads files."""
        return function(*args, **kwargs)

    async def close(self) -> None:
        """Close pooled connections."""
        self._http.close()


class Awaiting:
    """The same for asyncio and trio; files are read in threads."""

    def __init__(self, way: httpx.AsyncBaseTransport | None, settings: dict[str, Any]) -> None:
        self._http = httpx.AsyncClient(
            transport=way or httpx.AsyncHTTPTransport(retries=CONNECT_AGAIN), **settings
        )

    async def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """See `Blocking`."""
        if isinstance(request.get("content"), Iterator):
            request["content"] = self._from_thread(request["content"])
        return await self._http.request(method, path, **request)

    @asynccontextmanager
    async def stream(
        self, path: str, **request: Any
    ) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[bytes]]]:
        """See `Blocking`."""
        async with self._http.stream("GET", path, **request) as response:
            if not response.is_success:
                await response.aread()
            yield response, response.aiter_bytes()

    async def sleep(self, seconds: float) -> None:
        """See `Blocking`."""
        await anyio.sleep(seconds)

    async def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Blocking`."""
        return await anyio.to_thread.run_sync(lambda: function(*args, **kwargs))

    async def close(self) -> None:
        """See `Blocking`."""
        await self._http.aclose()

    async def _from_thread(self, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        while piece := await self.call(next, pieces, b""):
            yield piece


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run what stands on a `Blocking` transport: it never waits, so that its first step is its last."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]
    raise AssertionError("unreachable: nothing here waits")


async def _in_turn(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
