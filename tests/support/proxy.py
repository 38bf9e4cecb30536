"""nginx or Caddy in front of a server, by the settings in deploy, with a certificate made for the test."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from shared.settings import REPOSITORY
from tests.support.page_served import free_port
from tests.support.processes import wait_for
from tests.support.receivers import make_certificate
from tests.support.requirements import require

SHIPPED = REPOSITORY / "deploy" / "nginx" / "nightshift.conf"
CADDYFILE = REPOSITORY / "deploy" / "caddy" / "Caddyfile"
_AROUND = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/start.log warn;
events {{}}
http {{
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/nightshift.conf;
}}
"""


@dataclass
class Proxy:
    """A running nginx, or Caddy, which writes no log."""

    url: str
    plain_url: str
    log: Path
    trusting: ssl.SSLContext

    def client(self, address: str = "127.0.0.1", **headers: str) -> httpx.Client:
        """A client that calls from this address of the machine's."""
        transport = httpx.HTTPTransport(verify=self.trusting, local_address=address)
        return httpx.Client(base_url=self.url, transport=transport, headers=headers, timeout=60)


def program(name: str) -> str:
    """`nginx` or `caddy`; without it the test is skipped."""
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    require(found, f"no {name}", essential=False)
    assert found
    return found


def rendered(folder: Path, tls_port: int, plain_port: int, api_port: int) -> str:
    """What is shipped, with the ports, the names and the folders of the test; each must be in it."""
    certificate = make_certificate(folder)
    text = SHIPPED.read_text()
    for shipped, ours in (
        ("server 127.0.0.1:8080;", f"server 127.0.0.1:{api_port};"),
        ("listen 80;", f"listen 127.0.0.1:{plain_port};"),
        ("listen [::]:80;", ""),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{tls_port} ssl http2;"),
        ("listen [::]:443 ssl http2;", ""),
        ("server_name photos.example.org;", "server_name localhost;"),
        ("/etc/nightshift/tls/fullchain.pem", str(certificate)),
        ("/etc/nightshift/tls/privkey.pem", str(certificate)),
        ("/var/log/nginx/nightshift.log", str(folder / "access.log")),
        ("/var/log/nginx/nightshift.error.log", str(folder / "error.log")),
    ):
        assert shipped in text, shipped
        text = text.replace(shipped, ours)
    return text


@contextmanager
def proxied(folder: Path, api_port: int, tls_port: int) -> Iterator[Proxy]:
    """nginx before a server that listens on this port."""
    command, plain_port = program("nginx"), free_port()
    folder.mkdir()
    (folder / "nightshift.conf").write_text(rendered(folder, tls_port, plain_port, api_port))
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder))
    process = subprocess.Popen(
        [command, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "start.log")]
    )
    trusting = ssl.create_default_context(cafile=str(next(folder.glob("*.pem"))))
    proxy = Proxy(
        f"https://localhost:{tls_port}", f"http://127.0.0.1:{plain_port}", folder / "access.log", trusting
    )
    try:
        wait_for(lambda: process.poll() is not None or _listens(tls_port), "nginx", 30)
        assert process.poll() is None, (folder / "start.log").read_text()
        yield proxy
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def behind_caddy(folder: Path, api_port: int, tls_port: int) -> Iterator[Proxy]:
    """Caddy before a server that listens on this port; it gets no certificate itself."""
    command = program("caddy")
    folder.mkdir()
    certificate, text = make_certificate(folder), CADDYFILE.read_text()
    for shipped, ours in (
        ("photos.example.org {", f"localhost:{tls_port} {{\n\ttls {certificate} {certificate}"),
        ("reverse_proxy 127.0.0.1:8080", f"reverse_proxy 127.0.0.1:{api_port}"),
    ):
        assert shipped in text, shipped
        text = text.replace(shipped, ours)
    settings, log = folder / "Caddyfile", folder / "caddy.log"
    settings.write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{text}")
    with log.open("wb") as said:
        process = subprocess.Popen(
            [command, "run", "--config", str(settings), "--adapter", "caddyfile"],
            stderr=said,
            env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
        )
    try:
        wait_for(lambda: process.poll() is not None or _listens(tls_port), "Caddy", 30)
        assert process.poll() is None, log.read_text()
        trusting = ssl.create_default_context(cafile=str(certificate))
        yield Proxy(f"https://localhost:{tls_port}", "", log, trusting)
    finally:
        process.terminate()
        process.wait(30)


def _listens(port: int) -> bool:
    with closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
