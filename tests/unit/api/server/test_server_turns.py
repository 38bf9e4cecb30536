"""The main thread's turns, taken by hand: what it does of a crowd before it looks at the door again."""

from __future__ import annotations

import errno
import logging
import os
import selectors
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn import sock
from gunicorn.config import Config

from api.context import EXTENSION
from api.server.connection import State
from api.server.worker import A_FEW, AT_ONCE, PatientWorker
from shared.settings import Settings
from tests.support.processes import wait_for

THREADS, SEATS = 2, 6
PROBE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
CROWD = AT_ONCE + 2 * A_FEW
PUT = b"PUT /v1/jobs/a/photos HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"


class Application:
    """As far as a worker knows it before somebody is answered."""

    def __init__(self, settings: Settings) -> None:
        self.extensions = {EXTENSION: SimpleNamespace(settings=settings)}

    def wsgi(self) -> Application:
        return self


@pytest.fixture
def door() -> Iterator[sock.TCPSocket]:
    with socket.create_server(("127.0.0.1", 0), backlog=CROWD) as listener:
        descriptor = os.dup(listener.fileno())
        yield sock.TCPSocket(listener.getsockname(), Config(), logging.getLogger(), fd=descriptor)


@pytest.fixture
def worker(tmp_path: Path, door: sock.TCPSocket) -> Iterator[PatientWorker]:
    switch_s = sys.getswitchinterval()
    settings = Settings(home=tmp_path, api_threads=THREADS, api_transfers=SEATS)
    log = logging.getLogger("gunicorn")
    worker = PatientWorker(0, os.getpid(), [door], Application(settings), 30, Config(), log)
    worker.poller = selectors.DefaultSelector()
    worker.method_queue.init()
    worker.load_wsgi()
    worker.set_accept_enabled(True)
    # No thread takes a request up: who has entered a lane stays there.
    worker.lanes._start = lambda _connection: None
    yield worker
    sys.setswitchinterval(switch_s)
    for connection in worker.hall.of(*State):
        worker._drop(connection)
    worker.tpool.shutdown()
    worker.poller.close()
    worker.method_queue.close()
    worker.tmp.close()
    door.close()


def take_turns(worker: PatientWorker, until: Callable[[], bool]) -> None:
    def is_over() -> bool:
        worker._run_once()
        return until()

    wait_for(is_over, "what the turns are for")


def callers(stack: ExitStack, door: sock.TCPSocket, number: int, says: bytes = b"") -> list[socket.socket]:
    clients = [
        stack.enter_context(socket.create_connection(door.getsockname(), timeout=60)) for _ in range(number)
    ]
    for client in clients:
        client.sendall(says)
    return clients


def test_of_a_crowd_at_the_door_not_all_come_in_before_requests_are_begun(
    worker: PatientWorker, door: sock.TCPSocket
) -> None:
    with ExitStack() as stack:
        callers(stack, door, CROWD)
        worker._run_once()
        assert worker.nr_conns == AT_ONCE
        # Threads hold back as long as there are more.
        assert worker.is_behind and worker.precedence.is_taken
        worker._run_once()
        assert worker.nr_conns == CROWD
        worker._run_once()
        assert not worker.is_behind and not worker.precedence.is_taken


def test_a_probe_comes_in_amidst_a_crowd_that_says_something(
    worker: PatientWorker, door: sock.TCPSocket
) -> None:
    with ExitStack() as stack:
        crowd = callers(stack, door, CROWD)
        take_turns(worker, lambda: worker.nr_conns == CROWD)
        for client in crowd:
            client.sendall(b"GET ")
        first: list[object] = []
        see_to = worker._on_readable

        def note_first(connection: object) -> None:
            if not first:
                first.append(connection)
                # It comes when the turn has begun.
                callers(stack, door, 1, PROBE)
            see_to(connection)  # type: ignore[arg-type]

        worker.hall._on_readable = note_first
        worker._run_once()
        assert len(worker.lanes.alive.inside) == 1


def test_a_probe_comes_in_while_many_are_let_go_of(worker: PatientWorker, door: sock.TCPSocket) -> None:
    with ExitStack() as stack:
        callers(stack, door, CROWD)
        take_turns(worker, lambda: worker.nr_conns == CROWD)
        for connection in worker.hall.of(State.HEAD):
            connection.deadline_s = 0.0
        # It comes when the turn's other things have been seen to.
        callers(stack, door, 1, PROBE)
        left, drop = [], worker._drop

        def note(connection: Any) -> None:
            drop(connection)
            left.append(len(worker.lanes.alive.inside))

        worker._drop = note  # type: ignore[method-assign]
        worker.looked_s = 0.0
        worker._end_what_is_overdue()
        assert left == [0] * AT_ONCE + [1] * (CROWD - AT_ONCE)


def test_of_very_many_whose_time_is_up_not_all_go_in_one_turn(
    worker: PatientWorker, door: sock.TCPSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.server.worker.ENDED_AT_ONCE", A_FEW)
    with ExitStack() as stack:
        callers(stack, door, 2 * A_FEW + 1)
        take_turns(worker, lambda: worker.nr_conns == 2 * A_FEW + 1)
        for connection in worker.hall.of(State.HEAD):
            connection.deadline_s = 0.0
        worker.looked_s = 0.0
        worker._end_what_is_overdue()
        assert worker.nr_conns == A_FEW + 1
        assert worker.is_behind
        worker._run_once()
        worker._run_once()
        assert worker.nr_conns == 0
        assert not worker.is_behind


def test_bodies_that_come_slowly_take_half_of_the_seats_before_they_are_here(
    worker: PatientWorker, door: sock.TCPSocket
) -> None:
    with ExitStack() as stack:
        callers(stack, door, 2 * SEATS, PUT)
        take_turns(worker, lambda: len(worker.hall.of(State.BODY)) == 2 * SEATS)
        for connection in worker.hall.of(State.BODY):
            connection.since_s -= 60
        worker.looked_s = 0.0
        worker._end_what_is_overdue()
        assert len(worker.lanes.transfers.inside) == SEATS // 2
        # The others' time goes on here: in a queue it would begin anew.
        assert not worker.lanes.transfers.queue


class FullPoller(selectors.DefaultSelector):
    """One in which the kernel has no more places, as over /proc/sys/fs/epoll/max_user_watches."""

    is_full = False

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().register(fileobj, events, data)


def test_who_finds_no_place_in_the_poller_is_let_go_and_the_others_stay(
    worker: PatientWorker,
    door: sock.TCPSocket,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("api.server.cuts._noted", set())
    worker.set_accept_enabled(False)
    worker.poller.close()
    worker.poller = worker.hall._poller = poller = FullPoller()
    worker.set_accept_enabled(True)
    with ExitStack() as stack:
        callers(stack, door, 1)
        take_turns(worker, lambda: worker.nr_conns == 1)
        poller.is_full = True
        late = callers(stack, door, 3)
        take_turns(worker, lambda: bool(caplog.records))
        assert [client.recv(1) for client in late] == [b"", b"", b""]
        # Nor can the door be opened again, for now.
        worker.set_accept_enabled(False)
        worker.set_accept_enabled(True)
        poller.is_full = False
        callers(stack, door, 1)
        worker.set_accept_enabled(True)
        take_turns(worker, lambda: worker.nr_conns == 2)
    assert [record.message for record in caplog.records] == ["a connection could not be taken in"]


def test_who_says_something_and_is_gone_before_tls_begins_takes_nobody_along(
    worker: PatientWorker, door: sock.TCPSocket, tmp_path: Path
) -> None:
    worker.cfg.set("certfile", str(tmp_path / "cert.pem"))
    worker.cfg.set("keyfile", str(tmp_path / "key.pem"))
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    with ExitStack() as stack:
        for client in callers(stack, door, 3, b"GET / HTTP/1.1"):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        callers(stack, door, 1)
        take_turns(worker, lambda: worker.nr_conns == 1)
