"""What one ring of the doorbell does: unpack, claim, analyse, save, until nothing waits or time is up."""

from __future__ import annotations

import logging
import time
from functools import partial

from sqlalchemy.orm import Session
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from shared.clock import utc_now
from shared.errors import Transient
from shared.queue.claim import Claim, claim, give_back, renew
from shared.queue.finish import finish_if_done
from shared.queue.save import Failed, Result, Saved, save
from shared.queue.sweep import count_claimable
from shared.queue.unpacking import count_archives
from shared.store import job_prefix
from worker.batch import analyse_batch
from worker.heartbeat import Heartbeat, LeaseLost, Stopped
from worker.parts import Parts
from worker.unpack import unpack_next

log = logging.getLogger(__name__)

# Work that is done is worth waiting for the database: about 30 seconds in all.
_patiently = retry(
    retry=retry_if_exception_type(Transient),
    stop=stop_after_attempt(7),
    wait=wait_exponential(multiplier=0.5, max=10),
    reraise=True,
)


def run_slice(parts: Parts) -> None:
    """Work for about `slice_s` seconds, then ring once if work is left."""
    over_at = time.monotonic() + parts.settings.slice_s
    while time.monotonic() < over_at:
        if parts.should_stop():
            return
        # Archives first: until they are unpacked, nobody knows what waits in them.
        if unpack_next(parts, over_at):
            continue
        held = _claim(parts)
        if held is None:
            return
        _work(parts, held)
    if parts.should_stop():
        return
    with parts.database.read() as session:
        work_is_left = count_claimable(session, at_most=1) + count_archives(session) > 0
    if work_is_left:
        parts.doorbell.ring()


def _claim(parts: Parts) -> Claim | None:
    settings = parts.settings
    with parts.database.write() as session:
        held = claim(
            session,
            worker=parts.worker,
            batch_size=settings.batch_size,
            lease_s=settings.lease_s,
            now=utc_now(),
        )
    if held is not None:
        log.info(
            "claimed job=%s lease=%s photos=%d worker=%s",
            held.job_id,
            held.token,
            len(held.photos),
            parts.worker,
        )
    return held


def _work(parts: Parts, held: Claim) -> None:
    started_at = time.monotonic()
    try:
        with Heartbeat(parts, partial(_renew, parts, held), held.token) as heartbeat:
            results = analyse_batch(parts, held, heartbeat.progress)
    except Stopped:
        with parts.database.write() as session:
            returned = give_back(session, held)
        log.info("returned job=%s lease=%s photos=%d: stopping", held.job_id, held.token, returned)
        return
    except LeaseLost:
        log.warning("lost job=%s lease=%s: another worker has its photos", held.job_id, held.token)
        return
    saved = _save(parts, held, results)
    for result in results:
        if isinstance(result, Failed):
            # Without its name and message, which may name people: the row has both.
            log.warning(
                "failed job=%s photo=%s code=%s stage=%s",
                held.job_id,
                result.photo_id,
                result.error.code,
                result.error.stage,
            )
    if _finish(parts, held.job_id):
        parts.store.drop_unfinished(job_prefix(held.owner, held.job_id))
    log.info(
        "saved job=%s lease=%s photos=%d lost=%d seconds=%.2f",
        held.job_id,
        held.token,
        saved.written,
        saved.lost,
        time.monotonic() - started_at,
    )


def _renew(parts: Parts, held: Claim, session: Session) -> int:
    return renew(session, held, lease_s=parts.settings.lease_s, now=utc_now())


@_patiently
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


@_patiently
def _finish(parts: Parts, job_id: str) -> bool:
    with parts.database.write() as session:
        return finish_if_done(
            session, job_id, results_ttl_days=parts.settings.results_ttl_days, now=utc_now()
        )
