"""A form (multipart/form-data) read as it arrives, one part in hand at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask import Request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import NEED_DATA, Data, Epilogue, Event, Field, File, MultipartDecoder

from api.body import CHUNK_BYTES
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput

MEDIA_TYPE = "multipart/form-data"
FIELD_BYTES = 64 * 1024
"""A field's value may have; enough for the largest metadata."""
FIELDS = 100
BOUNDARY_CHARACTERS = 200
"""RFC 2046 says 70, which well-known clients exceed now and then."""
_HEADER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class FormField:
    """A field and its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file; its bytes are to be read before the next part is asked for, else they are passed over.

    Attributes:
        name: of the field.
        filename: as the client calls it; a label, never a path.
        headers: of the part.
        read: the next piece of its bytes, empty at the end.
    """

    name: str
    filename: str
    headers: Headers
    read: Callable[[], bytes]


def boundary_of(request: Request) -> bytes:
    """What separates the parts.

    Raises:
        InvalidInput: `bad_multipart`.
    """
    boundary = request.mimetype_params.get("boundary", "")
    if not boundary or len(boundary) > BOUNDARY_CHARACTERS or not boundary.isascii():
        message = f"Content-Type names no boundary of 1 to {BOUNDARY_CHARACTERS} ASCII characters"
        raise InvalidInput(Code.BAD_MULTIPART, message)
    return boundary.encode()


class Form:
    """The parts of a form.

    Args:
        read: the next piece of the body, empty at the end.
        boundary: as `boundary_of` found.
    """

    def __init__(self, read: Callable[[], bytes], boundary: bytes) -> None:
        self._read = read
        # Bounds what has no end in sight: a preamble, a part's headers, an epilogue.
        self._decoder = MultipartDecoder(boundary, CHUNK_BYTES + _HEADER_BYTES)
        self._in_file = False

    def __iter__(self) -> Iterator[FormField | FormFile]:
        """Part after part.

        Raises:
            InvalidInput: `bad_multipart`, `field_too_large`, `too_many_fields`, or what reading raises.
        """
        fields = 0
        while not isinstance(event := self._next(), Epilogue):
            if isinstance(event, File):
                self._in_file = True
                yield FormFile(event.name, event.filename, event.headers, self._piece)
                while self._in_file:
                    self._piece()
            elif isinstance(event, Field):
                fields += 1
                if fields > FIELDS:
                    raise InvalidInput(Code.TOO_MANY_FIELDS, f"a form may have {FIELDS} fields")
                yield FormField(event.name, self._value(event.name))

    def _piece(self) -> bytes:
        while self._in_file:
            event = self._next()
            if isinstance(event, Data):
                self._in_file = event.more_data
                if event.data:
                    return event.data
        return b""

    def _value(self, name: str) -> str:
        value = bytearray()
        more = True
        while more:
            event = self._next()
            if isinstance(event, Data):
                value += event.data
                more = event.more_data
            if len(value) > FIELD_BYTES:
                raise InvalidInput(Code.FIELD_TOO_LARGE, f"the field {name!r} has over {FIELD_BYTES:,} bytes")
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise InvalidInput(Code.BAD_MULTIPART, f"the field {name!r} is not UTF-8") from error

    def _next(self) -> Event:
        try:
            while (event := self._decoder.next_event()) is NEED_DATA:
                self._decoder.receive_data(self._read() or None)
        except UnicodeDecodeError as error:
            raise InvalidInput(Code.BAD_MULTIPART, "the name of a part of the form is not UTF-8") from error
        except ValueError as error:
            # Of a client's making: bytes that are no form, or end before the form does.
            raise InvalidInput(Code.BAD_MULTIPART, f"the form cannot be read: {error}") from error
        except RequestEntityTooLarge as error:
            raise InvalidInput(
                Code.BAD_MULTIPART, f"over {_HEADER_BYTES:,} bytes between two parts"
            ) from error
        if isinstance(event, File | Field):
            if not event.name:
                raise InvalidInput(Code.BAD_MULTIPART, "a part of the form has no name")
            _require_its_own_name(event)
        return event


def _require_its_own_name(part: File | Field) -> None:
    """Of `filename*=utf-8''%FF` (RFC 2231) Werkzeug makes U+FFFD, and so one name of many."""
    names = part.name + getattr(part, "filename", "")
    if "\ufffd" in names and "*=" in part.headers["Content-Disposition"]:
        raise InvalidInput(Code.BAD_MULTIPART, "the name of a part of the form is not UTF-8")
