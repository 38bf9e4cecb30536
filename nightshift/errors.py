"""What can go wrong for a client. Everything it raises on purpose is a `ClientError`."""

from __future__ import annotations


class ClientError(Exception):
    """Base of the client's errors; its text is one sentence for a person."""


class ApiError(ClientError):
    """The server answered, and the answer is no.

    Attributes:
        status: HTTP status.
        code: the problem's stable name, such as `job_not_found`; `http_<status>` from a proxy.
        detail: one sentence for a person.
        state: the job's state, when that was the reason.
        retry_after_s: seconds after which a server that limits its callers wants to be asked again.
    """

    def __init__(
        self, status: int, code: str, detail: str, state: str | None = None, retry_after_s: float = 0.0
    ) -> None:
        super().__init__(f"{detail} ({code})")
        self.status = status
        self.code = code
        self.detail = detail
        self.state = state
        self.retry_after_s = retry_after_s


class Unreachable(ClientError):
    """No answer came: wrong address, server down, or the connection broke."""


class UploadCut(Unreachable):
    """The server closed the connection while a photo was on its way.

    A server that refuses a body for its size may do so before the client has read the 413.
    """


class WaitTimeout(ClientError):
    """The job had not ended when the time allowed for waiting was over."""
