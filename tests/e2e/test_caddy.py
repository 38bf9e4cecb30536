"""The API behind Caddy with TLS, by the settings that are shipped."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.gunicorn_server import Server, running_server
from tests.support.page_served import free_port
from tests.support.proxy import Proxy, behind_caddy, program
from tests.support.service import ROOT_KEY

KEY = {"Authorization": f"Bearer {ROOT_KEY}"}
FORGED = {"X-Forwarded-For": "198.51.100.9", "Forwarded": "for=198.51.100.9", "X-Real-IP": "198.51.100.9"}
LARGEST_PHOTO = 100_000_000


@pytest.fixture(scope="module")
def port() -> int:
    program("caddy")
    return free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Server]:
    settings = {"NIGHTSHIFT_PUBLIC_URL": f"https://localhost:{port}", "NIGHTSHIFT_LOG_LEVEL": "INFO"}
    with running_server(tmp_path_factory.mktemp("server"), **settings) as running:  # type: ignore[arg-type]
        yield running


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, server: Server, port: int) -> Iterator[Proxy]:
    with behind_caddy(tmp_path_factory.mktemp("proxy") / "caddy", server.port, port) as running:
        yield running


def test_the_page_and_its_headers_pass(proxy: Proxy) -> None:
    with proxy.client() as client:
        page = client.get("/")
    assert page.status_code == 200
    assert "max-age" in page.headers["Strict-Transport-Security"]
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "X-Request-Id" in page.headers


def test_the_largest_photo_passes_and_no_larger(proxy: Proxy) -> None:
    photo = os.urandom(LARGEST_PHOTO)
    with proxy.client(**KEY) as client:
        path = f"/v1/jobs/{client.post('/v1/jobs', json={}).json()['id']}/photos"
        sent = client.put(path, params={"custom_id": "largest"}, content=photo)
        assert sent.status_code == 201, sent.text
        refused = client.put(path, params={"custom_id": "larger"}, content=photo + b"x")
        assert (refused.status_code, refused.json()["code"]) == (413, "file_too_large")


def test_log_and_audit_have_the_clients_address_whatever_it_says(proxy: Proxy, server: Server) -> None:
    with proxy.client("127.0.0.2", **FORGED, **KEY) as client:
        job_id = client.post("/v1/jobs", json={}).json()["id"]
        (entry,) = client.get("/v1/audit", params={"subject": job_id}).json()["entries"]
        in_place = {"photos": [{"custom_id": "a", "path": "/a.jpg"}]}
        refused = client.post(f"/v1/jobs/{job_id}/photos/in-place", json=in_place)
    assert entry["address"] == "127.0.0.2"
    assert refused.json()["code"] == "in_place_forbidden"
    assert "address=127.0.0.2" in server.log.read_text()
    assert "198.51.100.9" not in server.log.read_text()
