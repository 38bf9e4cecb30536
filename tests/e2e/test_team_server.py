"""A team server: the API behind nginx with TLS, by the settings that are shipped, and a provider."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.gunicorn_server import Server, running_server
from tests.support.openid import CLIENT_ID, CLIENT_SECRET, openid_provider
from tests.support.page_served import free_port
from tests.support.proxy import Proxy, proxied
from tests.support.service import ROOT_KEY

LARGEST_PHOTO = 100_000_000
IN_PLACE = {"photos": [{"custom_id": "a", "path": "/a.jpg"}]}
KEY = {"Authorization": f"Bearer {ROOT_KEY}"}


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Server]:
    with openid_provider() as provider:
        settings = {
            "NIGHTSHIFT_PUBLIC_URL": f"https://localhost:{port}",
            "NIGHTSHIFT_OIDC_ISSUER": provider.url,
            "NIGHTSHIFT_OIDC_CLIENT_ID": CLIENT_ID,
            "NIGHTSHIFT_OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "NIGHTSHIFT_OIDC_NAME": "the picture desk",
            "NIGHTSHIFT_OIDC_GRANTS": json.dumps({"desk": {"owner": "news", "scopes": ["submit"]}}),
            "NIGHTSHIFT_LOG_LEVEL": "INFO",
        }
        with running_server(tmp_path_factory.mktemp("server"), **settings) as running:  # type: ignore[arg-type]
            yield running


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, server: Server, port: int) -> Iterator[Proxy]:
    with proxied(tmp_path_factory.mktemp("proxy") / "nginx", server.port, port) as running:
        yield running


def test_it_is_reached_by_its_name_and_over_tls_alone(proxy: Proxy) -> None:
    with proxy.client() as client:
        page = client.get("/")
        assert page.status_code == 200
        assert "max-age" in page.headers["Strict-Transport-Security"]
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "X-Request-Id" in page.headers
        turned = client.get(f"{proxy.plain_url}/docs?a=b")
        assert (turned.status_code, turned.headers["Location"]) == (301, "https://localhost/docs?a=b")


def test_the_largest_photo_and_no_larger(proxy: Proxy) -> None:
    photo = os.urandom(LARGEST_PHOTO)
    with proxy.client(**KEY) as client:
        job_id = client.post("/v1/jobs", json={}).json()["id"]
        path = f"/v1/jobs/{job_id}/photos"
        sent = client.put(path, params={"custom_id": "largest"}, content=photo)
        assert sent.status_code == 201, sent.text
        refused = client.put(path, params={"custom_id": "larger"}, content=photo + b"x")
        assert (refused.status_code, refused.json()["code"]) == (413, "file_too_large")
        assert client.get(f"/v1/jobs/{job_id}").json()["counts"]["total"] == 1


def test_an_answer_may_be_waited_for(proxy: Proxy) -> None:
    with proxy.client(**KEY) as client:
        job = client.post("/v1/jobs", json={})
        found = client.get(f"/v1/jobs/{job.json()['id']}")
        wish = {"Prefer": "wait=30", "If-None-Match": found.headers["ETag"]}
        waited = client.get(f"/v1/jobs/{job.json()['id']}", headers=wish)
        assert (waited.status_code, waited.headers["Preference-Applied"]) == (304, "wait=30")


def test_the_log_has_the_clients_address_whatever_it_says(proxy: Proxy, server: Server) -> None:
    forged = {"X-Forwarded-For": "198.51.100.9", "Forwarded": "for=198.51.100.9", "X-Real-IP": "198.51.100.9"}
    with proxy.client("127.0.0.2", **forged) as client:
        assert client.get("/v1/jobs/job_of_nobody?name=anna.jpg").status_code == 401
    line = next(line for line in server.log.read_text().splitlines() if "job_of_nobody" in line)
    assert "address=127.0.0.2" in line
    assert "198.51.100.9" not in server.log.read_text()
    written = proxy.log.read_text()
    assert '"path":"/v1/jobs/job_of_nobody"' in written
    assert "anna" not in written


def test_what_comes_through_it_is_not_of_this_machine(proxy: Proxy) -> None:
    with proxy.client(**KEY) as client:
        job_id = client.post("/v1/jobs", json={}).json()["id"]
        refused = client.post(f"/v1/jobs/{job_id}/photos/in-place", json=IN_PLACE)
        assert refused.json()["code"] == "in_place_forbidden"
        assert client.get("/v1/session", headers={"Host": "evil.example"}).json()["code"] == "host_forbidden"


@pytest.mark.parametrize("by", ["key", "provider"])
def test_the_page_is_signed_in_to_and_used(browser: Browser, proxy: Proxy, by: str) -> None:
    context = browser.new_context(locale="en-GB", ignore_https_errors=True)
    page = context.new_page()
    page.goto(proxy.url)
    if by == "key":
        page.get_by_label("API key").fill(ROOT_KEY)
        page.keyboard.press("Enter")
    else:
        page.get_by_role("link", name="Sign in with the picture desk").click()
    expect(page.get_by_role("heading", level=1, name="Tonight")).to_be_visible()
    expect(page.locator(".owner")).to_have_text({"key": "local", "provider": "news"}[by])
    (cookie,) = [cookie for cookie in context.cookies() if "_oidc_" not in cookie["name"]]
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
    # It changes something, from an origin with a port.
    status = page.evaluate(
        "fetch('/v1/jobs', {method: 'POST', body: '{}', headers: {'Content-Type': 'application/json'}})"
        ".then((answer) => answer.status)"
    )
    assert status == 201
    context.close()
