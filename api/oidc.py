"""`/v1/session/oidc`: to the OpenID provider, and back from it, signed in.

A person's browser comes here, not a program: what goes wrong is told by the page, which is sent the code.
What the way back needs is in a cookie of its own, which the browser brings from the provider's site.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Response, g, request
from itsdangerous import BadData
from pydantic import BaseModel, ConfigDict, Field

from api.attempt import Attempt
from api.auth import SESSION_PATH
from api.context import Context, context
from api.description import SESSION_TAG, answers, blueprint_of
from api.sessions import LIFE
from nightshift.words.clock import utc_now
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, NightshiftError, NotFound
from nightshift.words.wrong_values import PLACE
from shared.grants import granted, grants_in
from shared.operations.keys import Caller

if TYPE_CHECKING:
    from api.provider import Provider

PATH = f"{SESSION_PATH}/oidc"
TEN_MINUTES = timedelta(minutes=10)
"""How long one may take at the provider."""

log = logging.getLogger("nightshift.sign_in")
blueprint = blueprint_of("oidc", SESSION_TAG, PATH)

_ELSEWHERE: dict[Any, Any] = {303: {"description": "To the provider, or to the page"}}


class ToProvider(BaseModel):
    """Where in the page one was."""

    model_config = ConfigDict(extra="forbid")

    next: str = Field(
        "",
        max_length=1000,
        pattern=PLACE,
        description="What stands behind the page's `#/`.",
    )


class FromProvider(BaseModel):
    """What a provider adds to the address: this, and whatever else."""

    model_config = ConfigDict(extra="allow")

    code: str = Field("", max_length=4096, description="For the token.")
    state: str = Field("", max_length=200, description="What it was sent.")
    iss: str | None = Field(None, max_length=2000, description="Its own address.")
    error: str = Field("", max_length=200, description="Why there is no code.")


@blueprint.get("", responses=answers(_ELSEWHERE, 404, 422))
def to_provider(query: ToProvider) -> Response:
    """Sign in with the OpenID provider: for browsers, which are sent there"""
    service, provider = _with_provider()
    attempt = Attempt.begun()
    try:
        there = provider.address(attempt)
    except NightshiftError as error:
        return _to_page(service, f"refused={error.code}")
    response = _to(there)
    response.set_cookie(
        _cookie(service, attempt.state),
        service.sessions.signer("oidc").dumps({**asdict(attempt), "next": query.next}),
        max_age=TEN_MINUTES,
        path=PATH,
        secure=_is_secure(service),
        httponly=True,
        # It comes back with a link of another site's, and only with a link.
        samesite="Lax",
    )
    return response


@blueprint.get("/callback", responses=answers(_ELSEWHERE, 404, 422))
def from_provider(query: FromProvider) -> Response:
    """Where the OpenID provider sends browsers back to: the page, signed in or told why not"""
    service, provider = _with_provider()
    cookie = _cookie(service, query.state)
    try:
        caller, ends_at, place = _signed_in(service, provider, query, request.cookies.get(cookie, ""))
    except NightshiftError as error:
        code = error.code
        try:
            service.rate_limits.count_guess(request.remote_addr)
        except InvalidInput as limited:
            code = limited.code
        response = _to_page(service, f"refused={code}")
    else:
        g.caller = caller
        response = _to_page(service, f"/{place}")
        service.sessions.begin(response, caller, request, ends_at - utc_now())
        log.info("signed in", extra={"person": caller.person, "owner": caller.owner})
    response.delete_cookie(cookie, path=PATH, secure=_is_secure(service), httponly=True, samesite="Lax")
    return response


def _signed_in(
    service: Context, provider: Provider, query: FromProvider, sent: str
) -> tuple[Caller, datetime, str]:
    """Who has come back, until when, and where they were.

    Raises:
        InvalidInput: `sign_in_broken_off`, `not_let_in`.
        Transient: `provider_unavailable`.
    """
    try:
        begun = service.sessions.signer("oidc").loads(sent, max_age=int(TEN_MINUTES.total_seconds()))
    except BadData as error:
        raise _broken_off("this browser has not begun it, or over ten minutes ago") from error
    if not secrets.compare_digest(begun["state"].encode(), query.state.encode()):
        raise _broken_off("the state is another one")
    provider.check_issuer(query.iss)
    if query.error or not query.code:
        raise _broken_off(f"the provider says {query.error or 'nothing'}")
    place = begun.pop("next")
    claims = provider.claims(query.code, Attempt(**begun))
    settings, person = service.settings, claims["sub"]
    given = granted(claims, settings.oidc_claim, grants_in(settings.oidc_grants), settings.oidc_owner_claim)
    if given is None:
        log.warning("not let in", extra={"person": person, "claim": settings.oidc_claim})
        raise InvalidInput(Code.NOT_LET_IN, "the provider knows you, and none of your groups is let in here")
    ends_at = utc_now() + timedelta(seconds=settings.oidc_session_s or _lasts_s(claims["exp"]))
    return Caller(given.owner, given.scopes, person=person), ends_at, place


def _lasts_s(exp: float) -> float:
    """Seconds that a token lasts, a session's life at most: whatever a provider says, it is a time.

    Raises:
        InvalidInput: `sign_in_broken_off`.
    """
    now_s = utc_now().timestamp()
    left_s = min(exp, now_s + LIFE.total_seconds()) - now_s
    # Good for a moment by the leeway between two clocks, it would sign nobody in; nor does what is no number.
    if not left_s >= 1:
        raise _broken_off("its token has ended already")
    return left_s


def _with_provider() -> tuple[Context, Provider]:
    service = context()
    if service.provider is None:
        raise NotFound(Code.NOT_FOUND, "there is no provider to sign in with here")
    return service, service.provider


def _cookie(service: Context, state: str) -> str:
    """Its name: two tabs may be on the way at once."""
    return f"{service.sessions.cookie}_oidc_{hashlib.sha256(state.encode()).hexdigest()[:8]}"


def _is_secure(service: Context) -> bool:
    return service.settings.public_url.startswith("https:")


def _to_page(service: Context, fragment: str) -> Response:
    """To this page and no other, whatever was asked for: the rest stands behind its `#`."""
    return _to(f"{service.settings.public_url}/#{fragment}")


def _to(url: str) -> Response:
    return Response(status=303, headers={"Location": url})


def _broken_off(reason: str) -> InvalidInput:
    log.warning("sign-in broken off", extra={"reason": reason})
    return InvalidInput(Code.SIGN_IN_BROKEN_OFF, "the sign-in was broken off: begin again")
