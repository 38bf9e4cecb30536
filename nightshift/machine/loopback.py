"""Which hosts are this machine, by their names alone, and its own address for them: nothing is looked up."""

from __future__ import annotations

from ipaddress import ip_address

_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound to it
"""Hosts that a service listens on for all, by how the same machine reaches it: `::` takes no IPv4 here."""


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


def is_everywhere(host: str) -> bool:
    """True for a host that says from where a service may be reached, not where it is."""
    return host in _EVERYWHERE


def url_here(host: str, port: int | str) -> str:
    """Base URL by which this machine reaches a service that listens on a host and port."""
    host = _EVERYWHERE.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
