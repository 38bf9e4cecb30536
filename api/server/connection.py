"""A client's connection before it has a thread: what has come of its request, and how long it may take."""

from __future__ import annotations

import ssl
import time
from contextlib import suppress
from enum import Enum
from typing import Any

from gunicorn import http
from gunicorn.http.body import ChunkedReader

from api.server.limits import FIRST_BYTES, HEAD_BYTES
from api.server.wire import CONTINUE, Incomplete, Wire

RECEIVE_BYTES = 64 * 1024
_HEAD_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


class State(Enum):
    """What a connection without a thread waits for. Those named first make room first."""

    LINGERING = "its end"
    IDLE = "a request"
    HEAD = "the rest of a head"
    BODY = "the beginning of a body"


class HeadTooLarge(Exception):
    """More than a head may have, and no end of it."""


class Connection:
    """One client.

    Args:
        cfg: gunicorn's.
        wire: the socket; gunicorn's own code calls it `sock`.
        client: the peer's address, as `accept` gave it.
        server: ours.
    """

    def __init__(self, cfg: Any, wire: Wire, client: Any, server: Any) -> None:
        self.cfg, self.sock, self.client, self.server = cfg, wire, client, server
        self.state = State.HEAD
        self.since_s = time.monotonic()
        self.deadline_s = 0.0
        self.received = bytearray()
        self.is_open, self.has_ended = True, False
        self.body_failed = False
        self.turn: Any = None
        self.came_whole = False
        self.request: Any = None
        self.lane: Any = None
        self.queued_s = 0.0
        self._unreader: Any = None
        self._looked_at = 0
        self._shakes_hands = isinstance(wire.raw, ssl.SSLSocket)

    def receive(self) -> bytes | None:
        """What has come; empty at the end, None when it was nothing.

        Raises:
            OSError: the connection broke.
        """
        try:
            if self._shakes_hands:
                self.sock.raw.do_handshake()  # type: ignore[attr-defined]
                self._shakes_hands = False
            return self.sock.raw.recv(RECEIVE_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None

    @property
    def may_have_more(self) -> bool:
        """Whether bytes wait that no poll sees: TLS has them decrypted already."""
        return isinstance(self.sock.raw, ssl.SSLSocket) and self.sock.raw.pending() > 0

    def parse(self) -> bool:
        """Whether the head is whole; then `request` is there, and `received` what came of its body.

        Raises:
            HeadTooLarge: it will not be.
            Exception: what gunicorn's parser raises.
        """
        if not self._is_worth_parsing():
            if len(self.received) > HEAD_BYTES:
                raise HeadTooLarge
            return False
        parser = http.get_parser(self.cfg, self.sock, self.client)
        parser.unreader.unread(bytes(self.received))
        try:
            self.request = next(parser)
        except Incomplete:
            return False
        self._unreader = parser.unreader
        self.received = self._unread()
        return True

    def _is_worth_parsing(self) -> bool:
        """A whole head, or what can never become one: gunicorn says what is wrong with it."""
        new = max(0, self._looked_at - len(_HEAD_END))
        if new and self.received[new - 1 : new] == b"\r":
            new -= 1
        self._looked_at = len(self.received)
        if self.received.find(_HEAD_END, new) >= 0:
            return True
        if self.received.count(b"\n", new) != self.received.count(b"\r\n", new):
            return True
        line_end = self.received.find(b"\r\n", 2)
        line = len(self.received) if line_end < 0 else line_end
        return line > int(self.cfg.limit_request_line) + len(_HEAD_END)

    def _unread(self) -> bytearray:
        with suppress(Incomplete):
            return bytearray(self._unreader.read())
        return bytearray()

    @property
    def awaited_bytes(self) -> int | None:
        """Of the body, all in all; None when that was not announced."""
        reader = self.request.body.reader
        return None if isinstance(reader, ChunkedReader) else int(reader.length)

    @property
    def is_whole(self) -> bool:
        """Whether the body is here, too; of one without a length that is a good guess."""
        if self.has_ended:
            return True
        if self.awaited_bytes is not None:
            return len(self.received) >= self.awaited_bytes
        return self.received == _LAST_CHUNK or self.received.endswith(b"\r\n" + _LAST_CHUNK)

    @property
    def has_begun(self) -> bool:
        """Whether enough of the body is here to give it a thread."""
        return len(self.received) >= FIRST_BYTES or self.is_whole

    def count_body(self, size_bytes: int) -> None:
        """So much of the body has come since it was last counted."""
        now_s, pace = time.monotonic(), self.sock.receiving
        pace.waited(now_s - self.since_s)
        pace.passed(size_bytes)
        self.since_s, self.deadline_s = now_s, now_s + pace.left_s

    @property
    def expects_continue(self) -> bool:
        """Whether the client asks before it sends its body."""
        return bool(self.request._expected_100_continue)

    def ask_for_body(self) -> None:
        """Have a client go on that waits to be asked.

        Raises:
            OSError: the connection broke.
        """
        if self.expects_continue and not self.received:
            self.sock.raw.send(CONTINUE)
        self.request._expected_100_continue = False

    def hand_over(self) -> None:
        """Make it ready for a thread: gunicorn finds in its parser what has come."""
        self.sock.owes_continue = self.expects_continue and not self.received
        self.request._expected_100_continue = False
        self.came_whole = self.is_whole
        self._unreader.unread(bytes(self.received))
        self.received = bytearray()
        self.sock.may_wait = True

    def take_back(self) -> None:
        """Make it ready for the next request, of which some may be here."""
        self.sock.may_wait = False
        self.received = self._unread()
        self.request, self._unreader, self._looked_at, self.body_failed = None, None, 0, False
        self.sock.renew()

    def discard_body(self) -> bool:
        """Read what is left of the body, where all of it is in hand; False where it is not."""
        if self.body_failed:
            # gunicorn's reader of chunks takes it for read to its end now.
            return False
        self.sock.may_wait = False
        try:
            while self.request.body.read(RECEIVE_BYTES):
                pass
        except Exception:
            return False
        finally:
            self.sock.may_wait = True
        return True

    def say(self, data: bytes) -> None:
        """Send a short answer, if the client takes it at once."""
        with suppress(OSError):
            self.sock.raw.send(data)
