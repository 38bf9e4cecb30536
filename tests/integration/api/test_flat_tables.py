"""`photos.csv`, `faces.csv` and `low-confidence-faces.csv`: what was found, flat."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from nightshift.words.analysis import Quality
from nightshift.words.columns import columns, json_schema
from nightshift.words.options import JobOptions
from nightshift.words.tables import FORMAT_VERSION, FaceRow, PhotoRow
from shared.reads.flat_tables import BOM
from tests.support.queue_rows import analysis, face, manifest
from tests.support.service import Service

QUALITY = Quality(sharpness=0.98765, brightness=0.5, size_px=96.04, yaw_deg=-0.01, cut_off=0.0)


def table(service: Service, job_id: str, name: str) -> list[dict[str, str]]:
    answer = service.get(job_id, f"/{name}.csv")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.text.startswith(BOM)
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix(BOM), newline="")))


def test_a_row_a_photo_and_a_row_a_face(service: Service) -> None:
    job_id = service.submitted_job("broken.jpg", "none.jpg", "=two.jpg")
    service.fail("corrupt_image", "cut off")
    two = (replace(face(0), quality=QUALITY), face(1, "male", "5-9"))
    taken: dict[str, Any] = {
        "taken_at": "2026-11-24T21:35:26+01:00",
        "camera_make": "=Canon",
        "camera_model": "EOS R6",
    }
    service.work(lambda n: replace(analysis(*two[: 2 * n]), **taken), batch_size=2)

    photos, faces = table(service, job_id, "photos"), table(service, job_id, "faces")

    assert [(row["custom_id"], row["status"], row["faces"]) for row in photos] == [
        ("broken.jpg", "failed", "0"),
        ("none.jpg", "succeeded", "0"),
        ("'=two.jpg", "succeeded", "2"),
    ]
    assert (photos[0]["error_code"], photos[0]["error_message"]) == ("corrupt_image", "cut off")
    assert photos[1]["camera_make"] == "'=Canon"
    assert [(row["custom_id"], row["face_index"]) for row in faces] == [
        ("'=two.jpg", "0"),
        ("'=two.jpg", "1"),
    ]
    first, second = faces
    assert first["photo_id"] == photos[2]["photo_id"]
    assert (second["age_group"], second["age_group_low"], second["p_age_5_9"]) == ("5 to 9", "5", "1.0")
    assert (first["sharpness"], first["crop_size_px"], first["yaw_deg"]) == ("0.988", "96.0", "0.0")
    assert (second["sharpness"], second["p_male"], second["taken_at"]) == ("", "0.9", taken["taken_at"])
    assert {row["job_id"] for row in (*photos, *faces)} == {job_id}
    assert {row["format_version"] for row in (*photos, *faces)} == {str(FORMAT_VERSION)}
    options = JobOptions()
    assert float(first["option_min_confidence"]) == options.min_confidence
    assert float(first["threshold_gender"]) == manifest().heads.gender.uncertain_below
    assert float(first["threshold_crop_size_px"]) == manifest().limits.min_size_px


def test_faces_of_low_confidence_have_a_table_of_their_own_and_are_in_no_count(service: Service) -> None:
    job_id = service.submitted_job("a", "b")
    faint = replace(face(1, "male"), confidence=0.8)
    # Of the second, an analysis from before they were kept.
    service.work(lambda n: replace(analysis(face()), low_confidence_faces=None if n else (faint,)))
    service.finish(job_id)

    first, second = service.get(job_id, "/photos").json["photos"]
    assert [found["confidence"] for found in first["low_confidence_faces"]] == [0.8]
    assert second["low_confidence_faces"] is None
    (kept,) = table(service, job_id, "low-confidence-faces")
    assert (kept["custom_id"], kept["face_index"], kept["confidence"]) == ("a", "1", "0.8")
    assert float(kept["confidence"]) < float(kept["option_min_confidence"])
    assert [row["face_index"] for row in table(service, job_id, "faces")] == ["0", "0"]
    summary = service.get(job_id, "/summary").json
    assert (summary["faces"], summary["gender"]) == (2, {"female": 2, "male": 0})
    assert service.get(job_id).json["faces"] == 2


def test_thresholds_are_said_only_where_they_are_those_of_the_job(service: Service) -> None:
    job_id = service.submitted_job("a")
    service.work(lambda n: analysis(face()), batch_size=1)
    assert service.get(job_id, "/summary").json["thresholds"]["gender"] == 0.75
    heads = manifest().heads.model_copy(
        update={"gender": manifest().heads.gender.model_copy(update={"uncertain_below": 0.6})}
    )
    service.replace(bundle=manifest().model_copy(update={"heads": heads}))
    assert service.get(job_id, "/summary").json["thresholds"] is None
    assert table(service, job_id, "faces")[0]["threshold_gender"] == ""


@pytest.mark.parametrize(
    ("name", "row"), [("photos", PhotoRow), ("faces", FaceRow), ("low-confidence-faces", FaceRow)]
)
def test_the_columns_are_those_of_the_class_and_cells_are_of_their_kind(
    service: Service, name: str, row: type[PhotoRow | FaceRow]
) -> None:
    job_id = service.submitted_job("b.jpg")
    shown = replace(face(0), quality=QUALITY)
    service.work(lambda n: replace(analysis(shown), low_confidence_faces=(shown,)), batch_size=1)
    (found,) = table(service, job_id, name)
    assert list(found) == [column.name for column in columns(row)]
    read = {
        column.name: json.loads(text)
        if (text := found[column.name]) and column.kind != "text"
        else text or None
        for column in columns(row)
    }
    jsonschema.validate(read, json_schema(row))
    for column in columns(row):
        if column.told.digits is not None and read[column.name] is not None:
            assert read[column.name] == round(float(found[column.name]), column.told.digits)


@pytest.mark.parametrize("name", ["photos", "faces", "low-confidence-faces"])
def test_a_job_that_is_not_there_has_no_tables(plain_service: Service, name: str) -> None:
    answer = plain_service.get("job_0", f"/{name}.csv")
    assert (answer.status_code, answer.json["code"]) == (404, "job_not_found")
