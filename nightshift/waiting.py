"""Waiting is never silent: what a command waits for, and why, is said within ten seconds, once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nightshift.errors import ClientError
from nightshift.words.clock import local_time
from nightshift.words.documents import Job
from nightshift.words.error_codes import Code
from nightshift.words.errors import NightshiftError
from nightshift.words.health import Readiness, complaints
from nightshift.words.processing_window import ProcessingWindow

if TYPE_CHECKING:
    from nightshift.client import Client

WORD_S = 8.0
"""Silence after which a command says what it waits for."""

ASK_EVERY_S = 10.0

GIVE_UP_S = 3600.0
"""Seconds without progress, for a known reason, until `submit --wait` ends; the job stays on its server."""

LOOK_S = 3
"""A long poll no longer than this leaves time for the word."""

Say = Callable[[str], None]


@contextmanager
def say_if_slow(what: str, say: Say | None, after_s: float = WORD_S) -> Iterator[None]:
    """Say `still waiting for WHAT` when the block takes longer than that; once."""
    if say is None:
        yield
        return
    timer = threading.Timer(after_s, say, [f"still waiting for {what}"])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class Lookout:
    """Watches a job that is waited for; where it gets nowhere, asks the service why.

    Args:
        say: shows one line to the user.
        word_s: silence after which a word is due, seconds.
        give_up_s: seconds without progress, for a reason that is known, to give up after; None for never.
        own_workers: whoever asks has started the workers, and nobody need start one.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        say: Say,
        *,
        word_s: float = WORD_S,
        give_up_s: float | None = None,
        own_workers: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._word_s = word_s
        self._give_up_s = give_up_s
        self._own_workers = own_workers
        self._clock = clock
        self._since = clock()
        self._seen: tuple[object, ...] = ()
        self._asked_at = float("-inf")
        self._said: str | None = None

    def is_due(self, job: Job) -> bool:
        """Take the job as it is now; True where the service is to be asked why it gets nowhere.

        To be called every few seconds.
        """
        now = self._clock()
        seen = (job.state, job.counts.final, job.counts.total)
        if seen != self._seen or job.ended:
            self._seen, self._since = seen, now
            return False
        if now - self._since < self._word_s or now - self._asked_at < ASK_EVERY_S:
            return False
        self._asked_at = now
        return True

    def tell(self, job: Job, told: Readiness | ClientError) -> None:
        """Say why the job gets nowhere, by what the service said of itself.

        Raises:
            NightshiftError: `gave_up`.
        """
        silent_s = self._asked_at - self._since
        reason = self._reason(job, told)
        if reason is None:
            self._said = None
            return
        if reason != self._said:
            self._said = reason
            self._say(f"waiting: {reason}")
        # A job that is held back on purpose goes on by itself, or when somebody says so.
        is_held_back = job.state == "paused" or job.waits_until is not None
        if self._give_up_s is not None and silent_s > self._give_up_s and not is_held_back:
            raise NightshiftError(Code.GAVE_UP, f"nothing has moved for {_in_words(silent_s)}: {reason}")

    def _reason(self, job: Job, told: Readiness | ClientError) -> str | None:
        if job.state == "paused":
            until = f" until {local_time(job.waits_until)}" if job.waits_until else ""
            return f"the job is paused{until}"
        if isinstance(told, ClientError):
            wrong: str | None = str(told)
        else:
            wrong = what_is_wrong(told, own_workers=self._own_workers)
        if wrong is None and job.waits_until is not None:
            return f"the job's time has not come before {when_it_goes_on(job)}"
        return wrong


def when_it_goes_on(job: Job) -> str:
    """When a job that waits for its time goes on, in the zone of its window; empty where it does not wait."""
    if job.waits_until is None or job.processing_window is None:
        return local_time(job.waits_until)
    try:
        zone = ProcessingWindow.parse(job.processing_window).zone
    except ValueError:
        # Of a server that knows more zones.
        return local_time(job.waits_until)
    return f"{job.waits_until.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"


def _in_words(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


class PartsWatch:
    """Says what is wrong with a service's parts, and that it is over; for who serves others.

    Args:
        client: of the service.
        say: shows one line to the user.
        clock: monotonic seconds.
    """

    def __init__(self, client: Client, say: Say, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._say = say
        self._clock = clock
        self._asked_at = clock()
        self._said: str | None = None

    def look(self) -> None:
        """Ask, where it is time to."""
        if self._clock() - self._asked_at < ASK_EVERY_S:
            return
        self._asked_at = self._clock()
        try:
            # Workers come and go; without one nobody waits but who is told so.
            readiness = self._client.readiness()
            checks = readiness.checks.model_copy(update={"workers": 1, "sweepers": 1})
            reason = what_is_wrong(readiness.model_copy(update={"checks": checks}))
        except ClientError as error:
            reason = str(error)
        if reason != self._said:
            self._said = reason
            self._say(reason or "every part answers again")


def what_is_wrong(readiness: Readiness, *, own_workers: bool = False) -> str | None:
    """Why a service gets nowhere with its jobs, in one sentence; None where it should."""
    for part, wrong in complaints(readiness.checks).items():
        return f"{wrong}; `nightshift worker` starts some" if part == "workers" and not own_workers else wrong
    return None
