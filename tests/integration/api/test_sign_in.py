"""Signing in to the page: by key or link, a cookie that is as good as the key, and for the page alone."""

from __future__ import annotations

import os
import time
from http.cookies import SimpleCookie
from typing import Any

import pytest
from sqlalchemy import update

from nightshift.words.clock import utc_now
from shared.db.tables import Key
from shared.operations.sign_in_links import FOLDER, GOOD_FOR_S, make_link
from tests.integration.api.conftest import Serve
from tests.support.callers import Caller, caller, submitted
from tests.support.client import Answer, Client
from tests.support.service import ROOT_KEY, Service

FROM_PAGE = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}


def sign_in(service: Service, **body: str) -> tuple[Client, Answer]:
    client = service.anybody
    return client, client.post("/v1/session", json=body, headers=FROM_PAGE)


def page_of(service: Service, key: str = ROOT_KEY) -> Client:
    client, answer = sign_in(service, key=key)
    assert answer.status_code == 201, answer.text
    return client


def test_a_key_signs_in_and_out(service: Service) -> None:
    client, answer = sign_in(service, key=f" {ROOT_KEY}\n")
    assert (answer.status_code, answer.json["owner"], answer.json["scopes"]) == (201, "local", ["admin"])
    morsel = next(iter(SimpleCookie(answer.headers["Set-Cookie"]).values()))
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Strict", "/v1")
    assert ROOT_KEY not in answer.headers["Set-Cookie"]
    assert client.get("/v1/jobs", headers=FROM_PAGE).status_code == 200
    assert client.get("/v1/session").json["signed_in"] is True
    assert client.post("/v1/jobs", json={}, headers=FROM_PAGE).status_code == 201
    assert client.delete("/v1/session", headers=FROM_PAGE).json["signed_in"] is False
    assert client.get("/v1/session").json["signed_in"] is False
    assert client.get("/v1/jobs", headers=FROM_PAGE).json["code"] == "unauthorized"


@pytest.mark.parametrize(
    ("headers", "secure"), [({}, False), ({"X-Forwarded-Proto": "https"}, True)], ids=["http", "https"]
)
def test_over_tls_the_cookie_goes_over_tls_alone(
    plain_service: Service, headers: dict[str, str], secure: bool
) -> None:
    answer = plain_service.anybody.post("/v1/session", json={"key": ROOT_KEY}, headers=headers)
    assert ("Secure" in answer.headers["Set-Cookie"]) is secure


def test_nothing_that_a_session_is_answered_is_kept(service: Service) -> None:
    job_id = service.submitted_job("a")
    client = page_of(service)
    for path in (
        "/v1/jobs",
        f"/v1/jobs/{job_id}",
        f"/v1/jobs/{job_id}/photos",
        f"/v1/jobs/{job_id}/photos.csv",
    ):
        assert client.get(path, headers=FROM_PAGE).headers["Cache-Control"] == "no-store", path


def test_a_session_may_what_its_key_may(root: Caller) -> None:
    anna, ben = caller(root, "anna", "read"), caller(root, "ben")
    bens = submitted(ben)
    page = page_of(root.service, anna.key)
    assert page.get("/v1/jobs", headers=FROM_PAGE).json["jobs"] == []
    assert page.get(f"/v1/jobs/{bens}", headers=FROM_PAGE).status_code == 404
    refused = page.post("/v1/jobs", json={}, headers=FROM_PAGE)
    assert (refused.status_code, refused.json["code"]) == (403, "scope_missing")


def test_a_session_ends_with_its_key(root: Caller) -> None:
    service = root.service
    anna, ben = caller(root, "anna"), caller(root, "ben")
    annas, bens = page_of(service, anna.key), page_of(service, ben.key)
    key_id = annas.get("/v1/session").json["key_id"]
    assert root("DELETE", f"/v1/keys/{key_id}").status_code == 200
    with service.database.write() as session:
        session.execute(update(Key).where(Key.owner == "ben").values(expires_at=utc_now()))
    for page in (annas, bens):
        refused = page.get("/v1/jobs", headers=FROM_PAGE)
        assert (refused.status_code, refused.json["code"]) == (401, "session_ended")
        assert page.get("/v1/session").json["signed_in"] is False


def test_a_session_ends_after_its_time_and_with_the_root_key(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = serve()
    client = page_of(service)
    cookie = client.get_cookie(service.context.sessions.cookie, path="/v1")
    assert cookie is not None
    other = serve(api_key="another-root-key-of-over-32-characters")
    stranger = other.anybody
    stranger.set_cookie(other.context.sessions.cookie, cookie.value)
    assert stranger.get("/v1/jobs", headers=FROM_PAGE).json["code"] == "session_ended"
    later = time.time() + 24 * 3600 + 5
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    assert client.get("/v1/jobs", headers=FROM_PAGE).json["code"] == "session_ended"


@pytest.mark.parametrize("value", ["x", "e30.e30.e30", "\u00e9", "." * 5000])
def test_a_made_up_cookie_is_no_session(plain_service: Service, value: str) -> None:
    client = plain_service.app.test_client(use_cookies=False)
    name = plain_service.context.sessions.cookie
    answer = client.get("/v1/jobs", headers={"Cookie": f"{name}={value}"})
    assert (answer.status_code, (answer.get_json() or {})["code"]) == (401, "session_ended")


FOREIGN: list[tuple[str, dict[str, str]]] = [
    ("GET", {"Sec-Fetch-Site": "cross-site"}),
    # Another port of this host is the same site, and is sent the cookie.
    ("GET", {"Sec-Fetch-Site": "same-site"}),
    ("POST", {}),
    ("POST", {"Sec-Fetch-Site": "none"}),
]


@pytest.mark.parametrize(("method", "headers"), FOREIGN)
def test_a_cookie_speaks_for_the_page_alone(
    plain_service: Service, method: str, headers: dict[str, str]
) -> None:
    client = page_of(plain_service)
    answer = client.open("/v1/jobs", method=method, headers=headers, json={} if method == "POST" else None)
    assert (answer.status_code, answer.json["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://localhost:9"}])
def test_pages_of_others_sign_nobody_in_or_out(plain_service: Service, headers: dict[str, str]) -> None:
    for method in ("POST", "DELETE"):
        answer = plain_service.anybody.open(
            "/v1/session", method=method, headers=headers, json={"key": ROOT_KEY}
        )
        assert (answer.status_code, answer.json["code"]) == (403, "foreign_origin")
        assert "Set-Cookie" not in answer.headers


def test_a_key_in_the_header_goes_before_the_cookie(root: Caller) -> None:
    anna = caller(root, "anna")
    client = page_of(root.service)
    made = client.post("/v1/jobs", json={}, headers={"Authorization": f"Bearer {anna.key}"})
    assert made.json["owner"] == "anna"
    assert client.get("/v1/jobs", headers={"Authorization": "Bearer wrong"}).json["code"] == "unauthorized"


WRONG: list[tuple[Any, int, str]] = [
    ({"key": "wrong"}, 401, "unauthorized"),
    ({"link": "wrong"}, 401, "sign_in_link_used"),
    ({"link": "../api_key"}, 401, "sign_in_link_used"),
    ({}, 422, "invalid_fields"),
    ({"key": "a", "link": "b"}, 422, "invalid_fields"),
    ({"key": ""}, 422, "invalid_fields"),
    ({"key": "a" * 5000}, 422, "invalid_fields"),
    ({"key": 1}, 422, "invalid_fields"),
    ({"password": "a"}, 422, "invalid_fields"),
    ([], 422, "invalid_fields"),
]


@pytest.mark.parametrize(("body", "status", "code"), WRONG)
def test_what_signs_nobody_in(plain_service: Service, body: Any, status: int, code: str) -> None:
    answer = plain_service.anybody.post("/v1/session", json=body)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert "Set-Cookie" not in answer.headers


def test_keys_are_not_guessed_here_either(serve: Serve) -> None:
    service = serve()
    codes = {sign_in(service, key=f"guess{n}")[1].json["code"] for n in range(61)}
    assert codes == {"unauthorized", "rate_limited"}
    assert sign_in(service, key=ROOT_KEY)[1].status_code == 201


def test_a_link_signs_in_once(serve: Serve) -> None:
    service = serve()
    secret = make_link(service.home)
    client, answer = sign_in(service, link=secret)
    assert (answer.status_code, answer.json["owner"]) == (201, "local")
    assert client.get("/v1/jobs", headers=FROM_PAGE).status_code == 200
    assert sign_in(service, link=secret)[1].json["code"] == "sign_in_link_used"
    assert list((service.home / FOLDER).iterdir()) == []


def test_a_link_is_good_for_an_hour_and_until_the_next(serve: Serve) -> None:
    service = serve()
    replaced, old = make_link(service.home), make_link(service.home)
    assert sign_in(service, link=replaced)[1].json["code"] == "sign_in_link_used"
    before = time.time() - GOOD_FOR_S - 5
    os.utime(next((service.home / FOLDER).iterdir()), (before, before))
    assert sign_in(service, link=old)[1].json["code"] == "sign_in_link_used"
