"""The one exception tree. Vendor errors are translated into it where they enter."""

from __future__ import annotations

from enum import Enum, Flag, StrEnum, auto
from typing import Self


class Fault(Enum):
    """Who can mend what a code says."""

    CLIENT = "client"
    """Whoever sent the request, or typed the command."""
    PHOTO = "photo"
    """Nobody but who has a better file."""
    OPERATOR = "operator"
    """Whoever runs the service: a setting, a disk, weights."""
    SERVICE = "service"
    """Nightshift, or a part that is away for now."""


class Fails(Flag):
    """Whose row has a code once it has failed with it."""

    NOTHING = 0
    PHOTO = auto()
    """A photo's, and the same bytes fail again."""
    PHOTO_FOR_NOW = auto()
    """A photo's, and the same bytes may succeed another time."""
    JOB = auto()


class AnyCode(StrEnum):
    """Base of the enums of codes: `Code`, and those of the tools in training/ and bench/.

    Below each member stands what it means, in one line, and then what to do.

    Attributes:
        fault: who can mend it.
        status: HTTP status, where it is an answer of the API.
        fails: whose row it may be in.
    """

    fault: Fault
    status: int | None
    fails: Fails

    def __new__(
        cls, value: str, fault: Fault, status: int | None = None, fails: Fails = Fails.NOTHING
    ) -> Self:
        """A member, out of the words that stand beside its name."""
        code = str.__new__(cls, value)
        code._value_ = value
        code.fault, code.status, code.fails = fault, status, fails
        return code


class NightshiftError(Exception):
    """Base of every error Nightshift raises on purpose.

    Attributes:
        code: stable snake_case name a client can switch on.
        message: one sentence for a person; names the thing that is wrong.
        details: further facts that a client can use, such as the state a job is in.
    """

    def __init__(self, code: AnyCode, message: str, **details: object) -> None:
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
