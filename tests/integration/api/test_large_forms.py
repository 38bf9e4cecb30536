"""A folder of photos in one request: flat memory, few files open, nothing left when it breaks off."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from nightshift.words.clock import utc_now
from shared.db.tables import Upload
from tests.support.fakes import FakeDoorbell
from tests.support.gunicorn_server import KEY_LINE, Server, running_server
from tests.support.processes import wait_for
from worker.sweeper import Sweeper

PHOTOS = 1200
PHOTO_BYTES = 600_000
OPEN_FILES = 256


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), open_files=OPEN_FILES) as server:
        yield server


def form(photos: int) -> Iterator[bytes]:
    """The bytes of a form with so many photos, no two alike."""
    rest = os.urandom(PHOTO_BYTES - 8)
    for number in range(photos):
        head = f'--b\r\nContent-Disposition: form-data; name="photos"; filename="{number:05d}.jpg"\r\n\r\n'
        yield head.encode() + number.to_bytes(8, "big")
        yield rest
        yield b"\r\n"
    yield b"--b--\r\n"


def post(server: Server, photos: int, **headers: str) -> httpx.Response:
    headers["Content-Type"] = "multipart/form-data; boundary=b"
    answer: httpx.Response = server.post(
        f"{server.url}/v1/jobs", content=form(photos), headers=headers, timeout=120
    )
    return answer


def test_1200_photos_in_one_request(server: Server) -> None:
    post(server, 30).raise_for_status()
    before_mb = server.peak_mb()
    answer = post(server, PHOTOS)
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert job["counts"]["total"] == job["counts"]["queued"] == PHOTOS
    assert len(server.stored(job["id"])) == PHOTOS
    assert server.peak_mb() - before_mb < 50


def test_a_form_that_is_cut_off_leaves_nothing(server: Server) -> None:
    body = b"".join(form(5))
    head = (
        "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"{KEY_LINE}Content-Length: {len(body)}\r\n\r\n"
    )
    before = {path for path in (server.settings.home / "store").rglob("*") if path.is_file()}
    status, _, answer = server.answer_to(head.encode() + body[: len(body) // 2]).partition(b"\r\n\r\n")
    assert status.startswith(b"HTTP/1.1 400 ")
    assert b'"body_cut_off"' in answer
    assert {path for path in (server.settings.home / "store").rglob("*") if path.is_file()} == before


def test_a_server_killed_in_mid_upload_frees_the_key_and_leaves_nothing(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        body = b"".join(form(5))
        head = (
            "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            f"{KEY_LINE}Idempotency-Key: k\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(head.encode() + body[: len(body) // 2])
            store = server.settings.home / "store"
            wait_for(lambda: any(path.is_file() for path in store.rglob("*")), "a photo to be stored")
            used = post(server, 1, **{"Idempotency-Key": "k"})
            assert (used.status_code, used.json()["code"]) == (409, "idempotency_key_in_use")
            server.kill()
        with server.database.write() as session:
            for upload in session.scalars(select(Upload)):
                # As if its lease had run out meanwhile.
                upload.lease_expires_at = utc_now()
        Sweeper(server.settings, server.database, FakeDoorbell()).sweep()
        assert not any(path.is_file() for path in store.rglob("*"))
        with server.database.read() as session:
            assert session.scalars(select(Upload)).all() == []


def test_a_slow_client_holds_up_nobody(server: Server) -> None:
    head = (
        "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"{KEY_LINE}Content-Length: 100000\r\n\r\n--b\r\n"
    )
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
    for client in slow:
        client.sendall(head.encode())
    assert post(server, 3).status_code == 202
    for client in slow:
        client.close()
