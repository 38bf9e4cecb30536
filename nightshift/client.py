"""The Python client: `from nightshift import Client, AsyncClient`.

Needs none of the extras. What can be asked is described once, in `nightshift.calls`: `AsyncClient` is that,
and `Client` does the same at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx

from nightshift.calls import Calls
from nightshift.connection import Connection
from nightshift.rows import AsyncRows, Rows, in_turn
from nightshift.transfers import ResultsFormat as ResultsFormat
from nightshift.transports import Awaiting, Blocking, at_once
from nightshift.words.tables import FaceRow, PhotoRow

DEFAULT_SERVER = "http://127.0.0.1:8080"

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", bound=PhotoRow | FaceRow)


class AsyncClient(Calls):
    """A server's jobs, for asyncio and trio.

    Args:
        server: base URL.
        api_key: as for `Client`.
        timeout_s: of each read and write.
        transport: httpx transport to use instead of the network, for tests.
    """

    def __init__(
        self,
        server: str = DEFAULT_SERVER,
        api_key: str = "",
        *,
        timeout_s: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(Connection(server, api_key, timeout_s, partial(Awaiting, transport)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _done(
    call: Callable[Concatenate[Calls, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Client, P], T]:
    """A method of `Calls` that is not awaited, but done."""

    @wraps(call)
    def do(client: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return at_once(call(client.calls, *args, **kwargs))

    return do


def _iterated(
    call: Callable[Concatenate[Calls, P], AsyncIterator[T]],
) -> Callable[Concatenate[Client, P], Iterator[T]]:
    """An iterator of `Calls` as an ordinary one; who stops early closes its connection."""

    @wraps(call)
    def iterate(client: Client, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return in_turn(call(client.calls, *args, **kwargs))

    return iterate


def _rows(
    call: Callable[Concatenate[Calls, P], AsyncRows[T, R]],
) -> Callable[Concatenate[Client, P], Rows[T]]:
    """Rows of `Calls` as ordinary ones; who stops early closes their connection."""

    @wraps(call)
    def rows(client: Client, /, *args: P.args, **kwargs: P.kwargs) -> Rows[T]:
        return Rows(call(client.calls, *args, **kwargs))

    return rows


class Client:
    """A server's jobs. Safe to share between threads.

    Args:
        server: base URL.
        api_key: bearer token; empty for the one that a service on this machine has made: it is read from
            `api_key` in the home, and sent to loopback alone.
        timeout_s: of each read and write.
        transport: httpx transport to use instead of the network, for tests.
        say: told once, in a sentence, when an answer is long in coming.

    Every method raises `ApiError` when the server says no and `Unreachable` when it says nothing; where a
    job's id is taken, the job is as well, and `job_not_found` is raised for what is neither.
    Calls that may be repeated without harm are, when the server is busy or the connection breaks.
    """

    def __init__(
        self,
        server: str = DEFAULT_SERVER,
        api_key: str = "",
        *,
        timeout_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.calls = Calls(Connection(server, api_key, timeout_s, partial(Blocking, transport), say))
        self.server = self.calls.server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close pooled connections."""
        at_once(self.calls.close())

    create_job = _done(Calls.create_job)
    submit_archive = _done(Calls.submit_archive)
    put_photo = _done(Calls.put_photo)
    put_file = _done(Calls.put_file)
    missing_photos = _done(Calls.missing_photos)
    add_not_sent = _done(Calls.add_not_sent)
    register_in_place = _done(Calls.register_in_place)
    submit = _done(Calls.submit)
    job = _done(Calls.job)
    poll = _iterated(Calls.poll)
    wait = _done(Calls.wait)
    estimate = _done(Calls.estimate)
    overview = _done(Calls.overview)
    jobs = _iterated(Calls.jobs)
    photos = _rows(Calls.photos)
    outline = _done(Calls.outline)
    breakdown = _done(Calls.breakdown)
    faces = _rows(Calls.faces)
    low_confidence_faces = _rows(Calls.low_confidence_faces)
    about = _done(Calls.about)
    results = _iterated(Calls.results)
    save_results = _done(Calls.save_results)
    thumbnails = _iterated(Calls.thumbnails)
    save_thumbnails = _done(Calls.save_thumbnails)
    photo_image = _done(Calls.photo_image)
    summary = _done(Calls.summary)
    change_job = _done(Calls.change_job)
    cancel = _done(Calls.cancel)
    delete = _done(Calls.delete)
    pause = _done(Calls.pause)
    resume = _done(Calls.resume)
    retry = _done(Calls.retry)
    make_key = _done(Calls.make_key)
    keys = _done(Calls.keys)
    revoke_key = _done(Calls.revoke_key)
    audit = _iterated(Calls.audit)
    webhooks = _done(Calls.webhooks)
    add_receiver = _done(Calls.add_receiver)
    change_receiver = _done(Calls.change_receiver)
    remove_receiver = _done(Calls.remove_receiver)
    make_webhook_secret = _done(Calls.make_webhook_secret)
    try_webhook = _done(Calls.try_webhook)
    deliveries = _iterated(Calls.deliveries)
    delivery = _done(Calls.delivery)
    redeliver = _done(Calls.redeliver)
    models = _done(Calls.models)
    model = _done(Calls.model)
    readiness = _done(Calls.readiness)
    is_ready = _done(Calls.is_ready)
