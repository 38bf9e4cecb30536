"""Runs that were broken off, and which of them `--resume` means.

Over what a run goes and where its results are written is noted in the home, in a file named by the job:
only this user writes there. A job's metadata is its client's, and decides nothing.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from nightshift.embedded.beside_photos import BesidePhotos
from nightshift.embedded.home import make_private_folder
from nightshift.machine.places import path_as_text, path_of_text
from nightshift.machine.whole_files import replacing
from nightshift.words.error_codes import Code
from nightshift.words.errors import NightshiftError
from nightshift.words.options import JobOptions
from nightshift.words.owners import LOCAL
from nightshift.words.pairs import PairsWish
from nightshift.words.states import JobState
from shared.db.engine import Transaction
from shared.db.tables import Erasure, Job
from shared.queue.moves import try_move

FOLDER = "runs"
BEFORE = "run"
"""Where the metadata of a job said, in the version before, what its run was."""

_NOTE = re.compile(r"(job_[0-9a-f]{32})\.json")
_RESUMABLE = (JobState.OPEN, JobState.UNPACKING, JobState.QUEUED, JobState.RUNNING, JobState.PAUSED)


@dataclass(frozen=True, slots=True)
class InterruptedRun:
    """A job that `nightshift run` made and did not see the end of; bundle and pairs as it was begun with.

    Attributes:
        beside: what was found beside its photos when it was begun.
        label: of the job; None for none.
    """

    job_id: str
    state: str
    paths: tuple[Path, ...]
    out: Path
    bundle_name: str
    bundle_sha256: str
    pairs: PairsWish = JobOptions().pairs
    beside: BesidePhotos = field(default_factory=BesidePhotos)
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done: over which paths, where the results go, and with which interrupted job."""

    paths: tuple[Path, ...]
    out: Path
    earlier: InterruptedRun | None

    @property
    def begun(self) -> InterruptedRun | None:
        """The interrupted one, where all of its photos are named already."""
        return self.earlier if self.earlier and self.earlier.state != JobState.OPEN else None


class _Noted(NamedTuple):
    paths: tuple[Path, ...]
    out: Path
    beside: BesidePhotos


def note_run(
    home: Path, job_id: str, paths: Sequence[Path], out: Path, beside: BesidePhotos | None = None
) -> None:
    """Write down what a job's run is about, whole and for this user alone.

    Raises:
        NightshiftError: `run_not_noted`.
    """
    note = {
        "paths": [path_as_text(path) for path in paths],
        "out": path_as_text(out),
        "beside": (beside or BesidePhotos()).as_json(),
    }
    file = _file(home, job_id)
    try:
        make_private_folder(file.parent)
        with replacing(file, mode=0o600) as written:
            written.write(json.dumps(note).encode())
    except OSError as error:
        raise NightshiftError(Code.RUN_NOT_NOTED, f"{file}: {error.strerror}") from error


def forget_run(home: Path, job_id: str) -> None:
    """Remove a run's note: it has ended, and its results are written."""
    _file(home, job_id).unlink(missing_ok=True)


def interrupted_runs(session: Transaction, home: Path) -> list[InterruptedRun]:
    """Unfinished jobs that a run of this home has noted, newest first; notes of ended ones are removed."""
    noted = dict(_notes(home))
    # Columns, not objects: those this session has loaded do not see moves made since.
    columns = (Job.id, Job.state, Job.options, Job.bundle_name, Job.bundle_sha256, Job.label)
    query = select(*columns).where(Job.id.in_(noted), Job.owner == LOCAL)
    runs = []
    for job_id, state, options, name, sha256, label in session.execute(
        query.order_by(Job.created_at.desc(), Job.id)
    ):
        if state in _RESUMABLE:
            pairs = options.get("pairs", JobOptions().pairs)
            paths, out, beside = noted[job_id]
            runs.append(InterruptedRun(job_id, state, paths, out, name, sha256, pairs, beside, label))
        else:
            forget_run(home, job_id)
    for job_id in session.scalars(select(Erasure.job_id).where(Erasure.job_id.in_(noted))):
        forget_run(home, job_id)
    return runs


def runs_by_their_metadata(session: Transaction, home: Path) -> list[str]:
    """Unfinished jobs whose metadata calls them runs, as the version before wrote it, or as anybody may."""
    noted = dict(_notes(home))
    query = select(Job.id, Job.client_metadata).where(Job.state.in_(_RESUMABLE), Job.owner == LOCAL)
    found = session.execute(query.order_by(Job.created_at.desc()))
    return [job_id for job_id, metadata in found if job_id not in noted and BEFORE in metadata]


def pause_runs(session: Transaction, home: Path) -> list[InterruptedRun]:
    """Pause the interrupted runs under way, so that no worker goes on with one unasked; returns all.

    Jobs that were sent to a server on the same home are left to go on: nobody would resume them.
    """
    for run in interrupted_runs(session, home):
        try_move(session, run.job_id, "pause")
    return interrupted_runs(session, home)


def cancel_runs(session: Transaction, home: Path, out: Path) -> None:
    """Cancel the interrupted runs whose results would go there; what they have analysed is kept."""
    for run in interrupted_runs(session, home):
        if run.out == out:
            try_move(session, run.job_id, "cancel")


def choose_run(runs: Sequence[InterruptedRun], paths: Sequence[Path]) -> InterruptedRun | None:
    """The newest run over the same paths, in any order; over any paths when none are given."""
    if not paths:
        return runs[0] if runs else None
    return next((run for run in runs if set(run.paths) == set(paths)), None)


def _file(home: Path, job_id: str) -> Path:
    return home / FOLDER / f"{job_id}.json"


def _notes(home: Path) -> Iterator[tuple[str, _Noted]]:
    try:
        names = os.listdir(home / FOLDER)  # noqa: PTH208 - a home that is new has none
    except OSError:
        return
    for name in names:
        if named := _NOTE.fullmatch(name):
            try:
                note = json.loads((home / FOLDER / name).read_bytes())
                paths = tuple(map(path_of_text, note["paths"]))
                # Runs of versions before have none.
                beside = BesidePhotos.of_json(note["beside"]) if "beside" in note else BesidePhotos()
                yield named[1], _Noted(paths, path_of_text(note["out"]), beside)
            except (OSError, ValueError, KeyError, TypeError):
                # Half of a note tells nothing; the job is there still.
                continue
