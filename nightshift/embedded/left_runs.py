"""`nightshift runs`: runs that were broken off, how far they are, and how one is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.table import Table
from sqlalchemy import select

from nightshift.embedded.home import Home
from nightshift.embedded.interrupted_runs import InterruptedRun, choose_run, forget_run, interrupted_runs
from nightshift.screen import bare_table, cell, say
from nightshift.words.clock import local_time
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.photo_names import path_spelled_out
from shared.db.engine import Database
from shared.db.migrate import upgrade
from shared.db.tables import Job
from shared.queue.counts import count_again
from shared.queue.moves import try_move
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class LeftRun:
    """An interrupted run.

    Attributes:
        run: which it is.
        begun_at: when its job was made.
        done: photos that are final.
        total: photos it has.
    """

    run: InterruptedRun
    begun_at: datetime
    done: int
    total: int

    def as_json(self) -> dict[str, Any]:
        """For a script."""
        return {
            "job_id": self.run.job_id,
            "label": self.run.label,
            "begun_at": self.begun_at.isoformat(),
            "done": self.done,
            "total": self.total,
            "paths": [path_spelled_out(path) for path in self.run.paths],
            "out": path_spelled_out(self.run.out),
        }


def left_runs(settings: Settings) -> list[LeftRun]:
    """Those of the home, the newest first; none of a home that is not there."""
    if not settings.home.is_dir():
        return []
    upgrade(settings.database_url)
    with closing(Database(settings.database_url)) as database, database.write() as session:
        left = []
        for run in interrupted_runs(session, settings.home):
            counts = count_again(session, run.job_id, None).counts
            begun_at = session.scalars(select(Job.created_at).where(Job.id == run.job_id)).one()
            left.append(LeftRun(run, begun_at, counts.final, counts.total))
        return left


def run_to_resume(settings: Settings, paths: Sequence[Path]) -> InterruptedRun | None:
    """The run that `--resume` would go on with; said, with how far it is. None for a new one over the paths.

    Raises:
        InvalidInput: `nothing_to_resume`, and no paths are given.
    """
    left = left_runs(settings)
    run = choose_run([each.run for each in left], paths)
    if run is None and not paths:
        raise InvalidInput(Code.NOTHING_TO_RESUME, f"{settings.home} holds no interrupted run")
    for each in left:
        if each.run is run:
            say(f"run {run.label or run.job_id} would go on: {each.done:,} of {each.total:,} are done")
    return run


def drop_run(settings: Settings, given: str) -> LeftRun:
    """Cancel an interrupted run, named by its job's id or the beginning of it; what it has analysed is kept.

    Raises:
        InvalidInput: `nothing_to_resume`, none is called so; `several_jobs`.
        Conflict: `home_in_use`: it may be under way.
    """
    beginning = given if given.startswith("job_") else f"job_{given}"
    found = [left for left in left_runs(settings) if left.run.job_id.startswith(beginning)]
    if not found:
        raise InvalidInput(Code.NOTHING_TO_RESUME, f"{settings.home} holds no interrupted run {given}")
    if len(found) > 1:
        raise InvalidInput(Code.SEVERAL_JOBS, f"{len(found)} interrupted runs begin with {given}")
    job_id = found[0].run.job_id
    with Home(settings.home, "runs --drop"), closing(Database(settings.database_url)) as database:
        with database.write() as session:
            try_move(session, job_id, "cancel")
        forget_run(settings.home, job_id)
    return found[0]


def table_of(left: list[LeftRun]) -> Table:
    """Which, when, how much is done, over what."""
    table = bare_table("RUN", "LABEL", "BEGUN", "DONE", "PHOTOS IN", "RESULTS")
    for each in left:
        table.add_row(
            cell(each.run.job_id),
            cell(each.run.label or ""),
            local_time(each.begun_at, zone=False),
            f"{each.done:,} of {each.total:,}",
            cell(", ".join(map(path_spelled_out, each.run.paths))),
            cell(path_spelled_out(each.run.out)),
        )
    return table
