"""The client reads what the server writes, and goes on when one of the two is older than the other."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from nightshift import Client
from nightshift.report_page.rows import face_bits
from nightshift.words import documents
from nightshift.words.states import JobState
from tests.support.answering_server import Answer, serving

COUNTS = dict.fromkeys(("total", "queued", "running", "succeeded", "failed", "cancelled"), 0)
BARE = {"id": "job_1", "state": "running", "counts": COUNTS, "created_at": "2026-01-01T00:00:00Z"}
FACE = {
    "index": 0,
    "box": {"x1": 0, "y1": 0, "x2": 1, "y2": 1, "z": 0},
    "box_norm": {"x1": 0, "y1": 0, "x2": 1, "y2": 1},
    "confidence": 0.9,
    "landmarks": {
        name: {"x": 1, "y": 1} for name in ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
    },
    "roll_deg": 0,
    "aligned": False,
    "size_px": 1,
    "gender": {
        "value": "female",
        "probability": 1,
        "probabilities": {"female": 1, "male": 0},
        "uncertain": False,
    },
    "age_group": {
        "label": "20-29",
        "low": 20,
        "high": 29,
        "probability": 1,
        "probabilities": {"20-29": 1},
        "uncertain": False,
    },
    "age_years": None,
    "smile": 0.7,
}


def answered(job: dict[str, Any]) -> documents.Job:
    with serving(lambda *_: Answer(200, job)) as server, Client(server.url, "k") as client:
        return client.job("job_1")


def test_a_newer_server_may_know_other_states_outcomes_codes_and_fields() -> None:
    job = answered(
        BARE
        | {
            "state": "cooling",
            "outcome": "mostly",
            "error": {"code": "moon_full", "message": "m", "since": 1},
            "webhooks": [1],
            "counts": COUNTS | {"lost": 3},
            "options": {"height": 99_999, "smiles": True},
        }
    )
    assert (job.state, job.outcome, job.ended) == ("cooling", "mostly", False)
    assert job.error is not None and job.error.code == "moon_full"
    assert job.options.height == 99_999
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = job.model_dump(mode="json")
    assert (shown["state"], shown["webhooks"], shown["counts"]["lost"]) == ("cooling", [1], 3)


def test_a_known_state_is_one_of_the_table() -> None:
    assert answered(BARE).state is JobState.RUNNING


def test_a_newer_server_may_say_more_of_photos() -> None:
    line = {
        "custom_id": "a.jpg",
        "photo_id": "pho_1",
        "status": "resting",
        "history": [{"attempt": 1, "ended_at": "2026-01-01T00:00:00Z", "ending": "eclipsed"}],
        "error": {"code": "moon_full", "stage": "sky", "message": "m", "retryable": False, "since": 1},
        "faces": [FACE],
        "smiles": 1,
    }
    page = {"photos": [line], "next": None}
    with serving(lambda *_: Answer(200, page)) as server, Client(server.url, "k") as client:
        [photo] = client.photos("job_1")
    assert photo.status == "resting"
    assert photo.history[0].ending == "eclipsed"
    assert photo.error is not None and photo.error.code == "moon_full"
    assert photo.faces[0].gender.value == "female"


def test_a_label_that_is_not_known_is_shown_as_the_likeliest_known_one() -> None:
    other = FACE | {
        "gender": {
            "value": "other",
            "probability": 0.5,
            "probabilities": {"other": 0.5, "male": 0.4, "female": 0.1},
            "uncertain": False,
        }
    }
    line = {"custom_id": "a.jpg", "photo_id": "pho_1", "status": "succeeded", "faces": [FACE, other]}
    known, unknown = documents.Photo.model_validate(line).faces
    assert (face_bits(known) & 0b10001, face_bits(unknown) & 0b10001) == (0b00000, 0b10001)


def test_an_older_server_need_not_send_what_came_later() -> None:
    job = answered(BARE)
    assert (job.priority, job.metadata, job.archive, job.error, job.bundle.name) == (0, {}, None, None, "")
    assert job.options.reuse


@pytest.mark.parametrize("missing", ["id", "state", "counts", "created_at"])
def test_what_every_server_sends_is_missed(missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        answered({name: value for name, value in BARE.items() if name != missing})


def test_the_schema_names_what_this_server_sends() -> None:
    """Every field, the known words alone, and nothing of how lenient a client is."""
    schema = documents.Job.model_json_schema(mode="serialization")
    assert set(schema["required"]) == set(schema["properties"]) == set(documents.Job.model_fields)
    assert "additionalProperties" not in schema
    assert schema["$defs"]["JobState"]["enum"] == [state.value for state in JobState]
    assert schema["properties"]["state"]["$ref"] == "#/$defs/JobState"
    assert not any("default" in field for field in schema["properties"].values())
