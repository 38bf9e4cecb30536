"""A small HTTP server that answers what a test tells it to, over real sockets."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What to send back; `hang_up` closes the connection without reading the body or answering."""

    status: int = 200
    document: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    hang_up: bool = False


@dataclass
class Server:
    """A running server and all it was asked."""

    url: str
    requests: list[Received]


@contextmanager
def serving(answer: Callable[[Received, int], Answer]) -> Iterator[Server]:
    """Serve until the end of the block.

    Args:
        answer: from the request and how many came before it.
    """
    requests: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer_it(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.command, self.path, headers, b"")
            number = len(requests)
            requests.append(received)
            reply = answer(received, number)
            if reply.hang_up:
                self.close_connection = True
                return
            received.body = self.rfile.read(int(headers.get("content-length", 0)))
            body = reply.body if reply.body is not None else json.dumps(reply.document).encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(0 if reply.status == 304 else len(body)))
            self.end_headers()
            if reply.status != 304:
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer_it  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_port}", requests)
    finally:
        server.shutdown()
        server.server_close()
