"""Whom a proxy says it asks for is believed of the operator's own proxies alone."""

from __future__ import annotations

import logging
from http.cookies import SimpleCookie

import pytest

from nightshift.words.errors import InvalidInput
from shared.settings import load_settings
from tests.integration.api.conftest import Serve
from tests.support.service import ROOT_KEY, Service

PROXIES = "10.0.0.0/24,fd00::/64"

CHAINS: list[tuple[str, str, str]] = [
    # The peer, what it says, and whom we take it for.
    ("10.0.0.7", "203.0.113.5", "203.0.113.5"),
    ("fd00::7", "2001:db8::5", "2001:db8::5"),
    ("::ffff:10.0.0.7", "203.0.113.5", "203.0.113.5"),
    # What the client itself has written stands before what the proxy adds.
    ("10.0.0.7", "1.2.3.4, 203.0.113.5", "203.0.113.5"),
    ("10.0.0.7", "1.2.3.4, 203.0.113.5, 10.0.0.9", "203.0.113.5"),
    ("10.0.0.7", "10.0.0.9", "10.0.0.9"),
    ("10.0.0.7", "203.0.113.5, nobody, 10.0.0.9", "10.0.0.9"),
    ("10.0.0.7", "unknown", "10.0.0.7"),
    ("10.0.0.7", "fe80::1%eth0 key=root, 10.0.0.9", "10.0.0.9"),
    ("10.0.0.7", "", "10.0.0.7"),
    ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
    ("10.0.1.7", "1.2.3.4", "10.0.1.7"),
    ("127.0.0.1", "1.2.3.4", "127.0.0.1"),
]


@pytest.fixture
def behind(serve: Serve) -> Service:
    return serve(trusted_proxies=PROXIES)


@pytest.mark.parametrize(("peer", "chain", "client"), CHAINS)
def test_the_log_has_the_clients_address(
    behind: Service, caplog: pytest.LogCaptureFixture, peer: str, chain: str, client: str
) -> None:
    with caplog.at_level(logging.INFO, "nightshift.access"):
        behind.anybody.get(
            "/v1/session", headers={"X-Forwarded-For": chain}, environ_base={"REMOTE_ADDR": peer}
        )
    addresses = [vars(record)["address"] for record in caplog.records if hasattr(record, "address")]
    assert addresses == [client]


def test_guesses_are_counted_by_client(behind: Service) -> None:
    def guess(client: str, peer: str = "10.0.0.7") -> str:
        answer = behind.anybody.post(
            "/v1/session",
            json={"key": "guess"},
            headers={"X-Forwarded-For": client},
            environ_base={"REMOTE_ADDR": peer},
        )
        return str(answer.json["code"])

    assert {guess("203.0.113.5") for _ in range(61)} == {"unauthorized", "rate_limited"}
    assert guess("203.0.113.6") == "unauthorized"
    # Who is no proxy of ours gets no further guesses by calling themselves somebody else.
    assert {guess(f"198.51.100.{n}", "203.0.113.7") for n in range(61)} == {"unauthorized", "rate_limited"}


@pytest.mark.parametrize(
    ("peer", "headers", "secure"),
    [
        ("10.0.0.7", {"X-Forwarded-Proto": "https"}, True),
        ("10.0.0.7", {"X-Forwarded-Proto": "http, https"}, True),
        ("10.0.0.7", {"X-Forwarded-Proto": "javascript"}, False),
        ("10.0.0.7", {}, False),
        ("203.0.113.9", {"X-Forwarded-Proto": "https"}, False),
    ],
)
def test_the_scheme_is_a_trusted_proxys(
    behind: Service, peer: str, headers: dict[str, str], secure: bool
) -> None:
    answer = behind.anybody.post(
        "/v1/session", json={"key": ROOT_KEY}, headers=headers, environ_base={"REMOTE_ADDR": peer}
    )
    morsel = next(iter(SimpleCookie(answer.headers["Set-Cookie"]).values()))
    assert bool(morsel["secure"]) is secure


@pytest.mark.parametrize(("peer", "status"), [("10.0.0.7", 201), ("203.0.113.9", 403)])
def test_the_host_is_a_trusted_proxys(behind: Service, peer: str, status: int) -> None:
    headers = {"Origin": "https://photos.example", "X-Forwarded-Host": "evil.example, photos.example"}
    answer = behind.client.post("/v1/jobs", json={}, headers=headers, environ_base={"REMOTE_ADDR": peer})
    assert answer.status_code == status, answer.text


def test_the_public_url_is_ones_own_origin(serve: Serve) -> None:
    service = serve(public_url="https://photos.example:8443", trusted_proxies="")
    for origin, status in (
        ("https://photos.example:8443", 201),
        ("https://photos.example", 403),
        ("https://evil.example", 403),
    ):
        assert service.client.post("/v1/jobs", json={}, headers={"Origin": origin}).status_code == status


def test_wrong_networks_are_named() -> None:
    with pytest.raises(InvalidInput, match="NIGHTSHIFT_TRUSTED_PROXIES"):
        load_settings(trusted_proxies="10.0.0.1/8")
