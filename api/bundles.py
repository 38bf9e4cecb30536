"""`/v1/models`: the weights that this service has."""

from __future__ import annotations

from flask import Response
from pydantic import BaseModel, Field

from api.answers import answer
from api.context import context
from api.description import MODELS_TAG, answers, blueprint_of
from nightshift.words import documents
from nightshift.words.body import Text
from nightshift.words.model_card import ModelCard
from nightshift.words.models import ModelList
from nightshift.words.options import Truth
from shared.bundles.listing import ListedBundle, list_bundles
from shared.bundles.manifest import locate_in_use
from shared.reads.bundles import model
from shared.reads.model_cards import card_named

blueprint = blueprint_of("models", MODELS_TAG, "/v1/models")


class ModelPath(BaseModel):
    """Names weights."""

    name: Text = Field(description="Of their folder: `name` in the list.")


class ModelQuery(BaseModel):
    """Which of two."""

    in_use: Truth | None = Field(
        None,
        description="Only the weights in use, or only others. Two of a name differ in that.",
    )


@blueprint.get("", responses=answers({200: ModelList}))
def list_models() -> Response:
    """List the weights of this service by name, those in use and those that are broken, too"""
    # New jobs are opened for what was read at the start, whatever lies there now.
    started = context().bundle
    in_use = documents.BundleName(name=started.name, sha256=started.sha256)
    return answer(ModelList(in_use=in_use, models=[model(bundle) for bundle in _listed()]))


@blueprint.get("/<name>", responses=answers({200: ModelCard}, 404, 409))
def get_model(path: ModelPath, query: ModelQuery) -> Response:
    """Show all that a bundle's manifest says of it: what it is, how good, where from, and on what terms

    Texts in it are its makers': plain text, whatever it looks like.
    """
    return answer(card_named(_listed(), path.name, query.in_use))


def _listed() -> list[ListedBundle]:
    settings = context().settings
    return list_bundles(settings.weights_dir, locate_in_use(settings.bundle, settings.weights_dir))
