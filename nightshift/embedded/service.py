"""The whole service on one machine: broker, sweeper, API and workers, in the order they need each other."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from nightshift.client import Client
from nightshift.embedded.broker import START_S, answers, embedded_broker_command
from nightshift.embedded.children import Command
from nightshift.embedded.logs import last_lines, log_of, rotate_log
from nightshift.embedded.supervisor import Supervisor
from shared.bundles import Manifest, locate_bundle, read_verified_manifest
from shared.errors import NightshiftError
from shared.processes import api_command, worker_command
from shared.settings import Settings, embedded_broker_socket
from worker.sweeper import Sweeper

API_START_S = 60.0
WORKERS_STOP_S = 25.0
"""A worker gives its batch back before the next photo; a photo that hangs is not waited for longer."""

_REFUSAL = "nightshift worker: "
"""How a worker process says that it cannot work with these settings, device or weights."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service.

    Attributes:
        url: base URL of the API.
        supervisor: keeps the children running; its `failure` says why the service cannot go on.
        workers_log: where the workers' output goes.
    """

    url: str
    supervisor: Supervisor
    workers_log: Path

    def check(self) -> None:
        """Raise when the service cannot go on.

        Raises:
            NightshiftError: `service_failed`.
        """
        if self.supervisor.failure:
            raise NightshiftError("service_failed", self.supervisor.failure)
        refusals = [line for line in last_lines(self.workers_log, 20).splitlines() if _REFUSAL in line]
        if len(refusals) > 1:
            # Celery would start such a child again for ever.
            raise NightshiftError("worker_failed", refusals[-1].partition(_REFUSAL)[2])


def check_bundle(settings: Settings) -> tuple[Settings, Manifest]:
    """Settings that name the bundle by its absolute path, and its manifest.

    Raises:
        ModelUnavailable: there is none, its manifest is wrong, or its tensors are not those it names.
    """
    folder = locate_bundle(settings.bundle, settings.weights_dir).absolute()
    manifest = read_verified_manifest(folder)
    return settings.model_copy(update={"bundle": str(folder)}), manifest


def environment(settings: Settings) -> dict[str, str]:
    """A child's environment: this process's, with every setting spelled out."""
    spelled = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        spelled[f"NIGHTSHIFT_{name.upper()}"] = str(value)
    return {**os.environ, **spelled}


@contextmanager
def running_service(
    settings: Settings,
    listener: socket.socket,
    *,
    workers: bool,
    api_in_foreground: bool,
    supervisor: Supervisor,
) -> Iterator[Service]:
    """Start the parts, stop them in the reverse order.

    Args:
        settings: with an up-to-date database.
        listener: the API's socket, bound and listening; a restarted API goes on with it.
        workers: whether to start workers.
        api_in_foreground: True leaves the API's log on standard error.
        supervisor: keeps the children.

    Raises:
        NightshiftError: `service_failed`, `broker_missing`.
    """
    if settings.broker_is_embedded:
        supervisor.start(_command(settings, "broker", embedded_broker_command(settings), grace_s=5.0))
    try:
        if settings.broker_is_embedded:
            _wait_for(
                "the broker", lambda: answers(embedded_broker_socket(settings.home)), START_S, supervisor
            )
        with _sweeping(settings):
            host, port = listener.getsockname()[:2]
            service = Service(f"http://{_in_url(host)}:{port}", supervisor, log_of(settings, "workers"))
            try:
                supervisor.start(_api(settings, listener, in_foreground=api_in_foreground))
                if workers:
                    supervisor.start(_workers(settings))
                with Client(service.url, timeout_s=5.0) as client:
                    _wait_for("the API", client.is_ready, API_START_S, supervisor)
                yield service
            finally:
                if workers:
                    supervisor.stop("workers", within_s=WORKERS_STOP_S)
                supervisor.stop("api", within_s=12.0)
    finally:
        supervisor.stop("broker", within_s=6.0)
        supervisor.close()


def _api(settings: Settings, listener: socket.socket, *, in_foreground: bool) -> Command:
    fd = listener.fileno()
    arguments = api_command(settings, bind=f"fd://{fd}")
    return _command(settings, "api", arguments, grace_s=12.0, passed_fds=(fd,), to_stderr=in_foreground)


def _workers(settings: Settings) -> Command:
    return _command(
        settings,
        "workers",
        worker_command(settings, name="embedded"),
        grace_s=WORKERS_STOP_S,
    )


def _command(
    settings: Settings,
    name: str,
    arguments: list[str],
    *,
    grace_s: float,
    passed_fds: tuple[int, ...] = (),
    to_stderr: bool = False,
) -> Command:
    if name != "api":
        # Others do not speak to the API: they need not know its key.
        settings = settings.model_copy(update={"api_key": SecretStr("")})
    log = None if to_stderr else log_of(settings, name)
    if log:
        rotate_log(log)
    return Command(
        name=name,
        arguments=arguments,
        environment=environment(settings),
        folder=settings.home,
        log=log,
        grace_s=grace_s,
        passed_fds=passed_fds,
    )


@contextmanager
def _sweeping(settings: Settings) -> Iterator[None]:
    stop = threading.Event()
    sweeper = Sweeper(settings)
    thread = threading.Thread(target=sweeper.run, args=(stop,), name="sweeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10.0)


def _wait_for(what: str, ready: Callable[[], bool], within_s: float, supervisor: Supervisor) -> None:
    give_up_at = time.monotonic() + within_s
    while not ready():
        if supervisor.failure:
            raise NightshiftError("service_failed", supervisor.failure)
        if time.monotonic() > give_up_at:
            raise NightshiftError("service_failed", f"{what} did not answer within {within_s:.0f} s")
        time.sleep(0.1)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
