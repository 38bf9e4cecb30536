"""What surrounds each request: an id, a line in the log."""

from __future__ import annotations

import logging
import re
import secrets
import time

from flask import Flask, Response, g, request

from shared.operations.keys import Caller

log = logging.getLogger("nightshift.access")

_TRACEPARENT_LENGTH = 55
_TRACEPARENT = re.compile(
    "(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
"""W3C Trace Context, of this version or a later one; version 00 ends here, and what is longer is none."""


def register(app: Flask) -> None:
    """Surround every request of `app`."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.request_id = secrets.token_hex(8)
    g.begun_s = time.monotonic()


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    # Without the query: it holds names of people's files. No path of ours has a `=`, and in a line of text it
    # would make a field of what a client wrote.
    level = logging.INFO if request.path.startswith("/v1/") else logging.DEBUG
    took_ms = (time.monotonic() - g.get("begun_s", time.monotonic())) * 1000
    log.log(
        level,
        "%s %s",
        request.method,
        request.path.replace("=", "%3D"),
        extra={
            "status": response.status_code,
            "took_ms": round(took_ms),
            "request_id": g.get("request_id", ""),
            **_trace(request.headers.get("traceparent", "")),
            **_caller(),
        },
    )
    return response


def _trace(traceparent: str) -> dict[str, str]:
    """The trace that the request is part of; what is not valid is as if it were not there."""
    found = _TRACEPARENT.fullmatch(traceparent)
    is_longer = traceparent.startswith("00-") and len(traceparent) > _TRACEPARENT_LENGTH
    return {"trace_id": found[1]} if found and not is_longer else {}


def _caller() -> dict[str, str]:
    """Who it was: whoever steals a key leaves its id here, and the address."""
    caller: Caller | None = g.get("caller")
    who: dict[str, str] = {}
    if caller and caller.person:
        who = {"person": caller.person, "owner": caller.owner}
    elif caller:
        who = {"key": caller.key_id or "root", "owner": caller.owner}
    return {**who, "address": request.remote_addr or ""}
