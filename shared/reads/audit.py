"""The audit as the API shows it."""

from __future__ import annotations

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from nightshift.words.audit import AuditEntry, AuditPage
from shared.db.tables import AuditRow
from shared.reads.cursor import decode_job, encode_job
from shared.reads.shown import shown


def audit_page(
    session: Session,
    *,
    owner: str | None,
    subject: str | None = None,
    cursor: str | None = None,
    limit: int,
) -> AuditPage:
    """Entries about what is one owner's, or with None everybody's, the newest first.

    Raises:
        InvalidInput: `bad_cursor`.
    """
    wanted = {"owner": owner, "subject": subject}
    query = select(AuditRow).filter_by(**{name: value for name, value in wanted.items() if value is not None})
    query = query.order_by(AuditRow.at.desc(), AuditRow.id.desc())
    if cursor is not None:
        query = query.where(tuple_(AuditRow.at, AuditRow.id) < decode_job(cursor))
    rows = session.scalars(query.limit(limit + 1)).all()
    page = rows[:limit]
    more = encode_job(page[-1].at, page[-1].id) if len(rows) > limit else None
    return AuditPage(entries=[shown(AuditEntry, row) for row in page], next=more)
