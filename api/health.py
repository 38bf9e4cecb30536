"""`/healthz` and `/readyz`: is the process alive, and can it work?"""

from __future__ import annotations

from typing import Literal

from flask import Response
from pydantic import BaseModel

from api.answers import answer
from api.context import Context, context
from api.description import HEALTH_TAG, blueprint_of
from nightshift.words.health import Checks, Readiness, readiness
from shared.operations.health import checks, questions

PATIENCE_S = 3.0
"""A probe that hangs with what it asks would look like a server that hangs; those who ask wait for five."""

blueprint = blueprint_of("health", HEALTH_TAG, needs_key=False)


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


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
    found = readiness(check(context()))
    body = found.model_dump_json(by_alias=True)
    return Response(body, 503 if found.status == "unavailable" else 200, content_type="application/json")


def check(service: Context) -> Checks:
    """Try every part once; one that does not answer in time is down."""
    asked = questions(service.database, service.store, service.doorbell)
    return checks(service.probes.ask(asked, within_s=PATIENCE_S))
