"""Cursors: where a page ended, opaque to the client.

Only what is written here is read again: a cursor is taken apart, put together anew, and has to be the same,
letter for letter. So there is one spelling of each, and no other document, number or list gets any further.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput

_ID = r"[a-z]{3}_[0-9A-Za-z]{1,64}"
_PHOTO = re.compile(r"photo \S{0,80} \S{1,20} ([0-9]{1,19}) (\S{1,300})")
_JOB = re.compile(rf"job ([0-9T:.+-]{{1,32}}) ({_ID})")
_MOST = 2**63 - 1


def _write(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
    except (binascii.Error, ValueError) as error:
        raise bad_cursor() from error


def bad_cursor() -> InvalidInput:
    """What a cursor is refused with."""
    return InvalidInput(Code.BAD_CURSOR, "cursor is not one that this server gave out for this list")


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which photo a page begins: its ordinal in the job, and the value it was sorted by, if any."""

    ordinal: int
    value: str | int | float | None = None


def encode_place(job_id: str, order: str, place: Place) -> str:
    """Cursor behind this photo of this job, in this order."""
    return _write(f"photo {job_id} {order} {place.ordinal} {json.dumps(place.value)}")


def decode_place(cursor: str, job_id: str, order: str, kind: type | None) -> Place:
    """Where the page before ended.

    Args:
        cursor: the client's.
        job_id: the job that is listed.
        order: in which order.
        kind: of the values sorted by, which may be None as well; None where a cursor holds none.

    Raises:
        InvalidInput: `bad_cursor`, also for one of another job or order.
    """
    found = _PHOTO.fullmatch(_read(cursor))
    if found is None:
        raise bad_cursor()
    try:
        place = Place(int(found[1]), json.loads(found[2]))
    except ValueError as error:
        raise bad_cursor() from error
    is_known = place.value is None or (kind is not None and type(place.value) is kind)
    if not is_known or not _is_storable(place) or encode_place(job_id, order, place) != cursor:
        raise bad_cursor()
    return place


def _is_storable(place: Place) -> bool:
    """Whether the databases can be asked for it."""
    if isinstance(place.value, float):
        return isfinite(place.value) and place.ordinal <= _MOST
    if isinstance(place.value, str) and not place.value.isprintable():
        return False
    return place.ordinal <= _MOST and (not isinstance(place.value, int) or 0 <= place.value <= _MOST)


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
        raise bad_cursor()
    try:
        created_at = datetime.fromisoformat(found[1])
        if created_at.utcoffset() != timedelta(0) or encode_job(created_at, found[2]) != cursor:
            raise bad_cursor()
    except (ValueError, OverflowError) as error:
        raise bad_cursor() from error
    return created_at.astimezone(UTC), found[2]
