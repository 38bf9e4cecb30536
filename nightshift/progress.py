"""How far a job is, on standard error: a live bar on a terminal, now and then a line in a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from nightshift.screen import cell
from nightshift.words.documents import Job
from nightshift.words.plain_text import plain

LINE_EVERY_S = 10.0


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
        self._line_at = clock() + LINE_EVERY_S
        self._bar = Progress(
            TextColumn("{task.description}", style="bold", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("photos  {task.fields[notes]}", markup=False),
            console=console,
            expand=True,
            transient=True,
            disable=not self._live,
        )
        self._task = self._bar.add_task("starting", total=None, notes="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def stage(self, name: str) -> None:
        """Say what is going on before there is a job to follow."""
        self._bar.update(self._task, description=name)

    def show(self, job: Job) -> None:
        """Show the job as it is now."""
        now = self._clock()
        done = job.counts.final
        total: int | None = job.counts.total
        notes = ", ".join(_notes(job))
        line = f"{job.state}: {done} of {total} photos, {notes}"
        if job.state == "unpacking":
            # How many there will be is known when the archive is at its end.
            total, notes = None, f"{job.counts.total:,} photos so far"
            line = f"{job.state}: {notes}"
        self._bar.update(self._task, description=plain(job.state), total=total, completed=done, notes=notes)
        if self._lines and (now >= self._line_at or job.ended):
            self._line_at = now + LINE_EVERY_S
            self._console.print(cell(line), highlight=False, soft_wrap=True)


def _notes(job: Job) -> list[str]:
    notes = [f"{job.faces:,} {'face' if job.faces == 1 else 'faces'}"]
    if rate := job.photos_per_second:
        notes.append(f"{rate:.1f} photos/s")
        left = job.counts.total - job.counts.final
        if left:
            notes.append(f"{timedelta(seconds=round(left / rate))} left")
    if job.counts.failed:
        notes.append(f"{job.counts.failed} failed")
    return notes
