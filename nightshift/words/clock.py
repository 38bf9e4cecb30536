"""The wall clock, aware and in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Now, aware, UTC."""
    return datetime.now(UTC)


def local_time(at: datetime | None, *, seconds: bool = False, zone: bool = True) -> str:
    """A moment by this machine's clock, such as `2026-12-24 18:30 CET`; empty where there is none.

    Args:
        at: aware.
        seconds: whether they matter.
        zone: False in columns of tables, which are narrow.
    """
    return f"{at.astimezone():%Y-%m-%d %H:%M{':%S' if seconds else ''}{' %Z' if zone else ''}}" if at else ""
