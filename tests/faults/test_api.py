"""An API that is killed: in mid-upload, and between its commit and its ring."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from shared.db.tables import Upload
from tests.support.faults.runs import Api, Run
from tests.support.processes import WITH_KEY, wait_for

HEAD = b'--b\r\nContent-Disposition: form-data; name="photos"; filename="%s"\r\n\r\n'


@pytest.fixture
def api(run: Run) -> Api:
    return Api(run)


def form(*photos: tuple[str, bytes]) -> bytes:
    parts = [HEAD % name.encode() + data + b"\r\n" for name, data in photos]
    return b"".join(parts) + b"--b--\r\n"


def send(api: Api, body: bytes) -> httpx.Response:
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Idempotency-Key": "tonight", **WITH_KEY}
    return httpx.post(f"{api.url}/v1/jobs", content=body, headers=headers, timeout=60)


def test_killed_in_mid_upload_and_sent_again(run: Run) -> None:
    run.use_lease(6)
    api = Api(run)
    photos = [(f"{number}.jpg", b"photo %d " % number + bytes(200_000)) for number in range(20)]
    body = form(*photos)
    client = socket.create_connection(("127.0.0.1", api.port))
    head = (
        "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: tonight\r\n"
        f"Authorization: {WITH_KEY['Authorization']}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    client.sendall(head.encode() + body[: len(body) // 2])
    store = Path(run.cluster.settings.store_url.removeprefix("file://"))
    wait_for(lambda: any(path.is_file() for path in store.rglob("*")), "the first photos to be stored")
    api.kill()
    client.close()
    with run.cluster.database.read() as session:
        assert session.query(Upload).one().lease_token is not None

    api.start()
    run.start_workers("one")
    answer = send(api, body)
    # The key of the request that was killed is in use until its lease has run out.
    while answer.status_code == 409:
        assert answer.json()["code"] == "idempotency_key_in_use"
        time.sleep(0.5)
        answer = send(api, body)
    assert answer.status_code == 202
    run.job_id = answer.json()["id"]
    assert send(api, body).json()["id"] == run.job_id
    with run.fault("API killed in mid-upload"):
        pass
    wait_for(run.has_ended, "the job to end")
    run.assert_well()
    assert run.counts().succeeded == len(photos)


def test_killed_between_its_commit_and_its_ring(run: Run, api: Api) -> None:
    run.start_workers("one")
    # A broker that hangs holds the API between its commit and its answer.
    run.cluster.stop_process("broker")
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(
            httpx.post,
            f"{api.url}/v1/jobs",
            content=form(("a.jpg", b"photo a"), ("b.jpg", b"photo b")),
            headers={"Content-Type": "multipart/form-data; boundary=b", **WITH_KEY},
            timeout=60,
        )
        wait_for(lambda: bool(run.jobs()), "the API to commit")
        api.kill()
        assert isinstance(answer.exception(), httpx.HTTPError)
    (run.job_id,) = run.jobs()
    assert run.counts().queued == 2
    with run.fault("API killed between commit and ring"):
        run.cluster.continue_process("broker")
    wait_for(run.has_ended, "the job to end")
    run.assert_well()
