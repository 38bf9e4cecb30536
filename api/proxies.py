"""What a proxy says of a client is believed of the operator's own proxies, and of nobody else.

Below the application, so that every part sees one address and one scheme: the limit of guesses, the log, the
cookies. gunicorn is told to believe nobody (`api.gunicorn_hooks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv6Address, ip_address
from typing import Any

from flask import Request

from shared.addresses import Network

_TOLD = "nightshift.told_by_proxy"


class TrustedProxies:
    """A WSGI application before another: puts the client's address and scheme in place of the proxy's.

    Headers stay where they are: that there are any is a sign of its own (`api.auth.is_of_this_machine`).

    Args:
        application: what is answered by.
        networks: where trusted proxies are.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]], networks: Sequence[Network]) -> None:
        self._application = application
        self._networks = networks

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """As WSGI has it."""
        if self._trusts(environ.get("REMOTE_ADDR", "")):
            environ[_TOLD] = True
            environ["REMOTE_ADDR"] = self._client(
                environ["REMOTE_ADDR"], environ.get("HTTP_X_FORWARDED_FOR", "")
            )
            scheme = _last(environ.get("HTTP_X_FORWARDED_PROTO", "")).lower()
            if scheme in {"http", "https"}:
                environ["wsgi.url_scheme"] = scheme
        return self._application(environ, start_response)

    def _client(self, peer: str, chain: str) -> str:
        """Who spoke to the first of our proxies; what stands before that anybody can write."""
        client = peer
        for named in reversed([part.strip() for part in chain.split(",") if part.strip()]):
            try:
                address = ip_address(named)
            except ValueError:
                break
            if isinstance(address, IPv6Address) and address.scope_id:
                # Nobody beyond a link has a zone, and anything may stand in one: it is written into the log.
                break
            client = named
            if not self._trusts(named):
                break
        return client

    def _trusts(self, text: str) -> bool:
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def forwarded_host(request: Request) -> str:
    """The Host that a trusted proxy was asked for, in small letters; empty where none says."""
    if not request.environ.get(_TOLD):
        return ""
    return _last(request.headers.get("X-Forwarded-Host", "")).lower()


def _last(value: str) -> str:
    """Of a list what the nearest proxy has added."""
    return value.rpartition(",")[2].strip()
