from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from nightshift.words.clock import utc_now
from nightshift.words.states import JobState
from shared.db.tables import Job, Photo
from tests.integration.api.conftest import Serve
from tests.support.queue_rows import analysis, face, queued_job, take
from tests.support.service import Service


def test_a_job_from_open_to_ended(service: Service) -> None:
    opened = service.client.post(
        "/v1/jobs",
        json={
            "label": "party",
            "priority": 3,
            "metadata": {"a": ["\u0000", 1, None], "ß": True},
            "options": {"height": 720},
        },
    )
    assert opened.status_code == 201
    job_id = opened.json["id"]
    assert opened.headers["Location"] == opened.json["links"]["self"] == f"/v1/jobs/{job_id}"
    assert opened.json["state"] == "open"
    assert opened.json["metadata"] == {"a": ["\u0000", 1, None], "ß": True}
    assert opened.json["options"] == {
        "height": 720, "min_confidence": 0.9, "min_face_px": 20, "tilt_threshold_deg": 11.25, "reuse": True,
        "delete_originals": False, "pairs": "one", "preview_px": 320,
    }  # fmt: skip
    assert opened.json["bundle"] == {"name": "test", "sha256": "a" * 64}
    assert opened.json["progress"] == 0
    created_at = datetime.fromisoformat(opened.json["created_at"])
    assert opened.json["created_at"].endswith("Z")
    assert created_at.tzinfo is not None

    for custom_id in ("a.jpg", "b/c.jpg", "ö.jpg"):
        assert service.put(job_id, custom_id, custom_id.encode()).status_code == 201
    submitted = service.post(job_id, "submit")
    assert submitted.status_code == 202
    assert submitted.json["state"] == "queued"
    assert submitted.json["counts"]["queued"] == submitted.json["counts"]["total"] == 3
    assert service.doorbell.rings == 1

    assert service.work(lambda n: analysis(*(face(i) for i in range(n))), batch_size=2) == 2
    running = service.job(job_id)
    assert (running["state"], running["faces"], running["progress"]) == ("running", 1, 0.6667)
    assert running["started_at"] is not None
    service.fail("corrupt_image")
    assert service.finish(job_id)
    ended = service.job(job_id)
    assert (ended["state"], ended["outcome"], ended["progress"]) == ("ended", "partial", 1.0)
    assert ended["counts"] == {
        "total": 3, "queued": 0, "running": 0, "succeeded": 2, "failed": 1, "cancelled": 0,
    }  # fmt: skip
    assert ended["faces"] == 1
    assert ended["photos_per_second"] is None
    with service.database.write() as session:
        (row,) = session.query(Job)
        assert row.ended_at is not None
        row.started_at = row.ended_at - timedelta(seconds=20)
    assert service.job(job_id)["photos_per_second"] == 0.15
    assert ended["eta"] is None
    assert ended["results_expire_at"] > ended["ended_at"] > ended["started_at"]


def test_what_the_server_is_configured_for_holds_where_a_job_chose_nothing(serve: Serve) -> None:
    service = serve(height=500, min_face_px=33)
    answer = service.client.post("/v1/jobs", json={"options": {"min_face_px": 12}})
    assert (answer.json["options"]["height"], answer.json["options"]["min_face_px"]) == (500, 12)


def test_submitting_again_is_no_error_and_rings_no_more(service: Service) -> None:
    job_id = service.submitted_job("a")
    again = service.post(job_id, "submit")
    assert (again.status_code, again.json["state"]) == (200, "queued")
    assert service.doorbell.rings == 1


def test_rings_are_as_many_as_batches(serve: Serve) -> None:
    service = serve(batch_size=2)
    service.submitted_job("a", "b", "c", "d", "e")
    assert service.doorbell.rings == 3


def test_an_empty_job_cannot_be_submitted(service: Service) -> None:
    answer = service.post(service.open_job(), "submit")
    assert (answer.status_code, answer.json["code"]) == (422, "empty_job")


def test_a_broker_that_is_away_does_not_fail_a_submit(serve: Serve) -> None:
    service = serve()
    job_id = service.open_job()
    service.put(job_id, "a")
    # The real doorbell again.
    from shared.broker.doorbell import CeleryDoorbell

    service.replace(doorbell=CeleryDoorbell("redis+socket:///nowhere/broker.sock"))
    assert service.post(job_id, "submit").status_code == 202
    assert service.work() == 1


def test_pause_resume_and_the_moves_that_are_illegal(service: Service) -> None:
    job_id = service.open_job()
    service.put(job_id, "a")
    for move in ("pause", "resume"):
        refused = service.post(job_id, move)
        assert (refused.status_code, refused.json["code"], refused.json["state"]) == (
            409,
            "illegal_move",
            "open",
        )
    service.post(job_id, "submit")
    service.doorbell.rings = 0
    paused = service.post(job_id, "pause")
    assert (paused.status_code, paused.json["state"]) == (202, "paused")
    assert take(service.database) is None
    assert service.post(job_id, "pause").json["state"] == "paused"
    assert service.post(job_id, "pause").status_code == 409
    assert service.doorbell.rings == 0
    resumed = service.post(job_id, "resume")
    assert (resumed.status_code, resumed.json["state"]) == (202, "queued")
    assert service.doorbell.rings == 1
    assert service.work() == 1
    assert service.finish(job_id)
    for move in ("pause", "resume", "cancel"):
        refused = service.post(job_id, move)
        assert (refused.status_code, refused.json["state"]) == (409, "ended")


LEGAL = {
    ("submit", "open"): 202,
    ("pause", "queued"): 202,
    ("pause", "running"): 202,
    ("resume", "paused"): 202,
    **{("cancel", state): 202 for state in ("open", "unpacking", "queued", "running", "paused")},
    ("cancel", "cancelling"): 202,  # again
    ("retry", "ended"): 202,
    ("erase", "open"): 200,
    ("erase", "ended"): 200,
    # Again, of what has been submitted: whoever did not get the answer asks once more.
    **{
        ("submit", state): 200
        for state in ("unpacking", "queued", "running", "paused", "cancelling", "ended")
    },
}
"""What each request answers in each state; everything else is a 409 with the state in it."""


@pytest.mark.parametrize("state", [str(state) for state in JobState])
@pytest.mark.parametrize("request_", ["submit", "pause", "resume", "cancel", "retry", "erase"])
def test_every_move_in_every_state(serve: Serve, request_: str, state: str) -> None:
    service = serve()
    job_id = service.open_job()
    service.put(job_id, "a")
    submitted_at = None if state == "open" else utc_now()
    failed = {"status": "failed", "error": {"code": "timeout"}} if state == "ended" else {}
    with service.database.write() as session:
        session.execute(update(Job).values(state=state, submitted_at=submitted_at))
        session.execute(update(Photo).values(sha256="a" * 64, **failed))
        if state == "cancelling":
            # One is under way still.
            session.execute(update(Photo).values(status="running"))
    if request_ == "erase":
        answer = service.client.delete(f"/v1/jobs/{job_id}")
    else:
        answer = service.post(job_id, request_)
    expected = LEGAL.get((request_, state), 409)
    assert answer.status_code == expected, answer.text
    if expected == 409:
        assert (answer.json["code"], answer.json["state"]) == ("illegal_move", state)
        assert service.job(job_id)["state"] == state


@pytest.mark.parametrize("outcome", ["cancelled", "expired"])
def test_what_ended_before_it_was_submitted_is_not_submitted_again(serve: Serve, outcome: str) -> None:
    service = serve()
    job_id = service.open_job()
    service.put(job_id, "a")
    if outcome == "cancelled":
        service.post(job_id, "cancel")
    else:
        service.context.queue.expire_open(utc_now() + timedelta(days=100))
    answer = service.post(job_id, "submit")
    assert (answer.status_code, answer.json["code"], answer.json["state"]) == (409, "illegal_move", "ended")
    assert service.post(job_id, "retry").status_code == 202
    assert service.post(job_id, "submit").status_code == 200


@pytest.mark.parametrize(
    "until", ["9999-12-31T23:59:59-01:00", "2020-01-01T00:00:00Z", "soon", "2099-01-01T00:00:00"]
)
def test_a_pause_with_no_end_that_can_come_is_refused(serve: Serve, until: str) -> None:
    service = serve()
    job_id = service.submitted_job("a")
    answer = service.client.post(f"/v1/jobs/{job_id}/pause", query_string={"until": until})
    assert answer.status_code == 422, answer.text
    assert service.job(job_id)["state"] == "queued"


def test_cancel_ends_at_once_what_nobody_works_on(service: Service) -> None:
    job_id = service.submitted_job("a", "b")
    cancelled = service.post(job_id, "cancel")
    assert cancelled.status_code == 202
    assert (cancelled.json["state"], cancelled.json["outcome"]) == ("ended", "cancelled")
    assert cancelled.json["counts"]["cancelled"] == 2
    assert service.post(job_id, "cancel").status_code == 202
    empty = service.open_job()
    assert service.post(empty, "cancel").json["outcome"] == "cancelled"


def test_cancel_waits_for_the_batch_under_way(service: Service) -> None:
    job_id = service.submitted_job("a", "b", "c")
    held = take(service.database, batch_size=1)
    assert held is not None
    cancelled = service.post(job_id, "cancel")
    assert cancelled.json["state"] == "cancelling"
    assert cancelled.json["counts"]["running"] == 1
    assert cancelled.json["counts"]["cancelled"] == 2


NO_JOBS = ("job_" + "0" * 32, "nonsense", "job_%00", "job_\u00e9", "%F0%28")


def test_no_such_job(service: Service) -> None:
    for method, part in [
        ("GET", ""), ("GET", "/photos"), ("GET", "/results"), ("GET", "/summary"), ("POST", "/submit"),
        ("POST", "/cancel"), ("POST", "/pause"), ("POST", "/resume"), ("PUT", "/photos?custom_id=a"),
        ("GET", "/photos/pho_1"), ("GET", "/photos/pho_1/thumbnail"),
    ]:  # fmt: skip
        for job_id in NO_JOBS:
            answer = service.client.open(f"/v1/jobs/{job_id}{part}", method=method, data=b"x")
            assert (answer.status_code, answer.json["code"]) == (404, "job_not_found"), (job_id, part)


def test_another_owners_job_is_not_there(service: Service) -> None:
    theirs = queued_job(service.database, 2, owner="other", submitted=False)
    mine = service.open_job()
    for part in ("", "/photos", "/results", "/summary"):
        assert service.get(theirs, part).status_code == 404
    for move in ("submit", "cancel", "pause", "resume"):
        assert service.post(theirs, move).status_code == 404
    assert service.put(theirs, "a").status_code == 404
    assert service.stored() == []
    assert [job["id"] for job in service.client.get("/v1/jobs").json["jobs"]] == [mine]


def test_jobs_are_listed_newest_first_page_by_page(service: Service) -> None:
    made = [service.open_job(label="odd" if number % 2 else "even & more") for number in range(7)]
    service.post(made[0], "cancel")
    url = "/v1/jobs?limit=3"
    seen: list[str] = []
    while url:
        page = service.client.get(url)
        seen += [job["id"] for job in page.json["jobs"]]
        link = page.headers.get("Link")
        assert (link is None) == (page.json["next"] is None)
        url = link.split(">")[0].removeprefix("<") if link else ""
    assert seen == made[::-1]
    labelled = service.client.get("/v1/jobs", query_string={"label": "even & more", "limit": 2})
    assert [job["id"] for job in labelled.json["jobs"]] == [made[6], made[4]]
    rest = service.client.get(labelled.headers["Link"].split(">")[0].removeprefix("<"))
    assert [job["id"] for job in rest.json["jobs"]] == [made[2], made[0]]
    assert [job["id"] for job in service.client.get("/v1/jobs?state=ended").json["jobs"]] == [made[0]]


def test_an_entry_that_goes_between_two_pages_moves_none(service: Service) -> None:
    made = [service.open_job() for _ in range(4)]
    first = service.client.get("/v1/jobs?limit=2")
    with service.database.write() as session:
        session.execute(delete(Job).where(Job.id.in_([made[3], made[1]])))
    second = service.client.get(f"/v1/jobs?limit=2&cursor={first.json['next']}")
    assert [job["id"] for job in second.json["jobs"]] == [made[0]]


@pytest.mark.parametrize("query", ["state=gone", "limit=0", "limit=1001", "limit=x", "cursor=!", "label=%00"])
def test_queries_that_make_no_sense(plain_service: Service, query: str) -> None:
    answer = plain_service.client.get(f"/v1/jobs?{query}")
    assert answer.status_code == 422
    assert answer.json["code"] == "bad_cursor" or answer.json["errors"][0]["field"] == query.split("=")[0]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"label": 5}, "label"),
        ({"label": "\u0000"}, "label"),
        ({"label": "x" * 201}, "label"),
        ({"priority": 10**9}, "priority"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {"a": "x" * 20_000}}, "metadata"),
        ({"options": {"height": 10}}, "options.height"),
        ({"options": {"hieght": 1080}}, "options.hieght"),
        ({"lable": "x"}, "lable"),
        ([], "body"),
        (None, "body"),
    ],
)
def test_bodies_that_make_no_sense_name_the_field(plain_service: Service, body: object, field: str) -> None:
    answer = plain_service.client.post("/v1/jobs", data=json.dumps(body), content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_fields")
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_numbers_that_json_does_not_have_are_refused(service: Service) -> None:
    for number, code in {"NaN": "bad_json", "Infinity": "bad_json", "1e999": "invalid_fields"}.items():
        body = f'{{"metadata": {{"a": {number}}}}}'
        answer = service.client.post("/v1/jobs", data=body, content_type="application/json")
        assert answer.json["code"] == code, number


def test_half_a_surrogate_pair_is_refused(service: Service) -> None:
    for body in (
        {"label": "\ud800"},
        {"metadata": {"a": "\ud800"}},
        {"metadata": {"\udfff": 1}},
        {"\ud800": 1},
        {"options": {"\ud800": 1}},
    ):
        answer = service.client.post("/v1/jobs", data=json.dumps(body), content_type="application/json")
        assert answer.status_code == 422, body
        assert "half a surrogate pair" in answer.json["detail"]
        assert "codec" not in answer.text


def test_a_pause_with_an_end(service: Service) -> None:
    job_id = service.submitted_job("a")
    for until in ("2020-01-01T00:00:00Z", "tomorrow", "2999-01-01T00:00:00"):
        answer = service.client.post(f"/v1/jobs/{job_id}/pause", query_string={"until": until})
        assert (answer.status_code, answer.json["code"]) == (422, "invalid_fields")
    until = "2999-01-01T00:00:00+01:00"
    paused = service.client.post(f"/v1/jobs/{job_id}/pause", query_string={"until": until})
    assert (paused.json["state"], paused.json["waits_until"]) == ("paused", "2998-12-31T23:00:00Z")


def test_wishes_of_a_job_are_kept_and_checked(service: Service) -> None:
    wishes = {"max_failure_rate": 0.1, "processing_window": "22:00-06:00 Europe/Berlin"}
    opened = service.client.post("/v1/jobs", json=wishes).json
    assert {name: opened[name] for name in wishes} == wishes
    assert opened["open_until"] > opened["created_at"]
    form: dict[str, Any] = {name: str(value) for name, value in wishes.items()}
    sent = service.send(("a.jpg", b"photo"), **form)
    assert {name: sent.json[name] for name in wishes} == wishes
    assert sent.json["open_until"] is None
    for name, bad in (("max_failure_rate", 1.5), ("processing_window", "at night")):
        answer = service.client.post("/v1/jobs", json={name: bad})
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, name)
