"""Whether results are kept only because the clock is not believed."""

from __future__ import annotations

from nightshift.words.plain_text import counted
from shared.db.engine import Transaction
from shared.operations.erasure import count_expired
from shared.queue import expiry


def clock_warning(session: Transaction) -> str | None:
    """What would have been erased by now, were the clock believed, in one sentence; None for nothing."""
    horizon = expiry.standing(session)
    due = count_expired(session, horizon.now) - count_expired(session, horizon.until)
    if horizon.trusted_at is None or not due:
        return None
    return (
        f"expired results of {counted(due, 'earlier run')} are kept: the clock is far ahead"
        f" of {horizon.until:%Y-%m-%d %H:%M} UTC, when it was last believed, as after days without a run"
    )
