"""Clients that take a server's time: each kind of them, many at once, and when each was let go of."""

from __future__ import annotations

import select
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.service import ROOT_KEY

HOST = b"Host: localhost\r\n"
DRIP_EVERY_S = 1.0
SMALL_BUFFER_BYTES = 4096


@dataclass(frozen=True)
class Kind:
    """How one is slow.

    Attributes:
        begins: sent at once.
        drips: sent again and again, a second apart.
        reads: whether it takes what is answered.
        logged: as what the server logs it; None where it is not worth a line.
    """

    name: str
    begins: bytes
    drips: bytes = b""
    reads: bool = True
    logged: str | None = None


def kinds(job_id: str, key: str = ROOT_KEY) -> list[Kind]:
    """Every kind.

    Args:
        job_id: an open job that has results that fill the sockets' buffers.
        key: the API key; empty for none.
    """
    head = HOST + (f"Authorization: Bearer {key}\r\n".encode() if key else b"")
    make = b"POST /v1/jobs HTTP/1.1\r\n" + head
    put = f"PUT /v1/jobs/{job_id}/photos?custom_id=slow HTTP/1.1\r\n".encode() + head
    results = f"GET /v1/jobs/{job_id}/results HTTP/1.1\r\n".encode() + head + b"\r\n"
    json = make + b"Content-Type: application/json\r\n"
    form = make + b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n--x\r\n"
    return [
        Kind("nothing", b""),
        Kind("silent head", b"GET /v1/jobs HTTP/1.1\r\n" + HOST, logged="slow_head"),
        Kind("dripping head", b"GET /v1/jobs HTTP/1.1\r\n" + HOST + b"X-A: ", b"a", logged="slow_head"),
        Kind("idle", b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"),
        Kind("small JSON", json + b"Content-Length: 50\r\n\r\n{", b" ", logged="slow_body"),
        Kind("large JSON", json + b"Content-Length: 100000\r\n\r\n{", b" ", logged="slow_body"),
        Kind("chunked JSON", json + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", logged="slow_body"),
        Kind("form", form, b" ", logged="slow_body"),
        Kind("PUT", put + b"Content-Length: 100000\r\n\r\n", b"x", logged="slow_body"),
        Kind(
            "PUT, silent after a megabyte",
            put + b"Content-Length: 9000000\r\n\r\n" + bytes(1_000_000),
            logged="slow_body",
        ),
        Kind(
            "expectant PUT",
            put + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n",
            logged="slow_body",
        ),
        Kind("unread answer", results, reads=False, logged="slow_reader"),
    ]


@dataclass
class Client:
    """One of them."""

    kind: Kind
    socket: socket.socket
    begun_s: float
    unsent: memoryview
    drip_at_s: float
    answer: bytearray = field(default_factory=bytearray)
    ended_after_s: float | None = None


class SlowClients:
    """Many clients in one thread.

    Args:
        port: of the server, on this machine.
        kinds_: which of them.
        each: how many of each.
    """

    def __init__(self, port: int, kinds_: list[Kind], each: int) -> None:
        self._port = port
        self._selector = selectors.DefaultSelector()
        # Of those that do not read.
        self._gone = select.poll()
        self._over = threading.Event()
        self._each = each
        self._kinds = kinds_
        self.clients: list[Client] = []

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While they are."""
        thread = threading.Thread(target=self._run, name="slow clients")
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
            for client in self.clients:
                client.socket.close()

    def all_have_ended(self) -> bool:
        """Whether the server has let go of all of them."""
        return len(self.clients) == self._each * len(self._kinds) and all(
            client.ended_after_s is not None for client in self.clients
        )

    def lasted_s(self, kind: Kind) -> list[float]:
        """How long each of a kind was there."""
        return [client.ended_after_s or 0 for client in self.clients if client.kind == kind]

    def answers(self, kind: Kind) -> set[bytes]:
        """The status that a kind was sent last; empty for none."""
        lines = set()
        for client in self.clients:
            if client.kind == kind:
                last = bytes(client.answer).rpartition(b"HTTP/1.1 ")[2]
                lines.add(last.partition(b" ")[0])
        return lines

    def _run(self) -> None:
        for number, kind in enumerate(kind for _ in range(self._each) for kind in self._kinds):
            self._open(kind)
            if number % 20 == 0:
                self._turn(0)
        while not self._over.is_set():
            self._turn(0.1)

    def _open(self, kind: Kind) -> None:
        client_socket = socket.socket()
        if not kind.reads:
            client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
        client_socket.connect(("127.0.0.1", self._port))
        client_socket.setblocking(False)
        now_s = time.monotonic()
        client = Client(kind, client_socket, now_s, memoryview(kind.begins), now_s + DRIP_EVERY_S)
        self.clients.append(client)
        if kind.reads:
            self._selector.register(client_socket, selectors.EVENT_READ, client)
        else:
            self._gone.register(client_socket, select.POLLRDHUP)

    def _turn(self, at_most_s: float) -> None:
        for key, _ in self._selector.select(at_most_s):
            self._read(key.data)
        now_s = time.monotonic()
        gone = {fd for fd, _ in self._gone.poll(0)}
        for client in self.clients:
            if client.socket.fileno() in gone:
                self._end(client)
            if client.ended_after_s is None:
                self._go_on(client, now_s)

    def _go_on(self, client: Client, now_s: float) -> None:
        if not client.unsent and client.kind.drips and now_s >= client.drip_at_s:
            client.unsent = memoryview(client.kind.drips)
            client.drip_at_s = now_s + DRIP_EVERY_S
        if client.unsent:
            with suppress(BlockingIOError):
                try:
                    client.unsent = client.unsent[client.socket.send(client.unsent) :]
                except (BrokenPipeError, ConnectionResetError):
                    self._end(client)

    def _read(self, client: Client) -> None:
        try:
            piece = client.socket.recv(65536)
        except ConnectionResetError:
            piece = b""
        client.answer += piece
        if not piece:
            self._end(client)

    def _end(self, client: Client) -> None:
        if client.kind.reads and client.ended_after_s is None:
            with suppress(OSError):
                while piece := client.socket.recv(65536):
                    client.answer += piece
            self._selector.unregister(client.socket)
        elif client.ended_after_s is None:
            self._gone.unregister(client.socket)
        client.ended_after_s = time.monotonic() - client.begun_s
        client.socket.close()
