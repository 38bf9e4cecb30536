from __future__ import annotations

import pytest

from bench.matching import agreement, count_faces, count_matched, iou, matched
from bench.protocol import Corners, FoundFace, Reading


def face(*box: float, gender: str = "", age: str = "", reading: Reading | None = None) -> FoundFace:
    x1, y1, x2, y2 = box
    return FoundFace((x1, y1, x2, y2), gender, age, reading)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((0, 0, 10, 10), 1.0),
        ((0, 0, 10, 5), 0.5),
        ((5, 0, 15, 10), 1 / 3),
        ((10, 0, 20, 10), 0.0),
        ((30, 30, 40, 40), 0.0),
        ((5, 5, 5, 5), 0.0),
    ],
)
def test_iou(other: Corners, expected: float) -> None:
    assert iou((0, 0, 10, 10), other) == pytest.approx(expected)
    assert iou(other, (0, 0, 10, 10)) == pytest.approx(expected)


def test_a_half_is_not_enough() -> None:
    assert matched([face(0, 0, 10, 10)], [face(0, 0, 10, 5)]) == []
    assert matched([face(0, 0, 10, 10)], [face(0, 0, 10, 5.1)]) == [(0, 0)]


def test_each_face_is_matched_once_and_the_best_pair_first() -> None:
    first = [face(0, 0, 10, 10), face(1, 0, 11, 10)]
    second = [face(1, 0, 11, 10), face(2, 0, 12, 10)]

    assert matched(first, second) == [(1, 0), (0, 1)]


def test_counts_go_photo_by_photo() -> None:
    one, far = face(0, 0, 10, 10), face(50, 0, 60, 10)

    assert count_faces([[one, far], [], [one]]) == 3
    assert count_matched([[one], [far], []], [[one, far], [one], [far]]) == 1


def test_labels_are_compared_on_matched_faces_only() -> None:
    photos = [
        [
            face(0, 0, 10, 10, gender="female", age="20-29"),
            face(50, 0, 60, 10, gender="male", age="0-4"),
            face(90, 0, 99, 9, gender="male", age="65+"),
        ]
    ]
    readings = [
        [
            face(0, 0, 10, 10, reading=Reading("female", 0.9, "30-39", 0.031)),
            face(50, 0, 60, 10, reading=Reading("female", 0.2, "0-4", 0.5)),
        ]
    ]

    found = agreement(photos, readings, crops="plain")

    assert (found.faces, found.gender, found.age_group, found.both) == (2, 1, 1, 0)
    assert found.flip_margins == [0.031, 0.2]
