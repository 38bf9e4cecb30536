"""gunicorn's threaded worker, but the poller receives: `--worker-class api.server.worker.PatientWorker`.

The main thread takes in heads and the beginnings of bodies, keeps idle connections and sees their ends, and
never waits for one of them. A thread is given away when a request is there, and waits as `Wire` allows.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from typing import Any

from gunicorn.http.errors import NoMoreData
from gunicorn.workers.gthread import ThreadWorker

from api.context import EXTENSION
from api.server import answers, body
from api.server.connection import Connection, State
from api.server.cuts import NO_ROOM, cut_off, log, not_taken_in, refused
from api.server.hall import Hall
from api.server.lanes import Lanes, started_pool
from api.server.limits import BUSY_S, EAGER_S, LINGER_S, STOP_LINGER_S, SWITCH_S, Limits, limits_of
from api.server.precedence import Precedence
from api.server.wire import SlowReader, Wire, without_waiting

AT_ONCE = 256
"""Of one kind, between two looks at the door: who comes last must not wait for all of a crowd."""
ENDED_AT_ONCE = 4 * AT_ONCE
A_FEW = 16
"""For more than these the main thread goes before the others."""
TURN_S = 0.5


class PatientWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """Waits for all its clients at once, and for each so long as it may."""

    def load_wsgi(self) -> None:
        """Load the application; what the server goes by is in its settings."""
        super().load_wsgi()
        self.application: Any = self.wsgi
        self.wsgi: Any = self._answer
        settings = self.application.extensions[EXTENSION].settings
        self.limits: Limits = limits_of(
            settings, keep_alive_s=self.cfg.keepalive, connections=self.cfg.worker_connections
        )
        self.lanes = Lanes(self.limits, self.enqueue_req)
        self.hall = Hall(self.poller, self._on_readable)
        self.precedence = Precedence()
        self.looked_s, self.is_behind = 0.0, False
        self.ready: list[Connection] = []
        # The main thread lets go of the interpreter with each call of the system: it must have it back soon.
        sys.setswitchinterval(SWITCH_S)
        # It would send past `Wire`.
        self.cfg.set("sendfile", False)
        self.tpool = started_pool(self.lanes.threads)

    def get_thread_pool(self) -> None:
        """None before it is known how many threads there are."""

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop at once."""
        self.tpool = self.tpool or ThreadPoolExecutor(1)
        super().handle_quit(sig, frame)

    # What the main thread does. None of it may wait.

    def run(self) -> None:
        """Until the process is asked to stop; then until every request is answered, or the time is up."""
        queue = self.method_queue
        self.poller.register(queue.fileno(), selectors.EVENT_READ, queue.run_callbacks)
        for listener in self.sockets:
            # One that was handed over has the backlog of whoever made it; a full one costs callers a second.
            with suppress(OSError):
                listener.sock.listen(self.cfg.backlog)
        while self.alive:
            self.set_accept_enabled(self.nr_conns < self.limits.connections or bool(self.hall))
            self._run_once()
            if not self.is_parent_alive():
                break
        self.set_accept_enabled(False)
        self._finish_requests()
        self.tpool.shutdown(wait=False)
        self.poller.close()
        queue.close()
        for listener in self.sockets:
            listener.close()

    def set_accept_enabled(self, enabled: bool) -> None:
        """As gunicorn's; while the kernel has no room for it, the door stays closed."""
        try:
            super().set_accept_enabled(enabled)
        except OSError as error:
            not_taken_in(error)
            for listener in self.sockets:
                with suppress(KeyError):
                    self.poller.unregister(listener)

    @contextmanager
    def _ending_alone(self, connection: Connection) -> Iterator[None]:
        """What goes wrong with one connection is its own end, and nobody else's."""
        try:
            yield
        except OSError as error:
            if error.errno in NO_ROOM:
                not_taken_in(error)
            self._drop(connection)
        except Exception:
            log.exception("a connection broke the server's own code")
            self._drop(connection)

    def _finish_requests(self) -> None:
        begun_s = time.monotonic()
        while self.nr_conns > 0 and time.monotonic() - begun_s < self.cfg.graceful_timeout:
            if time.monotonic() - begun_s > STOP_LINGER_S:
                for connection in self.hall.of(State.IDLE, State.HEAD, State.LINGERING):
                    self._drop(connection)
            self._run_once()

    def _run_once(self) -> None:
        self.notify()
        self.wait_for_and_dispatch_events(TURN_S)
        self._end_what_is_overdue()
        if not self.is_behind:
            self.precedence.give_back()
        self.precedence.let_some_through()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """See to what has happened: to those at the door and to answers that are ready before all others."""
        events = self.poller.select(0 if self.is_behind else timeout)
        self.is_behind = False
        events.sort(key=lambda event: isinstance(event[0].data, partial))
        self._one_by_one([partial(key.data, key.fileobj) for key, _ in events])

    def _one_by_one(self, things: Sequence[Callable[[], None]]) -> None:
        for number, do in enumerate(things, 1):
            if number > A_FEW:
                self.precedence.take()
            do()
            if number % AT_ONCE == 0:
                self._accept_new_clients()
        self._start_ready()

    def _accept_new_clients(self) -> None:
        if self._accepting:
            for listener in self.sockets:
                self.accept(listener)
        self.method_queue.run_callbacks(None)
        self._start_ready()
        self.precedence.let_some_through()

    def _start_ready(self) -> None:
        # All who came in one turn together: once threads run, each call of the system is a wait for them.
        ready, self.ready = self.ready, []
        for connection in ready:
            self.lanes.enter(connection)

    def accept(self, listener: Any) -> None:
        """Take in who is at the door, but not all of a crowd: the last would wait for the first's answers."""
        server = listener.getsockname()
        for number in range(AT_ONCE):
            if number >= A_FEW:
                self.precedence.take()
            if self.nr_conns >= self.limits.connections and not self._make_room():
                return
            try:
                raw, client = listener.accept()
            except OSError as error:
                if error.errno in NO_ROOM and not self._make_room():
                    # Until the next turn; the door would be looked at without end.
                    self.set_accept_enabled(False)
                return
            self._take_in(raw, client, server)
        self.is_behind = True

    def _take_in(self, raw: socket.socket, client: Any, server: Any) -> None:
        peer = client[0] if isinstance(client, tuple) else "unix"
        try:
            raw = without_waiting(raw, self.cfg)
        except OSError as error:
            # With TLS: who has gone again, or a certificate that has.
            not_taken_in(error)
            raw.close()
            return
        wire = Wire(raw, peer, patience_s=self.limits.patience_s)
        wire.connection = connection = Connection(self.cfg, wire, client, server)
        wire.before_waiting = partial(self.lanes.wait_for_client, connection)
        wire.after_waiting = partial(self.lanes.go_on, connection)
        wire.hold_back = self.precedence.hold_back
        self.nr_conns += 1
        # Most have sent their request already, and need neither polls nor to wait for those here before.
        self.hall.enter(connection, State.HEAD, self.limits.head_s, is_polled=False)
        self._on_readable(connection)
        with self._ending_alone(connection):
            if connection in self.hall:
                self.hall.poll(connection)

    def _drop(self, connection: Connection) -> None:
        self.hall.leave(connection)
        if connection.is_open:
            connection.is_open = False
            self.nr_conns -= 1
            with suppress(OSError):
                connection.sock.close()

    def _on_readable(self, connection: Connection) -> None:
        # Of several that were ready, an earlier one may have made this one make room.
        if connection not in self.hall:
            return
        with self._ending_alone(connection):
            self._receive(connection)
            while connection in self.hall and connection.may_have_more:
                self._receive(connection)

    def _receive(self, connection: Connection) -> None:
        piece = connection.receive()
        if piece is None:
            return
        if not piece and connection.state is not State.BODY:
            self._drop(connection)
        elif connection.state is not State.LINGERING:
            self._take(connection, piece)

    def _take(self, connection: Connection, piece: bytes) -> None:
        connection.received += piece
        self.hall.holds(len(piece))
        while self.hall.is_full and self._make_room(but=connection, of_bytes=True):
            pass
        if connection.state is State.BODY:
            connection.has_ended = not piece
            connection.count_body(len(piece))
            if connection.has_begun:
                self._start(connection)
            return
        if connection.state is State.IDLE:
            self.hall.leave(connection)
            self.hall.enter(connection, State.HEAD, self.limits.head_s)
        self._look_for_request(connection)

    def _look_for_request(self, connection: Connection) -> None:
        held = len(connection.received)
        try:
            is_there = connection.parse()
        except Exception as error:
            self._refuse_head(connection, error)
            return
        self.hall.holds(len(connection.received) - held)
        if not is_there:
            return
        connection.sock.receiving.passed(len(connection.received))
        asks_first = connection.expects_continue and not connection.received
        if connection.has_begun or (asks_first and self.lanes.has_seats_to_spare()):
            self._start(connection)
            return
        connection.ask_for_body()
        self.hall.leave(connection)
        self.hall.enter(connection, State.BODY, connection.sock.receiving.left_s)

    def _start(self, connection: Connection) -> None:
        self.hall.leave(connection)
        connection.hand_over()
        self.ready.append(connection)

    def _refuse_head(self, connection: Connection, error: Exception) -> None:
        code, detail = answers.of_parsing(error)
        refused(code, connection.sock.peer, error)
        self._end_with(connection, (code, detail))

    def _end_with(self, connection: Connection, answer: answers.Answer) -> None:
        """The last answer; the client is given time to read it."""
        self.hall.leave(connection)
        connection.say(answers.whole_answer(*answer))
        self._linger(connection)

    def _linger(self, connection: Connection) -> None:
        connection.received = bytearray()
        with self._ending_alone(connection):
            connection.sock.shutdown(socket.SHUT_WR)
            self.hall.enter(connection, State.LINGERING, LINGER_S)

    def _make_room(self, but: Connection | None = None, *, of_bytes: bool = False) -> bool:
        """Close the connection that can best be spared; False when there is none without a thread."""
        connection = self.hall.least_needed(but, of_bytes=of_bytes)
        if connection is None:
            return False
        if connection.state in (State.HEAD, State.BODY):
            after_s, size_bytes = time.monotonic() - connection.since_s, len(connection.received)
            cut_off("no_room", connection.sock.peer, after_s=after_s, size_bytes=size_bytes)
        self._drop(connection)
        return True

    def _end_what_is_overdue(self) -> None:
        now_s = time.monotonic()
        if now_s - self.looked_s < TURN_S / 2:
            return
        self.looked_s = now_s
        self._start_eagerly(now_s)
        self.lanes.free_seats()
        late = list(islice(self.hall.overdue(now_s), ENDED_AT_ONCE))
        seatless = self.lanes.overdue(BUSY_S, ENDED_AT_ONCE)
        if ENDED_AT_ONCE in (len(late), len(seatless)):
            # The time of more is up, but other things have happened meanwhile.
            self.is_behind, self.looked_s = True, 0.0
        ends = [
            *(partial(self._expire, one) for one in late),
            *(partial(self._answer_busy, one) for one in seatless),
        ]
        self._one_by_one(ends)

    def _start_eagerly(self, now_s: float) -> None:
        for connection in self.hall.of(State.BODY):
            if not self.lanes.has_seats_to_spare():
                return
            if now_s - connection.since_s > EAGER_S and connection.deadline_s > now_s:
                connection.count_body(0)
                self._start(connection)
                self._start_ready()

    def _answer_busy(self, connection: Connection) -> None:
        log.warning("no thread in time", extra={"peer": connection.sock.peer})
        self._end_with(connection, answers.BUSY)

    def _expire(self, connection: Connection) -> None:
        if connection not in self.hall:
            return
        wire, received = connection.sock, len(connection.received)
        if connection.state is State.HEAD and received:
            cut_off("slow_head", wire.peer, after_s=self.limits.head_s, size_bytes=received)
            self._end_with(connection, answers.HEAD_TOO_SLOW)
        elif connection.state is State.BODY:
            connection.count_body(0)
            wire.cut_off("slow_body", wire.receiving)
            self._end_with(connection, answers.BODY_TOO_SLOW)
        else:
            self._drop(connection)

    def finish_request(self, connection: Connection, goes_on: bool) -> None:
        """What becomes of a connection when its request is over."""
        with self._ending_alone(connection):
            if connection.sock.broken:
                self._drop(connection)
            elif not goes_on:
                self._linger(connection)
            else:
                connection.take_back()
                if connection.received:
                    self.hall.enter(connection, State.HEAD, self.limits.head_s)
                    self._look_for_request(connection)
                else:
                    self.hall.enter(connection, State.IDLE, self.limits.idle_s)

    # What threads do.

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        connection = environ["gunicorn.socket"].connection
        return body.answered(self.application, connection, environ, start_response, lambda: not self.alive)

    def enqueue_req(self, connection: Connection) -> None:
        """Have a thread answer."""
        try:
            self.tpool.submit(self._serve, connection)
        except RuntimeError as error:
            # No further thread could be made. It is in the pool's queue, for those that there are.
            log.error("a request has to wait for a thread: %s", error)

    def _serve(self, connection: Connection) -> None:
        goes_on = False
        try:
            if not connection.sock.hurried:
                self.precedence.hold_back()
            self.lanes.go_on(connection)
            goes_on = self.handle(connection)
        finally:
            self.lanes.leave(connection)
            self.method_queue.defer(self.finish_request, connection, goes_on)

    def handle(self, connection: Connection) -> bool:
        """Answer one request; whether the connection may bring another."""
        try:
            return bool(self.handle_request(connection.request, connection))
        except (StopIteration, NoMoreData, SlowReader):
            return False
        except OSError as error:
            connection.sock.broken = True
            log.debug("a client went away: %s", error)
        except Exception as error:
            log.error("an answer could not be begun", exc_info=error, extra={"peer": connection.sock.peer})
            with suppress(OSError):
                connection.sock.sendall(answers.whole_answer(*answers.INTERNAL))
        return False
