"""Runs that were broken off, and which of them `--resume` means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.models import Job
from shared.places import path_as_text, path_of_text
from shared.queue.moves import try_move
from shared.states import JobState

METADATA_KEY = "run"
"""Where a job's metadata says which command made it."""

_RESUMABLE = (JobState.OPEN, JobState.UNPACKING, JobState.QUEUED, JobState.RUNNING, JobState.PAUSED)


@dataclass(frozen=True, slots=True)
class InterruptedRun:
    """A job that `nightshift run` made and did not see the end of; the bundle is that of its beginning."""

    job_id: str
    state: str
    paths: tuple[Path, ...]
    out: Path
    bundle_name: str
    bundle_sha256: str


def interrupted_runs(session: Session) -> list[InterruptedRun]:
    """Unfinished jobs of `nightshift run`, newest first."""
    # Columns, not objects: those this session has loaded do not see moves made since.
    columns = (Job.id, Job.state, Job.client_metadata, Job.bundle_name, Job.bundle_sha256)
    query = select(*columns).where(Job.state.in_(_RESUMABLE))
    runs = []
    for job_id, state, metadata, *bundle in session.execute(query.order_by(Job.created_at.desc(), Job.id)):
        made_by = metadata.get(METADATA_KEY)
        if isinstance(made_by, dict) and made_by.get("paths") and made_by.get("out"):
            paths = tuple(path_of_text(path) for path in made_by["paths"])
            runs.append(InterruptedRun(job_id, state, paths, path_of_text(made_by["out"]), *bundle))
    return runs


def pause_runs(session: Session) -> list[InterruptedRun]:
    """Pause the interrupted runs under way, so that no worker goes on with one unasked; returns all.

    Jobs that were sent to a server on the same home are left to go on: nobody would resume them.
    """
    for run in interrupted_runs(session):
        try_move(session, run.job_id, "pause")
    return interrupted_runs(session)


def cancel_runs(session: Session, out: Path) -> None:
    """Cancel the interrupted runs whose results would go there; what they have analysed is kept."""
    for run in interrupted_runs(session):
        if run.out == out:
            try_move(session, run.job_id, "cancel")


def choose_run(runs: Sequence[InterruptedRun], paths: Sequence[Path]) -> InterruptedRun | None:
    """The newest run over the same paths, in any order; over any paths when none are given."""
    if not paths:
        return runs[0] if runs else None
    return next((run for run in runs if set(run.paths) == set(paths)), None)


def run_metadata(paths: Sequence[Path], out: Path) -> dict[str, object]:
    """The metadata of a run's job."""
    return {METADATA_KEY: {"paths": [path_as_text(path) for path in paths], "out": path_as_text(out)}}
