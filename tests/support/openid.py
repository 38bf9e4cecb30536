"""A small OpenID provider on loopback, honest until a test has it lie."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "nightshift", "the-secret-of-the-tests-client"


@dataclass
class OpenId:
    """A running provider.

    Attributes:
        claims: of whoever signs in, beside those that every token has.
        told: what the userinfo endpoint says.
        about: laid over what it says of itself.
        broken: paths that are answered 500.
        hanging: while it is set, what is asked is answered when `go_on` is.
        lifetime_s: of its tokens.
        alg: of its signatures.
        key: signs.
        published: what it says it signs with.
    """

    url: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "anna-1", "groups": ["desk"]})
    told: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    hanging: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    lifetime_s: int = 300
    alg: str = "RS256"
    key: Key = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    published: list[Key] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def rotate(self, kid: str | None = "two") -> None:
        """Sign with another key from now on, and publish that alone."""
        self.key = ECKey.generate_key("P-256", {"kid": kid} if kid else None)
        self.alg, self.published = "ES256", [self.key]

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            **self.about,
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent: nobody has to type a password here."""
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.url, "session_state": "x"}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The tokens, for who has begun and knows the secret."""
        begun = self.codes.pop(form.get("code", ""), None)
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if unquote(given) != f"{CLIENT_ID}:{CLIENT_SECRET}":
            return 401, {"error": "invalid_client"}
        if (
            not begun
            or begun["redirect_uri"] != form["redirect_uri"]
            or begun["code_challenge_method"] != "S256"
            or begun["code_challenge"] != challenge.decode().rstrip("=")
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + self.lifetime_s,
            "nonce": begun["nonce"],
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.alg, **({"kid": self.key.kid} if self.key.kid else {})}
        if self.alg == "none":
            parts = (json.dumps(part).encode() for part in (header, claims))
            signed = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."
        else:
            signed = jwt.encode(header, claims, self.key, algorithms=[self.alg])
        return 200, {"access_token": "an-access-token", "token_type": "Bearer", "id_token": signed}


def secret_key() -> Key:
    """What client and provider both know, as a key: nobody may sign with that."""
    return OctKey.import_key(CLIENT_SECRET)


@contextmanager
def openid_provider(port: int = 0) -> Iterator[OpenId]:
    """Runs a provider."""
    provider = OpenId()
    provider.published = [provider.key]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if provider.hanging.is_set():
                provider.go_on.wait(60)
            if parts.path in provider.broken:
                self._say(500, {})
            elif parts.path == "/.well-known/openid-configuration":
                self._say(200, provider.document())
            elif parts.path == "/keys":
                self._say(200, {"keys": [key.as_dict(private=False) for key in provider.published]})
            elif parts.path == "/userinfo" and self.headers["Authorization"] == "Bearer an-access-token":
                self._say(200, provider.told)
            elif parts.path == "/authorize":
                self.send_response(303)
                self.send_header("Location", provider.authorize(dict(parse_qsl(parts.query))))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._say(404, {})

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            if self.path in provider.broken:
                self._say(500, {})
            elif self.path.startswith("/authorize"):
                self.do_GET()
            else:
                self._say(*provider.token(form, self.headers.get("Authorization", "")))

        def _say(self, status: int, document: Any) -> None:
            data = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
