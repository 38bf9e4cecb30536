"""Which addresses the service may speak to on somebody's word: the public internet's, and those allowed."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")


def networks_in(text: str) -> tuple[Network, ...]:
    """Networks by their CIDRs, separated by commas.

    Raises:
        ValueError: one of them is none, such as one with bits set behind its mask.
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def may_be_spoken_to(text: str, allowed: Sequence[Network]) -> bool:
    """Whether an address is global, and no other in disguise, or within a network that is allowed.

    Args:
        text: an address, IPv6 with or without its zone.
        allowed: networks of the operator's.
    """
    address = _unwrapped(ip_address(text.partition("%")[0]))
    if any(address in network for network in allowed):
        return True
    is_inside = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or is_inside)


def is_forbidden_literal(host: str, allowed: Sequence[Network]) -> bool:
    """Whether a URL's host can be told from its letters to be no place to speak to."""
    try:
        return not may_be_spoken_to(host, allowed)
    except ValueError:
        return host.rstrip(".").rpartition(".")[2] == "localhost" and not allowed


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
    return inner or address
