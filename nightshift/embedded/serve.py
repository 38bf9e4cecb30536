"""`nightshift serve` and `nightshift worker`: the service in the foreground, for systemd or a terminal."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import NoReturn

from nightshift.client import Client
from nightshift.embedded.broker import answers
from nightshift.embedded.environment import environment_of_worker
from nightshift.embedded.home import Home
from nightshift.embedded.interruption import Interrupted, interruptible
from nightshift.embedded.logs import log_here
from nightshift.embedded.service import check_bundle, running_service
from nightshift.embedded.supervisor import Supervisor
from nightshift.exits import Exit, say
from nightshift.machine.loopback import is_loopback, url_here
from nightshift.machine.root_key import key_file
from nightshift.machine.served import HOLDS, announced
from nightshift.waiting import PartsWatch, say_if_slow
from nightshift.words.error_codes import Code
from nightshift.words.errors import NightshiftError
from nightshift.words.plain_text import counted
from shared.db.migrate import upgrade
from shared.operations.sign_in_links import make_link
from shared.processes.command_lines import worker_command
from shared.settings import REPOSITORY, Settings, embedded_broker_socket, load_settings

STARTS_WITHIN_S = 30.0
"""How long a worker waits for the service of its home to start."""
LOOK_EVERY_S = 0.5


def serve(given: Mapping[str, object]) -> Exit:
    """Serve until interrupted.

    Args:
        given: settings by name.

    Raises:
        NightshiftError: a setting is wrong, the address is taken, or the service cannot go on.
    """
    settings, manifest = check_bundle(load_settings(**given))
    supervisor = Supervisor(say)
    try:
        with interruptible(supervisor.kill_all), ExitStack() as parts:
            if settings.broker_is_embedded:
                parts.enter_context(Home(settings.home, HOLDS))
                log_here(settings)
            say("starting broker, database and API")
            with say_if_slow("the database", say):
                upgrade(settings.database_url)
            key_is = _where_the_key_is(settings)
            listener = parts.enter_context(listen(settings.host, settings.port))
            url = parts.enter_context(running_service(settings, listener, supervisor, workers=False))
            if settings.broker_is_embedded:
                _have_commands_find_it(settings, listener, parts)
            say(f"ready: serving on {url} (documentation at {url}/docs); Ctrl-C stops")
            say(key_is)
            say(f"home {settings.home}, weights {manifest.name}; `nightshift worker` beside it does the work")
            if link := _link_to_page(settings, url):
                say(link)
            watch = PartsWatch(parts.enter_context(Client(url, timeout_s=5.0)), say)
            while True:
                supervisor.check()
                watch.look()
                time.sleep(0.5)
    except Interrupted:
        # Being stopped is how serving ends: no failure.
        say("stopped")
        return Exit.SUCCEEDED


def _have_commands_find_it(settings: Settings, listener: socket.socket, parts: ExitStack) -> None:
    """Say where this home is served; on a disk that is full, say, they have to be told."""
    url = url_here(*listener.getsockname()[:2])
    try:
        parts.enter_context(announced(settings.home, url))
    except OSError as error:
        say(f"commands need --server {url}: it cannot be written into {settings.home}: {error.strerror}")


def _where_the_key_is(settings: Settings) -> str:
    """Made here if there is none yet, so that what keeps it from being made is said in one line."""
    settings.root_key()
    if settings.api_key.get_secret_value():
        return "the root key is that of NIGHTSHIFT_API_KEY"
    path = key_file(settings.home)
    return f"the root key is in {path}: this user's `nightshift` finds it there, others are given keys"


def _link_to_page(settings: Settings, url: str) -> str | None:
    """What signs this user in to the page; None where others than this machine could be meant."""
    if not (settings.broker_is_embedded and is_loopback(settings.host)):
        return None
    return f"the page, signed in, once and within the hour: {url}/#link={make_link(settings.home)}"


def become_worker(given: Mapping[str, object]) -> NoReturn:
    """Replace this process by a Celery worker.

    Ctrl-C ends it with code 0 from here on, as it does later: where the worker cannot take it yet, it waits.

    Raises:
        NightshiftError: a setting is wrong, or the home's broker is not running.
    """
    try:
        command, environment = _worker_to_be(given)
    except KeyboardInterrupt:
        say("stopped")
        raise SystemExit(Exit.SUCCEEDED) from None
    # Celery would end in the middle of its imports; `worker.main` lets it through when it is ready.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        os.execve(command[0], command, environment)  # noqa: S606
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _worker_to_be(given: Mapping[str, object]) -> tuple[list[str], dict[str, str]]:
    settings, manifest = check_bundle(load_settings(**given))
    if settings.broker_is_embedded:
        _await_service(settings)
    of = (
        f"the service of {settings.home}"
        if settings.broker_is_embedded
        else "the service of NIGHTSHIFT_BROKER_URL"
    )
    say(
        f"working for {of}: {counted(settings.worker_count, 'process', 'processes')} with the weights"
        f" {manifest.name}, each a line when it is ready; Ctrl-C stops"
    )
    command = worker_command(settings, name=f"worker-{os.getpid()}")
    # Celery imports from its working folder first; the user's, or the home, may hold a worker.py of its own.
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chdir(REPOSITORY)
    return command, environment_of_worker(settings)


def _await_service(settings: Settings) -> None:
    """Wait for the home's service, which whoever starts both at once is still starting.

    Raises:
        NightshiftError: `broker_missing`, none came within `STARTS_WITHIN_S`.
    """
    broker = embedded_broker_socket(settings.home)
    give_up_at = time.monotonic() + STARTS_WITHIN_S
    is_told = False
    while not answers(broker):
        if time.monotonic() >= give_up_at:
            raise NightshiftError(
                Code.BROKER_MISSING,
                f"no service runs on {settings.home}: start `nightshift serve`, or set NIGHTSHIFT_BROKER_URL",
            )
        if not is_told:
            is_told = True
            say(f"no service runs on {settings.home} yet: waiting {STARTS_WITHIN_S:.0f} s for it to start")
        time.sleep(LOOK_EVERY_S)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, opened here so that a taken port is said in one line.

    Raises:
        NightshiftError: `cannot_listen`.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server((str(address[0]), port), family=family, backlog=512)
    except OSError as error:
        raise NightshiftError(
            Code.CANNOT_LISTEN, f"cannot listen on {host}:{port}: {error.strerror}"
        ) from error
