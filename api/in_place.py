"""Who may name files of the server's machine: a process of that machine itself, and only where allowed."""

from __future__ import annotations

from flask import Request

from api.auth import PROXY_HEADERS, is_loopback, named_host
from shared.errors import InvalidInput
from shared.settings import Settings


def require_in_place_allowed(settings: Settings, asked: Request) -> None:
    """Refuse a registration in place that does not come straight from this machine.

    A peer on loopback may be a proxy that speaks for the network, which a forwarding header shows;
    or a browser led here by a name that points at 127.0.0.1, which the Host header shows.

    Raises:
        InvalidInput: `in_place_forbidden`.
    """
    if not settings.allow_in_place:
        raise _forbidden("this server does not allow it (NIGHTSHIFT_ALLOW_IN_PLACE)")
    if not is_loopback(asked.remote_addr) or not is_loopback(named_host(asked)):
        raise _forbidden("only this machine itself may, as localhost")
    if any(header in asked.headers for header in PROXY_HEADERS):
        raise _forbidden("the request came through a proxy")


def _forbidden(why: str) -> InvalidInput:
    return InvalidInput("in_place_forbidden", f"files cannot be registered in place: {why}")
