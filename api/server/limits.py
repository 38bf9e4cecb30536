"""How long the server waits for its clients, and how many of them there may be."""

from __future__ import annotations

import resource
from contextlib import suppress
from dataclasses import dataclass

from shared.settings import Settings

HEAD_S = 10.0
"""A request's head must have come whole within this time, however it drips."""
HEAD_BYTES = 64 * 1024
"""A head may have; one line of it 8190, the request line as well as each header."""
LEAST_BYTES_PER_S = 1000
"""Bodies and answers must pass at this rate; who falls `Settings.client_timeout_s` behind it is cut off."""
FAIR_BYTES_PER_S = 20_000
"""While others wait for a seat, a slower transfer gives its own up."""
FIRST_BYTES = 32 * 1024
"""Of a body, waited for before the request gets a thread; a smaller one is waited for whole."""
EAGER_S = 1.0
"""So long are they waited for while half of the seats are free: then an early refusal needs no body."""
LINGER_S = 2.0
"""After the last answer the client may still be sending: it is listened to, so that it reads the answer."""
STOP_LINGER_S = 2.0
"""While the server stops: a request may be on its way on a connection that was kept."""
SWITCH_S = 0.0002
"""After so long at most a thread gives the interpreter to the others."""
CROWDED_S = 5.0
"""Once somebody waits for a seat for so long, the newest has the next: a flood consists of old ones."""
BUSY_S = 30.0
"""A request that finds neither thread nor seat for so long is answered 503."""
HELD_BYTES = 64 * 1024 * 1024
"""Of heads and beginnings of bodies that wait, all together."""
OTHER_FILES = 512
"""Files that are kept for everything but connections: photos under way, the database, the log."""
ANSWERING = 2
"""Results that are put together at the same time, but for those that wait for their clients: more would take
the interpreter from each other, and from the door. Other transfers at work: as many as there are threads."""
TURN_WAIT_S = 10.0
"""The next goes on after so long in any case: what the others wait for may hang."""
SMALL_LANE = 2
"""Threads that answer nothing but probes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server goes by.

    Attributes:
        threads: requests answered at the same time.
        seats: bodies and answers under way beside them.
        patience_s: how far a client may fall behind the least rate, seconds.
        head_s: in which a head must have come.
        idle_s: how long a connection is kept without a request.
        connections: at most; over it the one that has said nothing for longest makes room for the newest.
    """

    threads: int
    seats: int
    patience_s: float
    head_s: float
    idle_s: float
    connections: int


def limits_of(settings: Settings, *, keep_alive_s: float, connections: int) -> Limits:
    """The limits of this process; raises its own limit on open files as far as it may.

    Args:
        settings: of the service.
        keep_alive_s: gunicorn's `--keep-alive`.
        connections: gunicorn's `--worker-connections`.
    """
    files = _most_files(connections + OTHER_FILES)
    patience_s = settings.client_timeout_s
    return Limits(
        threads=settings.api_threads,
        seats=min(settings.api_transfers, max(4, files // 4)),
        patience_s=patience_s,
        head_s=min(HEAD_S, patience_s),
        idle_s=min(keep_alive_s, patience_s),
        connections=min(connections, files - min(OTHER_FILES, files // 2)),
    )


def _most_files(wanted: int) -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
    return soft
