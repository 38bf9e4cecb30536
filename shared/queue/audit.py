"""Who did what, when: an entry is written in the very transaction of what it tells of.

What workers do with jobs day by day, beginning and ending them, is no entry; nor is each photo that is added.
An entry holds ids, and no name: it outlives the job that it is about.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete

from nightshift.words.audit import Verb
from nightshift.words.ids import new_id
from shared.db.engine import Transaction
from shared.db.tables import AuditRow
from shared.settings import Settings

OF_MOVES: dict[str, Verb] = {
    "submit": "submit",
    "pause": "pause",
    "resume": "resume",
    "cancel": "cancel",
    "give_up": "give_up",
    "expire": "expire",
    "retry": "retry",
}
"""Moves that are entries, and as what."""


def note(session: Transaction, verb: Verb, owner: str, subject: str | None = None) -> None:
    """Write down that whoever this transaction is for does this.

    Args:
        session: a write transaction.
        verb: what is done.
        owner: whose it is that it is done to.
        subject: id of that; None where it has none.
    """
    actor = session.actor
    session.add(
        AuditRow(
            id=new_id("aud"),
            owner=owner,
            verb=verb,
            subject=subject,
            kind=actor.kind,
            key_id=actor.key_id,
            person=actor.person,
            address=actor.address,
            at=session.now,
        )
    )


def forget_old(session: Transaction, settings: Settings, until: datetime) -> None:
    """Delete what is older than it is kept for, by what is believed of time."""
    old = delete(AuditRow).where(AuditRow.at < until - timedelta(days=settings.audit_ttl_days))
    session.execute(old, execution_options={"synchronize_session": False})
