"""`/v1/models`: the weights that this service has."""

from __future__ import annotations

from flask import Response

from api.answers import answer
from api.context import context
from api.description import MODELS_TAG, answers, blueprint_of
from nightshift.words import documents
from shared.bundles.listing import list_bundles
from shared.bundles.manifest import locate_in_use
from shared.reads.bundles import model

blueprint = blueprint_of("models", MODELS_TAG, "/v1/models")


@blueprint.get("", responses=answers({200: documents.ModelList}))
def list_models() -> Response:
    """List the weights of this service by name, those in use and those that are broken, too"""
    service = context()
    weights_dir = service.settings.weights_dir
    listed = list_bundles(weights_dir, locate_in_use(service.settings.bundle, weights_dir))
    # New jobs are opened for what was read at the start, whatever lies there now.
    in_use = documents.BundleName(name=service.bundle.name, sha256=service.bundle.sha256)
    return answer(documents.ModelList(in_use=in_use, models=[model(bundle) for bundle in listed]))
