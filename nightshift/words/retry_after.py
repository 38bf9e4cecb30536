"""The header `Retry-After`: seconds, or the date they lead to (RFC 9110, 10.2.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite


def retry_after_s(value: str, now: datetime) -> float:
    """For how long whoever answers wants to be left alone, seconds; 0 for what says nothing, or is past.

    Args:
        value: as it was answered, whatever it is.
        now: when it was, UTC.
    """
    try:
        seconds = float(value)
    except ValueError:
        try:
            until = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return 0.0
        # RFC 9110's dates are UTC's, though some leave the zone out.
        seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
    return max(0.0, seconds) if isfinite(seconds) else 0.0
