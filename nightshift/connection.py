"""One HTTP connection pool to a server: retries, and answers that say no turned into errors."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from nightshift.errors import ApiError, Unreachable
from nightshift.found_key import found_key
from nightshift.machine.pauses import Pauses
from nightshift.transports import Awaiting, Blocking
from nightshift.waiting import WORD_S, say_if_slow
from nightshift.words.clock import utc_now
from nightshift.words.documents import Job
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.keys import Key
from nightshift.words.retry_after import retry_after_s

ATTEMPTS = 5
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 120.0
PROBE_S = 10.0
"""A server answers a probe within five seconds, whatever its parts do."""
BUSY = frozenset({429, 500, 502, 503, 504})
"""Answers that a little later may be another one; one stumble must not end a night's run."""

Answer = TypeVar("Answer", bound=BaseModel)


class Connection:
    """Sends requests to one server, over either transport.

    Args:
        server: base URL, such as `http://127.0.0.1:8080`.
        api_key: bearer token; empty for the one that is found on this machine.
        timeout_s: of each read and write; a long poll adds its own.
        transport: makes the transport of httpx's settings.
        say: told once when an answer is long in coming.

    Raises:
        Unreachable: that is no server's address.
        InvalidInput: `bad_api_key`.
    """

    def __init__(
        self,
        server: str,
        api_key: str,
        timeout_s: float,
        transport: Callable[[dict[str, Any]], Blocking | Awaiting],
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.server = server.rstrip("/")
        self.timeout_s = timeout_s
        try:
            self._transport = transport(_settings(self.server, api_key, timeout_s))
        except (httpx.InvalidURL, ValueError) as error:
            raise Unreachable(f"{self.server!r} is not a server's address: {error}") from error
        self._say = say
        self.sleep = self._transport.sleep
        self.call = self._transport.call
        self.close = self._transport.close

    async def ask(self, kind: type[Answer], method: str, path: str, *, again: bool, **request: Any) -> Answer:
        """Send a request, as `send`, whose answer is a document of this kind."""
        return kind.model_validate((await self.send(method, path, again=again, **request)).json())

    async def send(
        self, method: str, path: str, *, again: bool, slow_after_s: float = WORD_S, **request: Any
    ) -> httpx.Response:
        """Send a request and read the whole answer.

        Args:
            method: HTTP method.
            path: under the server's base URL.
            again: True when sending it twice does no harm, so that it may be retried.
            slow_after_s: from when on an answer is long in coming, seconds.
            request: as for `httpx.Client.request`; `content` must be bytes when `again`.

        Raises:
            ApiError: the server said no.
            Unreachable: no answer.
            InvalidInput: `not_utf8`, what is to be sent is no text.
        """
        say = self._say_slow if self._say else None
        with say_if_slow(f"an answer from {self.server}", say, slow_after_s):
            return await self.retried(partial(self._send, method, path, request), ATTEMPTS if again else 1)

    async def retried(
        self, send: Callable[[], Awaitable[httpx.Response]], attempts: int = ATTEMPTS
    ) -> httpx.Response:
        """Send, and again after pauses that grow, or that the server asks for, until the answer is final.

        Args:
            send: one request; raises what `send` does.
            attempts: at most so many.
        """
        pauses = Pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        retrying = AsyncRetrying(
            sleep=self.sleep,
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(attempts),
            wait=lambda state: max(_wanted_pause_s(state), pauses.after(state.attempt_number)),
            reraise=True,
        )
        return await retrying(send)

    async def _send(self, method: str, path: str, request: dict[str, Any]) -> httpx.Response:
        try:
            return _accepted(await self._answer(method, path, **request))
        except UnicodeEncodeError as error:
            raise InvalidInput(Code.NOT_UTF8, f"this is no text in UTF-8: {error.object!r}") from error

    async def probe(self, path: str) -> httpx.Response:
        """GET, asked once, whose answer is read whatever its status.

        Raises:
            Unreachable: no answer.
        """
        return await self._answer("GET", path, timeout=PROBE_S)

    async def _answer(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return await self._transport.request(method, path, **request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error

    @asynccontextmanager
    async def stream(self, path: str, **request: Any) -> AsyncIterator[AsyncIterator[bytes]]:
        """GET whose body is read piece by piece.

        Raises:
            ApiError: the server said no.
            Unreachable: no answer, or it broke off.
        """
        try:
            async with self._transport.stream(path, **request) as (response, pieces):
                _accepted(response)
                yield pieces
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _say_slow(self, word: str) -> None:
        say, self._say = self._say, None
        if say is not None:
            say(word)

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(f"no answer from {self.server}: {error or type(error).__name__}")


def _settings(server: str, api_key: str, timeout_s: float) -> dict[str, Any]:
    """Of httpx's clients."""
    api_key = api_key or found_key(httpx.URL(server))
    return {
        "base_url": server,
        "headers": {"Authorization": f"Bearer {_sendable(api_key)}"} if api_key else {},
        "timeout": httpx.Timeout(timeout_s, connect=10.0),
        # Nor is the key sent anywhere else.
        "follow_redirects": False,
        # A proxy meant for the internet must not see a private server's photos.
        "trust_env": False,
    }


def _may_pass(error: BaseException) -> bool:
    """Whether the same request may have another answer a little later."""
    if isinstance(error, ApiError):
        return error.status in BUSY or error.code == Code.IDEMPOTENCY_KEY_IN_USE
    final = httpx.UnsupportedProtocol | httpx.InvalidURL
    return isinstance(error, Unreachable) and not isinstance(error.__cause__, final)


def _wanted_pause_s(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.retry_after_s if isinstance(error, ApiError) else 0.0


def _sendable(api_key: str) -> str:
    """The key, if a header can hold it.

    Raises:
        InvalidInput: `bad_api_key`; it is not repeated.
    """
    if not (api_key.isascii() and api_key.isprintable()):
        raise InvalidInput(
            Code.BAD_API_KEY, "the API key has characters that no key has: is there more in it?"
        )
    return api_key


def _retry_after_s(response: httpx.Response) -> float:
    """What a server that limits its callers asks for; one that is merely away is tried sooner."""
    if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
        return 0.0
    return min(retry_after_s(response.headers.get("Retry-After", ""), utc_now()), LONGEST_PAUSE_S)


def _accepted(response: httpx.Response) -> httpx.Response:
    """The response unless it is an error; a 304 is none.

    Raises:
        ApiError: from problem+json, or from the bare status of whatever answered instead.
    """
    if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
        return response
    status = response.status_code
    problem: Any = None
    with suppress(ValueError):
        problem = response.json()
    if not isinstance(problem, dict):
        problem = {}
    code = str(problem.get("code") or f"http_{status}")
    detail = str(problem.get("detail") or problem.get("title") or f"the server answered {status}")
    raise ApiError(status, code, detail, problem.get("state"), _retry_after_s(response))


_NOT_FOUND = {
    "job": Code.JOB_NOT_FOUND,
    "key": Code.KEY_NOT_FOUND,
    "photo": Code.PHOTO_NOT_FOUND,
    "delivery": Code.DELIVERY_NOT_FOUND,
    "receiver": Code.RECEIVER_NOT_FOUND,
}
_KINDS: dict[str, type[Job] | type[Key]] = {"job": Job, "key": Key}
_ID = re.compile(r"[A-Za-z0-9_-]+")


def checked_id(given: str | Job | Key, kind: str = "job") -> str:
    """An id that is only that: anything else would make another path of the URL it is put into.

    Args:
        given: the id, or what has it.
        kind: `job` or `key`.

    Raises:
        InvalidInput: `job_not_found`, and likewise for the other kinds.
    """
    found = given.id if isinstance(given, Job | Key) and isinstance(given, _KINDS.get(kind, ())) else given
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise InvalidInput(_NOT_FOUND[kind], f"no {kind} {found!r}: that is no id")
    return found
