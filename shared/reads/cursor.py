"""Cursors: where a page ended, opaque to the client."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

from shared.errors import InvalidInput


def _encode(*parts: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _decode(cursor: str) -> list[object]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parts = json.loads(text)
    except ValueError as error:
        raise _bad() from error
    if not isinstance(parts, list):
        raise _bad()
    return parts


def _bad() -> InvalidInput:
    return InvalidInput("bad_cursor", "cursor is not one that this server gave out")


def encode_ordinal(ordinal: int) -> str:
    """Cursor after the photo with this ordinal."""
    return _encode(ordinal)


def decode_ordinal(cursor: str) -> int:
    """Ordinal of the last photo of the page before.

    Raises:
        InvalidInput: `bad_cursor`.
    """
    match _decode(cursor):
        case [int(ordinal)] if 0 <= ordinal < 2**63:
            return ordinal
    raise _bad()


def encode_job(created_at: datetime, job_id: str) -> str:
    """Cursor after this job."""
    return _encode(created_at.isoformat(), job_id)


def decode_job(cursor: str) -> tuple[datetime, str]:
    """When the last job of the page before was made, aware UTC, and its id.

    Raises:
        InvalidInput: `bad_cursor`.
    """
    match _decode(cursor):
        case [str(created_at), str(job_id)] if job_id.isascii() and "\x00" not in job_id:
            try:
                moment = datetime.fromisoformat(created_at)
                if moment.tzinfo is not None:
                    return moment.astimezone(UTC), job_id
            except (ValueError, OverflowError) as error:
                raise _bad() from error
    raise _bad()
