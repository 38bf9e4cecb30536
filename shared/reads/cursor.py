"""Cursors: where a page ended, opaque to the client.

Only what is written here is read again: a cursor is taken apart, put together anew, and has to be the same,
letter for letter. So there is one spelling of each, and no other document, number or list gets any further.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput

_ID = r"[a-z]{3}_[0-9A-Za-z]{1,64}"
_PHOTO = re.compile(r"photo (\S{0,80}) ([0-9]{1,19})")
_JOB = re.compile(rf"job ([0-9T:.+-]{{1,32}}) ({_ID})")
_MOST_ORDINAL = 2**63 - 1


def _write(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
    except (binascii.Error, ValueError) as error:
        raise _bad() from error


def _bad() -> InvalidInput:
    return InvalidInput(Code.BAD_CURSOR, "cursor is not one that this server gave out for this list")


def encode_ordinal(ordinal: int, job_id: str = "") -> str:
    """Cursor after the photo with this ordinal, of this job."""
    return _write(f"photo {job_id} {ordinal}")


def decode_ordinal(cursor: str, job_id: str = "") -> int:
    """Ordinal of the last photo of the page before.

    Raises:
        InvalidInput: `bad_cursor`, also for one of another job.
    """
    found = _PHOTO.fullmatch(_read(cursor))
    if found is None:
        raise _bad()
    ordinal = int(found[2])
    if ordinal > _MOST_ORDINAL or encode_ordinal(ordinal, job_id) != cursor:
        raise _bad()
    return ordinal


def encode_job(created_at: datetime, job_id: str) -> str:
    """Cursor after this job; `created_at` is aware, UTC."""
    return _write(f"job {created_at.isoformat()} {job_id}")


def decode_job(cursor: str) -> tuple[datetime, str]:
    """When the last job of the page before was made, aware UTC, and its id.

    Raises:
        InvalidInput: `bad_cursor`.
    """
    found = _JOB.fullmatch(_read(cursor))
    if found is None:
        raise _bad()
    try:
        created_at = datetime.fromisoformat(found[1])
        if created_at.utcoffset() != timedelta(0) or encode_job(created_at, found[2]) != cursor:
            raise _bad()
    except (ValueError, OverflowError) as error:
        raise _bad() from error
    return created_at.astimezone(UTC), found[2]
