"""How many requests a key may make, and how often one may guess. Each API process counts for itself."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, RateLimitItemPerMinute, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from shared.errors import InvalidInput
from shared.keys import Caller

GUESSES = RateLimitItemPerMinute(60)
"""Wrong keys from one address."""


class RateLimits:
    """Counts in memory: a broker that is away must fail no request.

    Args:
        rate: such as `6000/minute`; empty for no limit.
    """

    def __init__(self, rate: str) -> None:
        self._limit = parse(rate) if rate else None
        self._counters = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count(self, caller: Caller) -> None:
        """Count a request of a key; the root key and this machine without one are not limited.

        Raises:
            InvalidInput: `rate_limited`, with `retry_after_s`.
        """
        if self._limit and caller.key_id and not self._counters.hit(self._limit, "key", caller.key_id):
            raise self._refusal(self._limit, "key", caller.key_id)

    def count_failure(self, peer: str | None) -> None:
        """Count a wrong key."""
        self._counters.hit(GUESSES, "guess", peer or "")

    def check_failures(self, peer: str | None) -> None:
        """Refuse an address that has sent too many wrong keys, whatever it sends now.

        Raises:
            InvalidInput: `rate_limited`, with `retry_after_s`.
        """
        if not self._counters.test(GUESSES, "guess", peer or ""):
            raise self._refusal(GUESSES, "guess", peer or "")

    def _refusal(self, limit: RateLimitItem, *names: str) -> InvalidInput:
        reset_at = self._counters.get_window_stats(limit, *names).reset_time
        wait_s = max(1, math.ceil(reset_at - time.time()))
        return InvalidInput("rate_limited", f"more than {limit}; try again later", retry_after_s=wait_s)
