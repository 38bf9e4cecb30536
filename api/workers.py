"""`/v1/workers`: the processes that do the work."""

from __future__ import annotations

from flask import Response
from flask_openapi import APIBlueprint

from api.answers import answer
from api.context import context
from api.description import SECURITY, WORKERS_TAG, answers, operation_id
from nightshift.words import documents
from shared.reads.workers import worker_list

blueprint = APIBlueprint(
    "workers",
    __name__,
    url_prefix="/v1/workers",
    abp_tags=[WORKERS_TAG],
    abp_security=SECURITY,
    operation_id_callback=operation_id,
)


@blueprint.get("", responses=answers({200: documents.WorkerList}))
def list_workers() -> Response:
    """List workers and sweepers seen within the last hour or so, the newest first"""
    with context().database.read() as session:
        return answer(worker_list(session))
