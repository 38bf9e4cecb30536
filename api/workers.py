"""`/v1/workers`: the processes that do the work."""

from __future__ import annotations

from flask import Response

from api.answers import answer
from api.context import context
from api.description import WORKERS_TAG, answers, blueprint_of
from nightshift.words.workers import WorkerList
from shared.reads.workers import worker_list

blueprint = blueprint_of("workers", WORKERS_TAG, "/v1/workers")


@blueprint.get("", responses=answers({200: WorkerList}))
def list_workers() -> Response:
    """List workers and sweepers seen within the last hour or so, the newest first"""
    with context().database.read() as session:
        return answer(worker_list(session))
