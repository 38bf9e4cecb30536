"""The command line of every process there is: the runner and docker-compose.yml start the same."""

from __future__ import annotations

import sys
from pathlib import Path

from shared.broker.doorbell import QUEUE
from shared.settings import Settings


def api_command(settings: Settings, *, bind: str | None = None) -> list[str]:
    """The API under gunicorn; `bind` is the settings' host and port, or `fd://N` for an open socket."""
    return [
        *(sys.executable, "-m", "gunicorn", "api.app:create_app()"),
        *("--bind", bind or f"{settings.host}:{settings.port}"),
        *("--worker-class", "api.server.worker.PatientWorker", "--workers", "1"),
        *("--threads", str(settings.api_threads), "--worker-connections", "8000"),
        # An upload of many photos is one long request; a thread's heartbeat does not depend on it.
        *("--timeout", "60", "--graceful-timeout", "10", "--keep-alive", "30"),
        # A photo's name is in the query: 1024 characters, percent-encoded. This is gunicorn's most.
        *("--limit-request-line", "8190"),
        *("--config", "python:api.gunicorn_hooks", "--no-control-socket", "--log-level", "warning"),
    ]


def worker_command(settings: Settings, *, name: str = "worker") -> list[str]:
    """A Celery worker with `worker_count` processes."""
    return [
        *(sys.executable, "-m", "celery", "-A", "worker.main", "worker"),
        *("--queues", QUEUE, "--concurrency", str(settings.worker_count), "--hostname", f"{name}@%h"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", settings.log_level),
    ]


def sweeper_command() -> list[str]:
    """The sweeper as a process of its own."""
    return [sys.executable, "-m", "worker.sweeper"]


def check_bundle_command(folder: Path) -> list[str]:
    """Loads a bundle as a worker would, and says what it found as JSON."""
    return [sys.executable, "-m", "worker.check_bundle", str(folder)]


def draw_command() -> list[str]:
    """Draws one photo for the API; standard input and output are its question and its answer."""
    return [sys.executable, "-m", "worker.draw"]


def broker_command(binary: Path, socket: Path, folder: Path) -> list[str]:
    """The embedded Valkey on a private socket; it may lose a second of doorbells, which are rung again."""
    return [
        *(str(binary), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        # A ring has a kilobyte. One megabyte is the least that a message can be limited to.
        *("--maxmemory", "256mb", "--proto-max-bulk-len", "1mb"),
        *("--maxmemory-policy", "noeviction", "--dir", str(folder), "--daemonize", "no"),
    ]
