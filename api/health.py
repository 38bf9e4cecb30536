"""`/healthz` and `/readyz`: is the process alive, and can it work?"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

from flask import Response
from flask_openapi import APIBlueprint
from pydantic import BaseModel, Field

from api.answers import answer
from api.context import Context, context
from api.description import HEALTH_TAG, operation_id
from nightshift.machine.room import is_full
from shared.db.migrate import is_current
from shared.processes.registry import is_alive, processes

PATIENCE_S = 3.0
"""A probe that hangs with what it asks would look like a server that hangs; those who ask wait for five."""

blueprint = APIBlueprint(
    "health",
    __name__,
    abp_tags=[HEALTH_TAG],
    operation_id_callback=operation_id,
)

Check = Literal["ok", "down"]
Disk = Literal["ok", "full", "down"]


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Checks(BaseModel):
    """What the service stands on."""

    database: Disk = Field(
        description="`full`: new bytes are refused, as `store_full`, where its disk is this machine's."
    )
    schema_: Literal["ok", "outdated", "down"] = Field(
        serialization_alias="schema", description="`outdated`: migrations are missing."
    )
    store: Disk = Field(description="`full`: as of the database.")
    broker: Check = Field(description="Without it work goes on, more slowly: the database is the queue.")
    folders: Literal["ok", "away"] = Field(
        "ok", description="`away`: a folder of photos in place is out of reach, and workers wait for it."
    )
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

    503 while the database, its schema or the store is not usable, or hardly any room is left; `degraded`
    while the broker or a folder of photos is away, or while no worker or no sweeper was seen lately.
    """
    checks = check(context())
    if {checks.database, checks.schema_, checks.store} != {"ok"}:
        return _answer(Readiness(status="unavailable", checks=checks), 503)
    whole = (checks.broker, checks.folders) == ("ok", "ok") and checks.workers and checks.sweepers
    return _answer(Readiness(status="ready" if whole else "degraded", checks=checks), 200)


def _answer(readiness: Readiness, status: int) -> Response:
    body = readiness.model_dump_json(by_alias=True)
    return Response(body, status, content_type="application/json")


def check(of: Context) -> Checks:
    """Try every part once; one that does not answer in time is down."""
    found = of.probes.ask(
        {
            "database": partial(_schema, of),
            "processes": partial(_processes, of),
            "room": partial(_room, of),
            "store": partial(_store, of),
            "broker": of.doorbell.waiting,
        },
        within_s=PATIENCE_S,
    )
    workers, sweepers, folders_away = found.get("processes", (0, 0, False))
    return Checks(
        database=found.get("room", "down") if "database" in found else "down",
        schema_=found.get("database", "down"),
        store=found.get("store", "down"),
        broker="down" if found.get("broker") is None else "ok",
        folders="away" if folders_away else "ok",
        workers=workers,
        sweepers=sweepers,
    )


def _schema(of: Context) -> Literal["ok", "outdated"]:
    with of.database.read() as session:
        return "ok" if is_current(session) else "outdated"


def _store(of: Context) -> Disk:
    of.store.ping()
    return _disk(of.store.folder)


def _room(of: Context) -> Disk:
    return _disk(of.database.folder)


def _disk(folder: Path | None) -> Disk:
    return "full" if is_full(folder) else "ok"


def _processes(of: Context) -> tuple[int, int, bool]:
    """Living workers and sweepers, and whether one waits for a folder."""
    with of.database.read() as session:
        alive = [row for row in processes(session) if is_alive(row, session.now)]
    kinds = [row.kind for row in alive]
    return kinds.count("worker"), kinds.count("sweeper"), any(row.about.get("waits_for") for row in alive)
