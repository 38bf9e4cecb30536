"""What one ring of the doorbell does: unpack, claim, analyse, save, until nothing waits or time is up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sqlalchemy.orm import Session
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from nightshift.words.clock import utc_now
from nightshift.words.error_codes import Code
from nightshift.words.errors import Transient
from shared.db.engine import database_now
from shared.files.no_pictures import clear_ended, delete_bytes
from shared.files.store import job_prefix
from shared.queue.claim import (
    READ_PAUSES_S,
    Claim,
    Hung,
    claim,
    give_back,
    give_back_unheard,
    release_broken,
    release_hung,
    renew,
)
from shared.queue.finish import finish_if_done, may_be_done
from shared.queue.save import Failed, Result, Saved, save
from shared.queue.turns import count_claimable
from shared.queue.unpacking import count_archives, give_back_unheard_archive
from worker.batch import StoreAway, analyse_batch
from worker.erased import clear_if_erased
from worker.heartbeat import Heartbeat, LeaseLost, Stall, Stopped
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
        with parts.database.read() as session:
            work_is_left = count_claimable(session, utc_now(), at_most=1) + count_archives(session) > 0
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
    settings = parts.settings
    in_place = parts.folders.may_be_read
    with parts.database.write() as session:
        held = claim(
            session,
            worker=parts.worker,
            batch_size=parts.batch_size.photos,
            lease_s=settings.lease_s,
            now=database_now(session),
            in_place=in_place,
            read_pauses_s=READ_PAUSES_S,
        )
    if held is None and in_place:
        # Nothing waits for a folder any more.
        parts.folders.back()
    if held is not None:
        log.info(
            "claimed",
            extra={
                "job": held.job_id,
                "lease": held.token,
                "photos": len(held.photos),
                "worker": parts.worker,
            },
        )
    return held


def _work(parts: Parts, held: Claim) -> None:
    try:
        _analyse_and_save(parts, held)
    except (Transient, StoreAway):
        raise
    except Exception:
        # A bug. Left alone, the lease would come back here again and again.
        log.exception("the batch broke", extra={"job": held.job_id, "lease": held.token})
        for code in _patiently(parts, partial(_release_broken, parts, held)):
            parts.measures.photo_failed(code)


def _analyse_and_save(parts: Parts, held: Claim) -> None:
    started_at = time.monotonic()
    try:
        with Heartbeat(
            parts, partial(_renew, parts, held), partial(_let_go, parts, held), held.token
        ) as heartbeat:
            results = analyse_batch(parts, held, heartbeat.progress)
    except Stopped:
        _give_back(parts, held, "stopping")
        return
    except StoreAway:
        _give_back(parts, held, "the store is away")
        raise
    except LeaseLost:
        log.warning("lost", extra={"job": held.job_id, "lease": held.token})
        clear_if_erased(parts, held.owner, held.job_id)
        return
    saved = _patiently(parts, partial(_save, parts, held, results))
    seconds = time.monotonic() - started_at
    parts.measures.batch_saved(results, saved, seconds)
    for result in results:
        if isinstance(result, Failed):
            # Without its name and message, which may name people: the row has both.
            log.warning(
                "failed",
                extra={
                    "job": held.job_id,
                    "photo": result.photo_id,
                    "code": result.error.code,
                    "stage": result.error.stage,
                },
            )
    _delete_no_pictures(parts, held, results, saved)
    if saved.lost:
        clear_if_erased(parts, held.owner, held.job_id)
    if _patiently(parts, partial(_finish, parts, held.job_id)):
        parts.store.drop_unfinished(job_prefix(held.owner, held.job_id))
        clear_ended(parts.database, parts.store, held.job_id)
    log.info(
        "saved",
        extra={
            "job": held.job_id,
            "lease": held.token,
            "photos": saved.written,
            "lost": saved.lost,
            "seconds": round(seconds, 2),
        },
    )


def _delete_no_pictures(parts: Parts, held: Claim, results: list[Result], saved: Saved) -> None:
    """After the save: should this process die in between, they go when the job ends."""
    uploads = {photo.id for photo in held.photos if photo.in_place_path is None}
    no_pictures = [
        result.photo_id
        for result in results
        if isinstance(result, Failed)
        and result.error.code == Code.UNSUPPORTED_FORMAT
        and result.photo_id in saved.statuses
    ]
    if ids := uploads.intersection(no_pictures):
        delete_bytes(parts.store, held.owner, held.job_id, ids)


def _give_back_unheard(parts: Parts) -> None:
    """A claim that was committed as its connection broke: whatever rows say, nothing is in hand here."""
    with parts.database.write() as session:
        returned = give_back_unheard(session, parts.worker, now=utc_now())
        give_back_unheard_archive(session, parts.worker)
    if returned:
        log.info("returned", extra={"photos": returned, "worker": parts.worker, "why": "claim not heard of"})


def _give_back(parts: Parts, held: Claim, why: str) -> None:
    returned = _within(parts.settings.shutdown_s, partial(_give_back_rows, parts, held))
    fields = {"job": held.job_id, "lease": held.token, "photos": returned, "why": why}
    log.info("returned", extra=fields)


def _give_back_rows(parts: Parts, held: Claim) -> int:
    with parts.database.write() as session:
        return give_back(session, held, now=utc_now())


def _let_go(parts: Parts, held: Claim, session: Session, stall: Stall) -> None:
    if stall.stopping:
        give_back(session, held, now=utc_now())
        return
    hung = Hung(
        at=stall.at or [photo.id for photo in held.photos],
        at_store=stall.at_store,
        after_s=parts.settings.stall_s,
        max_read_errors=parts.settings.max_read_errors,
    )
    for code in release_hung(session, held, hung, now=utc_now()):
        parts.measures.photo_failed(code)


def _release_broken(parts: Parts, held: Claim) -> list[str]:
    with parts.database.write() as session:
        return release_broken(session, held, now=utc_now())


def _renew(parts: Parts, held: Claim, session: Session) -> int:
    return renew(session, held, lease_s=parts.settings.lease_s, now=database_now(session))


def _save(parts: Parts, held: Claim, results: list[Result]) -> Saved:
    with parts.database.write() as session:
        return save(
            session,
            held,
            results,
            bundle=parts.pipeline.bundle.manifest,
            max_read_errors=parts.settings.max_read_errors,
            now=utc_now(),
        )


def _finish(parts: Parts, job_id: str) -> bool:
    with parts.database.read() as session:
        if not may_be_done(session, job_id):
            return False
    with parts.database.write() as session:
        return finish_if_done(
            session, job_id, results_ttl_days=parts.settings.results_ttl_days, now=database_now(session)
        )


def _patiently(parts: Parts, call: Callable[[], Done]) -> Done:
    """Call until the database takes it: work that is done is worth any wait, and without it none begins."""
    # Nobody renews the lease meanwhile: when the database is back, sweepers wait for one lease, no longer.
    longest_s = min(10.0, parts.settings.lease_s / 8)
    return _again_and_again(call, stop_when(parts.should_stop), longest_s)


def _within(seconds: float, call: Callable[[], Done]) -> Done:
    """Call until the database takes it, for so long at most; asked to stop or not."""
    return _again_and_again(call, stop_after_delay(seconds), 1.0)


def _again_and_again(
    call: Callable[[], Done], stop: Callable[[RetryCallState], bool], longest_s: float
) -> Done:
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


def stop_when(should_stop: Callable[[], bool]) -> Callable[[RetryCallState], bool]:
    """Tenacity's word for `should_stop`."""
    return lambda _: should_stop()
