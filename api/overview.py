"""`/v1/overview`: the night at a glance, cheap enough for pages that many leave open."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass

from flask import Response, g, request

from api.auth import viewer, whose_jobs
from api.context import Context, context
from api.description import HEALTH_TAG, answers, blueprint_of
from api.health import check
from api.parameters import OverviewQuery
from nightshift.words.health import Readiness, readiness
from nightshift.words.load import ServiceLoad
from nightshift.words.overview import DiskRoom, Overview
from nightshift.words.scopes import Scope
from nightshift.words.service import History
from shared.db.engine import Database
from shared.operations.keys import Caller
from shared.reads.jobs import Viewer
from shared.reads.overview import Glances
from shared.reads.remembered import Remembered
from shared.reads.workers import worker_list

FRESH_S = 1.0
READINESS_FRESH_S = 10.0
HISTORY_FRESH_S = 30.0
STEP_BYTES = 10_000_000
"""Free room is told in such steps: a log line is to change no answer."""

blueprint = blueprint_of("overview", HEALTH_TAG, "/v1/overview")


@dataclass(frozen=True, slots=True)
class _Answer:
    body: str
    etag: str


class Overviews:
    """What one process has told lately, for a second by who may see what."""

    def __init__(self, database: Database) -> None:
        self.glances = Glances(database)
        self.answers: Remembered[_Answer] = Remembered(FRESH_S)
        self.load: Remembered[ServiceLoad] = Remembered(FRESH_S)
        self.history: Remembered[History] = Remembered(HISTORY_FRESH_S)
        self.readiness: Remembered[Readiness] = Remembered(READINESS_FRESH_S)


@blueprint.get("", responses=answers({200: Overview, 304: None}, 404))
def get_overview(query: OverviewQuery) -> Response:
    """The night at a glance: the newest jobs and why each waits, what is new in them, load, workers, disks

    One request in place of many, for a page that is left open: it is made once a second for all who see
    the same. With `If-None-Match`, 304 while nothing has changed. Jobs are those of `/v1/jobs`.
    """
    service, seen_from = context(), viewer()
    caller: Caller = g.caller
    owner, is_operator = whose_jobs(None), caller.may(Scope.OPERATOR)
    made = service.overviews.answers.get(
        (owner, seen_from, is_operator, query.limit, query.job),
        lambda: _made(service, owner, seen_from, query, is_operator=is_operator),
        service.jobs.version,
    )
    response = Response(made.body, content_type="application/json")
    response.set_etag(made.etag)
    response.make_conditional(request)
    return response


def _made(
    service: Context, owner: str | None, seen_from: Viewer, query: OverviewQuery, *, is_operator: bool
) -> _Answer:
    overviews, jobs = service.overviews, service.jobs
    load = overviews.load.get((), jobs.demand, jobs.version)
    if query.job is not None:
        shown, more = [jobs.seen(seen_from, query.job)], None
    else:
        page = jobs.page(owner, seen_from, limit=query.limit)
        shown, more = page.jobs, page.next
    workers = None
    if is_operator:
        with service.database.read() as session:
            workers = worker_list(session).workers
    overview = Overview(
        # A part that hangs is told as down, and makes nobody wait.
        readiness=overviews.readiness.get_soon((), lambda: readiness(check(service))),
        load=load,
        jobs=overviews.glances.seen(shown, seen_from, load.workers),
        next=more,
        workers=workers,
        disks=_disks(service) if is_operator else None,
    )
    body = overview.model_dump_json(by_alias=True)
    return _Answer(body, hashlib.sha256(body.encode()).hexdigest()[:24])


def _disks(service: Context) -> list[DiskRoom]:
    """One for each disk; nothing of what is no folder of this machine, or cannot be looked at now."""
    found: dict[int, DiskRoom] = {}
    for name, folder in (("database", service.database.folder), ("store", service.store.folder)):
        if folder is None:
            continue
        try:
            device, room = folder.stat().st_dev, shutil.disk_usage(folder)
        except OSError:
            continue
        before = found[device].holds if device in found else []
        free_bytes = room.free // STEP_BYTES * STEP_BYTES
        found[device] = DiskRoom(holds=[*before, name], free_bytes=free_bytes, size_bytes=room.total)
    return list(found.values())
