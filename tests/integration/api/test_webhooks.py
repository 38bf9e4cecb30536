"""`/v1/webhooks`: secrets, receivers, deliveries; each owner's own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from shared.db.tables import Job, Receiver, WebhookSecret
from shared.operations import webhooks
from tests.support.callers import Caller, caller
from tests.support.client import Answer
from tests.support.queue_rows import ahead
from tests.support.service import Service

URL = "https://example.org/bell"


def _code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


def test_a_secret_is_shown_once_and_rotated_with_overlap(service: Service) -> None:
    first = service.client.post("/v1/webhooks/secrets")
    assert first.status_code == 201
    assert first.json["secret"].startswith("whsec_")
    assert (first.json["expires_at"], first.headers["Cache-Control"]) == (None, "no-store")
    second = service.client.post("/v1/webhooks/secrets")
    shown = service.client.get("/v1/webhooks")
    assert [each["id"] for each in shown.json["secrets"]] == [second.json["id"], first.json["id"]]
    assert [each["expires_at"] is None for each in shown.json["secrets"]] == [True, False]
    assert "whsec_" not in shown.text
    third = service.client.post("/v1/webhooks/secrets")
    kept = [each["id"] for each in service.client.get("/v1/webhooks").json["secrets"]]
    assert kept == [third.json["id"], second.json["id"]]
    with service.database.read() as session:
        assert session.query(WebhookSecret).count() == 2


def test_nothing_is_promised_unsigned(service: Service) -> None:
    notify = [{"url": URL}]
    for answer in (
        service.client.post("/v1/jobs", json={"notify": notify}),
        service.client.put("/v1/webhooks", json={"notify": notify}),
        service.client.post("/v1/webhooks/test", json={"url": URL}),
    ):
        assert _code(answer) == (409, "webhook_secret_missing")
    with service.database.read() as session:
        assert session.query(Job).count() == 0
    assert service.client.post("/v1/jobs", json={"notify": []}).status_code == 201


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1:8443", "localhost"])
def test_addresses_that_can_be_told_are_refused_when_they_are_named(service: Service, host: str) -> None:
    service.client.post("/v1/webhooks/secrets")
    url = f"https://{host}/bell"
    refused = (422, "webhook_address_forbidden")
    assert _code(service.client.post("/v1/jobs", json={"notify": [{"url": url}]})) == refused
    assert _code(service.client.put("/v1/webhooks", json={"notify": [{"url": url}]})) == refused
    assert _code(service.client.post("/v1/webhooks/test", json={"url": url})) == refused
    form = service.send(("a.jpg", b"a"), notify=f'[{{"url": "{url}"}}]')
    assert _code(form) == refused


def test_receivers_of_an_owner_are_replaced(service: Service) -> None:
    service.client.post("/v1/webhooks/secrets")
    put = service.client.put("/v1/webhooks", json={"notify": [{"url": URL, "events": ["job.expiring"]}]})
    assert put.status_code == 200, put.text
    (receiver,) = put.json["receivers"]
    assert receiver["notify"] == {"url": URL, "events": ["job.expiring"], "progress_percent": 10}
    assert service.client.put("/v1/webhooks", json={"notify": []}).json["receivers"] == []


def test_a_receiver_is_changed_and_what_is_not_named_stays(service: Service) -> None:
    client = service.client
    client.post("/v1/webhooks/secrets")
    made = client.post("/v1/webhooks/receivers", json={"url": URL, "events": ["job.expiring"]}).json
    path = f"/v1/webhooks/receivers/{made['id']}"
    told = client.patch(path, json={"events": ["job.ended", "job.progress"], "progress_percent": 25})
    assert told.status_code == 200, told.text
    assert (told.json["id"], told.json["url"]) == (made["id"], URL)
    assert told.json["notify"]["events"] == ["job.ended", "job.progress"]
    moved = client.patch(path, json={"url": f"{URL}/2"}).json
    assert (moved["id"], moved["notify"]) == (made["id"], {**told.json["notify"], "url": f"{URL}/2"})
    assert client.get("/v1/webhooks").json["receivers"] == [moved] == [client.get(path).json]
    verbs = [each["verb"] for each in client.get("/v1/audit").json["entries"]]
    assert verbs[:3] == ["change_receiver", "change_receiver", "add_receiver"]


def test_a_receiver_is_changed_only_as_it_is_known(service: Service) -> None:
    client = service.client
    client.post("/v1/webhooks/secrets")
    path = f"/v1/webhooks/receivers/{client.post('/v1/webhooks/receivers', json={'url': URL}).json['id']}"
    known = {"If-Match": client.get(path).headers["ETag"]}
    changed = client.patch(path, json={"progress_percent": 50}, headers=known)
    assert changed.status_code == 200
    late = client.patch(path, json={"progress_percent": 20}, headers=known)
    assert _code(late) == (412, "precondition_failed")
    assert client.get(path).json["notify"]["progress_percent"] == 50
    again = {"If-Match": changed.headers["ETag"]}
    assert client.patch(path, json={"progress_percent": 20}, headers=again).status_code == 200


def test_a_change_of_a_receiver_that_cannot_be_has_a_name(service: Service) -> None:
    client = service.client
    client.post("/v1/webhooks/secrets")
    ids = [client.post("/v1/webhooks/receivers", json={"url": f"{URL}/{n}"}).json["id"] for n in range(5)]
    path = f"/v1/webhooks/receivers/{ids[0]}"
    for json, refused in (
        ({"url": f"{URL}/1"}, (409, "receiver_exists")),
        ({"url": "http://example.org"}, (422, "invalid_fields")),
        ({"url": "https://127.0.0.1/bell"}, (422, "webhook_address_forbidden")),
        ({"events": []}, (422, "invalid_fields")),
        ({"url": None}, (422, "invalid_fields")),
        ({}, (422, "invalid_fields")),
        ({"colour": "red"}, (422, "invalid_fields")),
    ):
        assert _code(client.patch(path, json=json)) == refused, json
    assert _code(client.patch("/v1/webhooks/receivers/rcv_1", json={"url": URL})) == (
        404,
        "receiver_not_found",
    )
    assert _code(client.get("/v1/webhooks/receivers/nothing")) == (404, "receiver_not_found")
    # There are five already, and that is as many as there may be: one of them may go elsewhere all the same.
    assert client.patch(path, json={"url": URL}).status_code == 200


def test_one_that_wants_nothing_more_is_enabled_by_a_change(service: Service) -> None:
    """And one that is known from jobs alone gives its URL up, or is told of all jobs."""
    client = service.client
    client.post("/v1/webhooks/secrets")
    made = client.post("/v1/webhooks/receivers", json={"url": URL}).json["id"]
    with service.database.write() as session:
        session.add(Receiver(owner="local", url=f"{URL}/gone", notify=None, disabled_at=session.now))
        session.add(Receiver(owner="local", url=f"{URL}/off", notify=None, disabled_at=session.now))
    known = {each["url"]: each for each in client.get("/v1/webhooks").json["receivers"]}
    off = client.patch(f"/v1/webhooks/receivers/{known[f'{URL}/off']['id']}", json={"progress_percent": 50})
    assert (off.json["disabled_at"], off.json["notify"]["events"]) == (None, ["job.ended"])
    moved = client.patch(f"/v1/webhooks/receivers/{made}", json={"url": f"{URL}/gone"})
    assert (moved.status_code, moved.json["disabled_at"]) == (200, None)
    assert [each["url"] for each in client.get("/v1/webhooks").json["receivers"]] == [
        f"{URL}/gone",
        f"{URL}/off",
    ]


def test_a_test_is_a_delivery_that_can_be_sent_again(service: Service) -> None:
    service.client.post("/v1/webhooks/secrets")
    ids = []
    for _ in range(3):
        made = service.client.post("/v1/webhooks/test", json={"url": URL})
        assert (made.status_code, made.json["event"], made.json["state"]) == (202, "webhook.test", "waiting")
        ids.append(made.json["id"])
    page = service.client.get("/v1/webhooks/deliveries?limit=2")
    assert [each["id"] for each in page.json["deliveries"]] == ids[:0:-1]
    rest = service.client.get(page.headers["Link"].partition(">")[0].lstrip("<"))
    assert [each["id"] for each in rest.json["deliveries"]] == ids[:1]
    again = service.client.post(f"/v1/webhooks/deliveries/{ids[0]}/redeliver")
    assert (again.status_code, again.json["id"]) == (202, ids[0])
    assert service.client.get("/v1/webhooks/deliveries?state=given_up").json["deliveries"] == []
    assert service.client.get("/v1/webhooks/deliveries?job=job_1").json["deliveries"] == []


def test_bad_requests_have_names(service: Service) -> None:
    client = service.client
    assert _code(client.get("/v1/webhooks/deliveries?state=lost")) == (422, "invalid_fields")
    assert _code(client.get("/v1/webhooks/deliveries?cursor=x")) == (422, "bad_cursor")
    assert _code(client.get("/v1/webhooks/deliveries?colour=red")) == (422, "unknown_parameter")
    assert _code(client.post("/v1/webhooks/deliveries/evt_1/redeliver")) == (404, "delivery_not_found")
    assert _code(client.post("/v1/webhooks/deliveries/nothing/redeliver")) == (404, "delivery_not_found")
    assert _code(client.post("/v1/webhooks/test", json={"url": "http://example.org"})) == (
        422,
        "invalid_fields",
    )
    assert _code(client.put("/v1/webhooks", json={})) == (422, "invalid_fields")
    assert _code(service.send(("a.jpg", b"a"), notify="[")) == (422, "invalid_fields")
    assert _code(service.send(("a.jpg", b"a"), notify='{"url": 1}')) == (422, "invalid_fields")


def test_owners_see_their_own_and_only_admins_change(root: Caller) -> None:
    root("POST", "/v1/webhooks/secrets")
    made = root("POST", "/v1/webhooks/test", json={"url": URL}).json["id"]
    anna, reader = caller(root, "anna", "submit"), caller(root, "anna", "read")
    assert anna("GET", "/v1/webhooks").json == {"receivers": [], "secrets": []}
    assert anna("GET", "/v1/webhooks/deliveries").json["deliveries"] == []
    assert _code(anna("POST", f"/v1/webhooks/deliveries/{made}/redeliver")) == (404, "delivery_not_found")
    assert _code(anna("POST", "/v1/webhooks/secrets")) == (403, "scope_missing")
    assert _code(anna("PUT", "/v1/webhooks", json={"notify": []})) == (403, "scope_missing")
    mine = root("POST", "/v1/webhooks/receivers", json={"url": URL}).json["id"]
    assert _code(anna("GET", f"/v1/webhooks/receivers/{mine}")) == (404, "receiver_not_found")
    assert _code(anna("PATCH", f"/v1/webhooks/receivers/{mine}", json={"url": URL})) == (403, "scope_missing")
    admin = caller(root, "anna", "admin")
    assert _code(admin("PATCH", f"/v1/webhooks/receivers/{mine}", json={"url": URL})) == (
        404,
        "receiver_not_found",
    )
    assert reader("GET", "/v1/webhooks/deliveries").status_code == 200
    assert _code(reader("POST", "/v1/webhooks/test", json={"url": URL})) == (403, "scope_missing")


def test_operators_do_not_see_where_word_is_sent(root: Caller) -> None:
    admin, operator = caller(root, "anna", "admin"), caller(root, "ops", "operator")
    admin("POST", "/v1/webhooks/secrets")
    job_id = admin("POST", "/v1/jobs", json={"notify": [{"url": URL}]}).json["id"]
    assert admin("GET", f"/v1/jobs/{job_id}").json["notify"][0]["url"] == URL
    assert operator("GET", f"/v1/jobs/{job_id}").json["notify"] is None


SECRET_URL = "ntfys://ann:p4ssw0rd@ntfy.example.org/s3cret-topic"


def test_a_job_names_those_of_its_receivers_that_want_nothing_more(service: Service) -> None:
    client = service.client
    client.post("/v1/webhooks/secrets")
    with service.database.write() as session:
        session.add(Receiver(owner="local", url=f"{URL}/gone", notify=None, disabled_at=session.now))
        session.add(Receiver(owner="local", url=f"{URL}/else", notify=None, disabled_at=session.now))
        session.add(Receiver(owner="anna", url=URL, notify=None, disabled_at=session.now))
    made = client.post("/v1/jobs", json={"notify": [{"url": URL}, {"url": f"{URL}/gone"}]})
    assert (made.status_code, made.json["notify_disabled"]) == (201, [f"{URL}/gone"])
    path = f"/v1/jobs/{made.json['id']}"
    assert client.get(path).json["notify_disabled"] == [f"{URL}/gone"]
    etag = client.get(path).headers["ETag"]
    with service.database.write() as session:
        session.execute(update(Receiver).values(disabled_at=None))
    enabled = client.get(path)
    assert (enabled.json["notify_disabled"], enabled.headers["ETag"] == etag) == ([], False)
    # It is no wish of the job's: who would change one need not look again.
    changed = client.patch(path, json={"label": "gala"}, headers={"If-Match": etag})
    assert changed.status_code == 200, changed.text


def test_messages_to_people_need_no_secret_and_are_never_shown_whole(service: Service) -> None:
    pytest.importorskip("apprise")
    client, notify = service.client, [{"url": SECRET_URL, "events": ["job.expiring"]}]
    job = client.post("/v1/jobs", json={"notify": notify})
    assert job.status_code == 201, job.text
    path = f"/v1/jobs/{job.json['id']}"
    said = [
        job,
        client.get(path),
        client.get("/v1/jobs"),
        client.patch(path, json={"notify": notify, "label": "gala"}),
        client.put("/v1/webhooks", json={"notify": notify}),
        client.get("/v1/webhooks"),
        client.post("/v1/webhooks/test", json={"url": SECRET_URL}),
        client.get("/v1/webhooks/deliveries"),
    ]
    for answer in said:
        assert answer.status_code < 300, answer.text
        assert "ntfys://***" in answer.text
        assert not [
            part for part in ("ann:", "p4ssw0rd", "s3cret", "ntfy.example.org") if part in answer.text
        ]
    with service.database.read() as session:
        assert session.query(Job).one().notify == [{**notify[0], "progress_percent": 10}]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("json://s3cret.example.org/", "notify_scheme_unknown"),
        ("file:///s3cret", "notify_scheme_unknown"),
        ("dbus://s3cret", "notify_scheme_unknown"),
        ("ntfys://***", "notify_url_malformed"),
        ("ntfys://", "notify_url_malformed"),
        ("ntfys://[s3cret/", "notify_url_malformed"),
        ("slack://s3cret", "notify_url_malformed"),
        ("tgram://s3cret/1", "notify_url_malformed"),
        ("ntfys://ann:s3cret@example.org/topic?verify=no", "notify_url_malformed"),
        ("mailtos://ann:s3cret@example.org?to=ben@example.org&mode=insecure", "notify_url_malformed"),
        ("mailtos://ann:s3cret@example.org?to=ben@example.org&PGP=yes", "notify_url_malformed"),
        ("ntfys://ann:s3cret@127.0.0.1/topic", "webhook_address_forbidden"),
        ("gotifys://localhost/s3cret0123456789", "webhook_address_forbidden"),
        ("ntfys://ann:s3cret@example.org/" + "\u732b" * 700, "notify_url_malformed"),
    ],
)
def test_messages_that_cannot_be_sent_have_named_errors(
    url: str, code: str, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("apprise")
    caplog.set_level("DEBUG")
    for answer in (
        service.client.post("/v1/jobs", json={"notify": [{"url": url}]}),
        service.client.put("/v1/webhooks", json={"notify": [{"url": url}]}),
        service.client.post("/v1/webhooks/test", json={"url": url}),
        service.send(("a.jpg", b"a"), notify=f'[{{"url": "{url}"}}]'),
    ):
        assert _code(answer) == (422, code)
        assert "s3cret" not in answer.text
    assert "s3cret" not in caplog.text


def test_without_the_extra_messages_are_refused_by_name(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    answer = service.client.post("/v1/jobs", json={"notify": [{"url": SECRET_URL}]})
    assert _code(answer) == (409, "messages_not_installed")
    assert "s3cret" not in answer.text


def test_receivers_are_added_and_removed_one_by_one(service: Service) -> None:
    client = service.client
    client.post("/v1/webhooks/secrets")
    added = client.post("/v1/webhooks/receivers", json={"url": URL})
    assert (added.status_code, added.json["notify"]["events"]) == (201, ["job.ended"]), added.text
    other = client.post("/v1/webhooks/receivers", json={"url": URL, "events": ["job.expiring"]})
    assert (other.json["id"], other.json["notify"]["events"]) == (added.json["id"], ["job.expiring"])
    for number in range(4):
        client.post("/v1/webhooks/receivers", json={"url": f"{URL}/{number}"})
    sixth = client.post("/v1/webhooks/receivers", json={"url": f"{URL}/six"})
    assert _code(sixth) == (409, "too_many_receivers")
    # One that is there already may be told otherwise.
    assert client.post("/v1/webhooks/receivers", json={"url": URL}).status_code == 201
    gone = client.delete(f"/v1/webhooks/receivers/{added.json['id']}")
    assert (gone.status_code, gone.json["url"]) == (200, URL)
    assert _code(client.delete(f"/v1/webhooks/receivers/{added.json['id']}")) == (404, "receiver_not_found")
    assert len(client.get("/v1/webhooks").json["receivers"]) == 4


def test_receivers_are_changed_by_many_at_once(service: Service) -> None:
    client = service.client

    def at_once(ask: Callable[[int], Answer]) -> set[int]:
        with ThreadPoolExecutor(8) as pool:
            return {answer.status_code for answer in pool.map(ask, range(16))}

    assert at_once(lambda _: client.post("/v1/webhooks/secrets")) == {201}
    secrets = client.get("/v1/webhooks").json["secrets"]
    assert len([secret for secret in secrets if secret["expires_at"] is None]) == 1
    path = "/v1/webhooks/receivers"
    assert at_once(lambda n: client.post(path, json={"url": f"{URL}/{n % 3}"})) == {201}
    assert at_once(lambda n: client.post(path, json={"url": f"{URL}/x{n}"})) == {201, 409}
    assert len(client.get("/v1/webhooks").json["receivers"]) == 5
    both = [{"notify": [{"url": f"{URL}/{n}"}, {"url": f"{URL}/{n + 1}"}]} for n in range(16)]
    assert at_once(lambda n: client.put("/v1/webhooks", json=both[n])) == {200}
    assert len(client.get("/v1/webhooks").json["receivers"]) == 2


def test_so_many_tests_may_be_asked_for_in_a_minute(root: Caller) -> None:
    anna = caller(root, "anna", "admin")
    for each in (root, anna):
        each("POST", "/v1/webhooks/secrets")
    for _ in range(webhooks.TESTS_A_MINUTE):
        assert anna("POST", "/v1/webhooks/test", json={"url": URL}).status_code == 202
    more = anna("POST", "/v1/webhooks/test", json={"url": URL})
    assert (*_code(more), more.headers["Retry-After"]) == (429, "rate_limited", "60")
    assert root("POST", "/v1/webhooks/test", json={"url": URL}).status_code == 202
    with ahead(timedelta(minutes=2)):
        assert anna("POST", "/v1/webhooks/test", json={"url": URL}).status_code == 202


def test_bad_requests_about_receivers_have_names(service: Service) -> None:
    client = service.client
    assert _code(client.post("/v1/webhooks/receivers", json={"url": URL})) == (409, "webhook_secret_missing")
    client.post("/v1/webhooks/secrets")
    for body in (
        {},
        {"url": "http://example.org"},
        {"url": "https://xn--/bell"},
        {"url": "https://[::1]x/bell"},
        {"url": URL, "events": []},
        {"url": URL, "colour": "red"},
    ):
        assert _code(client.post("/v1/webhooks/receivers", json=body)) == (422, "invalid_fields")
    local = client.post("/v1/webhooks/receivers", json={"url": "https://10.0.0.1/"})
    assert _code(local) == (422, "webhook_address_forbidden")
    assert _code(client.delete("/v1/webhooks/receivers/nothing")) == (404, "receiver_not_found")
    for body in ({}, {"url": URL, "receiver": "rcv_1"}):
        assert _code(client.post("/v1/webhooks/test", json=body)) == (422, "invalid_fields")
    unknown = client.post("/v1/webhooks/test", json={"receiver": "rcv_1"})
    assert _code(unknown) == (404, "receiver_not_found")
    assert _code(client.get("/v1/webhooks/deliveries/evt_1")) == (404, "delivery_not_found")


def test_a_receiver_is_its_owners(root: Caller) -> None:
    root("POST", "/v1/webhooks/secrets")
    added = root("POST", "/v1/webhooks/receivers", json={"url": URL}).json["id"]
    sent = root("POST", "/v1/webhooks/test", json={"receiver": added}).json["id"]
    anna, other = caller(root, "anna", "submit"), caller(root, "ben", "admin")
    assert _code(anna("POST", "/v1/webhooks/receivers", json={"url": URL})) == (403, "scope_missing")
    assert _code(anna("DELETE", f"/v1/webhooks/receivers/{added}")) == (403, "scope_missing")
    assert _code(other("DELETE", f"/v1/webhooks/receivers/{added}")) == (404, "receiver_not_found")
    test = other("POST", "/v1/webhooks/test", json={"receiver": added})
    assert _code(test) == (404, "receiver_not_found")
    assert _code(anna("GET", f"/v1/webhooks/deliveries/{sent}")) == (404, "delivery_not_found")
