"""A view that takes a body takes JSON, whole and of bounded size."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import current_app, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from api.problems import refuse_fields
from shared.errors import InvalidInput

Body = TypeVar("Body", bound=BaseModel)

LIMIT_BYTES = 16 * 1024 * 1024
"""Enough for 1000 photos in place with the longest names and paths."""


def require_json() -> None:
    """Refuse a body that is not JSON before the view's model looks at it.

    Raises:
        InvalidInput: `unsupported_media_type`, `body_too_large`, `bad_json`.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None and "body" in view.__annotations__ and request.method != "OPTIONS":
        _parse()


def read_json(model: type[Body]) -> Body:
    """A body that a view reads itself.

    Raises:
        InvalidInput: as `require_json`; `invalid_fields`.
    """
    try:
        return model.model_validate(_parse())
    except ValidationError as error:
        refuse_fields(error)


def _parse() -> Any:
    if not request.is_json:
        raise InvalidInput("unsupported_media_type", "send JSON, with Content-Type: application/json")
    request.max_content_length = LIMIT_BYTES
    try:
        return request.get_json()
    except RequestEntityTooLarge as error:
        raise InvalidInput("body_too_large", f"a JSON body may have {LIMIT_BYTES} bytes") from error
    except (BadRequest, RecursionError, UnicodeDecodeError) as error:
        raise InvalidInput("bad_json", "the body is not JSON") from error
