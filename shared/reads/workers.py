"""Workers as the API and the command show them."""

from __future__ import annotations

from sqlalchemy import func, select

from nightshift.words.workers import Worker, WorkerList
from shared.db.engine import Transaction
from shared.db.tables import RUNNING, Photo
from shared.processes import registry
from shared.reads.shown import shown


def worker_list(session: Transaction) -> WorkerList:
    """Processes seen within the last hour or so, the newest first."""
    by_worker = select(Photo.worker, func.count()).where(Photo.status == RUNNING).group_by(Photo.worker)
    held: dict[str | None, int] = dict(session.execute(by_worker).all())
    return WorkerList(
        workers=[
            shown(
                Worker,
                row,
                alive=registry.is_alive(row, session.now),
                photos_held=held.get(row.id, 0),
                photos_done=_done(row.sums.get("counters", {})),
            )
            for row in registry.processes(session)
        ]
    )


def _done(counters: dict[str, int]) -> int:
    return sum(value for series, value in counters.items() if series.startswith("photos_done|"))
