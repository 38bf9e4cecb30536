"""Signing in by an OpenID provider: one that is right, and what may be wrong with it or the way back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from api.provider import AT_ONCE, WAITING
from nightshift.words.clock import utc_now
from nightshift.words.errors import InvalidInput
from shared.settings import load_settings
from tests.integration.api.conftest import Serve
from tests.support.client import Answer, Client
from tests.support.openid import CLIENT_ID, CLIENT_SECRET, OpenId, openid_provider, secret_key
from tests.support.processes import wait_for
from tests.support.service import Service

FROM_PAGE = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
GRANTS = {
    "desk": {"owner": "news", "scopes": ["submit"]},
    "interns": {"owner": "news", "scopes": ["read"]},
    "it": {"owner": "it", "scopes": ["admin"]},
    "guests": {"scopes": ["read"]},
}
Signing = Callable[..., tuple[Service, Client]]


@pytest.fixture
def provider() -> Iterator[OpenId]:
    with openid_provider() as running:
        yield running


@pytest.fixture
def signing(serve: Serve, provider: OpenId) -> Signing:
    """A service that knows the provider, and a browser."""

    def make(**settings: object) -> tuple[Service, Client]:
        given = {
            "public_url": "http://localhost",
            "oidc_issuer": provider.url,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": CLIENT_SECRET,
            "oidc_grants": json.dumps(GRANTS),
            "oidc_owner_claim": "login",
        }
        service = serve(**{**given, **settings})
        return service, service.anybody

    return make


def go(client: Client, place: str = "") -> Answer:
    return client.get("/v1/session/oidc", query_string={"next": place} if place else None)


def come_back(client: Client, going: Answer, **changed: str) -> Answer:
    """Through the provider, as a browser follows."""
    assert going.status_code == 303, going.text
    back = httpx.get(going.headers["Location"], follow_redirects=False).headers["Location"]
    parts = urlsplit(back)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "http://localhost/v1/session/oidc/callback"
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changed
    return client.get(parts.path, query_string=query, headers={"Sec-Fetch-Site": "cross-site"})


def refused(answer: Answer) -> str:
    """The code that the page is sent; nobody is signed in."""
    assert answer.status_code == 303
    place, _, code = answer.headers["Location"].partition("#refused=")
    assert place == "http://localhost/"
    names = [name for cookie in answer.headers.getlist("Set-Cookie") for name in SimpleCookie(cookie)]
    assert all("_oidc_" in name for name in names), names
    return code


def test_a_person_signs_in_and_out(signing: Signing, provider: OpenId) -> None:
    service, client = signing(oidc_name="the desk's own")
    assert client.get("/v1/session").json["provider"] == "the desk's own"
    going = go(client, "jobs/job_1?name=a%20b")
    query = parse_qs(urlsplit(going.headers["Location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["scope"] == ["openid profile email"]
    answer = come_back(client, going)
    assert answer.headers["Location"] == "http://localhost/#/jobs/job_1?name=a%20b"
    session = next(
        morsel
        for cookie in answer.headers.getlist("Set-Cookie")
        for name, morsel in SimpleCookie(cookie).items()
        if name == service.context.sessions.cookie
    )
    assert (session["httponly"], session["samesite"], session["path"]) == (True, "Strict", "/v1")
    said = client.get("/v1/session", headers=FROM_PAGE).json
    assert (said["owner"], said["scopes"], said["person"], said["key_id"]) == (
        "news",
        ["submit"],
        "anna-1",
        None,
    )
    assert client.post("/v1/jobs", json={}, headers=FROM_PAGE).json["owner"] == "news"
    (entry,) = client.get("/v1/audit", headers=FROM_PAGE).json["entries"]
    told = entry["verb"], entry["kind"], entry["person"], entry["key_id"]
    assert told == ("open", "person", "anna-1", None)
    assert client.get("/v1/keys", headers=FROM_PAGE).json["code"] == "scope_missing"
    assert client.delete("/v1/session", headers=FROM_PAGE).json["signed_in"] is False
    assert client.get("/v1/jobs", headers=FROM_PAGE).status_code == 401


def test_without_a_provider_nobody_goes_there(plain_service: Service) -> None:
    assert plain_service.anybody.get("/v1/session").json["provider"] is None
    for path in ("/v1/session/oidc", "/v1/session/oidc/callback?code=a&state=b"):
        assert plain_service.anybody.get(path).json["code"] == "not_found"


GROUPS: list[tuple[dict[str, Any], str | None, list[str]]] = [
    ({"groups": ["interns", "desk"]}, "news", ["read", "submit"]),
    ({"groups": ["it", "interns"]}, "news", ["read"]),
    ({"groups": "it"}, "it", ["admin"]),
    ({"groups": ["guests"], "login": "Ben"}, "ben", ["read"]),
    # Owners that are somebody's already are not taken by calling oneself so.
    ({"groups": ["guests"], "login": "local"}, None, []),
    ({"groups": ["guests"], "login": "news"}, None, []),
    ({"groups": ["guests"], "login": "../x"}, None, []),
    ({"groups": ["guests"]}, None, []),
    ({"groups": ["Desk"]}, None, []),
    ({"groups": [1, None, {}]}, None, []),
    ({"groups": None}, None, []),
]


@pytest.mark.parametrize(("claims", "owner", "scopes"), GROUPS)
def test_groups_say_who_may_what(
    signing: Signing, provider: OpenId, claims: dict[str, Any], owner: str | None, scopes: list[str]
) -> None:
    provider.claims = {"sub": "ben-2", **claims}
    provider.told = {"sub": "ben-2"}
    _, client = signing()
    answer = come_back(client, go(client))
    if owner is None:
        assert refused(answer) == "not_let_in"
    said = client.get("/v1/session").json
    assert (said["owner"], said["scopes"]) == (owner or "", scopes)


def test_claims_within_claims_and_addresses_that_were_verified(signing: Signing, provider: OpenId) -> None:
    provider.claims = {
        "sub": "x",
        "realm_access": {"roles": ["desk"]},
        "email": "desk",
        "email_verified": False,
    }
    provider.told = {"sub": "x"}
    _, client = signing(oidc_claim="realm_access.roles")
    assert come_back(client, go(client)).headers["Location"] == "http://localhost/#/"
    _, client = signing(oidc_claim="email")
    assert refused(come_back(client, go(client))) == "not_let_in"
    provider.claims["email_verified"] = True
    assert come_back(client, go(client)).headers["Location"] == "http://localhost/#/"


def test_groups_that_only_the_userinfo_endpoint_tells(signing: Signing, provider: OpenId) -> None:
    provider.claims, provider.told = {"sub": "x"}, {"sub": "x", "groups": ["desk"]}
    _, client = signing()
    assert come_back(client, go(client)).headers["Location"] == "http://localhost/#/"
    provider.told["sub"] = "somebody else"
    assert refused(come_back(client, go(client))) == "sign_in_broken_off"


WRONG_TOKENS: list[dict[str, Any]] = [
    {"nonce": "another"},
    {"nonce": None},
    {"aud": "another"},
    {"aud": [CLIENT_ID, "another"]},
    {"aud": None},
    {"azp": "another"},
    {"iss": "http://127.0.0.1:1"},
    {"iss": None},
    {"exp": int(time.time()) - 3600},
    {"exp": None},
    {"exp": "soon"},
    {"iat": int(time.time()) + 3600},
    {"nbf": int(time.time()) + 3600},
    {"sub": None},
    {"sub": ""},
    {"sub": 7},
    {"sub": ["anna-1"]},
    {"sub": "anna\x00"},
    {"sub": "anna\nroot"},
    {"sub": "a" * 256},
    {"at_hash": "of-another-token"},
    {"aud": {}},
    {"aud": [[CLIENT_ID]]},
    {"amr": "x", "acr": [], "auth_time": "x"},
    {"nonce": ["x"]},
    {"iat": {}},
]


@pytest.mark.parametrize("claims", WRONG_TOKENS, ids=" ".join)
def test_a_token_that_is_not_for_us_signs_nobody_in(
    signing: Signing, provider: OpenId, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    _, client = signing()
    assert refused(come_back(client, go(client))) == "sign_in_broken_off"
    assert client.get("/v1/session").json["signed_in"] is False


@pytest.mark.parametrize("alg", ["none", "HS256"])
def test_what_anybody_could_sign_is_not_signed(signing: Signing, provider: OpenId, alg: str) -> None:
    provider.alg = alg
    if alg == "HS256":
        provider.key = secret_key()
    _, client = signing()
    assert refused(come_back(client, go(client))) == "sign_in_broken_off"


def test_a_key_of_somebody_elses_signs_nothing(signing: Signing, provider: OpenId) -> None:
    published = provider.published
    provider.rotate("one")
    provider.published = published
    _, client = signing()
    assert refused(come_back(client, go(client))) == "sign_in_broken_off"


@pytest.mark.parametrize("kid", ["two", "one", None], ids=["another", "the same", "without a name"])
def test_keys_are_changed(signing: Signing, provider: OpenId, kid: str | None) -> None:
    _, client = signing()
    assert come_back(client, go(client)).headers["Location"] == "http://localhost/#/"
    provider.rotate(kid)
    assert come_back(client, go(client)).headers["Location"] == "http://localhost/#/"
    asked = len(provider.asked)
    come_back(client, go(client))
    assert provider.asked[asked:] == ["/authorize", "/token"]


WRONG_WAYS: list[dict[str, str]] = [
    {"state": "another"},
    {"state": ""},
    {"state": "\u00e9"},
    {"code": "made up"},
    {"code": ""},
    {"error": "access_denied"},
    {"iss": "https://another.example"},
]


@pytest.mark.parametrize("changed", WRONG_WAYS, ids=str)
def test_a_way_back_that_is_not_the_one_begun(signing: Signing, changed: dict[str, str]) -> None:
    _, client = signing()
    assert refused(come_back(client, go(client), **changed)) == "sign_in_broken_off"


def test_nobody_is_signed_in_by_anothers_link(signing: Signing, provider: OpenId) -> None:
    service, client = signing()
    assert refused(come_back(service.anybody, go(client))) == "sign_in_broken_off"


def test_a_way_back_is_gone_once_and_in_ten_minutes(
    signing: Signing, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, client = signing()
    first, second = go(client), go(client)
    for going in (second, first):
        assert come_back(client, going).headers["Location"] == "http://localhost/#/"
        assert refused(come_back(client, going)) == "sign_in_broken_off"
    going = go(client)
    later = time.time() + 605
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    assert refused(come_back(client, going)) == "sign_in_broken_off"


@pytest.mark.parametrize(
    "place",
    [
        "//evil.example",
        "https://evil.example",
        "\\evil",
        "a#b",
        "a\r\nSet-Cookie: a=b",
        "javascript:1",
        "a" * 1001,
    ],
)
def test_no_link_leads_away_from_here(signing: Signing, place: str) -> None:
    _, client = signing()
    going = go(client, place)
    if going.status_code == 303:
        back = come_back(client, going).headers["Location"]
        assert (urlsplit(back).netloc, urlsplit(back).path) == ("localhost", "/")
    else:
        assert going.json["code"] == "invalid_fields"


WRONG_PROVIDERS: list[tuple[dict[str, Any], set[str]]] = [
    ({"issuer": "https://another.example"}, set()),
    ({"issuer": None}, set()),
    ({"token_endpoint": "http://another.example/token"}, set()),
    ({"authorization_endpoint": "javascript:1"}, set()),
    ({"userinfo_endpoint": "http://another.example"}, set()),
    ({"jwks_uri": 1}, set()),
    ({"padding": "a" * 1_000_001}, set()),
    ({}, {"/.well-known/openid-configuration"}),
]


@pytest.mark.parametrize(("about", "broken"), WRONG_PROVIDERS, ids=lambda value: str(value)[:60])
def test_a_provider_that_lies_about_itself_is_not_gone_to(
    signing: Signing, provider: OpenId, about: dict[str, Any], broken: set[str]
) -> None:
    provider.about, provider.broken = about, broken
    _, client = signing()
    assert refused(go(client)) == "provider_unavailable"
    provider.about, provider.broken = {}, set()
    assert come_back(client, go(client)).headers["Location"] == "http://localhost/#/"


@pytest.mark.parametrize("path", ["/token", "/keys"])
def test_a_provider_that_breaks_on_the_way(signing: Signing, provider: OpenId, path: str) -> None:
    provider.broken = {path}
    _, client = signing()
    assert refused(come_back(client, go(client))) == "provider_unavailable"


def test_a_provider_is_not_followed_elsewhere(signing: Signing, provider: OpenId) -> None:
    """A redirect would take the code, and the secret, to where nothing was said of."""
    provider.about = {"token_endpoint": f"{provider.url}/authorize?state=a&redirect_uri={provider.url}/token"}
    _, client = signing()
    assert refused(come_back(client, go(client))) == "provider_unavailable"
    assert "/token" not in provider.asked


def test_a_provider_that_is_down(signing: Signing) -> None:
    with openid_provider() as gone:
        pass
    _, client = signing(oidc_issuer=gone.url)
    assert refused(go(client)) == "provider_unavailable"
    # Whoever has a key is not kept out by that.
    assert client.get("/v1/session").json["signed_in"] is False


def test_the_wrong_secret_is_told_in_the_log_alone(
    signing: Signing, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("another-secret-than-theirs\n")
    _, client = signing(oidc_client_secret="", oidc_client_secret_file=str(secret))
    assert refused(come_back(client, go(client))) == "sign_in_broken_off"
    assert "invalid_client" in str([vars(record) for record in caplog.records])
    secret.write_text(f"{CLIENT_SECRET}\n")
    _, client = signing(oidc_client_secret="", oidc_client_secret_file=str(secret))
    assert come_back(client, go(client)).headers["Location"] == "http://localhost/#/"


def test_a_session_ends_by_the_setting_or_with_the_token(
    signing: Signing, provider: OpenId, monkeypatch: pytest.MonkeyPatch
) -> None:
    for settings, life_s in (({}, 8 * 3600), ({"oidc_session_s": 0}, 300), ({"oidc_session_s": 60}, 60)):
        _, client = signing(**settings)
        come_back(client, go(client))
        said = client.get("/v1/session").json
        ends_at = time.mktime(time.strptime(said["ends_at"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
        assert abs(ends_at - time.time() - life_s) < 30
        with monkeypatch.context() as patch:
            later = utc_now() + timedelta(seconds=life_s + 5)
            patch.setattr("api.sessions.utc_now", lambda later=later: later)
            assert client.get("/v1/jobs", headers=FROM_PAGE).json["code"] == "session_ended"


@pytest.mark.parametrize("exp", [10**400, 1e300], ids=str)
def test_no_token_lasts_longer_than_a_day(signing: Signing, provider: OpenId, exp: float) -> None:
    provider.claims["exp"] = exp
    _, client = signing(oidc_session_s=0)
    assert come_back(client, go(client)).headers["Location"] == "http://localhost/#/"
    ends_at = datetime.fromisoformat(client.get("/v1/session").json["ends_at"])
    assert timedelta(hours=23) < ends_at - utc_now() <= timedelta(hours=24)


@pytest.mark.parametrize("exp", [time.time() - 20, float("nan")], ids=["leeway", "none"])
def test_a_token_that_has_ended_begins_no_session(signing: Signing, provider: OpenId, exp: float) -> None:
    """By the leeway for clocks it passes; the page would be told that one is signed in who is not."""
    provider.claims["exp"] = exp
    _, client = signing(oidc_session_s=0)
    assert refused(come_back(client, go(client))) == "sign_in_broken_off"


def test_a_provider_that_hangs_holds_up_few(
    signing: Signing, provider: OpenId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.provider.ANSWER_S", 60.0)
    service, _ = signing()
    asked_by = service.context.provider
    assert asked_by is not None
    provider.hanging.set()
    with ThreadPoolExecutor(AT_ONCE + WAITING) as pool:
        going = [pool.submit(go, service.anybody) for _ in range(AT_ONCE + WAITING)]
        wait_for(lambda: len(provider.asked) == AT_ONCE, "the first to be asked")
        wait_for(lambda: not asked_by._door._value, "the others to wait")
        # Whoever comes now is told at once.
        assert refused(go(service.anybody)) == "provider_unavailable"
        assert sum(each.done() for each in going) == 0
        provider.hanging.clear()
        provider.go_on.set()
        assert all(each.result(60).headers["Location"].startswith(provider.url) for each in going)


def test_who_is_let_in_no_more_is_out(signing: Signing) -> None:
    service, client = signing()
    come_back(client, go(client))
    cookie = client.get_cookie(service.context.sessions.cookie, path="/v1")
    assert cookie is not None
    for changed in ({"oidc_grants": json.dumps({"it": GRANTS["it"]})}, {"oidc_issuer": ""}):
        other = signing(**changed)[1]
        other.set_cookie(cookie.key, cookie.value)
        assert other.get("/v1/jobs", headers=FROM_PAGE).json["code"] == "session_ended"


def test_what_is_begun_is_no_session(signing: Signing) -> None:
    service, client = signing()
    going = go(client)
    value = next(iter(SimpleCookie(going.headers["Set-Cookie"]).values())).value
    client.set_cookie(service.context.sessions.cookie, value)
    assert client.get("/v1/jobs", headers=FROM_PAGE).json["code"] == "session_ended"


def test_the_public_name_is_spoken_to_without_a_key(signing: Signing) -> None:
    _, client = signing(public_url="https://photos.example.org")
    answer = client.get("/v1/session", base_url="https://photos.example.org")
    assert answer.json["signed_in"] is False
    assert client.get("/v1/session", base_url="https://evil.example").json["code"] == "host_forbidden"
    going = client.get("/v1/session/oidc", base_url="https://photos.example.org")
    assert "Secure" in going.headers["Set-Cookie"]
    query = parse_qs(urlsplit(going.headers["Location"]).query)
    assert query["redirect_uri"] == ["https://photos.example.org/v1/session/oidc/callback"]


RIGHT = {
    "public_url": "https://photos.example.org",
    "oidc_issuer": "https://id.example.org",
    "oidc_client_id": "a",
    "oidc_grants": json.dumps({"it": GRANTS["it"]}),
}
WRONG_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"public_url": ""}, "NIGHTSHIFT_OIDC_ISSUER: needs NIGHTSHIFT_PUBLIC_URL"),
    ({"oidc_grants": ""}, "NIGHTSHIFT_OIDC_GRANTS as well"),
    ({"public_url": "http://photos.example.org"}, "NIGHTSHIFT_PUBLIC_URL: must be like"),
    ({"public_url": "https://photos.example.org/sub"}, "NIGHTSHIFT_PUBLIC_URL: must be like"),
    ({"public_url": "https://a@photos.example.org"}, "NIGHTSHIFT_PUBLIC_URL: must be like"),
    ({"public_url": "https://[photos"}, "NIGHTSHIFT_PUBLIC_URL: "),
    ({"oidc_issuer": "http://id.example.org"}, "NIGHTSHIFT_OIDC_ISSUER: must be an address with https"),
    ({"oidc_issuer": "id.example.org"}, "NIGHTSHIFT_OIDC_ISSUER: must be an address with https"),
    ({"oidc_client_secret": "a", "oidc_client_secret_file": "/b"}, "leave one of them out"),
    ({"oidc_client_secret_file": "b"}, "must be an absolute path"),
    ({"oidc_scopes": "profile"}, "must have openid"),
    ({"oidc_grants": "desk"}, "is not JSON"),
    ({"oidc_grants": "[]"}, "must be an object"),
    ({"oidc_grants": '{"desk": {}}'}, "desk: must be an object"),
    ({"oidc_grants": '{"desk": {"owner": "a", "scopes": ["all"]}}'}, "desk: scopes must be"),
    ({"oidc_grants": '{"desk": {"owner": "a", "scopes": []}}'}, "desk: scopes must be"),
    ({"oidc_grants": '{"desk": {"owner": "A", "scopes": ["read"]}}'}, "desk: owner must be 1 to 64"),
    ({"oidc_grants": '{"desk": {"scopes": ["read"]}}'}, "name an owner, or set NIGHTSHIFT_OIDC_OWNER_CLAIM"),
    ({"oidc_session_s": -1}, "NIGHTSHIFT_OIDC_SESSION_S: must be 0 or more"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG_SETTINGS, ids=str)
def test_wrong_settings_are_named(wrong: dict[str, Any], said: str, tmp_path: Path) -> None:
    load_settings(home=tmp_path, **RIGHT)
    with pytest.raises(InvalidInput, match="NIGHTSHIFT_") as refusal:
        load_settings(home=tmp_path, **{**RIGHT, **wrong})
    assert said in refusal.value.message


def test_a_secret_that_cannot_be_read_keeps_the_api_from_starting(signing: Signing, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="NIGHTSHIFT_OIDC_CLIENT_SECRET_FILE"):
        signing(oidc_client_secret="", oidc_client_secret_file=str(tmp_path / "none"))
