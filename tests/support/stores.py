"""Real stores for tests: a fresh directory, and a fresh bucket of an S3 server."""

from __future__ import annotations

import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from shared.files.store import Store
from tests.support.processes import wait_for

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    # Other tests' environment must not lead anywhere else.
    "AWS_EC2_METADATA_DISABLED": "true",
}


class S3Server:
    """moto's server as a process of its own."""

    def __init__(self, log: Path, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log
        self.start()

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(self.port)]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for(self._answers, "the S3 server to answer", timeout_s=60)

    def _answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(self.url, timeout=2).status_code < 500
        return False

    def make_bucket(self, name: str) -> str:
        """A new bucket's URL."""
        httpx.put(f"{self.url}/{name}").raise_for_status()
        return f"s3://{name}/photos"

    @property
    def environment(self) -> dict[str, str]:
        """What leads a process here."""
        return {"AWS_ENDPOINT_URL": self.url, **CREDENTIALS}

    def stop(self) -> None:
        """End it, and all that it holds."""
        self.process.kill()
        self.process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server of this test session."""
    server = S3Server(tmp_path_factory.mktemp("s3") / "server.log")
    yield server
    server.stop()


@pytest.fixture(params=["directory", "s3"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of an empty store, once of each kind."""
    if request.param == "directory":
        return f"file://{tmp_path / 'objects'}"
    server: S3Server = request.getfixturevalue("s3_server")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server.make_bucket(f"test-{uuid.uuid4().hex[:20]}")


@pytest.fixture
def store(store_url: str) -> Store:
    """A store of each kind."""
    return Store(store_url)
