"""How many requests a key may make, and how often one may guess. Each API process counts for itself."""

from __future__ import annotations

import math
import time
from ipaddress import IPv6Address, ip_address

from limits import RateLimitItem, RateLimitItemPerMinute, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from shared.operations.keys import Caller

GUESSES = RateLimitItemPerMinute(60)
"""Wrong keys from one address; of IPv6, from one network of 64 bits, which one machine may have all of."""


class RateLimits:
    """Counts in memory: a broker that is away must fail no request.

    Args:
        rate: such as `6000/minute`; empty for no limit.
    """

    def __init__(self, rate: str) -> None:
        self._limit = parse(rate) if rate else None
        self._counters = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count(self, caller: Caller) -> None:
        """Count a request of a key, or of a person who came without; the root key is not limited.

        Raises:
            InvalidInput: `rate_limited`, with `retry_after_s`.
        """
        if self._limit and caller.key_id:
            self._hit(self._limit, "key", caller.key_id)
        elif self._limit and caller.person:
            self._hit(self._limit, "person", caller.person)

    def count_guess(self, peer: str | None) -> None:
        """Count a wrong key; beyond a number, say so instead of that it is wrong.

        Raises:
            InvalidInput: `rate_limited`, with `retry_after_s`.
        """
        self._hit(GUESSES, "guess", _network_of(peer))

    def _hit(self, limit: RateLimitItem, *names: str) -> None:
        if not self._counters.hit(limit, *names):
            reset_at = self._counters.get_window_stats(limit, *names).reset_time
            wait_s = max(1, math.ceil(reset_at - time.time()))
            what = "wrong keys" if names[0] == "guess" else "requests"
            message = f"more than {limit.amount:,} {what} {_within(limit)}; try again in {wait_s} s"
            raise InvalidInput(Code.RATE_LIMITED, message, retry_after_s=wait_s)


def _within(limit: RateLimitItem) -> str:
    unit = limit.GRANULARITY.name
    return f"in one {unit}" if limit.multiples == 1 else f"in {limit.multiples} {unit}s"


def _network_of(peer: str | None) -> str:
    try:
        address = ip_address((peer or "").partition("%")[0])
    except ValueError:
        return peer or ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return address.exploded[:19]
    return str(address)
