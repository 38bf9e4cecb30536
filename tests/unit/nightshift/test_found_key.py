"""The command finds the key of this machine's service, and tells it to nobody else."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from nightshift import Client
from nightshift.errors import ApiError
from nightshift.found_key import found_key
from nightshift.machine.root_key import made_root_key
from tests.support.answering_server import Answer, Received, serving


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("NIGHTSHIFT_HOME", str(tmp_path))
    return made_root_key(tmp_path)


@pytest.mark.parametrize(
    "server", ["http://127.0.0.1:9", "http://localhost:9", "https://[::1]", "http://LOCALHOST"]
)
def test_for_this_machine(server: str, key: str) -> None:
    assert found_key(httpx.URL(server)) == key


@pytest.mark.parametrize(
    "server",
    [
        "http://photos.example",
        "http://127.0.0.1.photos.example",
        "http://127.0.0.1@photos.example",
        "http://localhost:80@photos.example",
        "http://192.168.1.5:8080",
        "http://0.0.0.0:8080",
    ],
)
def test_for_no_other(server: str, key: str) -> None:
    assert key
    assert found_key(httpx.URL(server)) == ""


def test_it_is_sent_and_one_that_is_given_comes_first(key: str) -> None:
    with serving(lambda *_: Answer(document={"jobs": [], "next": None})) as server:
        for given in ("", "another"):
            with Client(server.url, given) as client:
                assert list(client.jobs()) == []
        assert [request.headers["authorization"] for request in server.requests] == [
            f"Bearer {key}",
            "Bearer another",
        ]


def test_no_redirect_carries_it_away(key: str) -> None:
    with serving(lambda *_: Answer(document={})) as elsewhere:

        def redirect(_asked: Received, _number: int) -> Answer:
            return Answer(status=307, headers={"Location": f"{elsewhere.url}/v1/jobs"})

        with serving(redirect) as server, Client(server.url) as client:
            with pytest.raises(ApiError):
                list(client.jobs())
            assert server.requests[0].headers["authorization"] == f"Bearer {key}"
        assert elsewhere.requests == []


def test_a_port_that_another_user_listens_on_is_told_nothing(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(lambda *_: Answer(document={})) as server:
        assert found_key(httpx.URL(server.url)) == key
        monkeypatch.setattr("os.getuid", lambda: 12345)
        monkeypatch.setattr("nightshift.found_key._ROOT", -1)
        assert found_key(httpx.URL(server.url)) == ""
