"""What the server answers by itself, before or instead of the application: problems like all others."""

from __future__ import annotations

from functools import lru_cache

from gunicorn import util
from gunicorn.http import errors

from api.problems import problem
from api.server.connection import HeadTooLarge

REASONS = {
    400: "Bad Request",
    403: "Forbidden",
    408: "Request Timeout",
    414: "URI Too Long",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}

# Fixed sentences: what the client sent may be a key, and goes neither into the log nor back.
_OF_PARSING: list[tuple[tuple[type[Exception], ...], tuple[int, str, str]]] = [
    (
        (errors.LimitRequestLine,),
        (414, "uri_too_long", "the request line, with the path and the query, may have 8190 bytes"),
    ),
    (
        (errors.LimitRequestHeaders, HeadTooLarge),
        (431, "head_too_large", "a head may have 64 kB and 100 headers, each of 8190 bytes"),
    ),
    (
        (errors.ExpectationFailed,),
        (417, "expectation_failed", "of all expectations only 100-continue can be met"),
    ),
    (
        (errors.UnsupportedTransferCoding,),
        (501, "unsupported_transfer_coding", "of all transfer codings only chunked is understood"),
    ),
    ((errors.ForbiddenProxyRequest,), (403, "forbidden", "no proxy is expected at this address")),
    (
        (errors.InvalidRequestLine, errors.InvalidRequestMethod, errors.InvalidHTTPVersion),
        (400, "bad_request", "the request line is not HTTP"),
    ),
    ((errors.ParseException,), (400, "bad_request", "a header of the request is not HTTP")),
]

INTERNAL = (500, "internal", "an error of the server's own; its log has more about it")
HEAD_TOO_SLOW = (408, "head_too_slow", "the head of the request took too long")
BODY_TOO_SLOW = (408, "body_too_slow", "the body of the request took too long")
BUSY = (503, "busy", "every thread is taken; try again")


def of_parsing(error: Exception) -> tuple[int, str, str]:
    """Status, code and sentence for what is wrong with a head; `INTERNAL` where it is no client's fault."""
    return next((answer for kinds, answer in _OF_PARSING if isinstance(error, kinds)), INTERNAL)


def whole_answer(status: int, code: str, detail: str) -> bytes:
    """A problem with its head, after which the connection ends."""
    return _written(status, code, detail, util.http_date())


@lru_cache(maxsize=64)
def _written(status: int, code: str, detail: str, date: str) -> bytes:
    # A thousand clients may be cut off in the same second.
    headers = {"Retry-After": "5"} if status == 503 else None
    response = problem(status, code, detail, headers)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Date"] = date
    response.headers["Connection"] = "close"
    head = f"HTTP/1.1 {status} {REASONS[status]}\r\n{response.headers}"
    return head.encode("latin-1") + bytes(response.get_data())
