"""Two results, held against each other by hand."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from nightshift.bundles.compared import COLUMNS, write_differences
from nightshift.bundles.comparison import compare, iou, pair_faces
from nightshift.words.analysis import Box, Face
from nightshift.words.documents import Photo
from tests.support.queue_rows import face


def photo(custom_id: str, *faces: Face, status: str = "succeeded") -> Photo:
    return Photo(custom_id=custom_id, photo_id=f"pho_{custom_id}", status=status, faces=faces)


def at(x: float, index: int = 0, **changes: object) -> Face:
    """A face of 100 pixels at x."""
    return replace(face(index), box=Box(x, 0, x + 100, 100), **changes)  # type: ignore[arg-type]


def unsure(one: Face, *, gender: bool = False, age: bool = False) -> Face:
    return replace(
        one,
        gender=replace(one.gender, uncertain=gender),
        age_group=replace(one.age_group, uncertain=age),
    )


def test_overlap_is_a_share_of_both_areas() -> None:
    assert iou(Box(0, 0, 2, 2), Box(0, 0, 2, 2)) == 1
    assert iou(Box(0, 0, 2, 2), Box(1, 0, 3, 2)) == 1 / 3
    assert iou(Box(0, 0, 1, 1), Box(1, 1, 2, 2)) == iou(Box(0, 0, 0, 0), Box(0, 0, 0, 0)) == 0


def test_faces_are_paired_by_place_whatever_their_order() -> None:
    a = [at(0, 0), at(200, 1), at(400, 2)]
    b = [at(210, 0), at(390, 1), at(900, 2)]
    assert [(one.index, other.index) for one, other in pair_faces(a, b)] == [(1, 0), (2, 1)]


def test_a_face_is_paired_once_and_with_the_closest() -> None:
    near, nearer = at(30, 0), at(10, 1)
    assert [(one.index, other.index) for one, other in pair_faces([at(0)], [near, nearer])] == [(0, 1)]
    assert pair_faces([], [near]) == []


def test_what_agrees_and_what_does_not_is_counted() -> None:
    a = [
        photo("same", face()),
        photo("gender", unsure(face(), gender=True)),
        photo("group", face(age_group="20-29"), replace(face(1), box=Box(500, 0, 600, 100))),
        photo("none"),
    ]
    b = [
        photo("same", replace(face(), age_years=36.0)),
        photo("gender", unsure(face(gender="male"), gender=True, age=True)),
        photo("group", replace(face(age_group="30-39"), age_years=None)),
        photo("none"),
    ]

    found = compare(a, b)

    assert (found.photos, found.faces, found.unpaired_faces) == (4, 3, 1)
    assert (found.gender_agrees, found.age_group_agrees) == (2, 2)
    assert (found.uncertain_genders, found.uncertain_age_groups) == ((1, 1), (0, 1))
    assert (found.years_known, found.mean_years_apart) == (2, 1.0)
    assert [(one.custom_id, one.a.gender.value, one.b.gender.value) for one in found.differences] == [
        ("gender", "female", "male"),
        ("group", "female", "female"),
    ]


def test_failed_photos_are_counted_and_not_compared() -> None:
    a = [photo("a", status="failed"), photo("b", status="failed"), photo("c", face()), photo("d", face())]
    b = [photo("a", status="failed"), photo("b", face()), photo("c", status="failed"), photo("d", face())]
    found = compare(a, b)
    assert (found.failed_a, found.failed_b, found.failed_both) == (2, 2, 1)
    assert (found.photos, found.faces, found.unpaired_faces) == (1, 1, 0)


def test_photos_are_paired_by_name_whatever_their_order() -> None:
    a, b = [photo(name, face()) for name in "abcx"], [photo(name, face()) for name in "cbya"]
    found = compare(a, b)
    assert (found.photos, found.unpaired_photos) == (3, 2)


def test_nothing_compared_is_no_division_by_zero() -> None:
    assert compare([], []).mean_years_apart is None


def test_differences_are_written_with_both_answers_and_no_formula(tmp_path: Path) -> None:
    other = replace(face(gender="male", age_group="65+"), age_years=None)
    found = compare([photo("=1+1", face())], [photo("=1+1", other)])
    write_differences(tmp_path / "differences.csv", found.differences)
    with (tmp_path / "differences.csv").open(newline="", encoding="utf-8") as file:
        header, row = csv.reader(file)
    assert tuple(header) == COLUMNS
    cells = dict(zip(header, row, strict=True))
    assert (cells["custom_id"], cells["face_index"], cells["x2"]) == ("'=1+1", "0", "110.0")
    assert (cells["gender_a"], cells["gender_b"], cells["gender_probability_b"]) == ("female", "male", "0.9")
    assert (cells["age_group_a"], cells["age_group_b"]) == ("30-39", "65+")
    assert (cells["age_years_a"], cells["age_years_b"]) == ("34.0", "")
