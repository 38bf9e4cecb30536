from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightshift.words.photo_names import (
    CUSTOM_ID_LIMIT,
    ORDER_LIMIT,
    beginning_of,
    end_of,
    folded,
    in_order,
    is_too_long,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ΣΊΣΥΦΟΣ.jpg", "σίσυφος.JPG"),
        ("ЁЛКА", "ёлка"),
        ("İSTANBUL", "istanbul"),
        ("IŞIK", "\u0131ş\u0131k"),
        ("STRASSE", "straße"),
        # As macOS writes names, and everybody else.
        ("A\u0308ltere", "älTERE"),
        ("\uff29\uff2d\uff27\uff3f\uff11", "img_1"),
    ],
)
def test_names_that_differ_in_spelling_alone_are_found_alike(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_another_letter_is_another_name() -> None:
    assert folded("ä") != folded("a")
    assert folded("и") != folded("й")


@given(st.text())
def test_what_is_folded_is_folded_for_good(text: str) -> None:
    assert folded(folded(text)) == folded(text)


def test_numbers_go_by_their_value_and_capitals_do_not_count() -> None:
    names = ["a/9.jpg", "A/10.jpg", "a/010b.jpg", "a/11.jpg", "a/12345678901.jpg", "a/x.jpg", "B/1.jpg"]
    names_backwards = names[::-1]
    assert sorted(names_backwards, key=in_order) == names


@given(st.lists(st.integers(0, 10**30), min_size=2))
def test_every_number_goes_by_its_value(numbers: list[int]) -> None:
    assert sorted(numbers, key=lambda number: in_order(f"IMG_{number}.jpg")) == sorted(numbers)


@given(st.text(max_size=CUSTOM_ID_LIMIT))
def test_an_order_is_no_longer_than_an_index_takes(name: str) -> None:
    assert len(in_order(name + 600 * "1a")) <= ORDER_LIMIT


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9), st.integers(1, 600))
def test_what_is_cut_is_as_long_as_a_name_may_be_and_no_longer(part: str, times: int) -> None:
    name = part * times
    beginning, end = beginning_of(name), end_of(name)
    assert name.startswith(beginning)
    assert name.endswith(end)
    for cut in (beginning, end, beginning_of(name, room=20) + "~" * 20):
        assert not is_too_long(cut)
    assert is_too_long(name) == (beginning != name) == (end != name)
