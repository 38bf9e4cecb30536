"""Every error leaves as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import json
import logging
from typing import Any

from flask import Flask, Response, g, request
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import HTTPException

from nightshift.words.errors import (
    Conflict,
    InvalidInput,
    ModelUnavailable,
    NightshiftError,
    NoRoom,
    NotFound,
    Transient,
    Unreadable,
)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:nightshift:problem:"
RETRY_AFTER_S = 5

STATUS_BY_CODE = {
    "bad_digest": 400,
    "bad_json": 400,
    "bad_multipart": 400,
    "not_utf8": 400,
    "body_cut_off": 400,
    "digest_mismatch": 400,
    "unauthorized": 401,
    "key_expired": 401,
    "foreign_origin": 403,
    "host_forbidden": 403,
    "scope_missing": 403,
    "in_place_forbidden": 403,
    "priority_forbidden": 403,
    "not_acceptable": 406,
    "body_too_slow": 408,
    "file_too_large": 413,
    "body_too_large": 413,
    "field_too_large": 413,
    "too_many_fields": 413,
    "too_many_photos": 413,
    "upload_too_large": 413,
    "rate_limited": 429,
    "unsupported_archive": 415,
    "unsupported_media_type": 415,
    "too_many_jobs": 429,
    "quota_exceeded": 507,
}
"""Where the code says more than its class does."""

STATUS_BY_CLASS: dict[type[NightshiftError], int] = {
    InvalidInput: 422,
    NotFound: 404,
    Conflict: 409,
    Unreadable: 422,
    NoRoom: 507,
    Transient: 503,
    ModelUnavailable: 503,
    NightshiftError: 500,
}

CODE_BY_STATUS = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}
"""For what Flask and Werkzeug refuse by themselves."""

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
    code: str = Field(description="Stable name of the error.")
    state: str | None = Field(None, description="State of the job, where that forbids a move.")
    errors: list[FieldProblem] | None = Field(None, description="Each field that is wrong.")
    request_id: str | None = Field(None, description="Of an internal error: finds it in the server's log.")


def problem(
    status: int,
    code: str,
    detail: str,
    headers: dict[str, str] | None = None,
    **members: Any,
) -> Response:
    """A problem as a response; `members` are further ones of its own."""
    body = {
        "type": TYPE_PREFIX + code,
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        **members,
    }
    return Response(json.dumps(body, default=str), status, headers, content_type=MEDIA_TYPE)


def status_of(error: NightshiftError) -> int:
    """HTTP status of an error of ours."""
    if error.code in STATUS_BY_CODE:
        return STATUS_BY_CODE[error.code]
    return next(STATUS_BY_CLASS[kind] for kind in type(error).__mro__ if kind in STATUS_BY_CLASS)


def register(app: Flask) -> None:
    """Answer every error of `app` with a problem."""
    app.register_error_handler(NightshiftError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _ours(error: NightshiftError) -> Response:
    status = status_of(error)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="nightshift"'
    if error.code == "idempotency_key_in_use":
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
    return problem(status, error.code, detail, headers, **error.details)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    # Allow of a 405, Location of a redirect; the body and its type are ours.
    kept = {name: value for name, value in error.get_headers() if name.lower() not in _BODY_HEADERS}
    if status < 400:
        return Response("", status, kept)
    code = CODE_BY_STATUS.get(status) or error.name.lower().replace(" ", "_")
    return problem(status, code, error.description or error.name, kept)


_BODY_HEADERS = {"content-type", "content-length"}


def _unexpected(error: Exception) -> Response:
    request_id = str(g.get("request_id", ""))
    fields = {"request_id": request_id}
    log.error("%s %s failed", request.method, request.path, exc_info=error, extra=fields)
    detail = f"an error of the server's own; its log has it as request {request_id}"
    return problem(500, "internal", detail, request_id=request_id)
