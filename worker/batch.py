"""The way of one batch: claimed, loaded ahead, analysed, saved, and let go of.

One bad photo never fails its batch mates.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from nightshift.machine.allowance import allowance
from nightshift.words.analysis import Analysis
from nightshift.words.error_codes import Code
from nightshift.words.errors import Transient
from shared.files.no_pictures import clear_ended, clear_erased, delete_bytes
from shared.files.store import job_prefix
from shared.queue.claim import Claim, ClaimedPhoto
from shared.queue.save import Failed, Result, Saved, Succeeded
from worker.ahead import PixelBudget, done_ahead
from worker.heartbeat import Heartbeat, LeaseLost, Progress, Stopped
from worker.load import Loaded, load_photo
from worker.logged import ids_of
from worker.networks import NetworksWanted, NotLoaded
from worker.parts import Parts
from worker.pipeline.unforeseen import photo_error

if TYPE_CHECKING:
    from worker.pipeline.decoding.decode import DecodedPhoto

Done = TypeVar("Done")

log = logging.getLogger(__name__)


def work_batch(parts: Parts) -> bool:
    """Claim the batch whose turn it is and see it through to the job's end; False when nothing waits.

    Raises:
        Transient: the database or the store is away. What is held went back, or lapses.
        NotLoaded: the networks cannot be loaded, and nothing is held.
    """
    started_at_s = time.monotonic()
    held = _claim(parts)
    if held is None:
        return False
    try:
        results = _analyse(parts, held)
        if results is not None:
            _save(parts, held, results, started_at_s)
            parts.batch_done()
    except (Transient, NotLoaded):
        raise
    except Exception:
        # A bug. Left alone, the lease would come back here again and again.
        log.exception("the batch broke", extra=ids_of(held))
        for code in _until_it_answers(parts, lambda: parts.queue.release_broken(held)):
            parts.metrics.count_failure(code)
    return True


def _claim(parts: Parts) -> Claim | None:
    in_place = parts.folders.may_be_read
    held = parts.queue.claim(worker=parts.worker, batch_size=parts.batch_size.photos, in_place=in_place)
    if held is not None:
        log.info("claimed", extra={**ids_of(held), "photos": len(held.photos), "worker": parts.worker})
    elif in_place:
        # Nothing waits for a folder any more.
        parts.folders.back()
    return held


def _analyse(parts: Parts, held: Claim) -> list[Result] | None:
    """A result for each photo; None when the batch is not this process's any more."""
    parts.batch_size.begin()
    try:
        with Heartbeat(parts, held) as heartbeat:
            return _analyse_together(parts, held, held.photos, heartbeat.progress)
    except Stopped:
        _give_back(parts, held, "stopping")
    except Transient:
        _give_back(parts, held, "the store is away")
        raise
    except NetworksWanted:
        # Whatever loading them takes or breaks, no photo's lease runs out meanwhile, and none is blamed.
        _give_back(parts, held, "the networks are loaded first")
        parts.pipeline.load()
    except LeaseLost:
        log.warning("lost", extra=ids_of(held))
        clear_erased(parts.database, parts.store, held.owner, held.job_id)
    return None


def _analyse_together(
    parts: Parts, held: Claim, photos: Sequence[ClaimedPhoto], progress: Progress
) -> list[Result]:
    """One result a photo; photos for which memory was short are tried again by halves, down to one.

    The process then claims fewer from there on.

    Raises:
        Transient: no photo of the batch can be read now.
    """
    results = _analyse_once(parts, held, photos, progress)
    failed = [result for result in results if isinstance(result, Failed)]
    short = {result.photo_id for result in failed if result.error.code == Code.OUT_OF_MEMORY}
    if not short or len(photos) == 1:
        return results
    parts.batch_size.too_many(len(photos))
    log.warning("short of memory", extra={**ids_of(held), "photos": len(photos)})
    # What the others took is free by now.
    again = [photo for photo in photos if photo.id in short]
    middle = len(again) // 2 or 1
    good = [result for result in results if result.photo_id not in short]
    for part in (again[:middle], again[middle:]):
        if part:
            good += _analyse_together(parts, held, part, progress)
    return good


def _analyse_once(
    parts: Parts, held: Claim, photos: Sequence[ClaimedPhoto], progress: Progress
) -> list[Result]:
    """Load ahead in threads, and analyse what is loaded as it comes."""
    results: list[Result] = []
    loaded: list[Loaded] = []
    budget = PixelBudget(parts.settings.max_pixels_in_flight)

    def load(photo: ClaimedPhoto) -> tuple[DecodedPhoto, Loaded] | Result:
        try:
            return load_photo(parts, held, photo, budget, progress)
        finally:
            progress()  # this thread may now wait

    def decoded(outcomes: Iterator[tuple[DecodedPhoto, Loaded] | Result]) -> Iterator[DecodedPhoto]:
        for outcome in outcomes:
            if not isinstance(outcome, tuple):
                results.append(outcome)
                continue
            loaded.append(outcome[1])
            yield outcome[0]
            # Asked for the next, the pipeline has no more use for this one.
            budget.give_back(outcome[1].pixels)
            progress()

    failure = None
    with done_ahead(load, photos, _load_threads(parts), budget) as outcomes:
        try:
            found = parts.pipeline.analyse(decoded(outcomes), held.options.analysis(), progress)
        except Transient:
            raise
        except Exception as error:
            # Photos it isolates itself; this is of all of them.
            failure = photo_error("detect", error, job=held.job_id, lease=held.token)
            found = [failure] * len(loaded)
    for photo, what in zip(loaded, found, strict=True):
        if isinstance(what, Analysis):
            results.append(Succeeded(photo.photo_id, photo.sha256, photo.size_bytes, what))
        else:
            results.append(Failed(photo.photo_id, what, photo.sha256, photo.size_bytes))
    if failure:
        met = {result.photo_id for result in results}
        results += [Failed(photo.id, failure) for photo in photos if photo.id not in met]
    return results


def _load_threads(parts: Parts) -> int:
    """Threads that read and decode ahead of the networks: on the CPU, these need the cores themselves."""
    settings = parts.settings
    if settings.decode_threads:
        return settings.decode_threads
    return 1 if parts.pipeline.on_cpu else max(2, allowance().cores // settings.worker_count)


def _save(parts: Parts, held: Claim, results: list[Result], started_at_s: float) -> None:
    """Write what was found, delete what nobody needs any more, and end the job if this was its last batch."""
    bundle = parts.pipeline.manifest
    saved = _until_it_answers(parts, lambda: parts.queue.save(held, results, bundle=bundle))
    seconds = time.monotonic() - started_at_s
    parts.metrics.count_batch(results, saved, seconds)
    failed = [result for result in results if isinstance(result, Failed)]
    for result in failed:
        # Without names and messages, which may name people: the rows have both.
        error = {"code": result.error.code, "stage": result.error.stage}
        log.warning("failed", extra={**ids_of(held), "photo": result.photo_id, **error})
    _delete_no_pictures(parts, held, failed, saved)
    if saved.lost:
        clear_erased(parts.database, parts.store, held.owner, held.job_id)
    if _until_it_answers(parts, lambda: parts.queue.finish(held.job_id)):
        parts.store.drop_unfinished(job_prefix(held.owner, held.job_id))
        clear_ended(parts.database, parts.store, held.job_id)
    fields = {"photos": saved.written, "lost": saved.lost, "seconds": round(seconds, 2)}
    log.info("saved", extra={**ids_of(held), **fields})


def _delete_no_pictures(parts: Parts, held: Claim, failed: list[Failed], saved: Saved) -> None:
    """After the save: should this process die in between, they go when the job ends."""
    uploads = {photo.id for photo in held.photos if photo.in_place_path is None}
    no_pictures = {result.photo_id for result in failed if result.error.code == Code.UNSUPPORTED_FORMAT}
    if ids := uploads & no_pictures & saved.statuses.keys():
        delete_bytes(parts.store, held.owner, held.job_id, ids)


def _give_back(parts: Parts, held: Claim, why: str) -> None:
    # Asked to stop or not, but for no longer than a stop may take.
    stop = stop_after_delay(parts.settings.shutdown_s)
    returned = _retry(lambda: parts.queue.give_back(held), stop, longest_s=1.0)
    log.info("returned", extra={**ids_of(held), "photos": returned, "why": why})


def _until_it_answers(parts: Parts, call: Callable[[], Done]) -> Done:
    """Call until the database takes it: work that is done is worth any wait, and without it none begins."""
    # Nobody renews the lease meanwhile: when the database is back, sweepers wait for one lease, no longer.
    longest_s = min(10.0, parts.settings.lease_s / 8)
    return _retry(call, lambda _: parts.should_stop(), longest_s)


def _retry(call: Callable[[], Done], stop: Callable[[RetryCallState], bool], longest_s: float) -> Done:
    """Call until the database takes it, with pauses that grow up to the longest."""
    retrying = Retrying(
        retry=retry_if_exception_type(Transient),
        stop=stop,
        wait=wait_exponential(multiplier=0.5, max=longest_s),
        before_sleep=_log_retry,
        reraise=True,
    )
    return retrying(call)


def _log_retry(state: RetryCallState) -> None:
    """Without what was called and with what: that names files and people."""
    error = state.outcome.exception() if state.outcome else None
    reason = error.message if isinstance(error, Transient) else str(error)
    log.warning("trying again", extra={"attempt": state.attempt_number, "reason": reason})
