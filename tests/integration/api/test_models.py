"""GET /v1/models: the weights of a service, whole and broken, and no path of its machine."""

from __future__ import annotations

from pathlib import Path

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
