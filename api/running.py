"""`/v1/history`, `/v1/expiring`, `/v1/erasures`: for whoever runs the service."""

from __future__ import annotations

from flask import Response

from api.answers import answer, answer_page
from api.auth import whose_audit, whose_jobs
from api.context import Context, context
from api.description import HEALTH_TAG, JOBS_TAG, answers, blueprint_of
from api.parameters import PageQuery
from nightshift.words.service import ErasurePage, ExpiringList, History
from shared.reads.service import erasure_page, expiring, history

blueprint = blueprint_of("running", HEALTH_TAG, "/v1")


@blueprint.get("/history", responses=answers({200: History}))
def get_history() -> Response:
    """Photos that became final within each of the last 24 hours; needs the scope `operator`"""
    service = context()
    return answer(service.overviews.history.get((), lambda: _history(service)))


@blueprint.get("/expiring", tags=[JOBS_TAG], responses=answers({200: ExpiringList}))
def list_expiring() -> Response:
    """List jobs that time ends, the soonest first: one's own, or with the scope `operator` everybody's"""
    with context().database.read() as session:
        return answer(expiring(session, whose_jobs(None)))


@blueprint.get("/erasures", tags=[JOBS_TAG], responses=answers({200: ErasurePage}))
def list_erasures(query: PageQuery) -> Response:
    """List receipts of erased jobs, the newest first: one's own, or with the scope `admin` everybody's

    The `Link` header leads to the next page.
    """
    with context().database.read() as session:
        page = erasure_page(session, owner=whose_audit(None), cursor=query.cursor, limit=query.limit)
    return answer_page(page, page.next)


def _history(service: Context) -> History:
    with service.database.read() as session:
        return history(session)
