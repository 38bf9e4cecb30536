"""What was wished of a job is changed while it waits, goes on, or has ended."""

from __future__ import annotations

from typing import Any

import pytest

from nightshift.words.new_job import JobChange
from tests.integration.api.test_wishes import WISHES
from tests.support.service import Service

CHANGES = {name: value for name, value in WISHES.items() if name != "options"}


def change(service: Service, job_id: str, **fields: Any) -> Any:
    return service.client.patch(f"/v1/jobs/{job_id}", json=fields)


def test_everything_that_may_be_changed_is() -> None:
    assert CHANGES.keys() == JobChange.model_fields.keys()


@pytest.mark.parametrize("submitted", [False, True])
def test_what_is_named_is_changed_and_the_rest_stays(service: Service, submitted: bool) -> None:
    assert service.client.post("/v1/webhooks/secrets").status_code == 201
    job_id = service.submitted_job("a") if submitted else service.open_job()
    before = service.job(job_id)
    for name, value in CHANGES.items():
        changed = change(service, job_id, **{name: value})
        assert changed.status_code == 200, changed.text
        assert changed.json[name] == value
        assert change(service, job_id, **{name: value}).status_code == 200
    after = service.job(job_id)
    assert {name: after[name] for name in CHANGES} == CHANGES
    assert (after["state"], after["options"]) == (before["state"], before["options"])
    for name in ("label", "max_failure_rate", "processing_window", "deadline", "notify"):
        assert change(service, job_id, **{name: None}).json[name] is None


def test_a_changed_window_holds_a_job_back_and_lets_it_go(service: Service) -> None:
    job_id = service.submitted_job("a")
    assert service.context.queue.claimable(9) == 1
    # An hour that is not now, wherever the test runs.
    now = service.job(job_id)["created_at"][11:13]
    other = f"{(int(now) + 6) % 24:02}:00-{(int(now) + 7) % 24:02}:00 UTC"
    assert change(service, job_id, processing_window=other).json["waits_until"]
    assert service.context.queue.claimable(9) == 0
    assert change(service, job_id, processing_window=None).json["waits_until"] is None
    assert service.context.queue.claimable(9) == 1


def test_of_an_ended_job_only_its_name_and_its_bell(service: Service) -> None:
    job_id = service.submitted_job("a")
    service.post(job_id, "cancel")
    assert service.job(job_id)["state"] == "ended"
    assert change(service, job_id, label="gala", metadata={"a": 1}).json["label"] == "gala"
    late = change(service, job_id, label="other", priority=-1)
    assert (late.status_code, late.json["code"], late.json["state"]) == (409, "illegal_move", "ended")
    assert "priority" in late.json["detail"]
    assert service.job(job_id)["label"] == "gala"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({}, 422, "invalid_fields"),
        ({"label": 1}, 422, "invalid_fields"),
        ({"priority": None}, 422, "invalid_fields"),
        ({"metadata": None}, 422, "invalid_fields"),
        ({"options": {"height": 720}}, 422, "invalid_fields"),
        ({"state": "ended"}, 422, "invalid_fields"),
        ({"deadline": "2001-01-01T00:00:00Z"}, 422, "invalid_fields"),
        ({"processing_window": "at night"}, 422, "invalid_fields"),
        (
            {"notify": [{"url": "https://example.org", "events": ["job.ended"]}]},
            409,
            "webhook_secret_missing",
        ),
        (
            {"notify": [{"url": "https://127.0.0.1", "events": ["job.ended"]}]},
            422,
            "webhook_address_forbidden",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    service: Service, fields: dict[str, Any], status: int, code: str
) -> None:
    job_id = service.open_job(label="party")
    before = service.job(job_id)
    refused = change(service, job_id, **fields)
    assert (refused.status_code, refused.json["code"]) == (status, code), refused.text
    assert service.job(job_id) == before
    assert change(service, "job_" + "0" * 32, label="x").json["code"] == "job_not_found"


def test_a_job_is_changed_only_as_it_is_known_where_that_is_asked_for(service: Service) -> None:
    job_id = service.submitted_job("a", "b")
    known = service.get(job_id).headers["ETag"]
    path = f"/v1/jobs/{job_id}"

    def named(label: str, etag: str) -> Any:
        return service.client.patch(path, json={"label": label}, headers={"If-Match": etag})

    first = named("mine", known)
    assert (first.status_code, first.json["label"]) == (200, "mine"), first.text
    late = named("yours", known)
    assert (late.status_code, late.json["code"], late.json["state"]) == (412, "precondition_failed", "queued")
    assert service.job(job_id)["label"] == "mine"
    # With another's beside it, or whatever it is.
    assert named("again", f'"other", {first.headers["ETag"]}').status_code == 200
    assert named("any", "*").status_code == 200
    for none in ('"other"', "", "W/", "nothing", '"' + "x" * 300 + '"'):
        assert named("no", none).json["code"] == "precondition_failed", none
    assert service.job(job_id)["label"] == "any"
    assert (
        service.client.patch("/v1/jobs/job_1", json={"label": "x"}, headers={"If-Match": "*"}).status_code
        == 404
    )


def test_that_photos_went_on_is_no_change_of_what_is_wished(service: Service) -> None:
    job_id = service.submitted_job("a", "b")
    known = service.get(job_id).headers["ETag"]
    service.work(batch_size=1)
    service.context.jobs.changed(job_id)
    path, now = f"/v1/jobs/{job_id}", service.get(job_id).headers["ETag"]
    assert now != known
    still = service.client.patch(path, json={"label": "x"}, headers={"If-Match": known})
    assert (still.status_code, still.json["label"]) == (200, "x"), still.text
    for etag in (known, now):
        late = service.client.patch(path, json={"label": "y"}, headers={"If-Match": etag})
        assert (late.status_code, late.json["code"]) == (412, "precondition_failed")


@pytest.mark.parametrize(
    "changed",
    [
        {"label": "b"},
        {"priority": -1},
        {"metadata": {"a": 1}},
        {"max_failure_rate": 0.5},
        {"processing_window": "22:00-06:00 Europe/Berlin"},
        {"deadline": "8h"},
        {"notify": []},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_every_wish_is_guarded(service: Service, changed: dict[str, Any]) -> None:
    job_id = service.open_job()
    known = service.get(job_id).headers["ETag"]
    assert change(service, job_id, **changed).status_code == 200
    path = f"/v1/jobs/{job_id}"
    late = service.client.patch(path, json={"label": "x"}, headers={"If-Match": known})
    assert (late.status_code, late.json["code"]) == (412, "precondition_failed")
