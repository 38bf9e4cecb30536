"""Which processes work and sweep: each keeps a row of its own, and says every few seconds that it lives."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce
from typing import Any, Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from nightshift.machine.process_id import is_surely_dead
from shared.db.engine import Transaction
from shared.db.tables import WorkerRow
from shared.processes.sums import added

Kind = Literal["worker", "sweeper", "gone"]
BEAT_S = 10.0
SILENT_AFTER = timedelta(seconds=45)
"""A process that was not seen for so long is taken for gone."""
KEPT_FOR = timedelta(hours=1)
GONE = ""
"""Id of the row in which what gone processes counted is added up: counters never fall."""


def is_alive(row: WorkerRow, now: datetime) -> bool:
    """Seen lately, and not known to be dead."""
    if row.stopped_at is not None or now - row.seen_at > SILENT_AFTER:
        return False
    return not is_surely_dead(row.id)


def processes(session: Session) -> list[WorkerRow]:
    """Rows of processes seen within the last hour or so, the newest first."""
    query = select(WorkerRow).where(WorkerRow.id != GONE).order_by(WorkerRow.started_at.desc(), WorkerRow.id)
    return list(session.scalars(query))


def alive(session: Transaction) -> list[WorkerRow]:
    """Rows of those that live."""
    return [row for row in processes(session) if is_alive(row, session.now)]


def total_sums(session: Session) -> dict[str, Any]:
    """What all processes that ever were have counted."""
    return reduce(added, session.scalars(select(WorkerRow.sums)), {})


def fold_gone(session: Transaction) -> int:
    """Add up what processes not seen for an hour have counted in one row; returns how many there were."""
    query = select(WorkerRow).where(WorkerRow.id != GONE, WorkerRow.seen_at < session.now - KEPT_FOR)
    if session.scalar(query.with_only_columns(WorkerRow.id).limit(1)) is None:
        return 0
    # This row first: it is what makes two sweepers wait for each other.
    total = session.scalar(select(WorkerRow).where(WorkerRow.id == GONE).with_for_update())
    if total is None:
        total = WorkerRow(id=GONE, kind="gone", host="", about={}, sums={})
        total.started_at = total.seen_at = session.now
        session.add(total)
        session.flush()
    rows = session.scalars(query.with_for_update(skip_locked=True)).all()
    total.sums = reduce(added, (row.sums for row in rows), total.sums)
    total.seen_at = session.now
    session.execute(delete(WorkerRow).where(WorkerRow.id.in_([row.id for row in rows])))
    return len(rows)
