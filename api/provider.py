"""The OpenID provider that people sign in with: where it sends them, and what its answer is worth.

Authorisation code with PKCE. Authlib and joserfc check what can be forged; how the provider is spoken to (no
redirect, bounded time and size, protected addresses alone) is said here. Shared between threads.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from api.attempt import Attempt
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, Transient
from shared.grants import values_of
from shared.logs import hide
from shared.settings import Settings
from shared.urls import is_protected

ALGORITHMS = [
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
]
"""Of signatures: none by a secret that both have, and none at all is no signature."""

CALLBACK = "/v1/session/oidc/callback"
FRESH_S = 3600.0
"""How long what the provider says of itself is believed."""
ANSWER_S = 10.0
ANSWER_BYTES = 1_000_000
LEEWAY_S = 60
"""How far apart the two clocks may be."""
AT_ONCE = 2
"""Threads that may ask the provider at a time."""
WAITING = 2
"""Threads that wait for one of these; more would hold up all who want something else of the API."""
SUB_CHARACTERS = 255
"""OpenID Connect's own limit: it is written into each entry of the audit."""

log = logging.getLogger("nightshift.sign_in")


class Provider:
    """One provider.

    Args:
        settings: with an issuer.
        secret: of the client; empty for none.
    """

    def __init__(self, settings: Settings, secret: str) -> None:
        self._issuer = settings.oidc_issuer
        self._client_id = settings.oidc_client_id
        self._scopes = settings.oidc_scopes
        self._claim = settings.oidc_claim
        self._redirect = settings.public_url + CALLBACK
        self._secret = secret
        hide(secret)
        self._http = httpx.Client(follow_redirects=False, timeout=httpx.Timeout(ANSWER_S / 2))
        self._door = threading.BoundedSemaphore(AT_ONCE + WAITING)
        self._seats = threading.BoundedSemaphore(AT_ONCE)
        self._about: tuple[float, dict[str, Any]] | None = None
        self._keys: KeySet | None = None

    def address(self, attempt: Attempt) -> str:
        """Where to send the browser.

        Raises:
            Transient: `provider_unavailable`.
        """
        return str(
            prepare_grant_uri(
                self._metadata()["authorization_endpoint"],
                self._client_id,
                "code",
                redirect_uri=self._redirect,
                scope=self._scopes,
                state=attempt.state,
                nonce=attempt.nonce,
                code_challenge=create_s256_code_challenge(attempt.verifier),
                code_challenge_method="S256",
            )
        )

    def claims(self, code: str, attempt: Attempt) -> dict[str, Any]:
        """What the provider says of who has come back with this code, checked.

        Raises:
            InvalidInput: `sign_in_broken_off`.
            Transient: `provider_unavailable`.
        """
        about = self._metadata()
        token = self._token(about, code, attempt)
        claims = dict(self._checked(token, attempt))
        if not values_of(claims, self._claim) and "userinfo_endpoint" in about and "access_token" in token:
            # Some put groups here alone. What the token says goes first.
            told = self._asked(
                "GET", about["userinfo_endpoint"], {"Authorization": f"Bearer {token['access_token']}"}
            )
            if told.get("sub") != claims["sub"]:
                raise _broken("its answer about the user is about another one")
            claims = {**told, **claims}
        return claims

    def check_issuer(self, named: str | None) -> None:
        """Refuse an answer that says it comes from another provider (RFC 9207).

        Raises:
            InvalidInput: `sign_in_broken_off`.
        """
        if named is not None and named != self._issuer:
            raise _broken("the answer says that it is another provider's")

    def _metadata(self) -> dict[str, Any]:
        known = self._about
        if known and time.monotonic() - known[0] < FRESH_S:
            return known[1]
        about = self._asked("GET", self._issuer.removesuffix("/") + "/.well-known/openid-configuration")
        if about.get("issuer") != self._issuer:
            raise _unavailable(f"it calls itself {about.get('issuer')!r}, not as in NIGHTSHIFT_OIDC_ISSUER")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
            if name == "userinfo_endpoint" and name not in about:
                continue
            if not isinstance(about.get(name), str) or not is_protected(about[name]):
                raise _unavailable(f"its {name} is no address with https")
        self._about = (time.monotonic(), about)
        return about

    def _token(self, about: Mapping[str, Any], code: str, attempt: Attempt) -> dict[str, Any]:
        methods = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "none" if not self._secret else "client_secret_basic"
        if self._secret and method not in methods:
            method = "client_secret_post"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = prepare_token_request(
            "authorization_code", redirect_uri=self._redirect, code=code, code_verifier=attempt.verifier
        )
        prepare = ClientAuth(self._client_id, self._secret, method).prepare
        uri, headers, body = prepare("POST", about["token_endpoint"], headers, body)
        return self._asked("POST", uri, headers, body.encode(), refusals=(400, 401, 403))

    def _checked(self, token: Mapping[str, Any], attempt: Attempt) -> CodeIDToken:
        sent = token.get("id_token")
        if not isinstance(sent, str):
            raise _broken("its answer has no ID token")
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            try:
                decoded = jwt.decode(sent, self._key_set(), registry=registry)
            except (JoseError, ValueError):
                # Its keys were changed, perhaps.
                decoded = jwt.decode(sent, self._key_set(anew=True), registry=registry)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": self._issuer},
                    "aud": {"essential": True, "value": self._client_id},
                    "sub": {"essential": True},
                    "nonce": {"essential": True, "value": attempt.nonce},
                },
                {
                    "nonce": attempt.nonce,
                    "client_id": self._client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError) as error:
            raise _broken(f"its ID token is refused: {error}") from error
        sub = claims["sub"]
        if not (isinstance(sub, str) and sub.isprintable() and 0 < len(sub) <= SUB_CHARACTERS):
            raise _broken("its ID token names nobody: sub is no short text")
        return claims

    def _key_set(self, *, anew: bool = False) -> KeySet:
        keys = self._keys
        if keys is None or anew:
            told = self._asked("GET", self._metadata()["jwks_uri"])
            try:
                keys = self._keys = KeySet.import_key_set(told)  # type: ignore[arg-type]
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise _unavailable(f"its keys cannot be read: {error}") from error
        return keys

    def _asked(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        refusals: tuple[int, ...] = (),
    ) -> dict[str, Any]:
        """The JSON object that is answered; what the provider refuses, it refuses the browser's code."""
        until_s, received = time.monotonic() + ANSWER_S, bytearray()
        headers = {"Accept": "application/json", **(headers or {})}
        with self._seat():
            try:
                with self._http.stream(method, url, headers=headers, content=body) as answer:
                    for piece in answer.iter_bytes():
                        received += piece
                        if len(received) > ANSWER_BYTES or time.monotonic() > until_s:
                            raise _unavailable(f"its answer at {url} is too large, or too slow")
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise _unavailable(f"no answer from {url}: {type(error).__name__}: {error}") from error
        if answer.status_code in refusals:
            raise _broken(f"{url} answers {answer.status_code}: {_error_in(received)}")
        if answer.status_code != 200:
            raise _unavailable(f"{url} answers {answer.status_code}")
        try:
            told = json.loads(received)
        except ValueError as error:
            raise _unavailable(f"what {url} answers is not JSON") from error
        if not isinstance(told, dict):
            raise _unavailable(f"what {url} answers is no object")
        return told

    @contextmanager
    def _seat(self) -> Iterator[None]:
        if not self._door.acquire(blocking=False):
            raise _unavailable("too many wait for it already")
        try:
            if not self._seats.acquire(timeout=ANSWER_S / 2):
                raise _unavailable("it has not answered others for long")
            try:
                yield
            finally:
                self._seats.release()
        finally:
            self._door.release()


def _error_in(body: bytearray) -> str:
    """The provider's code for why; nothing else of what it says is worth a line."""
    try:
        return str(json.loads(body)["error"])[:100]
    except (ValueError, KeyError, TypeError):
        return "without a reason"


def _broken(reason: str) -> InvalidInput:
    log.warning("sign-in broken off", extra={"reason": reason})
    return InvalidInput(
        Code.SIGN_IN_BROKEN_OFF, "the sign-in was broken off, or is not for this service: begin again"
    )


def _unavailable(reason: str) -> Transient:
    log.warning("the OpenID provider cannot be used", extra={"reason": reason})
    return Transient(Code.PROVIDER_UNAVAILABLE, "the provider to sign in with does not answer as it should")
