"""Nobody gets in without a key: not this machine's other users, not a proxy's clients, not a web page."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.app import create_app
from nightshift.machine.root_key import FILE, found_root_key
from shared.settings import Settings
from tests.integration.api.conftest import Serve
from tests.support.service import Service, write_bundle

OPEN = ("/healthz", "/readyz", "/openapi.json", "/docs", "/docs/swagger")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_service_without_a_key_makes_one(tmp_path: Path, serve: Serve, host: str) -> None:
    service = serve(api_key="", host=host)
    assert service.anybody.get("/v1/jobs").status_code == 401
    assert service.anybody.post("/v1/jobs", json={}).status_code == 401
    headers = {"Authorization": f"Bearer {found_root_key(service.settings.home)}"}
    assert service.anybody.get("/v1/jobs", headers=headers).status_code == 200
    assert (
        service.anybody.post("/v1/keys", headers=headers, json={"name": "n", "scopes": ["read"]}).status_code
        == 201
    )
    assert (service.settings.home / FILE).is_file()
    # A restart goes on with it.
    again = create_app(service.settings)
    assert again.test_client().get("/v1/jobs", headers=headers).status_code == 200


def test_no_spelling_of_a_path_goes_around(plain_service: Service) -> None:
    for path in (
        "/v1/jobs",
        "//v1/jobs",
        "/v1//jobs",
        "/v1/jobs/",
        "/./v1/jobs",
        "/%76%31/jobs",
        "/V1/jobs",
        "/v1/x",
    ):
        for method in ("GET", "POST"):
            answer = plain_service.anybody.open(path, method=method, json={} if method == "POST" else None)
            assert answer.status_code in {308, 401, 403, 404}, (path, method)


def test_a_key_that_is_set_makes_none(tmp_path: Path) -> None:
    write_bundle(tmp_path / "weights")
    home = tmp_path / "home"
    create_app(Settings(home=home, weights_dir=tmp_path / "weights", bundle="test", api_key="k" * 32))
    assert not (home / FILE).exists()


FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:8081"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://[localhost"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "Cross-Site"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
]
OWN: list[dict[str, str]] = [
    {},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "https://LOCALHOST"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://photos.example", "X-Forwarded-Host": "photos.example"},
]


def test_pages_of_other_sites_change_nothing_whatever_the_key(plain_service: Service) -> None:
    job_id = plain_service.open_job()
    for client in (plain_service.client, plain_service.anybody):
        for headers in FOREIGN:
            for method, path in [
                ("POST", "/v1/jobs"), ("POST", f"/v1/jobs/{job_id}/cancel"), ("DELETE", f"/v1/jobs/{job_id}"),
                ("PUT", f"/v1/jobs/{job_id}/photos?custom_id=a"), ("POST", "/v1/keys"), ("POST", "/healthz"),
            ]:  # fmt: skip
                answer = client.open(path, method=method, headers=headers)
                assert (answer.status_code, answer.json["code"]) == (403, "foreign_origin"), (
                    method,
                    path,
                    headers,
                )
    assert plain_service.job(job_id)["state"] == "open"


def test_ones_own_page_and_no_page_may(plain_service: Service) -> None:
    for headers in OWN:
        assert plain_service.client.post("/v1/jobs", json={}, headers=headers).status_code == 201, headers
        assert plain_service.anybody.post("/v1/jobs", json={}, headers=headers).status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8080", "0.0.0.0:8080", "[::1", "192.168.1.5"]
)
def test_a_service_on_loopback_answers_to_no_other_name(plain_service: Service, host: str) -> None:
    for path in (*OPEN, "/metrics", "/v1/jobs"):
        answer = plain_service.anybody.get(path, headers={"Host": host})
        assert (answer.status_code, answer.json["code"]) == (403, "host_forbidden"), path
        guess = plain_service.anybody.get(path, headers={"Host": host, "Authorization": "Bearer nsk_guess"})
        assert (guess.status_code, guess.json["code"]) == (403, "host_forbidden"), path
    # A proxy of one's own may pass its name on: whoever has a key is no page.
    assert plain_service.client.get("/v1/jobs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080"])
def test_it_answers_to_its_own(plain_service: Service, host: str) -> None:
    for path in OPEN:
        assert plain_service.anybody.get(path, headers={"Host": host}).status_code in {200, 302, 308}, path


def test_a_service_on_a_network_has_names_of_its_own(serve: Serve) -> None:
    service = serve(host="0.0.0.0")
    for path in OPEN:
        assert service.anybody.get(path, headers={"Host": "photos.example"}).status_code in {200, 302, 308}, (
            path
        )


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For"])
def test_what_comes_through_a_proxy_is_nobody_in_particular(plain_service: Service, header: str) -> None:
    assert plain_service.anybody.get("/v1/jobs", headers={header: "for=203.0.113.5"}).status_code == 401
    assert plain_service.anybody.get("/v1/jobs").status_code == 401


def test_guesses_are_counted_and_lock_nobody_out(serve: Serve) -> None:
    service = serve()
    made = service.client.post("/v1/keys", json={"name": "n", "scopes": ["read"]}).json["key"]
    codes = [
        service.anybody.get("/v1/jobs", headers={"Authorization": f"Bearer {guess}-{n}"}).status_code
        for n in range(31)
        for guess in ("nsk_guess", "root-guess")
    ]
    assert codes == [401] * 60 + [429] * 2
    for key in (made, service.settings.api_key.get_secret_value()):
        answer = service.anybody.get("/v1/jobs", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200, answer.text
    afar = {"REMOTE_ADDR": "203.0.113.9"}
    guess = {"Authorization": "Bearer another guess"}
    assert service.anybody.get("/v1/jobs", headers=guess, environ_base=afar).status_code == 401


def test_one_network_of_ipv6_is_one_guesser(serve: Serve) -> None:
    service = serve(host="::")
    codes = [
        service.anybody.get(
            "/v1/jobs",
            headers={"Authorization": "Bearer x"},
            environ_base={"REMOTE_ADDR": f"2001:db8::{n:x}"},
        ).status_code
        for n in range(61)
    ]
    assert codes == [401] * 60 + [429]
