"""What each scope is good for, keys that expire and show their use, and who the log says it was."""

from __future__ import annotations

import io
import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from api.last_use import LastUse
from nightshift.words.clock import utc_now
from shared.db.tables import Key
from tests.support.archives_made import zip_of
from tests.support.callers import Caller, caller, submitted
from tests.support.processes import wait_for
from tests.support.service import Service


def test_an_operator_sees_every_job_from_outside_and_nothing_in_it(root: Caller) -> None:
    anna, ben, operator = caller(root, "anna"), caller(root, "ben"), caller(root, "ops", "operator")
    body = {"label": "party", "metadata": {"who": "Mr Smith"}}
    annas = anna("POST", "/v1/jobs", json=body).json["id"]
    bens = submitted(ben)
    listed = operator("GET", "/v1/jobs").json["jobs"]
    assert {(job["id"], job["owner"]) for job in listed} == {(annas, "anna"), (bens, "ben")}
    assert [job["id"] for job in operator("GET", "/v1/jobs?owner=anna").json["jobs"]] == [annas]
    seen = operator("GET", f"/v1/jobs/{annas}")
    assert (seen.json["label"], seen.json["metadata"], seen.json["counts"]["total"]) == ("party", {}, 0)
    assert "Smith" not in seen.text + str(listed)
    assert anna("GET", f"/v1/jobs/{annas}").json["metadata"] == {"who": "Mr Smith"}
    assert operator("GET", "/v1/jobs/job_nowhere").status_code == 404
    for path in ("/v1/workers", "/metrics", "/v1/models", "/v1/models/test"):
        assert operator("GET", path).status_code == 200, path
    for part in ("photos", "photos/pho_1", "photos/pho_1/thumbnail", "results", "summary", "thumbnails"):
        answer = operator("GET", f"/v1/jobs/{bens}/{part}")
        assert (answer.status_code, answer.json["code"]) == (403, "scope_missing"), part
    for move in ("cancel", "pause", "submit", "retry"):
        assert operator("POST", f"/v1/jobs/{bens}/{move}").status_code == 403
    assert operator("DELETE", f"/v1/jobs/{bens}").status_code == 403
    assert operator("GET", "/v1/keys").status_code == 403


def test_the_name_of_an_archive_is_its_owners(root: Caller) -> None:
    anna, operator = caller(root, "anna"), caller(root, "ops", "operator")
    form = {"archive": (io.BytesIO(zip_of({"a.jpg": b"photo"})), "Smith.zip")}
    made = anna("POST", "/v1/jobs", data=form)
    assert made.status_code == 202, made.text
    assert made.json["archive"]["name"] == "Smith.zip"
    assert "Smith" not in operator("GET", f"/v1/jobs/{made.json['id']}").text


def test_others_list_nobody_elses(root: Caller) -> None:
    anna, ben = caller(root, "anna"), caller(root, "ben")
    submitted(anna)
    refused = ben("GET", "/v1/jobs?owner=anna")
    assert (refused.status_code, refused.json["code"]) == (403, "scope_missing")
    assert ben("GET", "/v1/jobs?owner=ben").json["jobs"] == []
    # Nor do admins, who would have to make themselves a key for it, which is seen.
    assert root("GET", "/v1/jobs?owner=anna").status_code == 403
    assert root("GET", "/v1/jobs").json["jobs"] == []


def test_a_submit_key_looks_at_its_own_jobs(root: Caller) -> None:
    anna, ben = caller(root, "anna", "submit"), caller(root, "ben", "submit")
    job_id = submitted(anna)
    for part in ("", "/photos", "/results", "/summary"):
        assert anna("GET", f"/v1/jobs/{job_id}{part}").status_code == 200
        assert ben("GET", f"/v1/jobs/{job_id}{part}").status_code == 404


def test_a_metrics_key_reads_metrics_alone(root: Caller) -> None:
    prometheus = caller(root, "ops", "metrics")
    assert prometheus("GET", "/metrics").status_code == 200
    for path in ("/v1/jobs", "/v1/workers", "/v1/keys", "/v1/models", "/v1/models/test"):
        assert prometheus("GET", path).status_code == 403, path


def test_a_priority_over_other_owners_is_for_admins(root: Caller) -> None:
    anna = caller(root, "anna")
    refused = anna("POST", "/v1/jobs", json={"priority": 1})
    assert (refused.status_code, refused.json["code"]) == (403, "priority_forbidden")
    form = {"priority": "1000", "photos": (io.BytesIO(b"photo"), "a.jpg")}
    refused = anna("POST", "/v1/jobs", data=form)
    assert (refused.status_code, refused.json["code"]) == (403, "priority_forbidden")
    assert root.service.stored() == []
    assert anna("GET", "/v1/jobs").json["jobs"] == []
    assert anna("POST", "/v1/jobs", json={"priority": -5}).status_code == 201
    assert root("POST", "/v1/jobs", json={"priority": 5}).status_code == 201


def test_a_key_expires(root: Caller) -> None:
    past = (utc_now() - timedelta(seconds=1)).isoformat()
    later = (utc_now() + timedelta(days=1)).isoformat()
    body = {"name": "n", "owner": "anna", "scopes": ["read"]}
    for wrong in (past, "2026-11-26T00:00:00", "tomorrow"):
        assert root("POST", "/v1/keys", json={**body, "expires_at": wrong}).status_code == 422
    made = root("POST", "/v1/keys", json={**body, "expires_at": later}).json
    assert made["expires_at"] is not None
    anna = Caller(root.service, made["key"])
    assert anna("GET", "/v1/jobs").status_code == 200
    with root.service.database.write() as session:
        session.execute(update(Key).values(expires_at=utc_now() - timedelta(seconds=1)))
    refused = anna("GET", "/v1/jobs")
    assert (refused.status_code, refused.json["code"]) == (401, "key_expired")
    assert "WWW-Authenticate" in refused.headers


def test_a_key_shows_when_it_was_last_used_and_is_written_seldom(root: Caller) -> None:
    anna = caller(root, "anna")
    writes: list[str] = []
    engine = root.service.context.database._engine

    @event.listens_for(engine, "before_cursor_execute")
    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE keys"):
            writes.append(statement)

    def shown() -> str | None:
        used: str | None = root("GET", "/v1/keys").json["keys"][0]["last_used_at"]
        return used

    assert shown() is None
    for _ in range(20):
        assert anna("GET", "/v1/jobs").status_code == 200
    wait_for(lambda: shown() is not None, "the use to be written", 30)
    assert len(writes) == 1
    # Another process has not written it for as long, and does not write it either.
    first = shown()
    other = LastUse(root.service.context.database)
    with root.service.database.read() as session:
        other.note(session.scalars(select(Key.id)).one())
    wait_for(lambda: len(writes) == 2, "the other process to try", 30)
    assert shown() == first


def test_a_database_that_cannot_be_written_fails_no_request(
    plain_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plain_service.client.post("/v1/keys", json={"name": "n", "scopes": ["read"]}).json
    broken = LastUse(plain_service.context.database)
    monkeypatch.setattr(broken, "_database", None)
    plain_service.replace(last_use=broken)
    for _ in range(3):
        assert Caller(plain_service, made["key"])("GET", "/v1/jobs").status_code == 200


def test_made_up_keys_cost_no_query(root: Caller) -> None:
    anna = caller(root, "anna")
    assert anna("GET", "/v1/jobs").status_code == 200
    asked: list[str] = []
    engine = root.service.context.database._engine

    @event.listens_for(engine, "before_cursor_execute")
    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    codes = [Caller(root.service, f"nsk_{n:043}")("GET", "/v1/jobs").status_code for n in range(200)]
    assert set(codes) == {401, 429}
    # The digests are read again once a second, should a key be new.
    assert len([statement for statement in asked if "keys" in statement]) < 20
    assert anna("GET", "/v1/jobs").status_code == 200


def test_the_log_says_who_it_was(root: Caller, caplog: pytest.LogCaptureFixture) -> None:
    made = root("POST", "/v1/keys", json={"name": "n", "owner": "anna", "scopes": ["read"]}).json
    caplog.set_level(logging.INFO, "nightshift.access")
    caplog.clear()
    afar = {"environ_base": {"REMOTE_ADDR": "203.0.113.7"}}
    Caller(root.service, made["key"])("GET", "/v1/jobs", **afar)
    Caller(root.service, made["key"])("POST", "/v1/jobs", json={}, **afar)
    Caller(root.service, "nsk_wrong")("GET", "/v1/jobs", **afar)
    root("GET", "/v1/jobs")
    said = [
        (vars(line).get("key"), vars(line).get("owner"), vars(line)["address"]) for line in caplog.records
    ]
    assert said == [
        (made["id"], "anna", "203.0.113.7"),
        (made["id"], "anna", "203.0.113.7"),
        (None, None, "203.0.113.7"),
        ("root", "local", "127.0.0.1"),
    ]
    assert made["key"] not in caplog.text
    assert "nsk_wrong" not in caplog.text
