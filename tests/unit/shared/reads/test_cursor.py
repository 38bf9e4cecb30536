from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightshift.words.errors import InvalidInput
from shared.reads.cursor import Place, decode_job, decode_place, encode_job, encode_place

ORDERS: list[tuple[str, type | None, st.SearchStrategy[object]]] = [
    ("added", int, st.none() | st.integers(0, 2**63 - 1)),
    ("-time", str, st.none() | st.from_regex(r"[0-9T:.+-]{1,32}", fullmatch=True)),
    ("faces", int, st.none() | st.integers(0, 2**63 - 1)),
    ("least_sure", float, st.none() | st.floats(allow_nan=False, allow_infinity=False)),
]


@given(ordinal=st.integers(0, 2**63 - 1), data=st.data())
@pytest.mark.parametrize(("order", "kind", "values"), ORDERS)
def test_places_come_back(
    ordinal: int, data: st.DataObject, order: str, kind: type | None, values: st.SearchStrategy[Any]
) -> None:
    place = Place(ordinal, data.draw(values))
    assert decode_place(encode_place("job_1", order, place), "job_1", order, kind) == place


@given(st.datetimes(timezones=st.just(UTC)))
def test_jobs_come_back(created_at: datetime) -> None:
    assert decode_job(encode_job(created_at, "job_1")) == (created_at, "job_1")


@given(st.text())
def test_anything_else_is_refused(cursor: str) -> None:
    for decode in (partial(decode_place, job_id="job_1", order="added", kind=None), decode_job):
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
        encode_place("job_1", "faces", Place(-1, 1)),
        encode_place("job_1", "faces", Place(2**63, 1)),
        encode_place("job_1", "faces", Place(1, -1)),
        encode_place("job_1", "faces", Place(1, 2**63)),
        encode_place("job_1", "faces", Place(1, True)),
        encode_place("job_1", "faces", Place(1, 1.0)),
        encode_place("job_1", "faces", Place(1, "1")),
        encode_place("job_2", "faces", Place(1, 1)),
        encode_place("job_1", "-faces", Place(1, 1)),
        encode_place("job_1", "least_sure", Place(1, 0.5)),
    ],
)
def test_no_place_in_this_list(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        decode_place(cursor, "job_1", "faces", int)


@pytest.mark.parametrize(
    ("order", "kind", "value"),
    [("time", str, "\x00"), ("least_sure", float, float("nan")), ("least_sure", float, float("inf"))],
)
def test_no_value_that_a_database_could_be_asked_for(order: str, kind: type, value: Any) -> None:
    with pytest.raises(InvalidInput):
        decode_place(encode_place("job_1", order, Place(1, value)), "job_1", order, kind)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        encode_place("job_1", "added", Place(1)),
        encode_job(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None), "job_1"),
        encode_job(datetime(2026, 1, 1, tzinfo=UTC), "\x00"),
    ],
)
def test_no_job(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        decode_job(cursor)
