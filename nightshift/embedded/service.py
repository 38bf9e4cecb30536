"""The whole service on one machine: broker, sweeper, API and workers, in the order they need each other."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from nightshift.client import Client
from nightshift.embedded.broker import START_S, answers, embedded_broker_command
from nightshift.embedded.children import Command
from nightshift.embedded.early import WORKERS_STOP_S, EarlyWorker
from nightshift.embedded.environment import environment, environment_of_broker, environment_of_worker
from nightshift.embedded.logs import fresh_log, last_lines
from nightshift.embedded.supervisor import Supervisor
from nightshift.errors import ClientError
from nightshift.waiting import WORD_S, what_is_wrong
from nightshift.words.error_codes import Code
from nightshift.words.errors import NightshiftError
from shared.bundles.detector import verify_detector
from shared.bundles.in_use import bundle_in_use
from shared.bundles.manifest import Manifest
from shared.processes.command_lines import api_command, worker_command
from shared.settings import REPOSITORY, Settings, embedded_broker_socket
from worker.sweeper import Sweeper

API_START_S = 600.0
"""It takes two seconds, and minutes where others want every core; one that dies is known of at once."""
API_STOP_S = 12.0


def check_bundle(settings: Settings) -> tuple[Settings, Manifest]:
    """Settings that name the bundle by its absolute path, and its manifest.

    Raises:
        ModelUnavailable: as `bundle_in_use`; its weights, or the detector's, are not those that are named.
    """
    verify_detector()
    folder, manifest = bundle_in_use(settings, verified=True)
    return settings.model_copy(update={"bundle": str(folder.absolute())}), manifest


@contextmanager
def running_service(
    settings: Settings,
    listener: socket.socket,
    supervisor: Supervisor,
    *,
    workers: bool,
    early: EarlyWorker | None = None,
    word_s: float = WORD_S,
) -> Iterator[str]:
    """Start the parts, stop them in the reverse order.

    Args:
        settings: with an up-to-date database.
        listener: the API's socket, bound and listening; a restarted API goes on with it.
        supervisor: keeps the children.
        workers: whether to start workers; without them this is a server, whose log is on standard error.
        early: to become the workers' first process.
        word_s: silence after which it is said what is waited for.

    Yields:
        The base URL of the API.

    Raises:
        NightshiftError: `service_failed`, `broker_missing`.
    """
    try:
        if settings.broker_is_embedded:
            supervisor.start(_broker(settings))
            _wait_for("the broker", partial(_broker_is_silent, settings), START_S, supervisor, word_s)
        with _sweeping(settings):
            host, port = listener.getsockname()[:2]
            url = f"http://{_in_url(host)}:{port}"
            try:
                if workers:
                    # Before the API: what they load takes longest, and is to be there with the first photo.
                    command = _workers(settings)
                    supervisor.start(command, early.become(command) if early else None)
                log = fresh_log(settings.home, "api") if workers else None
                supervisor.start(_api(settings, listener, log))
                with Client(url, timeout_s=5.0) as client:
                    _wait_for(
                        "the API", partial(_api_is_not_ready, client), API_START_S, supervisor, word_s, log
                    )
                yield url
            finally:
                # Neither needs the other to end.
                supervisor.stop("workers", "api", within_s=WORKERS_STOP_S if workers else API_STOP_S)
    finally:
        supervisor.stop("broker", within_s=6.0)
        supervisor.close()


def _broker(settings: Settings) -> Command:
    return Command(
        "broker",
        embedded_broker_command(settings),
        environment_of_broker(),
        settings.home,
        fresh_log(settings.home, "broker"),
        grace_s=5.0,
    )


def _api(settings: Settings, listener: socket.socket, log: Path | None) -> Command:
    fd = listener.fileno()
    arguments = api_command(settings, bind=f"fd://{fd}")
    return Command(
        "api", arguments, environment(settings), REPOSITORY, log, grace_s=API_STOP_S, passed_fds=(fd,)
    )


def _workers(settings: Settings) -> Command:
    return Command(
        "workers",
        worker_command(settings, name="embedded"),
        environment_of_worker(settings),
        REPOSITORY,
        fresh_log(settings.home, "workers"),
        refuses_as="worker",
        grace_s=WORKERS_STOP_S,
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


def _wait_for(
    what: str,
    wrong: Callable[[], str | None],
    within_s: float,
    supervisor: Supervisor,
    word_s: float,
    log: Path | None = None,
) -> None:
    """Wait until nothing is wrong any more, and say what is when that takes long.

    Raises:
        NightshiftError: `service_failed`, with what was wrong last.
    """
    began_at = time.monotonic()
    said = False
    while (reason := wrong()) is not None:
        waited_s = time.monotonic() - began_at
        supervisor.check()
        if waited_s > within_s:
            slow = f"{what} was not ready within {within_s:.0f} s: {reason}"
            raise NightshiftError(Code.SERVICE_FAILED, f"{slow}{_how_its_log_ends(log)}")
        if waited_s > word_s and not said:
            said = True
            supervisor.say(f"still waiting for {what}: {reason}")
        time.sleep(0.1)


def _how_its_log_ends(log: Path | None) -> str:
    return f"; {log} ends: {last_lines(log, 1).strip()}" if log else ""


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
