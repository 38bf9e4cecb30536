"""The one exception tree. Vendor errors are translated into it where they enter."""

from __future__ import annotations


class NightshiftError(Exception):
    """Base of every error Nightshift raises on purpose.

    Attributes:
        code: stable snake_case name a client can switch on.
        message: one sentence for a person; names the thing that is wrong.
        details: further facts that a client can use, such as the state a job is in.
    """

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


class InvalidInput(NightshiftError):
    """The caller sent something that can never be right; sending it again changes nothing."""


class NotFound(NightshiftError):
    """There is no such thing, or none that this caller may see."""


class Conflict(NightshiftError):
    """The thing is not in a state that allows this."""


class Unreadable(NightshiftError):
    """A photo's bytes cannot become pixels. Fails that photo and no other."""


class Transient(NightshiftError):
    """Something outside failed for now. The only error that is retried."""


class NoRoom(Transient):
    """A disk is full, or would be. Passes when something is erased."""


class ModelUnavailable(NightshiftError):
    """The weights, their manifest or the device cannot be used as configured."""
