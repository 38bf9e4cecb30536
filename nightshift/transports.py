"""The two ways of the client to a server, behind one face: one that blocks, and one that is awaited."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ParamSpec, Protocol, TypeVar

import anyio
import anyio.to_thread
import httpx

P = ParamSpec("P")
T = TypeVar("T")


class Transport(Protocol):
    """What a connection needs of the world."""

    async def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request, as for `httpx.Client.request`, and read the whole answer."""

    def stream(
        self, path: str, **request: Any
    ) -> AbstractAsyncContextManager[tuple[httpx.Response, AsyncIterator[bytes]]]:
        """GET an answer and its body in pieces; the whole body is read first where it is no success."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""

    async def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call what reads files."""

    async def close(self) -> None:
        """Close pooled connections."""


class Blocking:
    """Its coroutines never wait for anything: see `at_once`."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    async def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """See `Transport`."""
        return self._http.request(method, path, **request)

    @asynccontextmanager
    async def stream(
        self, path: str, **request: Any
    ) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[bytes]]]:
        """See `Transport`."""
        with self._http.stream("GET", path, **request) as response:
            if not response.is_success:
                response.read()
            yield response, _in_turn(response.iter_bytes())

    async def sleep(self, seconds: float) -> None:
        """See `Transport`."""
        time.sleep(seconds)

    async def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Transport`."""
        return function(*args, **kwargs)

    async def close(self) -> None:
        """See `Transport`."""
        self._http.close()


class Awaiting:
    """For asyncio and trio; files are read in threads."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """See `Transport`."""
        if isinstance(request.get("content"), Iterator):
            request["content"] = self._from_thread(request["content"])
        return await self._http.request(method, path, **request)

    @asynccontextmanager
    async def stream(
        self, path: str, **request: Any
    ) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[bytes]]]:
        """See `Transport`."""
        async with self._http.stream("GET", path, **request) as response:
            if not response.is_success:
                await response.aread()
            yield response, response.aiter_bytes()

    async def sleep(self, seconds: float) -> None:
        """See `Transport`."""
        await anyio.sleep(seconds)

    async def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Transport`."""
        return await anyio.to_thread.run_sync(lambda: function(*args, **kwargs))

    async def close(self) -> None:
        """See `Transport`."""
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
