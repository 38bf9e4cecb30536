"""A request's body as the application reads it, and what follows for the connection when it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from api.server.connection import Connection
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput


class Body:
    """`wsgi.input`: whatever is wrong with how a body comes is the client's fault, and named.

    Args:
        body: gunicorn's.
        connection: that it comes on.
    """

    def __init__(self, body: Any, connection: Connection) -> None:
        self._body = body
        self._connection = connection
        self._missing = connection.awaited_bytes

    def read(self, size: int | None = -1) -> bytes:
        """As a file's.

        Raises:
            InvalidInput: `body_cut_off`, `body_too_slow`.
        """
        size = -1 if size is None else size
        piece = self._told(self._body.read, size)
        if self._missing is not None:
            self._missing -= len(piece)
            if self._missing > 0 and (size < 0 or len(piece) < size):
                self._connection.body_failed = True
                message = f"the last {self._missing} bytes of the body never arrived"
                raise InvalidInput(Code.BODY_CUT_OFF, message)
        return piece

    def readline(self, size: int | None = -1) -> bytes:
        """As a file's."""
        line = self._told(self._body.readline, size)
        if self._missing is not None:
            self._missing -= len(line)
        return line

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """As a file's."""
        return self.read(hint).splitlines(keepends=True)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _told(self, read: Callable[[int | None], bytes], size: int | None) -> bytes:
        try:
            return read(size)
        except InvalidInput:
            self._connection.body_failed = True
            raise
        except Exception as error:
            self._connection.body_failed = True
            # Bad chunks, bad trailers, a reset: gunicorn has an exception for each, and not all are OSErrors.
            raise InvalidInput(Code.BODY_CUT_OFF, "the connection broke while the body was read") from error


def answered(
    application: Callable[..., Any],
    connection: Connection,
    environ: dict[str, Any],
    start: Callable[..., Any],
    is_stopping: Callable[[], bool],
) -> Any:
    """Have the application answer; after a body left unread it ends the connection, and says so."""

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        # What is not in hand would be waited for, or be taken for the next request. Nothing of ours reads
        # on while it answers.
        if is_stopping() or not connection.discard_body():
            connection.request.force_close()
        return start(status, headers, exc_info)

    environ["wsgi.input"] = Body(environ["wsgi.input"], connection)
    return application(environ, start_response)
