"""`/v1/load`: what workers could do now, for whoever starts and stops them."""

from __future__ import annotations

from flask import Response

from api.answers import answer
from api.context import context
from api.description import HEALTH_TAG, answers, blueprint_of
from nightshift.words.load import ServiceLoad

blueprint = blueprint_of("load", HEALTH_TAG, "/v1/load")


@blueprint.get("", responses=answers({200: ServiceLoad}))
def get_load() -> Response:
    """What workers could do now, as for KEDA's `metrics-api`; needs the scope `metrics` or `operator`"""
    return answer(context().jobs.demand())
