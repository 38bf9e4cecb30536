"""The API in processes of its own, for what only a real server shows."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partialmethod
from pathlib import Path
from typing import Any

import httpx

from shared.db.engine import Database
from shared.processes.command_lines import api_command
from shared.settings import Settings
from tests.support.databases import migrated_sqlite
from tests.support.processes import peak_memory_mb_of, wait_for
from tests.support.service import ROOT_KEY, write_bundle

SMALL_BUFFER_BYTES = 16_384
KEY_LINE = f"Authorization: Bearer {ROOT_KEY}\r\n"
"""For requests that are written by hand."""


@dataclass
class Server:
    """The API in processes of its own."""

    settings: Settings
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    database: Database
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def open_job(self) -> str:
        return str(self.post(f"{self.url}/v1/jobs", json={}, timeout=60).json()["id"])

    def request(self, method: str, url: str, **request: Any) -> httpx.Response:
        """Send a request with the root key, over a connection of its own."""
        headers = {"Authorization": f"Bearer {ROOT_KEY}", **request.pop("headers", {})}
        return httpx.request(method, url, headers=headers, **request)

    get = partialmethod(request, "GET")
    head = partialmethod(request, "HEAD")
    post = partialmethod(request, "POST")
    put = partialmethod(request, "PUT")

    def stored(self, job_id: str) -> list[Path]:
        """Files of a job, temporary ones included."""
        return [
            path
            for path in (self.settings.home / "store").rglob("*")
            if path.is_file() and job_id in str(path)
        ]

    def peak_mb(self) -> float:
        """Peak resident memory of the process that answers, from proc(5)."""
        parent = self.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
        return peak_memory_mb_of(int(children.split()[0]))

    def kill(self) -> None:
        """SIGKILL the process that answers, and its parent."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def has_free_seat(self, job_id: str) -> bool:
        """Whether one more may wait for a job."""
        answer = self.get(f"{self.url}/v1/jobs/{job_id}", headers={"Prefer": "wait=1"}, timeout=60)
        return "Preference-Applied" in answer.headers

    def answer_to(self, request: bytes) -> bytes:
        """Send bytes, close the sending side, read the answer to its end."""
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := client.recv(65536):
                answer += piece
        return answer


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", verify=False).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def running_server(
    folder: Path,
    *,
    open_files: int | None = None,
    threads: int = 4,
    scheme: str = "http",
    arguments: Sequence[str] = (),
    **environment: str,
) -> Iterator[Server]:
    """A server over SQLite in this folder; `open_files` is its limit (`ulimit -n`)."""
    write_bundle(folder / "weights")
    settings = Settings(
        home=folder / "home", weights_dir=folder / "weights", bundle="test", api_threads=threads
    )
    settings.home.mkdir()
    migrated_sqlite(settings.database_url)

    def limit() -> None:
        if open_files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))

    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "log").open("wb") as log:
        # Accepted sockets have it too: a client that does not read is soon felt.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER_BYTES)
        process = subprocess.Popen(
            [*api_command(settings, bind=f"fd://{listener.fileno()}"), *arguments],
            pass_fds=[listener.fileno()],
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=limit,
            start_new_session=True,
            env={
                **os.environ,
                "NIGHTSHIFT_HOME": str(settings.home),
                "NIGHTSHIFT_WEIGHTS_DIR": str(settings.weights_dir),
                "NIGHTSHIFT_BUNDLE": "test",
                "NIGHTSHIFT_API_THREADS": str(threads),
                "NIGHTSHIFT_API_KEY": ROOT_KEY,
                **environment,
            },
        )
        database = Database(settings.database_url)
        started = Server(settings, process, listener.getsockname()[1], folder / "log", database, scheme)
        try:
            wait_for(lambda: answers(started.url), "the API to answer", timeout_s=60)
            yield started
        finally:
            process.terminate()
            process.wait(30)
            database.close()
