"""A client's socket as gunicorn's parser and responses use it: patient, but not for ever."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gunicorn import sock

from api.server.cuts import Kind, cut_off
from api.server.pace import Pace
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput

TICK_S = 0.5
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_TO_READ = (BlockingIOError, ssl.SSLWantReadError)
_TO_WRITE = (BlockingIOError, ssl.SSLWantWriteError)


class Incomplete(Exception):
    """What is in hand is not enough, and this is not the place to wait for more."""


class SlowReader(OSError):
    """A client that does not take its answer."""


def without_waiting(raw: socket.socket, cfg: Any) -> socket.socket:
    """A socket that was just accepted, non-blocking; with TLS, where gunicorn's `cfg` says so."""
    raw.setblocking(False)
    if not cfg.is_ssl:
        return raw
    context = sock.ssl_context(cfg)
    wrapped: socket.socket = context.wrap_socket(
        raw, server_side=True, suppress_ragged_eofs=True, do_handshake_on_connect=False
    )
    return wrapped


class Wire:
    """A non-blocking socket, with waiting that is bounded and counted.

    Args:
        raw: the socket; non-blocking.
        peer: the client's address, for the log.
        patience_s: see `Pace`.

    Attributes:
        connection: whose it is.
        before_waiting: called each time before a thread waits for the client.
        after_waiting: called each time after it.
        hold_back: called before a thread receives or sends a piece, at the cost of nobody but its client.
        may_wait: whether it is a thread that reads.
        hurried: a client that does not take its answer at once is not waited for.
        owes_continue: the client waits to be asked for its body.
        gives_way: others have more use for the seat.
        broken: nothing can be sent any more.
        waiting_for: what the thread waits for just now.
    """

    def __init__(self, raw: socket.socket, peer: str, *, patience_s: float) -> None:
        self.raw = raw
        self.peer = peer
        self.connection: Any = None
        self.before_waiting: Callable[[], None] = lambda: None
        self.after_waiting: Callable[[], None] = lambda: None
        self.hold_back: Callable[[], None] = lambda: None
        self.may_wait = False
        self.hurried = False
        self.owes_continue = False
        self.gives_way = False
        self.broken = False
        self.waiting_for: Pace | None = None
        self._patience_s = patience_s
        self._is_over = self._is_cut = False
        self.renew()

    def renew(self) -> None:
        """For the next request."""
        self.receiving, self.sending = Pace(self._patience_s), Pace(self._patience_s)
        self.gives_way = self.owes_continue = self.hurried = False

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Up to `size` bytes, as soon as there are any; empty at the end.

        Raises:
            Incomplete: there are none, and the caller's place is not one to wait at.
            InvalidInput: `body_too_slow`.
        """
        if flags:
            # A look at what is there. Through TLS one sees that there is something, and that is enough.
            return socket.socket.recv(self.raw, size, flags)
        if self._is_over:
            return b""
        if not self.may_wait:
            raise Incomplete
        while True:
            self.hold_back()
            try:
                piece = self.raw.recv(size)
            except _TO_READ:
                self._wait_to_receive(select.POLLIN)
            except ssl.SSLWantWriteError:
                self._wait_to_receive(select.POLLOUT)
            else:
                self.receiving.passed(len(piece))
                return piece

    def _wait_to_receive(self, event: int) -> None:
        if self.owes_continue:
            self.owes_continue = False
            self.sendall(CONTINUE)
        if not self._wait(event, self.receiving, "slow_body"):
            passed, waited_s = self.receiving.passed_bytes, self.receiving.waited_s
            message = f"{passed} bytes of the body in {waited_s:.0f} s hold up the others"
            raise InvalidInput(Code.BODY_TOO_SLOW, message)

    def sendall(self, data: bytes | memoryview) -> None:
        """Send everything.

        Raises:
            SlowReader: the client does not take it.
        """
        rest = memoryview(data)
        while rest:
            if not self.hurried:
                self.hold_back()
            try:
                sent = self.raw.send(rest)
            except _TO_WRITE:
                self._wait_to_send(select.POLLOUT)
            except ssl.SSLWantReadError:
                self._wait_to_send(select.POLLIN)
            else:
                self.sending.passed(sent)
                rest = rest[sent:]

    def _wait_to_send(self, event: int) -> None:
        if self.hurried:
            self.cut_off("slow_reader", self.sending)
        elif self._wait(event, self.sending, "slow_reader"):
            return
        self.broken = True
        raise SlowReader("the client does not take its answer")

    def _wait(self, event: int, pace: Pace, kind: Kind) -> bool:
        """Wait a little; False, and a line in the log, when it has been enough."""
        self.before_waiting()
        poll = select.poll()
        poll.register(self.raw, event)
        self.waiting_for = pace
        begun_s = time.monotonic()
        try:
            ready = poll.poll(TICK_S * 1000)
        finally:
            self.waiting_for = None
        pace.waited(time.monotonic() - begun_s)
        if not pace.is_spent and not self.gives_way:
            if ready:
                self.after_waiting()
            return True
        self.cut_off(kind, pace)
        return False

    def cut_off(self, kind: Kind, pace: Pace) -> None:
        """Say so, once."""
        if not self._is_cut:
            self._is_cut = True
            cut_off(
                kind,
                self.peer,
                after_s=pace.waited_s,
                size_bytes=pace.passed_bytes,
                for_others=not pace.is_spent,
            )

    def bytes_per_s(self) -> float:
        """How fast the client is that a thread waits for just now; endless where none does."""
        pace = self.waiting_for
        return pace.bytes_per_s() if pace else float("inf")

    def fileno(self) -> int:
        """Of the socket."""
        return self.raw.fileno()

    def shutdown(self, how: int) -> None:
        """As a socket's; nothing is read after it."""
        self._is_over = True
        self.raw.shutdown(how)

    def close(self) -> None:
        """End the connection; at once and with what is under way, when the client does not read."""
        if self.broken:
            with suppress(OSError):
                self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.raw.close()

    def setblocking(self, _flag: bool) -> None:
        """Waiting is this class's own business."""
