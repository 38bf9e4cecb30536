"""Connections without a thread: what each waits for and until when, and who makes room for others."""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

from api.server.connection import Connection, State
from api.server.limits import HELD_BYTES


class Hall:
    """All of them, those of a state oldest first. Only the main thread comes here.

    Args:
        poller: says when something comes.
        on_readable: what is to be done then.
    """

    def __init__(self, poller: selectors.BaseSelector, on_readable: Callable[[Connection], None]) -> None:
        self._poller = poller
        self._on_readable = on_readable
        self._waiting: dict[State, dict[Connection, None]] = {state: {} for state in State}
        self._held_bytes = 0

    def __contains__(self, connection: Connection) -> bool:
        return connection in self._waiting[connection.state]

    def __bool__(self) -> bool:
        return any(self._waiting.values())

    def of(self, *states: State) -> list[Connection]:
        """Those that wait for one of these."""
        return [connection for state in states for connection in self._waiting[state]]

    def enter(
        self, connection: Connection, state: State, at_most_s: float, *, is_polled: bool = True
    ) -> None:
        """It waits for something from now on; where it `is_polled`, the poller says when that comes."""
        connection.state, connection.since_s = state, time.monotonic()
        connection.deadline_s = connection.since_s + at_most_s
        self._waiting[state][connection] = None
        self._held_bytes += len(connection.received)
        if is_polled:
            self.poll(connection)

    def poll(self, connection: Connection) -> None:
        """Have the poller say when something comes."""
        with suppress(KeyError):
            self._poller.register(
                connection.sock.raw, selectors.EVENT_READ, partial(self._has_come, connection)
            )

    def _has_come(self, connection: Connection, _raw: object) -> None:
        self._on_readable(connection)

    def leave(self, connection: Connection) -> None:
        """It has a thread, or its end."""
        if self._waiting[connection.state].pop(connection, connection) is None:
            self._held_bytes -= len(connection.received)
            with suppress(KeyError, ValueError, OSError):
                self._poller.unregister(connection.sock.raw)

    def holds(self, more_bytes: int) -> None:
        """What has come for those who are here has grown, or shrunk, by so much."""
        self._held_bytes += more_bytes

    @property
    def is_full(self) -> bool:
        """Whether more is held than may be."""
        return self._held_bytes > HELD_BYTES

    def least_needed(self, but: Connection | None = None, *, of_bytes: bool = False) -> Connection | None:
        """The one that can best be spared.

        Args:
            but: not this one.
            of_bytes: of those that hold some; no other would make any room.
        """
        for state in State:
            for connection in self._waiting[state]:
                if connection is not but and (connection.received or not of_bytes):
                    return connection
        return None

    def overdue(self, now_s: float) -> Iterator[Connection]:
        """Those whose time is up."""
        for state in (State.LINGERING, State.IDLE, State.HEAD):
            for connection in self._waiting[state]:
                # The time of all is the same.
                if connection.deadline_s > now_s:
                    break
                yield connection
        # That of bodies depends on what came of them.
        for connection in self._waiting[State.BODY]:
            if connection.deadline_s <= now_s:
                yield connection
