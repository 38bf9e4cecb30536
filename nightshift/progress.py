"""How far a job is, on standard error: a live bar on a terminal, now and then a line in a log."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from nightshift.screen import cell
from nightshift.waiting import when_it_goes_on
from nightshift.words.documents import Job
from nightshift.words.plain_text import counted, plain

LINE_EVERY_S = 10.0
SETTLED_S = 10.0
"""So long an expected end has to stay where it is before anybody is told of it: the first batch warms the
networks up, and photos that are known, or broken, are done in no time."""


class _BarOfKnownLength(ProgressColumn):
    """A bar once it is known how many photos there are; nothing before."""

    def __init__(self) -> None:
        super().__init__()
        self._bar = BarColumn(bar_width=None)

    def render(self, task: Task) -> RenderableType:
        return self._bar.render(task) if task.fields["is_counted"] else Text()


class _ExpectedEnd:
    """The end of a job by its rate of the moment, and whether that has come to rest."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, float]] = deque()
        self._is_settled = False

    def time_left(self, now_s: float, job: Job) -> timedelta | None:
        """None where there is none, or it still moves."""
        left = time_left(job)
        if left is None:
            # After a pause, or a worker's loss, all begins anew.
            self._looks.clear()
            self._is_settled = False
            return None
        left_s = left.total_seconds()
        self._looks.append((now_s, now_s + left_s))
        while len(self._looks) > 1 and now_s - self._looks[1][0] >= SETTLED_S:
            self._looks.popleft()
        ends = [end_s for _, end_s in self._looks]
        is_steady = max(ends) - min(ends) <= max(left_s / 3, SETTLED_S / 2)
        self._is_settled |= is_steady and now_s - self._looks[0][0] >= SETTLED_S
        return left if self._is_settled else None


class JobProgress:
    """Shows one job from `with` to its end.

    Args:
        console: on standard error.
        quiet: show nothing.
        clock: monotonic seconds.
    """

    def __init__(
        self, console: Console, *, quiet: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._clock = clock
        self._live = console.is_terminal and not quiet
        self._lines = not console.is_terminal and not quiet
        self._line_at = float("-inf")
        self._is_begun = False
        self._expected_end = _ExpectedEnd()
        self._bar = Progress(
            TextColumn("{task.description}", style="bold", markup=False),
            _BarOfKnownLength(),
            TextColumn("{task.fields[notes]}", markup=False),
            console=console,
            expand=True,
            transient=True,
            disable=not self._live,
        )
        self._task = self._bar.add_task("", total=None, notes="", is_counted=False)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def stage(self, name: str) -> None:
        """Say what is going on, or waited for, before there is a job to follow or after it."""
        self._bar.update(self._task, description=name, notes="", is_counted=False)
        if self._lines:
            self._console.print(cell(name), highlight=False, soft_wrap=True)

    def show(self, job: Job) -> None:
        """Show the job as it is now; in a log at once, at its first photo, now and then, and at its end."""
        is_counted = job.state != "unpacking"
        now = self._clock()
        done = f"{job.counts.final:,} of {counted(job.counts.total, 'photo')}"
        notes = ", ".join([done, *_notes(job, self._expected_end.time_left(now, job))])
        if not is_counted:
            # How many there will be is known when the archive is at its end.
            notes = f"{counted(job.counts.total, 'photo')} so far"
        self._bar.update(
            self._task,
            description=plain(job.state),
            total=job.counts.total,
            completed=job.counts.final,
            notes=notes,
            is_counted=is_counted,
        )
        line = f"{job.state}: {notes}"
        is_first = bool(job.counts.final) and not self._is_begun
        self._is_begun |= is_first
        if self._lines and (now >= self._line_at or is_first or job.ended):
            self._line_at = now + LINE_EVERY_S
            self._console.print(cell(line), highlight=False, soft_wrap=True)


def _notes(job: Job, left: timedelta | None) -> list[str]:
    if not job.counts.final and not job.ended:
        if job.waits_until is not None:
            return [f"waiting for {when_it_goes_on(job)}"]
        return ["waiting for a worker" if job.state == "queued" else "waiting for the first of them"]
    notes = [counted(job.faces, "face")]
    if rate := job.photos_per_second:
        notes.append(rate_of(rate))
    if left:
        notes.append(f"{left} left")
    if job.counts.failed:
        notes.append(f"{job.counts.failed:,} failed")
    return notes


def rate_of(rate: float) -> str:
    """Such as `2.1 photos/s`, and `0.03 photos/s`."""
    return f"{rate:.{1 if rate >= 1 else 2}f} photos/s"


def time_left(job: Job) -> timedelta | None:
    """How long it takes at its rate; None where there is no rate yet, or nothing left."""
    left = job.counts.total - job.counts.final
    return timedelta(seconds=round(left / job.photos_per_second)) if job.photos_per_second and left else None
