"""GET /v1/models: the weights of a service, whole and broken, and no path of its machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.bundles.manifest import MANIFEST
from tests.integration.api.conftest import Serve
from tests.support.bundles_made import make_bundle

NO, YES = {"allowed": "no", "reason": "trained on UTKFace"}, {"allowed": "yes", "reason": "CC0 1.0"}


def test_models_are_listed_with_those_in_use_and_broken_ones(serve: Serve, tmp_path: Path) -> None:
    make_bundle(tmp_path / "weights" / "broken", format="none")
    make_bundle(tmp_path / "elsewhere" / "used", metrics={"validation": {"gender": 0.9}}, commercial_use=NO)
    service = serve(bundle=str(tmp_path / "elsewhere" / "used"))

    answer = service.client.get("/v1/models")

    assert answer.status_code == 200
    assert answer.json["in_use"]["name"] == "used"
    broken, test, used = answer.json["models"]
    assert (broken["name"], broken["error"]["code"], broken["sha256"]) == ("broken", "bundle_format", None)
    # Its tensors are not there: the API needs them for nothing else.
    assert (test["name"], test["error"]["code"], test["in_use"]) == ("test", "bundle_not_found", False)
    assert (used["name"], used["in_use"], used["error"]) == ("used", True, None)
    assert used["sha256"] == answer.json["in_use"]["sha256"]
    assert used["metrics"] == {"gender": 0.9, "age8": None, "near": None, "mae": None}
    assert (used["commercial_use"], broken["commercial_use"]) == (NO, None)
    assert str(tmp_path) not in answer.text


def test_a_summary_says_what_the_jobs_own_weights_allow(serve: Serve, tmp_path: Path) -> None:
    make_bundle(tmp_path / "weights" / "first", tensors=b"first", commercial_use=NO)
    first = serve(bundle="first")
    job_id = first.submitted_job("a")
    make_bundle(tmp_path / "weights" / "second", tensors=b"second", commercial_use=YES)
    assert first.get(job_id, "/summary").json["commercial_use"] == NO
    later = serve(bundle="second")
    assert later.get(job_id, "/summary").json["commercial_use"] == NO
    (tmp_path / "weights" / "first" / MANIFEST).unlink()
    assert later.get(job_id, "/summary").json["commercial_use"] == {
        "allowed": "unknown",
        "reason": "these weights are not here any more",
    }


def test_what_is_in_use_stays_so_when_its_folder_is_gone(serve: Serve, tmp_path: Path) -> None:
    service = serve()
    (tmp_path / "weights" / "test" / MANIFEST).unlink()
    answer = service.client.get("/v1/models").json
    assert (answer["in_use"]["name"], answer["models"]) == ("test", [])


def test_they_are_for_everyone_who_may_read(serve: Serve) -> None:
    service = serve()
    assert service.anybody.get("/v1/models").status_code == 401
    made = service.client.post(
        "/v1/keys",
        json={"name": "n", "owner": "anna", "scopes": ["read"]},
    ).json["key"]
    read = service.client.get("/v1/models", headers={"Authorization": f"Bearer {made}"})
    assert read.status_code == 200


def test_a_card_has_all_that_a_manifest_says_and_no_path(serve: Serve, tmp_path: Path) -> None:
    told = {"gender": 0.9, "chips": 10, "by": {"age_group": {"0-4": {"gender": 0.5, "chips": 2}}}}
    make_bundle(tmp_path / "elsewhere" / "a b", metrics={"validation": told}, training={"data": "<b>x</b>"})
    service = serve(bundle=str(tmp_path / "elsewhere" / "a b"))
    answer = service.client.get("/v1/models/a%20b")
    assert answer.status_code == 200
    assert (answer.json["name"], answer.json["in_use"]) == ("a b", True)
    assert [(each["group"], each["faces"], each["gender"]) for each in answer.json["measured"]] == [
        (None, 10, 0.9),
        ("0-4", 2, 0.5),
    ]
    assert answer.json["training"] == [{"about": "data", "text": "<b>x</b>"}]
    assert answer.json["not_said"] == ["calibration"]
    assert str(tmp_path) not in answer.text


def test_two_bundles_of_one_name_are_told_apart(serve: Serve, tmp_path: Path) -> None:
    used = make_bundle(tmp_path / "elsewhere" / "test", tensors=b"others")
    service = serve(bundle=str(used))
    refused = service.client.get("/v1/models/test")
    assert (refused.status_code, refused.json["code"]) == (409, "model_ambiguous")
    assert service.client.get("/v1/models/test?in_use=true").json["error"] is None
    # The tensors of the other are not there.
    assert service.client.get("/v1/models/test?in_use=false").json["error"]["code"] == "bundle_not_found"


@pytest.mark.parametrize("name", ["nothing", "..", "%2e%2e", "a%00b", "x" * 300, "%1b[31m", "caf%C3%A9"])
def test_weights_that_are_not_there_are_named(serve: Serve, name: str) -> None:
    answer = serve().client.get(f"/v1/models/{name}")
    assert answer.status_code in (404, 422)
    assert answer.json["code"] in ("model_not_found", "invalid_fields", "not_found")
