"""Who gets a thread: probes, ordinary requests and transfers have their own, and none takes another's."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from api.server.connection import Connection
from api.server.cuts import log
from api.server.limits import ANSWERING, CROWDED_S, FAIR_BYTES_PER_S, SMALL_LANE, TURN_WAIT_S, Limits

RESULTS = "/results"
STREAMED = (RESULTS, "/thumbnails")
"""Answers that are as long as the job is."""

THREADS_START_S = 10.0


@dataclass(eq=False, slots=True)
class Lane:
    """Threads for one kind of request, and who waits for one."""

    limit: int
    inside: set[Connection] = field(default_factory=set)
    queue: deque[Connection] = field(default_factory=deque)


def started_pool(threads: int) -> ThreadPoolExecutor:
    """A pool with all its threads: in a flood the main thread would wait for each to start."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
    all_there = threading.Barrier(threads + 1)
    try:
        for _ in range(threads):
            pool.submit(all_there.wait, THREADS_START_S)
        all_there.wait(THREADS_START_S)
    except (RuntimeError, threading.BrokenBarrierError) as error:
        log.warning("fewer threads than wanted: %s", error)
    return pool


class Lanes:
    """All of them.

    A request whose client keeps its thread waiting goes on as a transfer, and leaves its place to the next.

    Args:
        limits: how many threads there are.
        start: has a thread take a connection up.
    """

    def __init__(self, limits: Limits, start: Callable[[Connection], None]) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._results = threading.Semaphore(ANSWERING)
        self._others = threading.Semaphore(limits.threads)
        self.alive, self.ready = Lane(SMALL_LANE), Lane(SMALL_LANE)
        self.ordinary, self.transfers = Lane(limits.threads), Lane(limits.seats)
        # Ordinary requests that wait for their client and found no seat.
        self._seatless: dict[Connection, None] = {}

    @property
    def threads(self) -> int:
        """All there may be."""
        return sum(lane.limit for lane in self._all())

    def _all(self) -> Iterable[Lane]:
        return (self.alive, self.ready, self.ordinary, self.transfers)

    def has_seats_to_spare(self) -> bool:
        """Whether half of the seats are free."""
        return 2 * len(self.transfers.inside) < self.transfers.limit

    def enter(self, connection: Connection) -> None:
        """Start a request, or have it wait for its turn."""
        lane = self._lane_of(connection)
        connection.sock.hurried = lane in (self.alive, self.ready)
        with self._lock:
            connection.lane = lane
            if len(lane.inside) >= lane.limit:
                connection.queued_s = time.monotonic()
                lane.queue.append(connection)
                return
            lane.inside.add(connection)
        self._start(connection)

    def _lane_of(self, connection: Connection) -> Lane:
        request = connection.request
        if not connection.came_whole:
            return self.transfers
        if request.method in ("GET", "HEAD"):
            if request.path == "/healthz":
                return self.alive
            if request.path == "/readyz":
                return self.ready
            if request.path.endswith(STREAMED):
                return self.transfers
        return self.ordinary

    def wait_for_client(self, connection: Connection) -> None:
        """A thread is about to wait for its client: an ordinary request takes a seat, if there is one."""
        self._rest(connection)
        if connection.lane is not self.ordinary:
            return
        with self._lock:
            if len(self.transfers.inside) >= self.transfers.limit:
                self._seatless[connection] = None
                return
            following = self._seat(connection)
        self._start_all(following)

    def go_on(self, connection: Connection) -> None:
        """A thread has its client's attention: transfers take turns."""
        if connection.lane is self.transfers:
            turns = self._results if connection.request.path.endswith(RESULTS) else self._others
            if turns.acquire(timeout=TURN_WAIT_S):
                connection.turn = turns

    def _rest(self, connection: Connection) -> None:
        if connection.turn is not None:
            connection.turn.release()
            connection.turn = None

    def leave(self, connection: Connection) -> None:
        """A request is over; whoever waits for its place has it."""
        self._rest(connection)
        with self._lock:
            lane: Lane = connection.lane
            lane.inside.discard(connection)
            self._seatless.pop(connection, None)
            connection.lane = None
            if lane is self.transfers and self._seatless:
                following = self._seat(next(iter(self._seatless)))
            else:
                following = self._next_of(lane)
        self._start_all(following)

    def _seat(self, connection: Connection) -> list[Connection]:
        """Have an ordinary request go on as a transfer; who follows it."""
        self._seatless.pop(connection, None)
        self.ordinary.inside.discard(connection)
        self.transfers.inside.add(connection)
        connection.lane = self.transfers
        return self._next_of(self.ordinary)

    def _next_of(self, lane: Lane) -> list[Connection]:
        following = []
        crowded_since_s = time.monotonic() - CROWDED_S
        while lane.queue and len(lane.inside) < lane.limit:
            crowded = lane is self.transfers and lane.queue[0].queued_s < crowded_since_s
            following.append(lane.queue.pop() if crowded else lane.queue.popleft())
            lane.inside.add(following[-1])
        return following

    def _start_all(self, connections: list[Connection]) -> None:
        for connection in connections:
            self._start(connection)

    def free_seats(self) -> None:
        """While others wait for seats, have the slowest give theirs up, those under the fair rate."""
        with self._lock:
            wanted = len(self.transfers.queue) + len(self._seatless)
            if self._seatless:
                wanted += len(self.ordinary.queue)
            held = [*self.transfers.inside, *self._seatless]
        wanted -= sum(connection.sock.gives_way for connection in held)
        if wanted <= 0:
            return
        slow = [(connection.sock.bytes_per_s(), connection) for connection in held]
        slow = [entry for entry in slow if entry[0] < FAIR_BYTES_PER_S and not entry[1].sock.gives_way]
        slow.sort(key=lambda entry: entry[0])
        for _, connection in slow[:wanted]:
            connection.sock.gives_way = True

    def overdue(self, longest_s: float, at_most: int) -> list[Connection]:
        """Take out who has waited for a turn for too long, so many of them."""
        latest_s = time.monotonic() - longest_s
        found: list[Connection] = []
        with self._lock:
            for lane in self._all():
                while lane.queue and lane.queue[0].queued_s < latest_s and len(found) < at_most:
                    found.append(lane.queue.popleft())
        return found
