"""Pauses between attempts at what may pass."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses that double, from `first_s` to `longest_s` seconds."""

    first_s: float
    longest_s: float

    def after(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row, 1 or more."""
        # What is away for days fails more often than a float can double.
        return min(self.first_s * 2.0 ** min(failures - 1, 60), self.longest_s)
