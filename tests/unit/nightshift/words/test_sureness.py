from __future__ import annotations

from dataclasses import replace

import pytest

from nightshift.words.analysis import Face
from nightshift.words.sureness import sureness
from tests.support.queue_rows import face


def sure(of_gender: float, of_age: float) -> Face:
    found = face()
    return replace(
        found,
        gender=replace(found.gender, probability=of_gender),
        age_group=replace(found.age_group, probability=of_age),
    )


def test_the_least_sure_label_of_all_faces_counts() -> None:
    assert sureness([sure(1, 1)]) == 1
    assert sureness([sure(1, 1), sure(0.75, 1)]) == 0.5
    assert sureness([sure(1, 0.5625), sure(0.9, 1)]) == 0.5
    assert sureness([]) is None


def test_labels_that_say_no_more_than_chance_are_alike() -> None:
    assert sureness([sure(0.5, 1)]) == sureness([sure(1, 0.125)]) == pytest.approx(0)
