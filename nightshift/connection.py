"""One HTTP connection pool to a server: retries, and answers that say no turned into errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from nightshift.errors import ApiError, Unreachable
from nightshift.found_key import found_key
from nightshift.machine.pauses import Pauses
from nightshift.waiting import WORD_S, told_if_slow
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput

ATTEMPTS = 5
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 120.0
PROBE_S = 10.0
"""A server answers a probe within five seconds, whatever its parts do."""
BUSY = frozenset({429, 500, 502, 503, 504})
"""Answers that a little later may be another one; one stumble must not end a night's run."""


class Connection:
    """Sends requests to one server.

    Args:
        server: base URL, such as `http://127.0.0.1:8080`.
        api_key: bearer token; empty for the one that a service on this machine has made, if there is one.
        timeout_s: of each read and write; a long poll adds its own.
        transport: httpx transport to use instead of the network.
        say: told once when an answer is long in coming.
    """

    def __init__(
        self,
        server: str,
        api_key: str,
        timeout_s: float,
        transport: httpx.BaseTransport | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.server = server.rstrip("/")
        self._say = say
        self.timeout_s = timeout_s
        try:
            api_key = api_key or found_key(httpx.URL(self.server))
            self._http = httpx.Client(
                base_url=self.server,
                headers={"Authorization": f"Bearer {_sendable(api_key)}"} if api_key else {},
                timeout=httpx.Timeout(timeout_s, connect=10.0),
                transport=transport or httpx.HTTPTransport(retries=2),
                # Nor is the key sent anywhere else.
                follow_redirects=False,
                # A proxy meant for the internet must not see a private server's photos.
                trust_env=False,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise Unreachable(f"{server!r} is not a server's address: {error}") from error

    def close(self) -> None:
        """Close pooled connections."""
        self._http.close()

    def send(
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
        with told_if_slow(f"an answer from {self.server}", say, slow_after_s):
            return retried(partial(self._send, method, path, request), ATTEMPTS if again else 1)

    def _send(self, method: str, path: str, request: dict[str, Any]) -> httpx.Response:
        try:
            return _accepted(self._http.request(method, path, **request))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error
        except UnicodeEncodeError as error:
            raise InvalidInput(Code.NOT_UTF8, f"this is no text in UTF-8: {error.object!r}") from error

    def probe(self, path: str) -> httpx.Response:
        """GET, asked once, whose answer is read whatever its status.

        Raises:
            Unreachable: no answer.
        """
        try:
            return self._http.get(path, timeout=PROBE_S)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error

    @contextmanager
    def stream(self, path: str, **request: Any) -> Iterator[httpx.Response]:
        """GET whose body is read piece by piece.

        Raises:
            ApiError: the server said no.
            Unreachable: no answer, or it broke off.
        """
        try:
            with self._http.stream("GET", path, **request) as response:
                if not response.is_success:
                    response.read()
                yield _accepted(response)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _say_slow(self, word: str) -> None:
        say, self._say = self._say, None
        if say is not None:
            say(word)

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(f"no answer from {self.server}: {error or type(error).__name__}")


def retried(send: Callable[[], httpx.Response], attempts: int = ATTEMPTS) -> httpx.Response:
    """Send, and again after pauses that grow, or that the server asks for, until it says yes or no for good.

    Args:
        send: one request; raises what `Connection.send` does.
        attempts: at most so many.
    """
    pauses = Pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S)
    retrying = Retrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_attempt(attempts),
        wait=lambda state: max(_wanted_pause_s(state), pauses(state)),
        reraise=True,
    )
    return retrying(send)


def _may_pass(error: BaseException) -> bool:
    """Whether the same request may have another answer a little later."""
    if isinstance(error, ApiError):
        return error.status in BUSY or error.code == Code.IDEMPOTENCY_KEY_IN_USE
    if isinstance(error, Unreachable):
        return not isinstance(error.__cause__, httpx.UnsupportedProtocol | httpx.InvalidURL)
    return False


def _wanted_pause_s(state: RetryCallState) -> float:
    """What a server that limits its callers asks for; one that is merely away is tried sooner."""
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
    if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
        return 0.0
    try:
        return min(max(0.0, float(response.headers.get("Retry-After", ""))), LONGEST_PAUSE_S)
    except ValueError:
        return 0.0


def _accepted(response: httpx.Response) -> httpx.Response:
    """The response unless it is an error; a 304 is none.

    Raises:
        ApiError: from problem+json, or from the bare status of whatever answered instead.
    """
    if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
        return response
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    code = str(problem.get("code") or f"http_{response.status_code}")
    detail = str(
        problem.get("detail") or problem.get("title") or f"the server answered {response.status_code}"
    )
    raise ApiError(response.status_code, code, detail, problem.get("state"), _retry_after_s(response))
