"""`GET /v1/overview`: one answer for pages left open; who sees what, why jobs wait, what it costs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from api import overview
from nightshift.words.clock import utc_now
from nightshift.words.overview import Overview
from shared.reads.failures import LOOKED_AT, commonest_failure
from tests.integration.api.conftest import Serve
from tests.support.archives_made import zip_of
from tests.support.callers import Caller, caller, submitted
from tests.support.queue_rows import analysis, face, queued_job, save_all, seen, take
from tests.support.service import Service


def _overview(service: Service, query: str = "") -> dict[str, Any]:
    # As a second later.
    service.context.jobs.changed("job_any")
    answer = service.client.get(f"/v1/overview{query}")
    assert answer.status_code == 200, answer.text
    Overview.model_validate(answer.json)
    return dict(answer.json)


def _wait(service: Service, job_id: str) -> tuple[Any, ...] | None:
    service.context.jobs.changed(job_id)
    (shown,) = _overview(service, f"?job={job_id}")["jobs"]
    wait = shown["wait"]
    return wait and (wait["reason"], wait["until"] is not None, wait["label"])


def test_it_says_of_each_job_what_one_would_ask_next(service: Service) -> None:
    assert _overview(service)["jobs"] == []
    job_id = service.submitted_job(*(f"{n}.jpg" for n in range(9)), label="gala")
    assert service.work(lambda n: analysis(*map(face, range(n % 2 + 1))), batch_size=8) == 8
    service.fail("corrupt_image")
    assert service.finish(job_id)
    told = _overview(service)
    (shown,) = told["jobs"]
    assert shown["job"] == service.job(job_id)
    assert (shown["wait"], shown["commonest_failure"]) == (None, "corrupt_image")
    assert [photo["custom_id"] for photo in shown["newest"]] == [f"{n}.jpg" for n in range(7, 1, -1)]
    newest = shown["newest"][0]
    whole = service.photos(job_id)["7.jpg"]
    assert (newest["photo_id"], newest["face_count"]) == (whole["photo_id"], len(whole["faces"]))
    for small, face_shown in zip(newest["faces"], whole["faces"], strict=True):
        assert small["box_norm"] == face_shown["box_norm"]
        assert small["gender"] == {name: face_shown["gender"][name] for name in ("value", "uncertain")}
    assert told["readiness"] == service.client.get("/readyz").json
    assert told["load"] == service.client.get("/v1/load").json
    assert {part for disk in told["disks"] for part in disk["holds"]} >= {"store"}
    assert all(0 < disk["free_bytes"] < disk["size_bytes"] for disk in told["disks"])


def test_it_says_why_each_job_waits(service: Service) -> None:
    opened = service.open_job()
    assert _wait(service, opened) == ("open", True, None)
    first = service.submitted_job("a.jpg", "b.jpg", label="gala")
    assert _wait(service, first) == ("no_worker", False, None)
    archive = service.send(archive=zip_of({"z.jpg": b"another"})).json["id"]
    assert _wait(service, archive) == ("no_worker", False, None)
    service.post(archive, "cancel")
    seen(service.database, "elsewhere:1")
    # How many workers there are is remembered for a second.
    service.context.jobs.changed(first)
    assert _wait(service, first) == ("next", False, None)
    held = take(service.database, batch_size=1)
    assert held is not None
    assert _wait(service, first) is None
    second = service.submitted_job("c.jpg", label="small")
    assert _wait(service, second) == ("behind_own", False, "gala")
    service.post(second, "pause")
    assert _wait(service, second) == ("paused", False, None)
    hours = [f"{(utc_now() + timedelta(hours=ahead)):%H}:00" for ahead in (6, 9)]
    third = service.submitted_job("d.jpg", processing_window=f"{hours[0]}-{hours[1]} UTC")
    assert _wait(service, third) == ("window", True, None)
    packed = service.send(archive=zip_of({"a.jpg": b"photo"}))
    assert _wait(service, packed.json["id"]) == ("unpacking", False, None)
    service.post(first, "cancel")
    assert _wait(service, first) == ("cancelling", False, None)
    save_all(service.database, held)
    service.finish(first)
    assert _wait(service, first) is None
    until = (utc_now() + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert service.post(third, f"pause?until={until}").status_code == 202
    assert _wait(service, third) == ("paused", True, None)


def test_what_others_jobs_are_called_is_told_to_operators_alone(root: Caller) -> None:
    anna, ben, operator = caller(root, "anna"), caller(root, "ben"), caller(root, "ops", "operator")
    seen(root.service.database, "elsewhere:1")
    annas = anna("POST", "/v1/jobs", json={"label": "wedding", "metadata": {"who": "Mr Smith"}}).json["id"]
    for name in ("a.jpg", "Smith.jpg"):
        anna("PUT", f"/v1/jobs/{annas}/photos?custom_id={name}", data=name.encode())
    anna("POST", f"/v1/jobs/{annas}/submit")
    root.service.work(batch_size=1)
    held = take(root.service.database, batch_size=1)
    assert held is not None
    bens = submitted(ben)
    # As a second later.
    root.service.context.jobs.changed(annas)
    (shown,) = ben("GET", "/v1/overview").json["jobs"]
    assert (shown["job"]["id"], shown["wait"]["reason"]) == (bens, "behind_others")
    assert (shown["wait"]["label"], shown["wait"]["job_id"]) == (None, None)
    assert ben("GET", "/v1/overview").json["workers"] is None
    assert ben("GET", "/v1/overview").json["disks"] is None
    refused = ben("GET", f"/v1/overview?job={annas}")
    assert (refused.status_code, refused.json["code"]) == (404, "job_not_found")
    answer = operator("GET", "/v1/overview")
    by_id = {shown["job"]["id"]: shown for shown in answer.json["jobs"]}
    behind = {"reason": "behind_own", "until": None, "job_id": annas, "label": "wedding"}
    assert by_id[bens]["wait"] == behind
    assert by_id[annas]["newest"] == []
    assert "Smith" not in answer.text
    assert [worker["id"] for worker in answer.json["workers"]] == ["elsewhere:1"]
    (own,) = anna("GET", "/v1/overview").json["jobs"]
    assert [photo["custom_id"] for photo in own["newest"]] == ["a.jpg"]
    assert caller(root, "ops", "metrics")("GET", "/v1/overview").status_code == 403


def test_what_has_not_changed_is_not_sent_again(service: Service) -> None:
    service.submitted_job("a.jpg", "b.jpg")
    first = service.client.get("/v1/overview")
    etag = first.headers["ETag"]

    def ask() -> Any:
        return service.client.get("/v1/overview", headers={"If-None-Match": etag})

    same = ask()
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", etag)
    service.context.jobs.changed("job_any")
    assert ask().status_code == 304
    service.work(batch_size=1)
    # A worker's save is seen within a second, a move of this process at once.
    assert ask().status_code == 304
    service.context.jobs.changed("job_any")
    assert ask().status_code == 200


def test_a_move_shows_at_once(service: Service) -> None:
    job_id = service.submitted_job("a.jpg")
    assert service.client.get("/v1/overview").json["jobs"][0]["job"]["state"] == "queued"
    for move, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "ended")):
        assert service.post(job_id, move).status_code == 202
        assert service.client.get("/v1/overview").json["jobs"][0]["job"]["state"] == state
    service.client.delete(f"/v1/jobs/{job_id}")
    assert service.client.get("/v1/overview").json["jobs"] == []


def test_many_open_pages_cost_as_much_as_one(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "FRESH_S", 3600.0)
    service = serve()
    queued_job(service.database, 300)
    held = take(service.database, batch_size=200)
    assert held is not None
    save_all(service.database, held)
    asked: list[str] = []

    @event.listens_for(service.context.database._engine, "before_cursor_execute")
    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    assert service.client.get("/v1/overview").status_code == 200
    once = len(asked)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: service.client.get("/v1/overview").status_code, range(50)))
    assert len(asked) == once
    # An ended job that has not changed costs no look at its photos.
    service.context.jobs.changed("job_any")
    asked.clear()
    service.client.get("/v1/overview")
    assert not [statement for statement in asked if "FROM faces" in statement]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=a", "cursor=x", "job=job_1&job=job_2"])
def test_a_query_that_says_nothing_is_refused(plain_service: Service, query: str) -> None:
    assert plain_service.client.get(f"/v1/overview?{query}").status_code == 422


def test_a_limit_names_how_many(service: Service) -> None:
    jobs = [service.open_job() for _ in range(3)]
    told = _overview(service, "?limit=2")
    assert [shown["job"]["id"] for shown in told["jobs"]] == jobs[:0:-1]
    rest = service.client.get(f"/v1/jobs?cursor={told['next']}").json["jobs"]
    assert [job["id"] for job in rest] == jobs[:1]


def test_the_commonest_failure_is_that_of_most_of_the_last_thousand(service: Service) -> None:
    codes = ("corrupt_image", "timeout", "timeout", "too_many_pixels")
    job_id = queued_job(service.database, len(codes))
    told = []
    for code in codes:
        with service.database.read() as session:
            told.append(commonest_failure(session, job_id))
        service.fail(code)
    # Of as many as all others together nobody would say "mostly".
    with service.database.read() as session:
        assert [*told, commonest_failure(session, job_id)] == [None, "corrupt_image", None, "timeout", None]
    assert LOOKED_AT == 1000
