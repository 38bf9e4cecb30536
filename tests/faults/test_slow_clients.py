"""Five hundred clients of every slow kind at once, with the times and numbers that everybody has."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.server.limits import BUSY_S, HEAD_S
from shared.settings import Settings
from tests.support.faults.runs import RECORD
from tests.support.gunicorn_server import Server, running_server
from tests.support.processes import wait_for
from tests.support.queue_rows import analysis, face, queued_job, save_all, take
from tests.support.service import ROOT_KEY
from tests.support.slow_clients import SlowClients, kinds

PATIENCE_S = float(Settings.model_fields["client_timeout_s"].default)
SLACK_S = 20.0
"""Five thousand clients share two cores with the server that sees to them."""
PIECES, PIECE_BYTES = 200, 100_000


def note(what: str, value: float) -> None:
    print(f"{what}: {value:.2f}", flush=True)  # noqa: T201
    if path := os.environ.get(RECORD):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"note": f"slow clients: {what}", "value": round(value, 2)}) + "\n")


@contextmanager
def uploading(server: Server, job_id: str, name: str) -> Iterator[list[httpx.Response]]:
    """A photo on its way, half a megabyte a second; it must arrive, sent again where the server says so.

    What was answered is there at the end: the photo, and before it how often the server was busy.
    """

    def pieces() -> Iterator[bytes]:
        for _ in range(PIECES):
            yield bytes(PIECE_BYTES)
            time.sleep(0.2)

    answers: list[httpx.Response] = []

    def send() -> None:
        url = f"{server.url}/v1/jobs/{job_id}/photos"
        while not answers or (answers[-1].status_code == 503 and len(answers) < 4):
            answers.append(server.put(url, params={"custom_id": name}, content=pieces(), timeout=120))

    thread = threading.Thread(target=send)
    thread.start()
    yield answers
    thread.join()
    note(f"photo sent {name}: told to try again, times", len(answers) - 1)
    assert answers[-1].status_code == 201, answers[-1].text


PROBE = """
import http.client, sys, time
while True:
    for path in sys.argv[3:]:
        begun_s = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=120)
        connection.request("GET", path, headers={"Authorization": "Bearer " + sys.argv[2]})
        assert connection.getresponse().status == 200
        connection.close()
        print(path, time.monotonic() - begun_s, flush=True)
    time.sleep(0.3)
"""


@contextmanager
def probing(server: Server, *paths: str) -> Iterator[dict[str, list[float]]]:
    """Seconds that each path took by the end; asked by a process that has nothing else to do."""
    command = [sys.executable, "-c", PROBE, str(server.port), ROOT_KEY, *paths]
    seconds: dict[str, list[float]] = {path: [] for path in paths}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield seconds
            assert process.poll() is None
        finally:
            process.terminate()
        for line in process.stdout:
            path, took_s = line.split()
            seconds[path].append(float(took_s))


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("each", [pytest.param(20, id="short"), pytest.param(500, id="whole")])
def test_slow_clients_of_every_kind(tmp_path: Path, each: int) -> None:
    with running_server(tmp_path, threads=8) as server:
        results = queued_job(server.database, 700)
        while held := take(server.database, batch_size=100):
            save_all(server.database, held, lambda n: analysis(face()))
        open_job = server.open_job()
        slow = [*kinds(open_job)[:-1], kinds(results)[-1]]
        clients = SlowClients(server.port, slow, each)
        short = f"/v1/jobs/{open_job}"
        with (
            probing(server, "/healthz", short) as took_s,
            uploading(server, open_job, "before") as before,
            clients.at_work(),
        ):
            wait_for(lambda: len(clients.clients) == each * len(slow), "all clients to come")
            with uploading(server, open_job, "amidst") as amidst:
                wait_for(clients.all_have_ended, "the server to let go of all")
        note(f"{each} of each of {len(slow)} kinds: /healthz at most, s", max(took_s["/healthz"]))
        note("/healthz, median, s", statistics.median(took_s["/healthz"]))
        note("a job looked at, at most, s", max(took_s[short]))
        assert max(took_s["/healthz"]) < SLACK_S
        for kind in slow:
            lasted_s = clients.lasted_s(kind)
            note(f"{kind.name}: let go of after at most, s", max(lasted_s))
            # Its time begins anew when it has waited for a seat.
            allowed_s = PATIENCE_S + (BUSY_S if kind.logged in ("slow_body", "slow_reader") else 0)
            if kind.logged == "slow_head" or not kind.begins:
                allowed_s = HEAD_S
            assert max(lasted_s) < allowed_s + SLACK_S, kind.name
            if kind.logged in ("slow_head", "slow_body"):
                assert clients.answers(kind) <= {b"408", b"503"}, kind.name
        log = server.log.read_text()
        numbers = {
            kind: log.count(f"cut off kind={kind} ") for kind in ("slow_head", "slow_body", "slow_reader")
        }
        told = log.count("no thread in time")
        for logged, number in {**numbers, "told that the server is busy": told}.items():
            note(logged, number)
        assert numbers["slow_head"] == each * sum(kind.logged == "slow_head" for kind in slow)
        # Each is in the log once, be it as slow or as one for whom there was no seat.
        told_real = len(before[:-1]) + len(amidst[:-1])
        assert sum(numbers.values()) + told - told_real == each * sum(
            kind.logged is not None for kind in slow
        )
        assert "kind=no_room" not in log
        photos = server.get(f"{server.url}/v1/jobs/{open_job}/photos", timeout=60).json()["photos"]
        assert {photo["custom_id"] for photo in photos} == {"before", "amidst"}
