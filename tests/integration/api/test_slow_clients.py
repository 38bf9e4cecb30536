"""Clients that take the server's time, a few of each kind, on a server with few threads."""

from __future__ import annotations

import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.server.limits import HELD_BYTES
from tests.support.gunicorn_server import Server, running_server
from tests.support.processes import wait_for
from tests.support.queue_rows import analysis, face, queued_job, save_all, take
from tests.support.slow_clients import Kind, SlowClients, kinds

EACH = 4
PATIENCE_S = 3.0
PHOTOS = 700
"""Of which the results are more than the sockets' buffers hold."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two threads and six seats: fewer than there are slow clients of any two kinds."""
    limits: dict[str, Any] = {
        "NIGHTSHIFT_CLIENT_TIMEOUT_S": str(PATIENCE_S),
        "NIGHTSHIFT_API_TRANSFERS": "6",
    }
    with running_server(tmp_path_factory.mktemp("server"), threads=2, **limits) as server:
        yield server


@pytest.fixture(scope="module")
def job_id(server: Server) -> str:
    """A job with results, open for more photos."""
    job_id = queued_job(server.database, PHOTOS)
    while held := take(server.database, batch_size=100):
        save_all(server.database, held, lambda n: analysis(face()) if n % 10 == 0 else analysis())
    return job_id


def cut_off(server: Server, kind: str) -> int:
    return server.log.read_text().count(f"cut off kind={kind} ")


def test_all_kinds_at_once_hold_nobody_up(server: Server, job_id: str) -> None:
    open_job = server.open_job()
    slow = [kind for kind in kinds(open_job) if kind.reads] + [kinds(job_id)[-1]]
    clients = SlowClients(server.port, slow, EACH)
    before = {kind.logged: cut_off(server, kind.logged) for kind in slow if kind.logged}
    with clients.at_work():
        uploaded = threading.Thread(target=upload_slowly, args=(server, open_job))
        uploaded.start()
        longest_s = 0.0
        while not clients.all_have_ended():
            begun_s = time.monotonic()
            assert httpx.get(f"{server.url}/healthz", timeout=60).status_code == 200
            longest_s = max(longest_s, time.monotonic() - begun_s)
            assert httpx.get(f"{server.url}/readyz", timeout=60).status_code in (200, 503)
            assert server.get(f"{server.url}/v1/jobs/{open_job}", timeout=60).status_code == 200
            time.sleep(0.1)
        uploaded.join()
    assert longest_s < PATIENCE_S
    metrics = server.get(f"{server.url}/metrics", timeout=60).text
    for logged, number in before.items():
        assert f'nightshift_clients_cut_off_total{{kind="{logged}"}} ' in metrics
        assert cut_off(server, logged) - number == EACH * sum(kind.logged == logged for kind in slow)
    for kind in slow:
        if kind.logged in ("slow_head", "slow_body"):
            assert clients.answers(kind) == {b"408"}, kind.name
    photos = server.get(f"{server.url}/v1/jobs/{open_job}/photos", timeout=60).json()["photos"]
    assert [photo["custom_id"] for photo in photos] == ["real"]


def upload_slowly(server: Server, job_id: str) -> None:
    """A real photo, for longer than anybody may be silent."""

    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield bytes(100_000)
            time.sleep(0.3)

    put = server.put(
        f"{server.url}/v1/jobs/{job_id}/photos", params={"custom_id": "real"}, content=pieces(), timeout=60
    )
    assert put.status_code == 201, put.text


def one(name: str, job_id: str) -> Kind:
    return next(kind for kind in kinds(job_id) if kind.name == name)


@pytest.mark.parametrize("name", ["nothing", "idle"])
def test_who_merely_stays_is_let_go_without_a_word(server: Server, job_id: str, name: str) -> None:
    before = server.log.read_text().count("cut off")
    clients = SlowClients(server.port, [one(name, job_id)], 2)
    with clients.at_work():
        wait_for(clients.all_have_ended, "the server to close", timeout_s=60)
    assert min(clients.lasted_s(one(name, job_id))) >= PATIENCE_S - 0.5
    assert server.log.read_text().count("cut off") == before


def test_nobody_is_cut_off_before_its_time(server: Server, job_id: str) -> None:
    names = ("silent head", "dripping head", "large JSON", "PUT, silent after a megabyte")
    slow = [one(name, server.open_job()) for name in names]
    clients = SlowClients(server.port, slow, 1)
    with clients.at_work():
        wait_for(clients.all_have_ended, "the server to close", timeout_s=60)
    for kind in slow:
        assert min(clients.lasted_s(kind)) >= PATIENCE_S - 0.5


def test_after_a_body_that_was_cut_off_nothing_more_is_read(server: Server, job_id: str) -> None:
    """Not even the rest of it, for a next request."""
    slow = one("chunked JSON", job_id)
    before = server.log.read_text().count("cut off")
    clients = SlowClients(server.port, [slow], 2)
    with clients.at_work():
        # Had one connection been kept, it would have ended as a slow head.
        wait_for(clients.all_have_ended, "the server to close", timeout_s=60)
    assert clients.answers(slow) == {b"408"}
    assert server.log.read_text().count("cut off") == before + 2


def test_a_cut_off_body_leaves_nothing(server: Server, tmp_path: Path) -> None:
    job_id = server.open_job()
    clients = SlowClients(server.port, [one("PUT, silent after a megabyte", job_id)], 2)
    with clients.at_work():
        wait_for(clients.all_have_ended, "the server to close", timeout_s=60)
    assert server.stored(job_id) == []


def test_the_door_stays_open_when_the_house_is_full(tmp_path: Path) -> None:
    """More clients than there may be connections: the newest is served, the oldest makes room."""
    with running_server(tmp_path, open_files=256) as server:
        slow = one("silent head", "none")
        clients = SlowClients(server.port, [slow], 400)
        with clients.at_work():
            wait_for(lambda: len(clients.clients) == 400, "all to come", timeout_s=60)
            for _ in range(5):
                assert server.get(f"{server.url}/v1/jobs", timeout=60).status_code == 200
            wait_for(clients.all_have_ended, "the server to close", timeout_s=60)
        # Each is in the log once.
        assert cut_off(server, "no_room") >= 400 - 256
        assert cut_off(server, "no_room") + cut_off(server, "slow_head") == 400


def answer_of(client: socket.socket) -> bytes:
    """Head and body, which may come apart."""
    received = b""
    while not received.endswith(b'{"status":"ok"}'):
        piece = client.recv(1000)
        assert piece, received
        received += piece
    return received


def test_those_who_hold_the_bytes_make_room_for_bytes(tmp_path: Path) -> None:
    """Heads without an end, of more bytes than are held for all: who merely stays is none the worse."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    asked = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = asked[:-2] + b"".join(b"A%d: %s\r\n" % (number, b"a" * 6000) for number in range(10))
    count = HELD_BYTES // len(head) + 50
    with running_server(tmp_path) as server, ExitStack() as clients:
        at = ("127.0.0.1", server.port)
        stays = clients.enter_context(socket.create_connection(at, timeout=30))
        stays.sendall(asked)
        assert answer_of(stays).startswith(b"HTTP/1.1 200")
        for _ in range(count):
            client = clients.enter_context(socket.create_connection(at, timeout=30))
            client.sendall(head)
        wait_for(lambda: cut_off(server, "no_room") >= 40, "those to make room")
        stays.sendall(asked)
        assert answer_of(stays).startswith(b"HTTP/1.1 200")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
