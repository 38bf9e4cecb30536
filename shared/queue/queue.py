"""The queue as one object: it owns its clock, its settings and its transactions.

Each verb is a function of a module beside this one. What it is as a method, it is in one transaction, at that
transaction's one time, by this process's settings. Whoever needs several verbs in one transaction calls the
functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from nightshift.words.errors import Transient
from shared.broker.doorbell import MOST_RINGS, rings_for
from shared.db.engine import Database, Transaction
from shared.queue import claim as claiming
from shared.queue import control, holdings, intake, leases, release, sweep, turns, unpacking, uploads
from shared.queue import finish as finishing
from shared.queue import save as saving
from shared.settings import Settings

Arguments = ParamSpec("Arguments")
Done = TypeVar("Done")


def verb(
    function: Callable[Concatenate[Transaction, Arguments], Done],
) -> Callable[Concatenate[Queue, Arguments], Done]:
    """The function as a method, in a write transaction."""

    @wraps(function)
    def method(queue: Queue, /, *args: Arguments.args, **named: Arguments.kwargs) -> Done:
        with queue.database.write() as session:
            return function(session, *args, **named)

    return method


def ruled(
    function: Callable[Concatenate[Transaction, Settings, Arguments], Done],
) -> Callable[Concatenate[Queue, Arguments], Done]:
    """The function as a method, in a write transaction, by the queue's settings."""

    @wraps(function)
    def method(queue: Queue, /, *args: Arguments.args, **named: Arguments.kwargs) -> Done:
        with queue.database.write() as session:
            return function(session, queue.settings, *args, **named)

    return method


def question(
    function: Callable[Concatenate[Transaction, Arguments], Done],
) -> Callable[Concatenate[Queue, Arguments], Done]:
    """The function as a method, in a read transaction."""

    @wraps(function)
    def method(queue: Queue, /, *args: Arguments.args, **named: Arguments.kwargs) -> Done:
        with queue.database.read() as session:
            return function(session, *args, **named)

    return method


class Queue:
    """The verbs of the queue.

    Args:
        database: of this process.
        settings: leases, and how often what is tried again; the same in every process.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings

    # Of a job's owner.
    submit = verb(intake.submit)
    pause = verb(control.pause)
    resume = verb(control.resume)
    cancel = verb(control.cancel)

    # Of a request whose bytes arrive.
    begin_upload = ruled(uploads.begin)
    keep_upload = ruled(uploads.keep)
    abandon_upload = verb(uploads.abandon)

    # Of a worker.
    claim = ruled(claiming.claim)
    claim_archive = ruled(unpacking.claim_archive)
    renew = ruled(leases.renew)
    save = ruled(saving.save)
    save_members = verb(unpacking.save_members)
    give_back = verb(release.give_back)
    give_back_unheard = verb(release.give_back_unheard)
    release_hung = ruled(release.release_hung)
    release_broken = verb(release.release_broken)
    put_off_archive = verb(unpacking.put_off_archive)
    let_lapse = verb(unpacking.let_lapse)
    claimable = question(turns.count_claimable)
    new_job_waits = question(turns.new_job_waits)
    archives = question(unpacking.count_archives)
    held_by = question(holdings.held_by)

    # Of a sweeper.
    return_lapsed = ruled(sweep.return_lapsed)
    return_lapsed_archives = ruled(unpacking.return_lapsed_archives)
    expire_open = ruled(finishing.expire_open)
    unended_jobs = question(sweep.unended_jobs)

    def add_photos(self, owner: str, job_id: str, photos: Sequence[intake.NewPhoto]) -> int:
        """See `intake.add_photos`: within the owner's quota, and the job stays open from now."""
        with self.database.write() as session:
            until = session.now + timedelta(days=self.settings.open_ttl_days)
            return intake.add_photos(session, owner, job_id, photos, until, self.settings)

    def retry(
        self,
        owner: str,
        job_id: str,
        codes: Sequence[str] | None = None,
        photo_ids: Sequence[str] | None = None,
    ) -> int:
        """See `control.retry`: within the owner's quota of jobs."""
        with self.database.write() as session:
            holdings.require_job(session, owner, self.settings)
            return control.retry(session, owner, job_id, codes, photo_ids)

    def finish(self, job_id: str) -> bool:
        """End the job if nothing of it is left; a read finds out, which saves most batches a write.

        After the transaction that saved, never in it: see `finish.finish_if_done`.
        """
        with self.database.read() as session:
            if not finishing.may_be_done(session, job_id):
                return False
        with self.database.write() as session:
            return finishing.finish_if_done(session, self.settings, job_id)

    def rings_for(self, photos: int) -> int:
        """Rings that are worth sending for so many new photos; never an error, since they are committed."""
        workers = 0
        with suppress(Transient), self.database.read() as session:
            workers = turns.count_workers(session)
        return rings_for(photos, self.settings.batch_size, workers)

    def rings_wanted(self) -> int:
        """Rings that are worth sending for what waits: one for each batch and each archive."""
        batch_size = self.settings.batch_size
        with self.database.read() as session:
            waiting = turns.count_claimable(session, MOST_RINGS * batch_size)
            rings = rings_for(waiting, batch_size, turns.count_workers(session))
            return min(rings + unpacking.count_archives(session), MOST_RINGS)
