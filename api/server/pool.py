"""The threads that answer requests."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from api.server.cuts import log

THREADS_START_S = 10.0


def started_pool(threads: int) -> ThreadPoolExecutor:
    """A pool with all its threads: in a flood the main thread would wait for each to start."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
    all_there = threading.Barrier(threads + 1)
    try:
        for _ in range(threads):
            pool.submit(all_there.wait, THREADS_START_S)
        all_there.wait(THREADS_START_S)
    except (RuntimeError, threading.BrokenBarrierError) as error:
        log.warning("fewer threads than wanted: %s", error)
    return pool
