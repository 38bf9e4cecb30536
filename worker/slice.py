"""What one ring of the doorbell does: unpack, claim, analyse, save, until nothing waits or time is up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from nightshift.words.error_codes import Code
from nightshift.words.errors import Transient
from shared.files.no_pictures import clear_ended, delete_bytes
from shared.files.store import job_prefix
from shared.queue.claim import Claim
from shared.queue.save import Failed, Result, Saved
from worker.batch import StoreAway, analyse_batch
from worker.erased import clear_if_erased
from worker.heartbeat import Heartbeat, LeaseLost, Stopped
from worker.parts import Parts
from worker.unpack import UNPACK_TURN_S, unpack_next

Done = TypeVar("Done")

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
            if not _work_on_photos(parts, min(over_at_s, time.monotonic() + UNPACK_TURN_S)) and not unpacked:
                _wait_a_little(parts)
                return
            if parts.should_stop():
                return
        work_is_left = parts.queue.rings_wanted() > 0
    except Transient as error:
        # The sweeper rings when the database is back.
        log.warning("slice broken off", extra={"reason": error.message})
        return
    except StoreAway as error:
        log.warning("slice broken off: the store is away", extra={"reason": str(error)})
        return
    if work_is_left:
        parts.doorbell.ring()


def _wait_a_little(parts: Parts) -> None:
    """While a folder is away, rings come for photos that nobody takes: answered at once, they would spin."""
    over_at_s = time.monotonic() + IDLE_S
    while not parts.folders.may_be_read and not parts.should_stop() and time.monotonic() < over_at_s:
        time.sleep(0.1)


def _work_on_photos(parts: Parts, until_s: float) -> bool:
    """Claim, analyse and save until then, or until nothing waits; False when nothing did."""
    worked = False
    while not parts.should_stop() and (held := _claim(parts)) is not None:
        _work(parts, held)
        worked = True
        if time.monotonic() >= until_s:
            break
    return worked


def _claim(parts: Parts) -> Claim | None:
    in_place = parts.folders.may_be_read
    held = parts.queue.claim(worker=parts.worker, batch_size=parts.batch_size.photos, in_place=in_place)
    if held is not None:
        fields = {"photos": len(held.photos), "worker": parts.worker}
        log.info("claimed", extra={"job": held.job_id, "lease": held.token, **fields})
    elif in_place:
        # Nothing waits for a folder any more.
        parts.folders.back()
    return held


def _work(parts: Parts, held: Claim) -> None:
    """From the claim to the job's end."""
    started_at_s = time.monotonic()
    try:
        results = _analyse(parts, held)
        if results is None:
            return
        bundle = parts.pipeline.bundle.manifest
        saved = _patiently(parts, lambda: parts.queue.save(held, results, bundle=bundle))
        seconds = time.monotonic() - started_at_s
        parts.measures.batch_saved(results, saved, seconds)
        failed = [result for result in results if isinstance(result, Failed)]
        _say_failures(held, failed)
        _delete_no_pictures(parts, held, failed, saved)
        if saved.lost:
            clear_if_erased(parts, held.owner, held.job_id)
        if _patiently(parts, lambda: parts.queue.finish(held.job_id)):
            parts.store.drop_unfinished(job_prefix(held.owner, held.job_id))
            clear_ended(parts.database, parts.store, held.job_id)
        fields = {"photos": saved.written, "lost": saved.lost, "seconds": round(seconds, 2)}
        log.info("saved", extra={"job": held.job_id, "lease": held.token, **fields})
    except (Transient, StoreAway):
        raise
    except Exception:
        # A bug. Left alone, the lease would come back here again and again.
        log.exception("the batch broke", extra={"job": held.job_id, "lease": held.token})
        for code in _patiently(parts, lambda: parts.queue.release_broken(held)):
            parts.measures.photo_failed(code)


def _analyse(parts: Parts, held: Claim) -> list[Result] | None:
    """A result for each photo; None when the batch is not this process's any more."""
    try:
        with Heartbeat(parts, held) as heartbeat:
            return analyse_batch(parts, held, heartbeat.progress)
    except Stopped:
        _give_back(parts, held, "stopping")
    except StoreAway:
        _give_back(parts, held, "the store is away")
        raise
    except LeaseLost:
        log.warning("lost", extra={"job": held.job_id, "lease": held.token})
        clear_if_erased(parts, held.owner, held.job_id)
    return None


def _say_failures(held: Claim, failed: list[Failed]) -> None:
    """Without names and messages, which may name people: the rows have both."""
    for result in failed:
        error = {"code": result.error.code, "stage": result.error.stage}
        log.warning("failed", extra={"job": held.job_id, "photo": result.photo_id, **error})


def _delete_no_pictures(parts: Parts, held: Claim, failed: list[Failed], saved: Saved) -> None:
    """After the save: should this process die in between, they go when the job ends."""
    uploads = {photo.id for photo in held.photos if photo.in_place_path is None}
    no_pictures = {result.photo_id for result in failed if result.error.code == Code.UNSUPPORTED_FORMAT}
    if ids := uploads & no_pictures & saved.statuses.keys():
        delete_bytes(parts.store, held.owner, held.job_id, ids)


def _give_back_unheard(parts: Parts) -> None:
    """A claim that was committed as its connection broke: whatever rows say, nothing is in hand here."""
    if returned := parts.queue.give_back_unheard(parts.worker):
        log.info("returned", extra={"photos": returned, "worker": parts.worker, "why": "claim not heard of"})


def _give_back(parts: Parts, held: Claim, why: str) -> None:
    # Asked to stop or not, but for no longer than a stop may take.
    stop = stop_after_delay(parts.settings.shutdown_s)
    returned = _retried(lambda: parts.queue.give_back(held), stop, longest_s=1.0)
    fields = {"job": held.job_id, "lease": held.token, "photos": returned, "why": why}
    log.info("returned", extra=fields)


def _patiently(parts: Parts, call: Callable[[], Done]) -> Done:
    """Call until the database takes it: work that is done is worth any wait, and without it none begins."""
    # Nobody renews the lease meanwhile: when the database is back, sweepers wait for one lease, no longer.
    longest_s = min(10.0, parts.settings.lease_s / 8)
    return _retried(call, lambda _: parts.should_stop(), longest_s)


def _retried(call: Callable[[], Done], stop: Callable[[RetryCallState], bool], longest_s: float) -> Done:
    """Call until the database takes it, with pauses that grow up to the longest."""
    retrying = Retrying(
        retry=retry_if_exception_type(Transient),
        stop=stop,
        wait=wait_exponential(multiplier=0.5, max=longest_s),
        before_sleep=_say_again,
        reraise=True,
    )
    return retrying(call)


def _say_again(state: RetryCallState) -> None:
    """Without what was called and with what: that names files and people."""
    error = state.outcome.exception() if state.outcome else None
    reason = error.message if isinstance(error, Transient) else str(error)
    log.warning("trying again", extra={"attempt": state.attempt_number, "reason": reason})
