"""What a real server writes down of requests that mean harm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gunicorn_server import Server, running_server

SECRET = b"nsk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
HEADS = (
    *(b"Authorization Bearer " + SECRET, b"Authorization", b"AuthorizationBearer " + SECRET + b": x"),
    *(
        b"Authorization : Bearer " + SECRET,
        b"Author ization: Bearer " + SECRET,
        b"Authorization Basic " + SECRET,
    ),
    *(b"X: y\r\n Authorization Bearer " + SECRET, b"Authorization: Bearer\x01" + SECRET, b"Bearer " + SECRET),
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path) as server:
        yield server


def test_a_key_in_a_broken_header_is_not_written_down(server: Server) -> None:
    for head in HEADS:
        answer = server.answer_to(b"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\n")
        assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 401 "))
        assert SECRET not in answer
    log = server.log.read_text(encoding="utf-8")
    assert SECRET.decode() not in log


def test_a_path_is_one_line_and_steers_nothing(server: Server) -> None:
    path = b"/v1/jobs/%0A2026-11-24T00:00:00Z%20INFO%20forged%1B[2J%E2%80%AE%C2%9B1m%FF"
    server.answer_to(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    server.answer_to(b"G\x1b[2JT / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    log = server.log.read_bytes().decode()
    assert "\\n2026-11-24T00:00:00Z INFO forged\\x1b[2J\\u202e\\x9b1m" in log
    assert not any(line.startswith("2026-11-24T00:00:00Z") for line in log.splitlines())
    assert not set("\x1b\x9b\u202e") & set(log)


def test_the_key_that_the_first_start_made_is_not_written_down_wherever_it_is_put(tmp_path: Path) -> None:
    with running_server(tmp_path, NIGHTSHIFT_API_KEY="") as server:
        key = (server.settings.home / "api_key").read_bytes().strip()
        server.answer_to(b"GET /v1/jobs/" + key + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        log = server.log.read_bytes()
    assert b"/v1/jobs/***" in log
    assert key not in log


def test_a_path_adds_no_fields_to_its_line(server: Server) -> None:
    server.answer_to(b"GET /v1/jobs/x%20status=200%20key=root HTTP/1.1\r\nHost: localhost\r\n\r\n")
    log = server.log.read_text(encoding="utf-8")
    assert "status=401" in log
    assert "status=200" not in log
    assert "key=root" not in log


def test_probes_leave_no_lines(server: Server) -> None:
    before = server.log.read_text(encoding="utf-8")
    assert server.get(f"{server.url}/readyz").status_code == 200
    assert server.log.read_text(encoding="utf-8") == before
