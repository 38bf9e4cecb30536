"""`/v1/session`: sign in to the page, ask who is, sign out."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from flask import Response, g, request
from pydantic import Field, model_validator

from api.answers import answer
from api.auth import SESSION_PATH, refuse_key
from api.context import Context, context
from api.description import SESSION_TAG, answers, blueprint_of
from nightshift.words.body import Body, Text
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.keys import SignIn
from shared.operations.keys import ROOT, Caller
from shared.operations.sign_in_links import use_link

blueprint = blueprint_of("session", SESSION_TAG, SESSION_PATH)


class NewSignIn(Body):
    """What somebody signs in with: one of the two."""

    key: Text | None = Field(None, min_length=1, max_length=4096, description="An API key.")
    link: Text | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="What follows `#link=` in what `nightshift serve` prints.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.key is None) == (self.link is None):
            raise ValueError("must have either key or link")
        return self


@blueprint.post("", responses=answers({201: SignIn}, 400, 413, 415))
def sign_in(body: NewSignIn) -> Response:
    """Sign in with a key, or with the link that `nightshift serve` prints

    The answer sets a cookie that is good for 24 hours, and no longer than the key is. It speaks for requests
    of the service's own page alone.
    """
    service = context()
    g.caller = caller = _by_key(service, body.key) if body.key else _by_link(service, body.link or "")
    response = Response(status=201, content_type="application/json")
    view = _view(service, caller, service.sessions.begin(response, caller, request))
    response.set_data(view.model_dump_json())
    return response


@blueprint.get("", responses=answers({200: SignIn}))
def who_is_signed_in() -> Response:
    """Who is signed in: nobody is no error"""
    service = context()
    try:
        found = service.sessions.find(request)
    except InvalidInput:
        found = None
    if found is None:
        return answer(SignIn(signed_in=False, provider=service.settings.provider_name))
    return answer(_view(service, *found))


@blueprint.delete("", responses=answers({200: SignIn}))
def sign_out() -> Response:
    """Sign out: the browser forgets the cookie; again is no error"""
    service = context()
    response = answer(SignIn(signed_in=False, provider=service.settings.provider_name))
    service.sessions.end(response, request)
    return response


def _view(service: Context, caller: Caller, ends_at: datetime) -> SignIn:
    return SignIn(
        signed_in=True,
        owner=caller.owner,
        scopes=sorted(caller.scopes),
        key_id=caller.key_id or None,
        ends_at=ends_at,
        person=caller.person or None,
        provider=service.settings.provider_name,
    )


def _by_key(service: Context, key: str) -> Caller:
    caller = service.known_keys.find(key.strip().encode("utf-8", "replace"))
    if caller is None:
        refuse_key(service, request)
    return caller


def _by_link(service: Context, secret: str) -> Caller:
    if not use_link(service.settings.home, secret):
        service.rate_limits.count_guess(request.remote_addr)
        raise InvalidInput(
            Code.SIGN_IN_LINK_USED, "this link was used before, or is too old: sign in with a key"
        )
    return ROOT
