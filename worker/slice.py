"""What one ring of the doorbell does: unpack and work off batches, until nothing waits or time is up."""

from __future__ import annotations

import logging
import time

from nightshift.words.errors import Transient
from worker.batch import work_batch
from worker.parts import Parts
from worker.unpack import UNPACK_TURN_S, unpack_next

log = logging.getLogger(__name__)

IDLE_S = 1.0


def run_slice(parts: Parts) -> None:
    """Work for about `slice_s` seconds, then ring once if work is left."""
    over_at_s = time.monotonic() + parts.settings.slice_s
    try:
        # What cannot be read is better not claimed.
        parts.store.ping()
        _give_back_unheard(parts)
        while time.monotonic() < over_at_s:
            # Turn and turn about: an archive of a hundred thousand must not keep ten photos waiting.
            unpacked = unpack_next(parts, over_at_s)
            analysed = _work_batches(parts, min(over_at_s, time.monotonic() + UNPACK_TURN_S))
            if not unpacked and not analysed:
                _wait_a_little(parts)
                return
            if parts.should_stop():
                return
        work_is_left = parts.queue.rings_wanted() > 0
    except Transient as error:
        # Database or store. The sweeper rings when they are back.
        log.warning("slice broken off", extra={"reason": error.message})
        return
    if work_is_left:
        parts.doorbell.ring()


def _give_back_unheard(parts: Parts) -> None:
    """A claim that was committed as its connection broke: whatever rows say, nothing is in hand here."""
    if returned := parts.queue.give_back_unheard(parts.worker):
        log.info("returned", extra={"photos": returned, "worker": parts.worker, "why": "claim not heard of"})


def _work_batches(parts: Parts, until_s: float) -> bool:
    """Batch after batch until then, or until nothing waits; False when nothing did."""
    worked = False
    while not parts.should_stop() and work_batch(parts):
        worked = True
        if time.monotonic() >= until_s:
            break
    return worked


def _wait_a_little(parts: Parts) -> None:
    """While a folder is away, rings come for photos that nobody takes: answered at once, they would spin."""
    over_at_s = time.monotonic() + IDLE_S
    while not parts.folders.may_be_read and not parts.should_stop() and time.monotonic() < over_at_s:
        time.sleep(0.1)
