"""How long a short piece of work takes, for choices at the start of a worker."""

from __future__ import annotations

import time
from collections.abc import Callable

from worker.pipeline.runtime import CPU


def least_time_s(work: Callable[[], object], rounds: int, device: str = CPU) -> float:
    """The least of some rounds, seconds; the first call, which compiles, is the caller's.

    On the CPU it is processor time of all threads: workers start together and beside other programs, and by
    the clock one of them would find the slower of two ways the faster one, and keep to it all night.

    Args:
        work: to be timed.
        rounds: how often.
        device: that it runs on; of others the clock is asked.
    """
    now = time.process_time if device == CPU else time.perf_counter
    times = []
    for _ in range(rounds):
        started = now()
        work()
        times.append(now() - started)
    return min(times)
