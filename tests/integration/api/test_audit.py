"""`GET /v1/audit`: who did what, when; written with what it tells of, and seen by whom it concerns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from nightshift.words.clock import utc_now
from shared.db.tables import AuditRow, Job
from shared.operations.erasure import erase
from shared.queue.finish import end_by_time
from tests.integration.api.conftest import Serve
from tests.support.callers import Caller, caller, submitted
from tests.support.queue_rows import ahead
from tests.support.service import Service
from worker.sweeper import Sweeper

URL = "https://example.org/bell"


def _entries(by: Caller, query: str = "") -> list[dict[str, Any]]:
    answer = by("GET", f"/v1/audit{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json["entries"])


def _verbs(by: Caller, query: str = "") -> list[str]:
    return [entry["verb"] for entry in _entries(by, query)][::-1]


def test_every_move_of_a_job_is_an_entry_and_what_is_refused_is_none(root: Caller) -> None:
    anna = caller(root, "anna")
    job_id = submitted(anna)
    for move in ("pause", "resume", "cancel", "retry"):
        assert anna("POST", f"/v1/jobs/{job_id}/{move}").status_code == 202, move
    refused = anna("POST", f"/v1/jobs/{job_id}/resume")
    assert refused.status_code == 409
    assert anna("PATCH", f"/v1/jobs/{job_id}", json={"label": "Mr Smith's"}).status_code == 200
    anna("POST", f"/v1/jobs/{job_id}/cancel")
    # Again is no error, and no entry.
    anna("POST", f"/v1/jobs/{job_id}/cancel")
    assert anna("DELETE", f"/v1/jobs/{job_id}").status_code == 200
    anna("DELETE", f"/v1/jobs/{job_id}")
    done = ["open", "submit", "pause", "resume", "cancel", "retry", "change", "cancel", "erase"]
    # It is erased, and this is still told.
    assert _verbs(anna, f"?subject={job_id}") == done
    entries = _entries(anna, f"?subject={job_id}")
    key_id = root("GET", "/v1/keys").json["keys"][0]["id"]
    assert {(entry["owner"], entry["kind"], entry["key_id"], entry["address"]) for entry in entries} == {
        ("anna", "key", key_id, "127.0.0.1")
    }
    assert "Smith" not in str(_entries(root))
    assert [entry["at"] for entry in entries] == sorted((entry["at"] for entry in entries), reverse=True)


def test_keys_and_webhooks_are_told_of_too(root: Caller) -> None:
    anna = caller(root, "anna", "admin")
    key_id = root("GET", "/v1/keys").json["keys"][0]["id"]
    secret = anna("POST", "/v1/webhooks/secrets").json["id"]
    assert anna("PUT", "/v1/webhooks", json={"notify": [{"url": URL}]}).status_code == 200
    receiver = anna("POST", "/v1/webhooks/receivers", json={"url": URL}).json["id"]
    anna("DELETE", f"/v1/webhooks/receivers/{receiver}")
    sent = anna("POST", "/v1/webhooks/test", json={"url": URL}).json["id"]
    assert anna("POST", f"/v1/webhooks/deliveries/{sent}/redeliver").status_code == 202
    for _ in range(2):
        root("DELETE", f"/v1/keys/{key_id}")
    told = [(entry["verb"], entry["subject"], entry["kind"]) for entry in _entries(root)][::-1]
    assert told == [
        ("make_key", key_id, "root"),
        ("make_secret", secret, "key"),
        ("set_receivers", None, "key"),
        ("add_receiver", receiver, "key"),
        ("remove_receiver", receiver, "key"),
        ("test_webhook", sent, "key"),
        ("redeliver", sent, "key"),
        ("revoke_key", key_id, "root"),
    ]
    assert URL not in str(_entries(root))


def test_an_owner_sees_their_own_and_an_admin_all(root: Caller) -> None:
    anna, ben = caller(root, "anna"), caller(root, "ben", "read", "submit")
    annas, bens = submitted(anna), submitted(ben)
    assert {entry["owner"] for entry in _entries(anna)} == {"anna"}
    assert {entry["owner"] for entry in _entries(root)} == {"anna", "ben"}
    assert {entry["subject"] for entry in _entries(root, "?owner=ben")} >= {bens}
    assert annas not in str(_entries(root, "?owner=ben"))
    assert _entries(anna, f"?subject={bens}") == []
    assert _entries(anna, "?owner=anna") == _entries(anna)
    refused = anna("GET", "/v1/audit?owner=ben")
    assert (refused.status_code, refused.json["code"]) == (403, "scope_missing")
    for scope in ("metrics", "operator"):
        assert caller(root, "ops", scope)("GET", "/v1/audit").status_code == 403


def test_it_comes_in_pages(service: Service) -> None:
    jobs = [service.open_job() for _ in range(5)]
    seen: list[str] = []
    path = "/v1/audit?limit=2"
    while path:
        page = service.client.get(path)
        seen += [entry["subject"] for entry in page.json["entries"]]
        path = page.headers.get("Link", "").partition(">")[0].lstrip("<")
    assert seen == jobs[::-1]
    wrong = service.client.get("/v1/audit?cursor=nonsense")
    assert (wrong.status_code, wrong.json["code"]) == (422, "bad_cursor")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "invalid_fields"),
        ("verb=open", "unknown_parameter"),
        ("subject=a%00b", "invalid_fields"),
        ("cursor=%ff", "not_utf8"),
    ],
)
def test_a_query_that_is_wrong_has_its_name(plain_service: Service, query: str, code: str) -> None:
    assert plain_service.client.get(f"/v1/audit?{query}").json["code"] == code


def test_what_the_service_does_by_itself_is_its_own(service: Service) -> None:
    opened = service.open_job()
    ended = service.submitted_job("a.jpg")
    service.work()
    service.finish(ended)
    with ahead(timedelta(days=8)), service.database.write() as session:
        assert opened in end_by_time(session, service.settings, session.now)
    erase(service.database, service.context.store, "local", ended, "expired")
    by_itself = {
        (entry["verb"], entry["subject"], entry["address"])
        for entry in service.client.get("/v1/audit").json["entries"]
        if entry["kind"] == "service"
    }
    assert by_itself == {("expire", opened, None), ("erase", ended, None)}


def test_it_is_written_with_what_it_tells_of_or_not_at_all(service: Service) -> None:
    job_id = service.submitted_job("a.jpg")
    engine = service.context.database._engine

    @event.listens_for(engine, "before_cursor_execute")
    def refuse(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO audit"):
            raise RuntimeError("no room for an entry")

    assert service.post(job_id, "pause").status_code == 500
    event.remove(engine, "before_cursor_execute", refuse)
    with service.database.read() as session:
        assert session.scalar(select(Job.state).where(Job.id == job_id)) == "queued"


def test_it_is_kept_for_so_many_days(serve: Serve) -> None:
    service = serve(audit_ttl_days=1)
    job_id = service.open_job()
    with service.database.write() as session:
        session.add(
            AuditRow(id="aud_old", owner="local", verb="open", kind="root", at=utc_now() - timedelta(days=2))
        )
    Sweeper(service.settings, service.database, service.doorbell, service.context.store).sweep()
    assert [entry["subject"] for entry in service.client.get("/v1/audit").json["entries"]] == [job_id]
