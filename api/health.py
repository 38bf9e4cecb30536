"""`/healthz` and `/readyz`: is the process alive, and can it work?"""

from __future__ import annotations

import logging
from typing import Literal

from flask import Response
from flask_openapi import APIBlueprint
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from api.answers import answer
from api.context import Context, context
from api.description import HEALTH_TAG, operation_id
from shared.clock import utc_now
from shared.db.migrate import is_current
from shared.errors import Transient
from shared.registry import count_alive

log = logging.getLogger("nightshift.api")

blueprint = APIBlueprint(
    "health",
    __name__,
    abp_tags=[HEALTH_TAG],
    operation_id_callback=operation_id,
)

Check = Literal["ok", "down"]


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Checks(BaseModel):
    """What the service stands on."""

    database: Check
    schema_: Literal["ok", "outdated", "down"] = Field(
        serialization_alias="schema", description="`outdated`: migrations are missing."
    )
    store: Check
    broker: Check = Field(description="Without it work goes on, more slowly: the database is the queue.")
    workers: int = Field(description="Worker processes seen lately; without one nothing is analysed.")
    sweepers: int = Field(description="Sweepers seen lately; without one nothing is picked up after a fault.")


class Readiness(BaseModel):
    """Whether the service can work."""

    status: Literal["ready", "degraded", "unavailable"]
    checks: Checks


@blueprint.get("/healthz", responses={200: Health})
def healthz() -> Response:
    """Is the process alive?"""
    return answer(Health())


@blueprint.get("/readyz", responses={200: Readiness, 503: Readiness})
def readyz() -> Response:
    """Can the service work?

    503 while the database, its schema or the store is not usable; `degraded` while the broker is away, or
    while no worker or no sweeper was seen lately.
    """
    checks = check(context())
    if {checks.database, checks.schema_, checks.store} != {"ok"}:
        return _answer(Readiness(status="unavailable", checks=checks), 503)
    whole = checks.broker == "ok" and checks.workers and checks.sweepers
    return _answer(Readiness(status="ready" if whole else "degraded", checks=checks), 200)


def _answer(readiness: Readiness, status: int) -> Response:
    body = readiness.model_dump_json(by_alias=True)
    return Response(body, status, content_type="application/json")


def check(of: Context) -> Checks:
    """Try every part once."""
    database, schema = _database(of)
    workers = sweepers = 0
    if schema == "ok":
        with of.database.read() as session:
            workers = count_alive(session, "worker", utc_now())
            sweepers = count_alive(session, "sweeper", utc_now())
    try:
        of.store.ping()
        store: Check = "ok"
    except Transient as error:
        log.warning("not ready", extra={"reason": str(error)})
        store = "down"
    broker: Check = "down" if of.doorbell.waiting() is None else "ok"
    return Checks(
        database=database, schema_=schema, store=store, broker=broker, workers=workers, sweepers=sweepers
    )


def _database(of: Context) -> tuple[Check, Literal["ok", "outdated", "down"]]:
    try:
        of.database.ping()
    except (Transient, SQLAlchemyError) as error:
        log.warning("not ready", extra={"reason": str(error)})
        return "down", "down"
    with of.database.read() as session:
        return "ok", "ok" if is_current(session) else "outdated"
