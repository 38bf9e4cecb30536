"""Bodies whose chunks are no chunks, over a real server: the client's fault on every route that reads one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.gunicorn_server import KEY_LINE, Server, running_server

BROKEN = (
    *(b"zz\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"0x2\r\n{}\r\n0\r\n\r\n", b"\r\n{}\r\n0\r\n\r\n"),
    *(
        b"2\r\n{}X0\r\n\r\n",
        b"2\r\n{}\r\n",
        b"5\r\n{}\r\n0\r\n\r\n",
        b"2 2\r\n{}\r\n0\r\n\r\n",
        b"f" * 40 + b"\r\n{}",
    ),
    *(
        b"2\n{}\n0\n\n",
        b"2;a=\x01\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}\r\n0\r\nbad trailer\r\n\r\n",
        b"9" * 9000,
        b"",
    ),
)
"""Sizes that are no hex, chunks without an end, a body that stops."""

JSON, FORM = b"application/json", b"multipart/form-data; boundary=b"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.mark.parametrize("framed", BROKEN)
def test_a_broken_chunk_is_the_clients_fault(server: Server, framed: bytes) -> None:
    job_id = server.open_job().encode()
    asked = [
        (b"POST /v1/jobs", JSON),
        (b"POST /v1/jobs", FORM),
        (b"POST /v1/jobs/" + job_id + b"/photos/check", JSON),
        (b"POST /v1/jobs/" + job_id + b"/photos/in-place", JSON),
        (b"POST /v1/keys", JSON),
        (b"PUT /v1/jobs/" + job_id + b"/photos?custom_id=a", b"image/jpeg"),
    ]
    for line, content_type in asked:
        head = (
            line + b" HTTP/1.1\r\nHost: localhost\r\n" + KEY_LINE.encode() + b"Content-Type: " + content_type
        )
        answer = server.answer_to(head + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + framed)
        status, _, body = answer.partition(b"\r\n\r\n")
        assert status.startswith(b"HTTP/1.1 400 "), (line, framed, answer)
        assert json.loads(body)["code"] in {"body_cut_off", "bad_multipart"}, (line, framed)
    assert "Traceback" not in server.log.read_text(encoding="utf-8")
    assert server.stored(job_id.decode()) == []
