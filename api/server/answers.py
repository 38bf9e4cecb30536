"""What the server answers by itself, before or instead of the application: problems like all others."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus

from gunicorn import util
from gunicorn.http import errors

from api.problems import problem
from api.server.connection import HeadTooLarge
from nightshift.words.error_codes import Code

Answer = tuple[Code, str]

# Fixed sentences: what the client sent may be a key, and goes neither into the log nor back.
_OF_PARSING: list[tuple[tuple[type[Exception], ...], Answer]] = [
    (
        (errors.LimitRequestLine,),
        (Code.URI_TOO_LONG, "the request line, with the path and the query, may have 8190 bytes"),
    ),
    (
        (errors.LimitRequestHeaders, HeadTooLarge),
        (Code.HEAD_TOO_LARGE, "a head may have 64 kB and 100 headers, each of 8190 bytes"),
    ),
    (
        (errors.ExpectationFailed,),
        (Code.EXPECTATION_FAILED, "of all expectations only 100-continue can be met"),
    ),
    (
        (errors.UnsupportedTransferCoding,),
        (Code.UNSUPPORTED_TRANSFER_CODING, "of all transfer codings only chunked is understood"),
    ),
    ((errors.ForbiddenProxyRequest,), (Code.FORBIDDEN, "no proxy is expected at this address")),
    (
        (errors.InvalidRequestLine, errors.InvalidRequestMethod, errors.InvalidHTTPVersion),
        (Code.BAD_REQUEST, "the request line is not HTTP"),
    ),
    ((errors.ParseException,), (Code.BAD_REQUEST, "a header of the request is not HTTP")),
]

INTERNAL = (Code.INTERNAL, "an error of the server's own; its log has more about it")
HEAD_TOO_SLOW = (Code.HEAD_TOO_SLOW, "the head of the request took too long")
BODY_TOO_SLOW = (Code.BODY_TOO_SLOW, "the body of the request took too long")
BUSY = (Code.BUSY, "every thread is taken; try again")


def of_parsing(error: Exception) -> Answer:
    """Code and sentence for what is wrong with a head; `INTERNAL` where it is no client's fault."""
    return next((answer for kinds, answer in _OF_PARSING if isinstance(error, kinds)), INTERNAL)


def whole_answer(code: Code, detail: str) -> bytes:
    """A problem with its head, after which the connection ends."""
    return _written(code, detail, util.http_date())


@lru_cache(maxsize=64)
def _written(code: Code, detail: str, date: str) -> bytes:
    # A thousand clients may be cut off in the same second.
    headers = {"Retry-After": "5"} if code is Code.BUSY else None
    response = problem(code, detail, headers)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Date"] = date
    response.headers["Connection"] = "close"
    status = HTTPStatus(response.status_code)
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\n{response.headers}"
    return head.encode("latin-1") + bytes(response.get_data())
