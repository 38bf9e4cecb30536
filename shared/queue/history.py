"""How the attempts at a photo ended: kept on its row, oldest first."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Protocol

LONGEST = 20
"""Attempts that are remembered; a photo that is given back night after night does not grow for ever."""

Ending = Literal["succeeded", "failed", "crashed", "returned", "not_read", "hung"]


class Attempted(Protocol):
    """The columns of a photo under lease that an entry is made of."""

    @property
    def attempts(self) -> int: ...  # noqa: D102
    @property
    def worker(self) -> str | None: ...  # noqa: D102
    @property
    def claimed_at(self) -> datetime | None: ...  # noqa: D102
    @property
    def history(self) -> list[dict[str, Any]] | None: ...  # noqa: D102


def with_attempt(photo: Attempted, ending: Ending, now: datetime) -> list[dict[str, Any]]:
    """The photo's history with the attempt that ends now."""
    entry = {
        "attempt": photo.attempts,
        "worker": photo.worker,
        "started_at": photo.claimed_at.isoformat() if photo.claimed_at else None,
        "ended_at": now.isoformat(),
        "ending": ending,
    }
    return [*(photo.history or []), entry][-LONGEST:]
