"""What can go wrong for a client: branches of the one tree, whose root is `NightshiftError`.

What a client was given and cannot be sent is `InvalidInput`; for all else that it raises on purpose there is
`ClientError`.
"""

from __future__ import annotations

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput as InvalidInput
from nightshift.words.errors import NightshiftError as NightshiftError


class ClientError(NightshiftError):
    """What a server said, or did not say."""


class ApiError(ClientError):
    """The server answered, and the answer is no.

    Attributes:
        status: HTTP status.
        code: the problem's stable name, such as `job_not_found`; `http_<status>` from a proxy.
        detail: one sentence for a person.
        state: the job's state, when that was the reason.
        retry_after_s: after how long a server that limits its callers wants to be asked again.
    """

    # A server may be newer than this client, or stand behind a proxy: its codes are not ours alone.
    code: str  # type: ignore[assignment]

    def __init__(
        self, status: int, code: str, detail: str, state: str | None = None, retry_after_s: float = 0.0
    ) -> None:
        super().__init__(Code.INTERNAL, detail)
        self.code = code
        self.status = status
        self.state = state
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"

    @property
    def detail(self) -> str:
        """The same as `message`, by the problem's own word."""
        return self.message


class Unreachable(ClientError):
    """No answer came: wrong address, server down, or the connection broke."""

    def __init__(self, message: str, code: Code = Code.UNREACHABLE) -> None:
        super().__init__(code, message)


class UploadCut(Unreachable):
    """The server closed the connection while a photo was on its way.

    A server that refuses a body for its size may do so before the client has read the 413.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, Code.UPLOAD_CUT)


class FileChanged(ClientError):
    """A photo has become longer or shorter while it was on its way."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.NOT_SENT, message)


class WaitTimeout(ClientError):
    """The job had not ended when the time allowed for waiting was over."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.WAIT_TIMEOUT, message)
