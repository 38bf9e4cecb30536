"""Who is signed in to the page: a signed cookie that names a key's id, and is as good as that key is.

Of who came by the OpenID provider it says what the provider's claims gave them, and until when.

Nothing is stored: whoever has the root key can sign. So every API process knows every session, and a new
root key ends them all. A cookie speaks for fewer requests than a key does: see `counts`.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Request, Response
from itsdangerous import BadData, URLSafeTimedSerializer

from nightshift.words.clock import utc_now
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.scopes import Scope
from shared.db.engine import Database
from shared.operations.keys import ROOT, Caller, caller_of_key
from shared.settings import Settings

LIFE = timedelta(hours=24)
"""From one evening to the next."""

PATH = "/v1"
"""Where the cookie is sent: the page's own files are anybody's."""

_SAFE = frozenset({"GET", "HEAD"})


class Sessions:
    """Makes sessions, and finds their callers.

    Args:
        root: the root key.
        database: where the other keys are.
        settings: who is let in by the provider; a change of it ends the sessions of those who came by it.
    """

    def __init__(self, root: str, database: Database, settings: Settings) -> None:
        self._secret = secret = root.encode()
        self._signer = self.signer("page session")
        self._database = database
        self._door = _door(settings)
        self._is_https_outside = settings.public_url.startswith("https:")
        # Browsers do not tell ports apart: two services of one machine would sign each other's users out.
        self.cookie = f"nightshift_{hashlib.sha256(b'name of the cookie' + secret).hexdigest()[:8]}"

    def signer(self, purpose: str) -> URLSafeTimedSerializer:
        """Signs for another purpose: what it signs is no session."""
        return URLSafeTimedSerializer(
            self._secret, salt=f"nightshift {purpose}", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def begin(self, response: Response, caller: Caller, request: Request, life: timedelta = LIFE) -> datetime:
        """Sign a caller in, for 24 hours at most; returns when that ends."""
        ends_at = utc_now().replace(microsecond=0) + min(life, LIFE)
        said: dict[str, Any] = {"key": caller.key_id}
        if caller.person:
            said = {
                "person": caller.person,
                "owner": caller.owner,
                "scopes": sorted(caller.scopes),
                "ends": int(ends_at.timestamp()),
                "door": self._door,
            }
        response.set_cookie(
            self.cookie,
            self._signer.dumps(said),
            max_age=min(life, LIFE),
            path=PATH,
            secure=request.is_secure or bool(caller.person and self._is_https_outside),
            httponly=True,
            samesite="Strict",
        )
        return ends_at

    def end(self, response: Response, request: Request) -> None:
        """Have the browser forget the cookie."""
        response.delete_cookie(
            self.cookie, path=PATH, secure=request.is_secure, httponly=True, samesite="Strict"
        )

    def find(self, request: Request) -> tuple[Caller, datetime] | None:
        """Who is signed in, and until when; None for a request without a cookie that counts.

        Raises:
            InvalidInput: `session_ended`.
            Transient: `database_unavailable`, and it is no session of the root key.
        """
        sent = request.cookies.get(self.cookie)
        if not sent or not counts(request):
            return None
        try:
            said, signed_at = self._signer.loads(
                sent, max_age=int(LIFE.total_seconds()), return_timestamp=True
            )
        except BadData as error:
            raise _ended() from error
        if "person" in said:
            return self._person(said)
        caller = self._caller(str(said["key"]))
        if caller is None:
            raise _ended()
        return caller, signed_at.astimezone(UTC) + LIFE

    def _person(self, said: dict[str, Any]) -> tuple[Caller, datetime]:
        ends_at = datetime.fromtimestamp(said["ends"], UTC)
        if not self._door or said["door"] != self._door or ends_at <= utc_now():
            raise _ended()
        # One that this version does not know, as after a step back: the others are good.
        scopes = frozenset(Scope(scope) for scope in said["scopes"] if scope in set(Scope))
        return Caller(said["owner"], scopes, person=said["person"]), ends_at

    def _caller(self, key_id: str) -> Caller | None:
        if not key_id:
            return ROOT
        with self._database.read() as session:
            try:
                return caller_of_key(session, key_id, utc_now())
            except InvalidInput as error:
                raise _ended() from error


def counts(request: Request) -> bool:
    """Whether a cookie may speak for this request: only one that the page itself, or a person, has made.

    SameSite takes another port of the same host for the same site, and browsers send cookies there, so what
    the browser says of the origin decides. Where it says nothing, as over plain HTTP from another machine,
    looking is all that SameSite alone is trusted with: what changes something must name its origin. That a
    foreign one is refused is for `api.auth`.
    """
    site = request.headers.get("Sec-Fetch-Site", "").lower()
    if request.method in _SAFE:
        return site in {"", "same-origin", "none"}
    return site == "same-origin" or (site == "" and "Origin" in request.headers)


def _door(settings: Settings) -> str:
    """What lets people in, as a digest; empty where there is no provider."""
    if not settings.oidc_issuer:
        return ""
    names = ("oidc_issuer", "oidc_client_id", "oidc_claim", "oidc_owner_claim", "oidc_grants")
    rules = json.dumps([getattr(settings, name) for name in names])
    return hashlib.sha256(rules.encode()).hexdigest()[:16]


def _ended() -> InvalidInput:
    return InvalidInput(Code.SESSION_ENDED, "you are not signed in any more: sign in again")
