"""The states of jobs and photos, and the one table of legal moves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands."""

    OPEN = "open"
    UNPACKING = "unpacking"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    ENDED = "ended"


class Outcome(StrEnum):
    """How an ended job ended."""

    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class PhotoStatus(StrEnum):
    """Where a photo stands. The last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL_STATUSES = frozenset({PhotoStatus.SUCCEEDED, PhotoStatus.FAILED, PhotoStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class Move:
    """A legal change of a job's state.

    Attributes:
        leaves: states it may leave.
        reaches: state it leads to.
    """

    leaves: frozenset[JobState]
    reaches: JobState


_S = JobState

MOVES: dict[str, Move] = {
    "unpack": Move(frozenset({_S.OPEN}), _S.UNPACKING),
    "submit": Move(frozenset({_S.OPEN, _S.UNPACKING}), _S.QUEUED),
    "start": Move(frozenset({_S.QUEUED}), _S.RUNNING),
    "pause": Move(frozenset({_S.QUEUED, _S.RUNNING}), _S.PAUSED),
    "resume": Move(frozenset({_S.PAUSED}), _S.QUEUED),
    "cancel": Move(frozenset({_S.OPEN, _S.UNPACKING, _S.QUEUED, _S.RUNNING, _S.PAUSED}), _S.CANCELLING),
    "give_up": Move(frozenset({_S.QUEUED, _S.RUNNING, _S.PAUSED}), _S.CANCELLING),
    "finish": Move(frozenset({_S.QUEUED, _S.RUNNING, _S.PAUSED, _S.CANCELLING}), _S.ENDED),
    "expire": Move(frozenset({_S.OPEN}), _S.ENDED),
    "retry": Move(frozenset({_S.ENDED}), _S.QUEUED),
}
"""Every move there is. docs/architecture.md prints this table; a test holds the two together."""

CLAIMABLE_STATES = frozenset({JobState.QUEUED, JobState.RUNNING})

ERASABLE_STATES = frozenset({JobState.OPEN, JobState.ENDED})
"""Nobody works on these: what is deleted stays deleted."""
