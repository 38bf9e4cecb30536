"""The whole service on one machine: broker, sweeper, API and workers, in the order they need each other."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nightshift.client import Client
from nightshift.embedded.broker import START_S, answers, embedded_broker_command
from nightshift.embedded.children import Command
from nightshift.embedded.environment import environment, environment_of_broker, environment_of_worker
from nightshift.embedded.logs import log_of, rotate_log
from nightshift.embedded.supervisor import Supervisor
from nightshift.errors import ClientError
from nightshift.waiting import WORD_S, what_is_wrong
from nightshift.words.error_codes import Code
from nightshift.words.errors import NightshiftError
from shared.bundles.in_use import bundle_in_use
from shared.bundles.manifest import Manifest
from shared.processes.command_lines import api_command, worker_command
from shared.settings import REPOSITORY, Settings, embedded_broker_socket
from worker.sweeper import Sweeper

API_START_S = 60.0
WORKERS_STOP_S = 25.0
"""A worker gives its batch back before the next photo; a photo that hangs is not waited for longer."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service.

    Attributes:
        url: base URL of the API.
        supervisor: keeps the children running; its `failure` says why the service cannot go on.
    """

    url: str
    supervisor: Supervisor

    def check(self) -> None:
        """Raise when the service cannot go on.

        Raises:
            NightshiftError: `service_failed`.
        """
        if self.supervisor.failure:
            raise NightshiftError(Code.SERVICE_FAILED, self.supervisor.failure)


def check_bundle(settings: Settings) -> tuple[Settings, Manifest]:
    """Settings that name the bundle by its absolute path, and its manifest.

    Raises:
        ModelUnavailable: as `bundle_in_use`; its weights are not those it names.
    """
    folder, manifest = bundle_in_use(settings, verified=True)
    return settings.model_copy(update={"bundle": str(folder.absolute())}), manifest


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
        supervisor.start(_broker(settings))
    try:
        if settings.broker_is_embedded:
            _wait_for("the broker", partial(_broker_is_silent, settings), START_S, supervisor)
        with _sweeping(settings):
            host, port = listener.getsockname()[:2]
            service = Service(f"http://{_in_url(host)}:{port}", supervisor)
            try:
                supervisor.start(_api(settings, listener, in_foreground=api_in_foreground))
                if workers:
                    supervisor.start(_workers(settings))
                with Client(service.url, timeout_s=5.0) as client:
                    _wait_for("the API", partial(_api_is_not_ready, client), API_START_S, supervisor)
                yield service
            finally:
                if workers:
                    supervisor.stop("workers", within_s=WORKERS_STOP_S)
                supervisor.stop("api", within_s=12.0)
    finally:
        supervisor.stop("broker", within_s=6.0)
        supervisor.close()


def _broker(settings: Settings) -> Command:
    arguments = embedded_broker_command(settings)
    return _command(
        settings, "broker", arguments, environment=environment_of_broker(), grace_s=5.0, folder=settings.home
    )


def _api(settings: Settings, listener: socket.socket, *, in_foreground: bool) -> Command:
    fd = listener.fileno()
    arguments = api_command(settings, bind=f"fd://{fd}")
    return _command(
        settings,
        "api",
        arguments,
        environment=environment(settings),
        grace_s=12.0,
        passed_fds=(fd,),
        to_stderr=in_foreground,
    )


def _workers(settings: Settings) -> Command:
    arguments = worker_command(settings, name="embedded")
    return _command(
        settings, "workers", arguments, environment=environment_of_worker(settings), grace_s=WORKERS_STOP_S
    )


def _command(
    settings: Settings,
    name: str,
    arguments: list[str],
    *,
    environment: Mapping[str, str],
    grace_s: float,
    passed_fds: tuple[int, ...] = (),
    to_stderr: bool = False,
    folder: Path = REPOSITORY,
) -> Command:
    log = None if to_stderr else log_of(settings, name)
    if log:
        rotate_log(log)
    return Command(
        name=name,
        arguments=arguments,
        environment=environment,
        folder=folder,
        log=log,
        refuses_as={"workers": "worker"}.get(name, name),
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


def _wait_for(what: str, wrong: Callable[[], str | None], within_s: float, supervisor: Supervisor) -> None:
    """Wait until nothing is wrong any more, and say what is when that takes long.

    Raises:
        NightshiftError: `service_failed`, with what was wrong last.
    """
    began_at = time.monotonic()
    said = False
    while (reason := wrong()) is not None:
        waited_s = time.monotonic() - began_at
        if supervisor.failure:
            raise NightshiftError(Code.SERVICE_FAILED, supervisor.failure)
        if waited_s > within_s:
            raise NightshiftError(
                Code.SERVICE_FAILED, f"{what} was not ready within {within_s:.0f} s: {reason}"
            )
        if waited_s > WORD_S and not said:
            said = True
            supervisor.say(f"still waiting for {what}: {reason}")
        time.sleep(0.1)


def _broker_is_silent(settings: Settings) -> str | None:
    return None if answers(embedded_broker_socket(settings.home)) else "it does not answer"


def _api_is_not_ready(client: Client) -> str | None:
    try:
        readiness = client.readiness()
    except ClientError as error:
        return str(error)
    return what_is_wrong(readiness) if readiness.status == "unavailable" else None


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
