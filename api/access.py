"""What surrounds each request: an id, a line in the log."""

from __future__ import annotations

import logging
import secrets
import time

from flask import Flask, Response, g, request

from nightshift.words.traces import trace_id, traceparent_of
from shared.operations.keys import Caller

log = logging.getLogger("nightshift.access")


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
            **trace_id(traceparent_of(request.headers.get("traceparent", ""))),
            **_caller(),
        },
    )
    return response


def _caller() -> dict[str, str]:
    """Who it was: whoever steals a key leaves its id here, and the address."""
    caller: Caller | None = g.get("caller")
    who: dict[str, str] = {}
    if caller and caller.person:
        who = {"person": caller.person, "owner": caller.owner}
    elif caller:
        who = {"key": caller.key_id or "root", "owner": caller.owner}
    return {**who, "address": request.remote_addr or ""}
