"""Receivers of webhooks: over TLS, on this machine, well-behaved or not."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook

Behaviour = Callable[[ssl.SSLSocket, int], None]
"""What a receiver does with a connection whose request it has read, and how many came before."""


def answering(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Answer at once."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([*lines, "", ""]).encode()
    return lambda connection, _: connection.sendall(head + body)


@dataclass
class Got:
    """One request."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Of the event."""
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The document, its signature checked as receivers do."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """A running receiver; `behave` may be replaced while it runs."""

    url: str
    behave: Behaviour
    got: list[Got] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)

    @property
    def events(self) -> list[str]:
        """Types of what has come, as it came."""
        return [json.loads(each.body)["type"] for each in self.got]


def make_certificate(folder: Path) -> Path:
    """A certificate for localhost and 127.0.0.1, its own authority, with its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = datetime.datetime.now(datetime.UTC)
    named = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(named), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "receiver.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def receiving(certificate: Path, behave: Behaviour | None = None, port: int = 0) -> Iterator[Receiver]:
    """A receiver on 127.0.0.1 until the end of the block; afterwards nobody listens there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", port))
    receiver = Receiver(f"https://localhost:{listener.getsockname()[1]}/bell", behave or answering(204))
    context.sni_callback = lambda _socket, name, _context: receiver.names.append(name)

    def attend(raw: socket.socket) -> None:
        try:
            with context.wrap_socket(raw, server_side=True) as connection:
                got = _read(connection)
                receiver.got.append(got)
                receiver.behave(connection, len(receiver.got) - 1)
        except OSError:
            pass

    def accept() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=attend, args=(raw,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _read(connection: ssl.SSLSocket) -> Got:
    data = b""
    while b"\r\n\r\n" not in data and (piece := connection.recv(65536)):
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")[1:]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)) and (piece := connection.recv(65536)):
        body += piece
    return Got(headers, body)
