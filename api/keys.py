"""`/v1/keys`: make, list and revoke API keys."""

from __future__ import annotations

from flask import Response
from flask_openapi import APIBlueprint

from api.answers import answer
from api.context import context
from api.description import KEYS_TAG, SECURITY, answers, operation_id
from api.parameters import KeyPath, NewKey
from shared.clock import utc_now
from shared.keys import list_keys, make_key, revoke_key
from shared.reads import views

blueprint = APIBlueprint(
    "keys",
    __name__,
    url_prefix="/v1/keys",
    abp_tags=[KEYS_TAG],
    abp_security=SECURITY,
    operation_id_callback=operation_id,
)


@blueprint.post("", responses=answers({201: views.MadeKey}, 400, 413, 415))
def make_api_key(body: NewKey) -> Response:
    """Make a key

    The answer shows it, this once.
    """
    with context().database.write() as session:
        row, secret = make_key(session, **dict(body), now=utc_now())
    context().known_keys.forget()
    shown = views.Key.model_validate(row, from_attributes=True)
    view = views.MadeKey(**shown.model_dump(), key=secret)
    return answer(view, 201, {"Location": f"/v1/keys/{row.id}", "Cache-Control": "no-store"})


@blueprint.get("", responses=answers({200: views.KeyList}))
def list_api_keys() -> Response:
    """List keys, the newest first"""
    with context().database.read() as session:
        keys = [views.Key.model_validate(row, from_attributes=True) for row in list_keys(session)]
    return answer(views.KeyList(keys=keys))


@blueprint.delete("/<key_id>", responses=answers({200: views.Key}, 404))
def revoke_api_key(path: KeyPath) -> Response:
    """Revoke a key: the next request with it is refused; again is no error"""
    with context().database.write() as session:
        row = revoke_key(session, path.key_id, utc_now())
    return answer(views.Key.model_validate(row, from_attributes=True))
