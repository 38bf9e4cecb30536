"""Job states change here and nowhere else: one UPDATE, conditional on the state it leaves."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select, update

from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, NotFound
from nightshift.words.states import MOVES
from shared.db.engine import Transaction
from shared.db.tables import Job
from shared.queue import audit, outbox


def try_move(
    session: Transaction, job_id: str, name: str, *only_if: ColumnElement[bool], **values: Any
) -> bool:
    """Make the move `name` of `MOVES` if the job is in a state it may leave; False when it is not.

    Receivers that are to be told of it get their rows in the outbox here, and the audit its entry, in the
    same transaction.

    Args:
        session: a write transaction.
        job_id: the job.
        name: key of `MOVES`.
        only_if: further conditions.
        values: further columns to set.
    """
    legal = MOVES[name]
    job = update(Job).where(Job.id == job_id, Job.state.in_(legal.leaves), *only_if)
    moved = session.change(job.values(state=legal.reaches, **values)) == 1
    if moved and name in outbox.OF_MOVES:
        outbox.tell(session, job_id, outbox.OF_MOVES[name])
    if moved and name in audit.OF_MOVES:
        owner = session.scalars(select(Job.owner).where(Job.id == job_id)).one()
        audit.note(session, audit.OF_MOVES[name], owner, job_id)
    return moved


def move(session: Transaction, job_id: str, name: str, **values: Any) -> None:
    """Make the move, or say why not.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`, with the state the job is in.
    """
    if try_move(session, job_id, name, **values):
        return
    state = session.scalar(select(Job.state).where(Job.id == job_id))
    if state is None:
        raise NotFound(Code.JOB_NOT_FOUND, f"no job {job_id}")
    raise Conflict(Code.ILLEGAL_MOVE, f"cannot {name} job {job_id}: it is {state}", state=state)
