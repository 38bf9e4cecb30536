"""What only a real server shows: bodies and answers as they pass over a socket."""

from __future__ import annotations

import hashlib
import json
import os
import select
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import delete

from shared.db.tables import Job
from tests.support.gunicorn_server import KEY_LINE, SMALL_BUFFER_BYTES, Server, running_server
from tests.support.processes import wait_for
from tests.support.queue_rows import analysis, face, queued_job, save_all, take
from tests.support.service import ROOT_KEY


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server


def test_a_large_photo_passes_without_staying_in_memory(server: Server) -> None:
    piece = os.urandom(1_000_000)
    pieces = 90
    url = f"{server.url}/v1/jobs/{server.open_job()}/photos"
    server.put(url, params={"custom_id": "warm up"}, content=piece * 20).raise_for_status()
    before_mb = server.peak_mb()
    for custom_id, headers in (("announced", {"Content-Length": str(pieces * len(piece))}), ("chunked", {})):
        content = (piece for _ in range(pieces))
        put = server.put(url, params={"custom_id": custom_id}, content=content, headers=headers, timeout=60)
        assert put.status_code == 201, put.text
        assert put.json()["sha256"] == hashlib.sha256(piece * pieces).hexdigest()
    assert server.peak_mb() - before_mb < 45


@pytest.mark.parametrize(
    "framed",
    [
        b"Content-Length: 1000\r\n\r\n0123456789",
        b"Content-Length: 1000\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n",
        b"Transfer-Encoding: chunked\r\n\r\na\r\n0123",
        b"Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\nno number\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n0123456789\r\n0\r\n\r\n",
    ],
)
def test_a_body_that_is_cut_off_is_an_error_and_leaves_nothing(server: Server, framed: bytes) -> None:
    job_id = server.open_job()
    head = f"PUT /v1/jobs/{job_id}/photos?custom_id=a HTTP/1.1\r\nHost: localhost\r\n{KEY_LINE}"
    status, _, body = server.answer_to(head.encode() + framed).partition(b"\r\n\r\n")
    assert status.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["code"] == "body_cut_off"
    assert server.stored(job_id) == []
    assert server.get(f"{server.url}/v1/jobs/{job_id}").json()["counts"]["total"] == 0


def test_a_client_that_vanishes_leaves_nothing(server: Server) -> None:
    job_id = server.open_job()
    head = f"PUT /v1/jobs/{job_id}/photos?custom_id=a HTTP/1.1\r\nHost: localhost\r\n{KEY_LINE}"
    client = socket.create_connection(("127.0.0.1", server.port))
    client.sendall(head.encode() + b"Content-Length: 9000000\r\n\r\n" + bytes(6_000_000))
    # Lingering for no time: the server gets a reset instead of an end.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
    client.close()
    wait_for(lambda: f"{job_id}/photos status=400" in server.log.read_text(), "the refusal", timeout_s=60)
    assert server.stored(job_id) == []
    assert server.get(f"{server.url}/v1/jobs/{job_id}/photos").json()["photos"] == []


def test_a_refusal_reaches_a_client_that_is_still_sending(server: Server) -> None:
    job_id = server.open_job()
    put = f"{server.url}/v1/jobs/{job_id}/photos"
    server.put(put, params={"custom_id": "a"}, content=b"x").raise_for_status()
    server.post(f"{server.url}/v1/jobs/{job_id}/submit").raise_for_status()
    sealed = server.put(put, params={"custom_id": "b"}, content=bytes(5_000_000), timeout=60)
    assert (sealed.status_code, sealed.json()["code"]) == (409, "job_sealed")
    other = server.open_job()
    huge = server.put(
        f"{server.url}/v1/jobs/{other}/photos",
        params={"custom_id": "a"},
        content=bytes(100_000_001),
        timeout=60,
    )
    assert (huge.status_code, huge.json()["code"]) == (413, "file_too_large")


def test_the_longest_name_fits_into_a_request(server: Server) -> None:
    name = "\u00fc" * 1024
    put = server.put(
        f"{server.url}/v1/jobs/{server.open_job()}/photos", params={"custom_id": name}, content=b"x"
    )
    assert put.status_code == 201
    assert put.json()["custom_id"] == name


PHOTOS = 700
"""Two pages of results, and more than the sockets' buffers hold."""


@pytest.fixture
def long_job(server: Server) -> str:
    """A job with many results."""
    with server.database.write() as session:
        session.execute(delete(Job))
    job_id = queued_job(server.database, PHOTOS)
    while held := take(server.database, batch_size=100):
        save_all(server.database, held, lambda n: analysis(face()) if n % 10 == 0 else analysis())
    return job_id


def test_results_are_streamed_whole(server: Server, long_job: str) -> None:
    url = f"{server.url}/v1/jobs/{long_job}/results"
    answer = server.get(url)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    names = [json.loads(line)["custom_id"] for line in answer.text.splitlines()]
    assert names == [f"{number}.jpg" for number in range(PHOTOS)]
    assert len(server.get(url, headers={"Accept": "text/csv"}).text.splitlines()) == PHOTOS + 1
    head = server.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Type"] == answer.headers["Content-Type"]


def test_results_of_a_job_that_is_deleted_meanwhile_do_not_end_as_if_whole(
    server: Server, long_job: str
) -> None:
    transport = httpx.HTTPTransport(
        socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)]
    )
    with (
        httpx.Client(transport=transport, headers={"Authorization": f"Bearer {ROOT_KEY}"}) as client,
        client.stream("GET", f"{server.url}/v1/jobs/{long_job}/results") as answer,
    ):
        pieces = answer.iter_raw(1000)
        assert len(next(pieces)) == 1000
        with server.database.write() as session:
            session.execute(delete(Job).where(Job.id == long_job))
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)
    assert server.get(f"{server.url}/v1/jobs/{long_job}/results").status_code == 404


def test_a_client_that_hangs_up_gives_its_seat_back(server: Server) -> None:
    job_id = server.open_job()
    request = (
        f"GET /v1/jobs/{job_id} HTTP/1.1\r\nHost: localhost\r\n{KEY_LINE}Prefer: wait=30\r\n\r\n".encode()
    )
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
    for client in clients:
        client.sendall(request)

    def seats_are_taken() -> bool:
        for client in select.select(clients, [], [], 0)[0]:
            # The probe of a free seat was quicker, and sat on it.
            client.recv(65536)
            client.sendall(request)
        return not server.has_free_seat(job_id)

    # Both seats are taken, and yet others are answered.
    wait_for(seats_are_taken, "the seats to be taken", timeout_s=20)
    for client in clients:
        client.close()
    wait_for(lambda: server.has_free_seat(job_id), "a free seat", timeout_s=20)


def test_a_server_that_stops_answers_those_who_wait(server: Server) -> None:
    """The last test of the module: it stops the server."""
    job_id = server.open_job()
    headers = {"Authorization": f"Bearer {ROOT_KEY}"}
    with (
        ThreadPoolExecutor() as threads,
        httpx.Client(base_url=server.url, timeout=60, headers=headers) as client,
    ):
        path, prefer = f"/v1/jobs/{job_id}", {"Prefer": "wait=30"}
        waiting = [threads.submit(client.get, path, headers=prefer) for _ in range(2)]

        def seats_are_taken() -> bool:
            for number, answer in enumerate(waiting):
                if answer.done():
                    waiting[number] = threads.submit(client.get, path, headers=prefer)
            return not server.has_free_seat(job_id)

        wait_for(seats_are_taken, "the seats to be taken", timeout_s=20)
        server.process.terminate()
        assert [answer.result().status_code for answer in waiting] == [200, 200]
    assert server.process.wait(30) == 0
