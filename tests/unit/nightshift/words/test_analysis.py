"""Faces as they are told: ranges of ages, and why a label is uncertain."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from nightshift.words.analysis import AGE_GROUPS, AGE_RANGE_HOLDS, AgeGroup, Face, Gender, age_range
from tests.support.queue_rows import face

FACE = TypeAdapter(Face)
LABELS = [label for label, _, _ in AGE_GROUPS]


def group(*shares: float) -> AgeGroup:
    best = max(range(8), key=lambda place: shares[place])
    label, low, high = AGE_GROUPS[best]
    return AgeGroup(label, low, high, shares[best], dict(zip(LABELS, shares, strict=True)), True)


@pytest.mark.parametrize(
    ("shares", "shown", "held"),
    [
        ((0, 0, 0, 0.9, 0.1, 0, 0, 0), "20-29", 0.9),
        ((0, 0, 0.05, 0.4, 0.45, 0.1, 0, 0), "20-39", 0.85),
        ((0, 0, 0, 0, 0.1, 0.1, 0.35, 0.45), "50+", 0.8),
        ((0, 0, 0, 0, 0, 0, 0.1, 0.9), "65+", 0.9),
        # Of two runs of three the likelier one.
        ((0.02, 0.03, 0.2, 0.35, 0.3, 0.1, 0, 0), "10-39", 0.85),
    ],
)
def test_a_range_is_the_shortest_run_that_holds_enough(
    shares: tuple[float, ...], shown: str, held: float
) -> None:
    found = age_range(group(*shares))
    assert found.label == shown
    assert found.probability == pytest.approx(held)


@given(st.lists(st.integers(0, 100), min_size=8, max_size=8).filter(any))
def test_no_shorter_run_with_the_likeliest_group_holds_enough(weights: list[int]) -> None:
    shares = [weight / sum(weights) for weight in weights]
    likeliest = group(*shares)
    found = age_range(likeliest)
    lows, highs = [low for _, low, _ in AGE_GROUPS], [high for _, _, high in AGE_GROUPS]
    first, last = lows.index(found.low), highs.index(found.high)
    best = LABELS.index(likeliest.label)
    assert first <= best <= last
    assert found.probability == pytest.approx(sum(shares[first : last + 1]))
    assert found.probability >= AGE_RANGE_HOLDS
    for a, b in itertools.combinations_with_replacement(range(8), 2):
        if b - a < last - first and a <= best <= b:
            assert sum(shares[a : b + 1]) < AGE_RANGE_HOLDS + 1e-9


def test_a_group_of_a_newer_server_is_its_own_range() -> None:
    found = age_range(AgeGroup("80+", 80, None, 0.4, {"80+": 0.4, "65+": 0.3}, True))
    assert (found.label, found.probability) == ("80+", 0.4)


def test_a_range_is_told_with_each_face_and_not_kept_with_it() -> None:
    told = FACE.dump_python(face(), mode="json")
    assert told["age_range"] == {"low": 30, "high": 39, "probability": 1.0}
    stored = {name: value for name, value in told.items() if name != "age_range"}
    assert FACE.validate_python(stored).age_range == face().age_range
    # Whatever an older server says of it, it follows from the probabilities.
    assert FACE.validate_python(told | {"age_range": {"low": 1}}) == face()


def test_a_face_of_before_its_quality_was_measured_is_read() -> None:
    stored = FACE.dump_python(face(), mode="json")
    del stored["quality"]
    del stored["gender"]["uncertain_because"]
    assert FACE.validate_python(stored) == face()
    assert face().quality is None


def test_an_uncertain_label_of_before_reasons_was_a_close_call() -> None:
    assert Gender("male", 0.6, {}, True).uncertain_because == ("close_call",)
    assert Gender("male", 0.9, {}, False).uncertain_because == ()
    assert Gender("male", 0.9, {}, True, ("foggy",)).uncertain_because == ("foggy",)
    assert (
        "close_call"
        in FACE.json_schema()["$defs"]["Gender"]["properties"]["uncertain_because"]["items"]["enum"]
    )
