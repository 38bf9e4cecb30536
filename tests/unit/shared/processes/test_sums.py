from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.processes.sums import BUCKETS, Sums, added

EVENTS = st.lists(
    st.tuples(st.sampled_from(["photos_done|failed", "leases_expired"]), st.integers(1, 9))
    | st.tuples(st.sampled_from(["stage_seconds|decode", "batch_photos"]), st.floats(0, 1000)),
    max_size=20,
)

Events = list[tuple[str, float]]


def counted(events: Events) -> Sums:
    sums = Sums()
    for series, value in events:
        if series.partition("|")[0] in BUCKETS:
            sums.observe(series, value)
        else:
            sums.count(series, int(value))
    return sums


@given(EVENTS, EVENTS)
def test_two_processes_count_what_one_would(first: Events, then: Events) -> None:
    both = added(counted(first).document(), counted(then).document())
    one = counted([*first, *then]).document()
    assert both["counters"] == one["counters"]
    assert both["histograms"].keys() == one["histograms"].keys()
    for series, entry in one["histograms"].items():
        assert both["histograms"][series]["counts"] == entry["counts"]
        assert abs(both["histograms"][series]["sum"] - entry["sum"]) < 1e-6


def test_a_bound_belongs_to_its_bucket() -> None:
    sums = counted([("batch_photos", 1), ("batch_photos", 8), ("batch_photos", 1000)])
    counts = sums.document()["histograms"]["batch_photos"]["counts"]
    assert counts == [1, 0, 0, 1, 0, 0, 0, 0, 0, 1]


def test_a_document_is_a_copy() -> None:
    sums = counted([("leases_expired", 1)])
    document = sums.document()
    sums.count("leases_expired")
    assert document["counters"] == {"leases_expired": 1}
    assert added({}, document) == document
