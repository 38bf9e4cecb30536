"""`/v1/audit`: who did what, when."""

from __future__ import annotations

from flask import Response

from api.answers import answer_page
from api.auth import whose_audit
from api.context import context
from api.description import AUDIT_TAG, answers, blueprint_of
from api.parameters import AuditQuery
from nightshift.words.audit import AuditPage
from shared.reads.audit import audit_page

blueprint = blueprint_of("audit", AUDIT_TAG, "/v1/audit")


@blueprint.get("", responses=answers({200: AuditPage}))
def list_audit(query: AuditQuery) -> Response:
    """List what was done to jobs, keys and webhooks, the newest first

    To what is one's own, or with the scope `admin` to everybody's. An entry outlives what it is about, and is
    kept for `NIGHTSHIFT_AUDIT_TTL_DAYS`. The `Link` header leads to the next page.
    """
    owner = whose_audit(query.owner)
    with context().database.read() as session:
        page = audit_page(session, owner=owner, subject=query.subject, cursor=query.cursor, limit=query.limit)
    return answer_page(page, page.next)
