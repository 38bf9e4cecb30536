"""`/v1/keys`: make, list and revoke API keys."""

from __future__ import annotations

from flask import Response

from api.answers import answer
from api.context import context
from api.description import KEYS_TAG, answers, blueprint_of
from api.parameters import KeyPath
from api.sent_bodies import NewKey
from nightshift.words.clock import utc_now
from nightshift.words.keys import Key, KeyList, MadeKey
from shared.operations.keys import list_keys, make_key, revoke_key
from shared.reads.shown import shown

blueprint = blueprint_of("keys", KEYS_TAG, "/v1/keys")


@blueprint.post("", responses=answers({201: MadeKey}, 400, 413, 415))
def make_api_key(body: NewKey) -> Response:
    """Make a key

    The answer shows it, this once.
    """
    with context().database.write() as session:
        row, secret = make_key(session, **dict(body), now=utc_now())
    context().known_keys.forget()
    view = shown(MadeKey, row, key=secret)
    return answer(view, 201, {"Location": f"/v1/keys/{row.id}", "Cache-Control": "no-store"})


@blueprint.get("", responses=answers({200: KeyList}))
def list_api_keys() -> Response:
    """List keys, the newest first"""
    with context().database.read() as session:
        keys = [shown(Key, row) for row in list_keys(session)]
    return answer(KeyList(keys=keys))


@blueprint.delete("/<key_id>", responses=answers({200: Key}, 404))
def revoke_api_key(path: KeyPath) -> Response:
    """Revoke a key: the next request with it is refused; again is no error"""
    with context().database.write() as session:
        row = revoke_key(session, path.key_id, utc_now())
    return answer(shown(Key, row))
