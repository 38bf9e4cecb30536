"""Which hosts are this machine itself, by their names alone: nothing is looked up."""

from __future__ import annotations

from ipaddress import ip_address


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
