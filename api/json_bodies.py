"""A view that takes a body takes JSON, whole and of bounded size; what stands in it, stands there once.

RFC 8259 to the letter: UTF-8, no NaN, no number beyond what a float holds, no key twice in an object.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from itertools import islice
from typing import Any, NoReturn, TypeVar

from flask import Request, current_app, request
from pydantic import BaseModel, ValidationError

from api.body import RequestBody
from nightshift.words.body import refuse_fields, wrong_field
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput

Body = TypeVar("Body", bound=BaseModel)

LIMIT_BYTES = 16 * 1024 * 1024
"""Enough for 1000 photos in place with the longest names and paths."""
MOST_TOKENS = 50_000
"""Texts, brackets, commas and colons; those photos have 9,000. In Python a `[]` takes thirty times its two
bytes, and whoever puts together millions of them keeps the interpreter from everybody else."""

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{,:]', re.DOTALL)


class JsonRequest(Request):
    """A request whose JSON is read here, whoever asks for it, and once."""

    _document: tuple[Any] | None = None

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:  # noqa: ARG002
        """The body's JSON; see `parse` for what is refused, also where the caller wished for silence.

        Raises:
            InvalidInput: `unsupported_media_type`, `body_too_large`, `bad_json`; as `RequestBody`.
        """
        if self._document is None:
            if not self.is_json:
                raise InvalidInput(
                    Code.UNSUPPORTED_MEDIA_TYPE, "send JSON, with Content-Type: application/json"
                )
            self._document = (parse(_whole(self)),)
        return self._document[0]


def require_json() -> None:
    """Refuse a body that is not a JSON object before the view's model looks at it.

    Raises:
        InvalidInput: as `JsonRequest.get_json`; `invalid_fields`.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None and "body" in view.__annotations__ and request.method != "OPTIONS":
        _object()


def read_json(model: type[Body]) -> Body:
    """A body that a view reads itself.

    Raises:
        InvalidInput: as `require_json`.
    """
    try:
        return model.model_validate(_object())
    except ValidationError as error:
        refuse_fields(error)


def parse(data: bytes | str) -> Any:
    """A JSON document.

    Raises:
        InvalidInput: `bad_json`; `invalid_fields` for a number that is larger than any that is read.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        return json.loads(
            text, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_each_key_once
        )
    except UnicodeDecodeError as error:
        raise InvalidInput(Code.BAD_JSON, f"the body is not UTF-8, at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(Code.BAD_JSON, "the body is not JSON") from error


def _object() -> dict[str, Any]:
    document = request.get_json()
    if not isinstance(document, dict):
        raise wrong_field("body", "must be a JSON object")
    return document


def _whole(request: Request) -> bytes:
    """All of the body: bounded in size and time, as every other body is."""
    body = RequestBody(request.stream.read, length=request.content_length, limit=2**63)
    data = bytearray()
    if (request.content_length or 0) > LIMIT_BYTES:
        raise _too_large()
    while piece := body.read():
        data += piece
        if len(data) > LIMIT_BYTES:
            raise _too_large()
    if _has_too_many_tokens(data):
        message = f"the body has over {MOST_TOKENS:,} texts, brackets, commas and colons"
        raise InvalidInput(Code.BAD_JSON, message)
    return bytes(data)


def _has_too_many_tokens(data: bytearray) -> bool:
    # Nearly every body has so few of these characters that it need not be asked which are within texts.
    if sum(map(data.count, b'"[{,:')) <= MOST_TOKENS:
        return False
    return next(islice(_TOKEN.finditer(data), MOST_TOKENS, None), None) is not None


def _too_large() -> InvalidInput:
    return InvalidInput(Code.BODY_TOO_LARGE, f"a JSON body may have {LIMIT_BYTES} bytes")


def _no_number(name: str) -> NoReturn:
    raise InvalidInput(Code.BAD_JSON, f"the body is not JSON: {name} is no number there")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise wrong_field("body", f"the number {digits[:20]} is larger than any that is read")
    return number


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise InvalidInput(Code.BAD_JSON, f"the key {twice!r} is there twice in one object")
    return document
