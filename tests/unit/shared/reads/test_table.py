from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nightshift.words import documents
from nightshift.words.analysis import PhotoError, Quality
from nightshift.words.error_codes import Code
from shared.reads.table import COLUMNS, csv_text, disarm, rows_of
from tests.support.queue_rows import face
from tests.support.tables_made import photo, read_back

# What a database keeps: no NUL, no half of a surrogate pair.
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30)


@given(texts, texts, st.integers(0, 3))
@example("=1+1", "\t=x", 0)
@example("-1", "\r\n", 1)
def test_a_table_reads_back_and_holds_no_formula(custom_id: str, message: str, faces: int) -> None:
    shown = photo(custom_id, faces, PhotoError(Code.TIMEOUT, "decode", message))
    rows = read_back(csv_text(rows_of(shown)))
    assert len(rows) == max(1, faces)
    for row in rows:
        assert len(row) == len(COLUMNS)
        cells = dict(zip(COLUMNS, row, strict=True))
        for name, original in (("custom_id", custom_id), ("error_message", message)):
            assert not cells[name].startswith(("=", "+", "-", "@", "\t", "\r"))
            assert cells[name] in {original, f"'{original}"}
            assert cells[name] == original or original[0] in "=+-@\t\r"


def test_numbers_below_zero_are_no_formulas() -> None:
    assert read_back(csv_text([[-1.5, -3, "-3"]])) == [["-1.5", "-3", "'-3"]]


def test_names_that_could_not_be_formulas_stay() -> None:
    for name in ("a=b", "'a", "", "0-4", "65+", "ä"):
        assert disarm(name) == name


def test_a_photo_without_a_face_has_one_row() -> None:
    assert len(rows_of(photo(faces=0))) == 1
    assert rows_of(photo(faces=0))[0][len(COLUMNS) - 1] is None
    first, second = rows_of(photo(faces=2))
    assert (first[COLUMNS.index("face_index")], second[COLUMNS.index("face_index")]) == (0, 1)


def test_each_cell_is_under_its_name() -> None:
    row = dict(zip(COLUMNS, read_back(csv_text(rows_of(photo(faces=1))))[0], strict=True))
    assert row == {
        "custom_id": "a", "photo_id": "pho_1", "sha256": "", "status": "succeeded",
        "error_code": "", "error_message": "", "width": "10", "height": "20", "face_index": "0",
        "x1": "10.0", "y1": "20.0", "x2": "110.0", "y2": "140.0", "confidence": "0.99", "roll_deg": "1.5",
        "aligned": "false", "gender": "female", "gender_probability": "0.9", "gender_uncertain": "false",
        "age_group": "30-39", "age_group_probability": "1.0", "age_group_uncertain": "false",
        "age_years": "34.0", "age_range": "30-39", "age_range_probability": "1.0",
        "gender_uncertain_because": "", "age_group_uncertain_because": "",
        "sharpness": "", "brightness": "", "size_px": "", "yaw_deg": "", "cut_off": "",
        "bundle": "", "bundle_sha256": "",
    }  # fmt: skip


def test_a_cell_names_each_reason_and_the_quality_it_comes_from() -> None:
    blurred = replace(
        face(),
        gender=replace(face().gender, uncertain=True, uncertain_because=("blurred", "close_call")),
        quality=Quality(sharpness=0.2, brightness=0.5, size_px=40.0, yaw_deg=-12.5, cut_off=0.0),
    )
    row = dict(zip(COLUMNS, rows_of(photo(faces=0).model_copy(update={"faces": [blurred]}))[0], strict=True))
    assert row["gender_uncertain_because"] == "blurred close_call"
    assert (row["sharpness"], row["size_px"], row["yaw_deg"]) == (0.2, 40.0, -12.5)


@pytest.mark.parametrize("faces", [0, 2])
def test_every_row_names_its_weights(faces: int) -> None:
    by = photo(faces=faces).model_copy(update={"bundle": documents.BundleName(name="=mine", sha256="a" * 64)})
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in read_back(csv_text(rows_of(by)))]
    assert {(row["bundle"], row["bundle_sha256"]) for row in rows} == {("'=mine", "a" * 64)}
