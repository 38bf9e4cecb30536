from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightshift.words.errors import InvalidInput
from shared.reads.cursor import decode_job, decode_ordinal, encode_job, encode_ordinal


@given(st.integers(0, 2**63 - 1))
def test_ordinals_come_back(ordinal: int) -> None:
    assert decode_ordinal(encode_ordinal(ordinal)) == ordinal


@given(st.datetimes(timezones=st.just(UTC)))
def test_jobs_come_back(created_at: datetime) -> None:
    assert decode_job(encode_job(created_at, "job_1")) == (created_at, "job_1")


@given(st.text())
def test_anything_else_is_refused(cursor: str) -> None:
    for decode in (decode_ordinal, decode_job):
        try:
            decode(cursor)
        except InvalidInput as error:
            assert error.code == "bad_cursor"


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!",
        "WzFd!",
        "e30",
        "W10",
        encode_job(datetime(2026, 1, 1, tzinfo=UTC), "job_1"),
        encode_ordinal(-1),
        encode_ordinal(2**63),
    ],
)
def test_no_ordinal(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        decode_ordinal(cursor)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        encode_ordinal(1),
        encode_job(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None), "job_1"),
        encode_job(datetime(2026, 1, 1, tzinfo=UTC), "\x00"),
    ],
)
def test_no_job(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        decode_job(cursor)
