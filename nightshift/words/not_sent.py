"""Why a client cannot send a photo: it says which of these it is, and the service has the words."""

from __future__ import annotations

from typing import Literal, get_args

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code

NotSentReason = Literal["unreadable", "changed", "too_large", "unnameable", "refused"]
REASONS: tuple[NotSentReason, ...] = get_args(NotSentReason)

_FAILURES: dict[NotSentReason, tuple[Code, str]] = {
    "unreadable": (Code.NOT_SENT, "the file could not be read where it lies"),
    "changed": (Code.NOT_SENT, "the file changed while it was being sent"),
    "too_large": (Code.FILE_TOO_LARGE, "the file has more bytes than the service takes"),
    "unnameable": (Code.NOT_SENT, "no job can hold the file's name"),
    "refused": (Code.NOT_SENT, "the service did not take the file"),
}


def failure_of(reason: NotSentReason) -> PhotoError:
    """What a photo fails with that was never sent."""
    code, message = _FAILURES[reason]
    return PhotoError.of(code, "read", message)
