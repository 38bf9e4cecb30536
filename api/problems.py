"""Every error leaves as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import json
import logging
from typing import Any

from flask import Flask, Response, g, request
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import HTTPException

from nightshift.words.code_fields import ProblemCode
from nightshift.words.error_codes import Code
from nightshift.words.errors import AnyCode, NightshiftError, NoRoom, Transient
from nightshift.words.plain_text import LONGEST_LIST, shortened

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:nightshift:problem:"
RETRY_AFTER_S = 5

BY_FRAMEWORK = {
    code.status: code
    for code in (
        Code.BAD_REQUEST,
        Code.NOT_FOUND,
        Code.METHOD_NOT_ALLOWED,
        Code.BODY_TOO_LARGE,
        Code.UNSUPPORTED_MEDIA_TYPE,
        Code.REQUESTED_RANGE_NOT_SATISFIABLE,
    )
}
"""What Flask and Werkzeug refuse by themselves, by its status."""

_DETAILS: dict[Code, str] = {
    Code.NOT_FOUND: "there is nothing at this path; `/docs` shows those there are",
    Code.METHOD_NOT_ALLOWED: "this path does not take this method; the header `Allow` names those it does",
}
"""Instead of the framework's sentences, which are for people in a browser."""

log = logging.getLogger("nightshift.api")


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Dotted path of the field, such as `options.height`.")
    message: str


class Problem(BaseModel):
    """An error (RFC 9457); switch on `code`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="`urn:nightshift:problem:` and the code.")
    title: str = Field(description="The code in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="One sentence for a person.")
    code: ProblemCode = Field(description="Stable name of the error.")
    state: str | None = Field(None, description="State of the job, where that forbids a move.")
    errors: list[FieldProblem] | None = Field(
        None, description=f"Each field that is wrong, {LONGEST_LIST} at most."
    )
    request_id: str | None = Field(None, description="Of an internal error: finds it in the server's log.")


def problem(code: AnyCode, detail: str, headers: dict[str, str] | None = None, **members: Any) -> Response:
    """A problem as a response, in which nothing is long; `members` are further ones of its own."""
    # What has no status is for whoever starts the service, and should not come up in a request.
    status = code.status or 500
    body = {
        "type": TYPE_PREFIX + code,
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        **members,
    }
    # As compact as every other answer.
    text = json.dumps(shortened(body), default=str, separators=(",", ":"))
    return Response(text, status, headers, content_type=MEDIA_TYPE)


def register(app: Flask) -> None:
    """Answer every error of `app` with a problem."""
    app.register_error_handler(NightshiftError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _ours(error: NightshiftError) -> Response:
    status = error.code.status
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="nightshift"'
    if error.code == Code.IDEMPOTENCY_KEY_IN_USE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if status == 429:
        headers["Retry-After"] = str(error.details["retry_after_s"])
    if status == 408:
        headers["Connection"] = "close"
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
        fields = {"code": error.code, "reason": error.message, "request_id": g.get("request_id", "")}
        log.warning("%s %s", request.method, request.path, extra=fields)
    detail = error.message
    if isinstance(error, Transient) and not isinstance(error, NoRoom):
        # The driver's own words may name hosts and users; they are in the log.
        detail = "a part of the service is out of reach for now; try again"
    return problem(error.code, detail, headers, **error.details)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    # Allow of a 405, Location of a redirect; the body and its type are ours.
    kept = {name: value for name, value in error.get_headers() if name.lower() not in _BODY_HEADERS}
    if status < 400:
        return Response("", status, kept)
    code = BY_FRAMEWORK.get(status) or (Code.BAD_REQUEST if status < 500 else Code.INTERNAL)
    return problem(code, _DETAILS.get(code) or error.description or error.name, kept)


_BODY_HEADERS = {"content-type", "content-length"}


def _unexpected(error: Exception) -> Response:
    request_id = str(g.get("request_id", ""))
    fields = {"request_id": request_id}
    log.error("%s %s failed", request.method, request.path, exc_info=error, extra=fields)
    detail = f"an error of the server's own; its log has it as request {request_id}"
    return problem(Code.INTERNAL, detail, request_id=request_id)
