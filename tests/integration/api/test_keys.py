"""Keys, scopes, owners and rate limits; another owner's job is not there, whatever is asked of it."""

from __future__ import annotations

from typing import Any

import pytest

from nightshift.words.errors import InvalidInput
from shared.db.tables import Key
from shared.settings import load_settings
from tests.integration.api.conftest import Serve
from tests.support.callers import Caller, caller, submitted
from tests.support.service import ROOT_KEY, Service


def test_a_key_is_shown_once_and_kept_as_a_digest(locked: Service, root: Caller) -> None:
    made = root("POST", "/v1/keys", json={"name": "newsroom", "owner": "news", "scopes": ["read", "read"]})
    assert made.status_code == 201
    secret = made.json.pop("key")
    assert len(secret) > 40
    assert made.headers["Cache-Control"] == "no-store"
    assert made.json["scopes"] == ["read"]
    listed = root("GET", "/v1/keys")
    assert listed.json["keys"] == [{k: v for k, v in made.json.items() if k != "key"}]
    with locked.database.read() as session:
        (row,) = session.query(Key)
        assert secret not in str(vars(row))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("owner", "../other"), ("owner", ""), ("owner", "Anna"), ("owner", ".."), ("owner", "a/b"),
        ("owner", "a" * 65), ("name", ""), ("name", "\x00"), ("scopes", []), ("scopes", ["write"]),
        ("more", 1),
    ],
)  # fmt: skip
def test_a_bad_key_is_refused_by_field(plain_service: Service, field: str, value: object) -> None:
    body = {"name": "n", "owner": "o", "scopes": ["read"], field: value}
    answer = plain_service.client.post("/v1/keys", json=body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_fields")
    assert answer.json["errors"][0]["field"].split(".")[0] == field


def test_a_revoked_key_is_refused_at_once(root: Caller) -> None:
    news = caller(root, "news")
    (key,) = root("GET", "/v1/keys").json["keys"]
    assert news("GET", "/v1/jobs").status_code == 200
    first = root("DELETE", f"/v1/keys/{key['id']}")
    assert first.status_code == 200
    assert root("DELETE", f"/v1/keys/{key['id']}").json == first.json
    answer = news("GET", "/v1/jobs")
    assert (answer.status_code, answer.json["code"]) == (401, "unauthorized")
    assert answer.json["detail"] == "there is no such key, or it was revoked"
    assert root("DELETE", "/v1/keys/key_0").status_code == 404
    assert root("DELETE", "/v1/keys/nothing").status_code == 404


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [(["read"], {"read"}), (["submit"], {"read", "submit"}), (["admin"], {"read", "submit", "admin"})],
)
def test_scopes(root: Caller, scopes: list[str], allowed: set[str]) -> None:
    key = caller(root, "anna", *scopes)
    asked = {
        "read": ("GET", "/v1/jobs"),
        "submit": ("POST", "/v1/jobs"),
        "admin": ("GET", "/v1/keys"),
    }
    for scope, (method, path) in asked.items():
        answer = key(method, path, json={} if method == "POST" else None)
        if scope in allowed:
            assert answer.status_code < 300, answer.text
        else:
            assert (answer.status_code, answer.json["code"], answer.json["scope"]) == (
                403,
                "scope_missing",
                scope,
            )


def test_another_owners_job_is_not_there_on_any_route(root: Caller) -> None:
    anna, ben = caller(root, "anna"), caller(root, "ben", "submit", "read", "in_place")
    job_id = submitted(anna)
    root.service.work()
    photo_id = anna("GET", f"/v1/jobs/{job_id}/photos").json["photos"][0]["photo_id"]
    bodies = {
        "check_photos": {"photos": [{"custom_id": "a.jpg", "sha256": "0" * 64}]},
        "register_in_place": {"photos": [{"custom_id": "a.jpg", "path": "/a.jpg"}]},
    }
    asked = 0
    for route in root.service.app.url_map.iter_rules():
        if "job_id" not in route.arguments:
            continue
        path = route.rule.replace("<job_id>", job_id).replace("<photo_id>", photo_id)
        for method in (route.methods or set()) - {"OPTIONS", "HEAD"}:
            name = route.endpoint.rpartition(".")[2]
            request: dict[str, Any] = {"query_string": {"custom_id": "a.jpg"}}
            if name in bodies:
                request["json"] = bodies[name]
            elif method == "PUT":
                request["data"] = b"photo"
            answer = ben(method, path, **request)
            assert (answer.status_code, answer.json["code"]) == (404, "job_not_found"), (method, path)
            asked += 1
    assert asked >= 16
    assert ben("GET", "/v1/jobs").json["jobs"] == []
    assert anna("GET", f"/v1/jobs/{job_id}").json["counts"]["total"] == 1
    root.service.finish(job_id)
    assert anna("DELETE", f"/v1/jobs/{job_id}").status_code == 200
    # Nor is the receipt anybody else's.
    assert ben("DELETE", f"/v1/jobs/{job_id}").status_code == 404
    assert anna("DELETE", f"/v1/jobs/{job_id}").status_code == 200


def test_nothing_of_another_owner_is_known_copied_or_replayed(root: Caller) -> None:
    anna, ben = caller(root, "anna"), caller(root, "ben")
    digest = anna("GET", f"/v1/jobs/{submitted(anna)}/photos").json["photos"][0]["sha256"]
    job_id = ben("POST", "/v1/jobs", json={}).json["id"]
    checked = ben(
        "POST", f"/v1/jobs/{job_id}/photos/check", json={"photos": [{"custom_id": "b", "sha256": digest}]}
    )
    assert checked.json == {"present": 0, "copied": 0, "missing": ["b"], "taken": []}
    headers = {"Idempotency-Key": "one"}
    annas = anna("POST", "/v1/jobs", json={}, headers=headers).json["id"]
    bens = ben("POST", "/v1/jobs", json={}, headers=headers)
    assert bens.json["id"] != annas
    assert "Idempotent-Replayed" not in bens.headers


def test_photos_are_stored_under_their_owner(root: Caller) -> None:
    job_id = submitted(caller(root, "anna"))
    (stored,) = root.service.stored()
    assert stored.startswith(f"anna/{job_id}/")


def test_a_key_has_a_rate_and_the_root_key_none(serve: Serve) -> None:
    root = Caller(serve(rate_limit="5/hour"), ROOT_KEY)
    anna, ben = caller(root, "anna"), caller(root, "ben")
    assert [anna("GET", "/v1/jobs").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    refused = anna("GET", "/v1/jobs")
    assert refused.json["code"] == "rate_limited"
    assert "more than 5 requests in one hour; try again in" in refused.json["detail"]
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert ben("GET", "/v1/jobs").status_code == 200
    assert {root("GET", "/v1/jobs").status_code for _ in range(10)} == {200}


@pytest.mark.parametrize("rate", ["0/minute", "5/fortnight", "many", "5 / minute"])
def test_a_bad_rate_is_a_bad_setting(monkeypatch: pytest.MonkeyPatch, rate: str) -> None:
    monkeypatch.setenv("NIGHTSHIFT_RATE_LIMIT", rate)
    with pytest.raises(InvalidInput, match="NIGHTSHIFT_RATE_LIMIT"):
        load_settings()
