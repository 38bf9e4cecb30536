"""What the server below the application answers, and how it treats a connection."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.gunicorn_server import KEY_LINE, Server, running_server
from tests.support.processes import wait_for
from tests.support.service import ROOT_KEY

HEAD = b"Host: localhost\r\n" + KEY_LINE.encode()
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        yield client


def read_answer(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """One answer of a known length: status, headers in lower case, body."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = client.recv(1)
        assert piece, received
        received += piece
    first, *lines = received.decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = b""
    while len(body) < int(headers.get("content-length", 0)):
        body += client.recv(int(headers["content-length"]) - len(body))
    return int(first.split()[1]), headers, body


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 400, "bad_request"),
        (b"\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\n\n", 400, "bad_request"),
        (b"GET / HTTP/9.9\r\n\r\n", 400, "bad_request"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "bad_request"),
        (GET + b"Authorization Bearer hidden\r\n\r\n", 400, "bad_request"),
        (GET + b"A: b\nC: d\r\n", 400, "bad_request"),
        (GET + b"Content-Length: -1\r\n\r\n", 400, "bad_request"),
        (GET + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "bad_request"),
        (b"GET /?" + b"a" * 8190 + b" HTTP/1.1\r\n", 414, "uri_too_long"),
        (b"GET /?" + b"a" * 200_000, 414, "uri_too_long"),
        (GET + b"X: " + b"a" * 8190 + b"\r\n\r\n", 431, "head_too_large"),
        (GET + b"X: 1\r\n" * 101 + b"\r\n", 431, "head_too_large"),
        (GET + b"X: %s\r\n" % (b"a" * 8000) * 20, 431, "head_too_large"),
        (GET + b"Expect: tea\r\n\r\n", 417, "expectation_failed"),
        (GET + b"Transfer-Encoding: lzma\r\n\r\n", 501, "unsupported_transfer_coding"),
    ],
)
def test_a_head_that_is_wrong_is_answered_with_a_problem(
    server: Server, head: bytes, status: int, code: str
) -> None:
    with connected(server) as client:
        client.sendall(head)
        found, headers, body = read_answer(client)
        assert (found, json.loads(body)["code"], json.loads(body)["status"]) == (status, code, status)
        assert headers["content-type"] == "application/problem+json"
        assert headers["connection"] == "close"
        assert client.recv(1) == b""
    # Somebody's key may stand in it.
    assert "hidden" not in server.log.read_text()
    assert b"hidden" not in body


def is_closed(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_refusal_that_leaves_the_body_unread_ends_the_connection(server: Server) -> None:
    put = b"PUT /v1/jobs/job_none/photos?custom_id=a HTTP/1.1\r\n" + HEAD
    for body in (b"Content-Length: 1000000\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"):
        with connected(server) as client:
            client.sendall(put + body)
            status, headers, _ = read_answer(client)
            assert (status, headers["connection"]) == (404, "close")
            assert is_closed(client)


def test_a_refusal_with_the_whole_body_in_hand_keeps_the_connection(server: Server) -> None:
    put = b"PUT /v1/jobs/job_none/photos?custom_id=a HTTP/1.1\r\n" + HEAD
    with connected(server) as client:
        for body in (
            b"Content-Length: 3\r\n\r\nabc",
            b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ):
            client.sendall(put + body)
            status, headers, _ = read_answer(client)
            assert (status, headers["connection"]) == (404, "keep-alive")
        client.sendall(GET + b"\r\n")
        assert read_answer(client)[0] == 200


def test_requests_in_one_piece_are_answered_one_by_one(server: Server) -> None:
    post = b"POST /v1/jobs HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\n"
    post += b"Content-Length: 2\r\n\r\n{}"
    with connected(server) as client:
        client.sendall((GET + b"\r\n" + post) * 20)
        assert [read_answer(client)[0] for _ in range(40)] == [200, 201] * 20


@pytest.mark.parametrize("pause_s", [0.0, 0.02])
def test_a_head_may_come_in_pieces(server: Server, pause_s: float) -> None:
    request = b"\r\nPOST /v1/jobs HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\n"
    request += b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    with connected(server) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request:
            client.sendall(bytes([byte]))
            time.sleep(pause_s)
        assert read_answer(client)[0] == 201


def test_http_1_0_is_closed_unless_it_asks(server: Server) -> None:
    for asks, kept in ((b"", "close"), (b"Connection: keep-alive\r\n", "keep-alive")):
        with connected(server) as client:
            client.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n" + asks + b"\r\n")
            status, headers, _ = read_answer(client)
            assert (status, headers["connection"]) == (200, kept)


def test_who_expects_to_be_asked_is_asked(server: Server) -> None:
    job_id = server.open_job()
    put = f"PUT /v1/jobs/{job_id}/photos?custom_id=a HTTP/1.1\r\n"
    with connected(server) as client:
        client.sendall(put.encode() + HEAD + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert client.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"photo")
        assert read_answer(client)[0] == 201


def test_who_is_refused_is_not_asked_for_its_body(server: Server) -> None:
    put = b"PUT /v1/jobs/job_none/photos?custom_id=a HTTP/1.1\r\n" + HEAD
    with connected(server) as client:
        client.sendall(put + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        status, headers, _ = read_answer(client)
        assert (status, headers["connection"]) == (404, "close")


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 100\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nno number\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nno trailer\r\n\r\n",
    ],
)
def test_json_that_is_cut_off_is_called_so(server: Server, body: bytes) -> None:
    post = b"POST /v1/jobs HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\n"
    status, _, answer = server.answer_to(post + body).partition(b"\r\n\r\n")
    assert status.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer)["code"] == "body_cut_off"


def test_who_does_not_hear_the_end_holds_nobody_up(server: Server) -> None:
    """After its last answer a client may go on as long as it likes."""
    stubborn = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    for client in stubborn:
        client.sendall(GET + b"Connection: close\r\n\r\n")
    begun_s = time.monotonic()
    # One client: each makes a TLS context, which takes longer than the answer.
    with httpx.Client(base_url=server.url, headers={"Connection": "close"}, timeout=60) as prober:
        for _ in range(20):
            assert prober.get("/healthz").status_code == 200
    # One after the other they would have had two seconds each.
    assert time.monotonic() - begun_s < 30
    for client in stubborn:
        client.close()


def test_a_store_that_hangs_holds_up_no_probe(tmp_path: Path) -> None:
    """A bucket that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        bucket: dict[str, Any] = {
            "NIGHTSHIFT_STORE_URL": "s3://photos",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "AWS_REGION": "nowhere",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
        }
        with running_server(tmp_path, threads=2, **bucket) as server:
            url = f"{server.url}/v1/jobs/{server.open_job()}/photos"

            def put() -> None:
                with httpx.Client(headers={"Authorization": f"Bearer {ROOT_KEY}"}) as client:
                    client.put(url, params={"custom_id": "a"}, content=b"photo", timeout=1).close()

            def put_in_vain() -> None:
                with pytest.raises(httpx.ReadTimeout):
                    put()

            threads = [threading.Thread(target=put_in_vain) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            begun_s = time.monotonic()
            for _ in range(5):
                assert httpx.get(f"{server.url}/healthz", timeout=60).status_code == 200
                assert httpx.get(f"{server.url}/readyz", timeout=60).json()["checks"]["store"] == "down"
            assert time.monotonic() - begun_s < 20
            server.kill()


def test_over_tls(tmp_path: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    arguments = ["--certfile", str(tmp_path / "cert.pem"), "--keyfile", str(tmp_path / "key.pem")]
    context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    context.check_hostname = False
    with (
        running_server(tmp_path, scheme="https", arguments=arguments) as server,
        connected(server),
        httpx.Client(verify=context, headers={"Authorization": f"Bearer {ROOT_KEY}"}) as client,
    ):
        job_id = client.post(f"{server.url}/v1/jobs", json={}, timeout=60).json()["id"]
        put = client.put(
            f"{server.url}/v1/jobs/{job_id}/photos",
            params={"custom_id": "a"},
            content=bytes(3_000_000),
            timeout=60,
        )
        assert put.status_code == 201, put.text
        begun_s = time.monotonic()
        waited = client.get(f"{server.url}/v1/jobs/{job_id}", headers={"Prefer": "wait=1"}, timeout=60)
        assert waited.headers["Preference-Applied"] == "wait=1"
        assert time.monotonic() - begun_s >= 1


def test_a_server_that_stops_ends_what_it_has_begun(tmp_path: Path) -> None:
    with running_server(tmp_path) as server, connected(server) as idle, connected(server) as sending:
        job_id = server.open_job()
        idle.sendall(GET + b"\r\n")
        assert read_answer(idle)[0] == 200
        put = f"PUT /v1/jobs/{job_id}/photos?custom_id=a HTTP/1.1\r\n"
        sending.sendall(put.encode() + HEAD + b"Content-Length: 200000\r\n\r\n" + bytes(100_000))
        time.sleep(1)
        server.process.terminate()
        wait_for(lambda: is_closed(idle), "the idle connection to end", timeout_s=60)
        sending.sendall(bytes(100_000))
        status, headers, _ = read_answer(sending)
        assert (status, headers["connection"]) == (201, "close")
        assert server.process.wait(30) == 0
