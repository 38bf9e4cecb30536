"""`/v1/models`: the weights that this service has."""

from __future__ import annotations

from flask import Response
from flask_openapi import APIBlueprint

from api.answers import answer
from api.context import context
from api.description import MODELS_TAG, SECURITY, answers, operation_id
from nightshift.words import documents
from shared.bundles.listing import list_bundles
from shared.bundles.manifest import locate_in_use
from shared.reads.bundles import model

blueprint = APIBlueprint(
    "models",
    __name__,
    url_prefix="/v1/models",
    abp_tags=[MODELS_TAG],
    abp_security=SECURITY,
    operation_id_callback=operation_id,
)


@blueprint.get("", responses=answers({200: documents.ModelList}))
def list_models() -> Response:
    """List the weights of this service by name, those in use and those that are broken, too"""
    service = context()
    weights_dir = service.settings.weights_dir
    listed = list_bundles(weights_dir, locate_in_use(service.settings.bundle, weights_dir))
    # New jobs are opened for what was read at the start, whatever lies there now.
    in_use = documents.BundleName(name=service.bundle.name, sha256=service.bundle.sha256)
    return answer(documents.ModelList(in_use=in_use, models=[model(bundle) for bundle in listed]))
