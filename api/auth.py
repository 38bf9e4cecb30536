"""Who may use `/v1`: whoever brings the key; without a key, this machine alone."""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Request, request

from api.context import context
from shared.errors import InvalidInput
from shared.settings import Settings

PREFIX = "/v1/"


def is_loopback(host: str | None) -> bool:
    """True for `localhost` and loopback addresses of either family, also IPv4 written as IPv6."""
    if not host:
        return False
    if host.lower() in {"localhost", "localhost."}:
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def named_host(asked: Request) -> str | None:
    """Host of the Host header without its port."""
    try:
        return urlsplit(f"//{asked.headers.get('Host', '')}").hostname
    except ValueError:
        return None


def require_key_off_loopback(settings: Settings) -> None:
    """Refuse settings that would open the service to a network without a key.

    Raises:
        InvalidInput: `api_key_required`.
    """
    if not settings.api_key.get_secret_value() and not is_loopback(settings.host):
        raise InvalidInput(
            "api_key_required", f"NIGHTSHIFT_API_KEY must be set to listen on {settings.host}, off loopback"
        )


def guard() -> None:
    """Refuse a `/v1` request that may not be made.

    Raises:
        InvalidInput: `unauthorized`; `host_forbidden`.
    """
    if not request.path.startswith(PREFIX):
        return
    key = context().settings.api_key.get_secret_value()
    if key:
        _require_key(key)
    else:
        _require_this_machine()


def _require_key(key: str) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    # WSGI hands header bytes over as latin-1.
    sent = token.strip().encode("latin-1", "replace")
    if scheme.lower() != "bearer" or not hmac.compare_digest(sent, key.encode()):
        raise InvalidInput("unauthorized", "this needs the header `Authorization: Bearer <api key>`")


def _require_this_machine() -> None:
    # A web page may point a name of its own at 127.0.0.1 and speak to us through a visitor's browser:
    # the name it uses gives it away. A Unix socket has no peer address; file permissions guard it.
    if not is_loopback(named_host(request)) or (request.remote_addr and not is_loopback(request.remote_addr)):
        raise InvalidInput("host_forbidden", "without an API key, only this machine is served, as localhost")
