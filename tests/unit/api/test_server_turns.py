"""The main thread's turns, taken by hand: what it does of a crowd before it looks at the door again."""

from __future__ import annotations

import logging
import os
import selectors
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from gunicorn import sock
from gunicorn.config import Config

from api.context import EXTENSION
from api.server.connection import State
from api.server.worker import A_FEW, AT_ONCE, PatientWorker
from shared.settings import Settings
from tests.processes import wait_for

THREADS, SEATS = 2, 6
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
        worker._take_a_turn()
        assert worker.nr_conns == AT_ONCE
        # Threads hold back as long as there are more.
        assert worker.is_behind and worker.precedence.is_taken
        worker._take_a_turn()
        assert worker.nr_conns == CROWD
        worker._take_a_turn()
        assert not worker.is_behind and not worker.precedence.is_taken


def test_a_probe_comes_in_amidst_a_crowd_that_says_something(
    worker: PatientWorker, door: sock.TCPSocket
) -> None:
    with ExitStack() as stack:
        crowd = callers(stack, door, CROWD)
        wait_for(lambda: worker._take_a_turn() or worker.nr_conns == CROWD, "all to come in")
        for client in crowd:
            client.sendall(b"GET ")
        first, see_to = [], worker._on_readable

        def note_first(connection: object) -> None:
            if not first:
                first.append(connection)
                # It comes when the turn has begun.
                callers(stack, door, 1, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            see_to(connection)  # type: ignore[arg-type]

        worker.hall._on_readable = note_first
        worker._take_a_turn()
        assert len(worker.lanes.alive.inside) == 1


def test_of_many_whose_time_is_up_not_all_go_before_the_door_is_looked_at(
    worker: PatientWorker, door: sock.TCPSocket
) -> None:
    with ExitStack() as stack:
        callers(stack, door, CROWD)
        wait_for(lambda: worker._take_a_turn() or worker.nr_conns == CROWD, "all to come in")
        for connection in worker.hall.of(State.HEAD):
            connection.deadline_s = 0.0
        worker.looked_s = 0.0
        worker._look_at_the_clock()
        assert worker.nr_conns == CROWD - AT_ONCE
        assert worker.is_behind
        wait_for(lambda: worker._take_a_turn() or worker.nr_conns == 0, "all to go")


def test_bodies_that_come_slowly_take_half_of_the_seats_before_they_are_here(
    worker: PatientWorker, door: sock.TCPSocket
) -> None:
    with ExitStack() as stack:
        callers(stack, door, 2 * SEATS, PUT)
        wait_for(lambda: worker._take_a_turn() or len(worker.hall.of(State.BODY)) == 2 * SEATS, "all heads")
        for connection in worker.hall.of(State.BODY):
            connection.since_s -= 60
        worker.looked_s = 0.0
        worker._look_at_the_clock()
        assert len(worker.lanes.transfers.inside) == SEATS // 2
        # The others' time goes on here: in a queue it would begin anew.
        assert not worker.lanes.transfers.queue
