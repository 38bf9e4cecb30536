"""Who calls `/v1`, and whether they may: the root key, a key of the database, or this machine without one."""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Request, g, request

from api.context import Context, context
from shared.db.engine import Database
from shared.errors import InvalidInput
from shared.keys import ROOT, Caller, Scope, find_caller, has_admin_key, is_of_the_database, require_admin_key
from shared.settings import Settings

PREFIX = "/v1/"
ADMIN_PATHS = ("/v1/keys", "/v1/workers")
PROXY_HEADERS = ("Forwarded", "X-Forwarded-For")


def is_loopback(host: str | None) -> bool:
    """True for `localhost` and loopback addresses of either family, also IPv4 written as IPv6."""
    if not host:
        return False
    if host.lower() in {"localhost", "localhost."}:
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def named_host(asked: Request) -> str | None:
    """Host of the Host header without its port."""
    try:
        return urlsplit(f"//{asked.headers.get('Host', '')}").hostname
    except ValueError:
        return None


def serves_this_machine_alone(settings: Settings) -> bool:
    """Whether no key is needed: the embedded service, listening on loopback."""
    return settings.broker_is_embedded and is_loopback(settings.host)


def require_key_for_others(settings: Settings, database: Database) -> None:
    """Refuse settings that would open the service to others without a key.

    Raises:
        InvalidInput: `api_key_required`.
        Transient: `database_unavailable`, where only the database could tell.
    """
    if not settings.api_key.get_secret_value() and not serves_this_machine_alone(settings):
        require_admin_key(database, settings.host)


def needed_scope(asked: Request) -> Scope:
    """What a request needs: this is the rule."""
    if asked.path.startswith(ADMIN_PATHS):
        return Scope.ADMIN
    return Scope.READ if asked.method in {"GET", "HEAD", "OPTIONS"} else Scope.SUBMIT


def guard() -> None:
    """Refuse a `/v1` request that may not be made, and remember who makes it.

    Raises:
        InvalidInput: `unauthorized`, `host_forbidden`, `scope_missing`, `rate_limited`.
    """
    if not request.path.startswith(PREFIX):
        return
    of = context()
    caller = g.caller = _caller(of, request)
    of.rate_limits.count(caller)
    scope = needed_scope(request)
    if not caller.may(scope):
        raise InvalidInput("scope_missing", f"this needs a key with the scope {scope}", scope=scope)


def require_admin() -> None:
    """For what is not under `/v1` and yet not for everybody.

    Raises:
        InvalidInput: as `guard`.
    """
    of = context()
    if not _caller(of, request).may(Scope.ADMIN):
        raise InvalidInput(
            "scope_missing", f"this needs a key with the scope {Scope.ADMIN}", scope=Scope.ADMIN
        )


def _caller(of: Context, asked: Request) -> Caller:
    scheme, _, token = asked.headers.get("Authorization", "").partition(" ")
    root = of.settings.api_key.get_secret_value()
    sent = token.strip() if scheme.lower() == "bearer" else ""
    if is_of_the_database(sent):
        # Nobody guesses these, and behind a proxy all share one address: they count no failures of others.
        with of.database.read() as session:
            found = find_caller(session, sent)
        if found is not None:
            return found
    of.rate_limits.check_failures(asked.remote_addr)
    if sent:
        # WSGI hands header bytes over as latin-1.
        if root and hmac.compare_digest(sent.encode("latin-1", "replace"), root.encode()):
            return ROOT
    elif not root and not asked.headers.get("Authorization") and _needs_no_key(of):
        _require_this_machine(asked)
        return ROOT
    of.rate_limits.count_failure(asked.remote_addr)
    raise InvalidInput("unauthorized", "this needs the header `Authorization: Bearer <api key>`")


def _needs_no_key(of: Context) -> bool:
    """Until somebody has made a key to administer it with; that it was revoked opens no door again."""
    if not serves_this_machine_alone(of.settings):
        return False
    with of.database.read() as session:
        return not has_admin_key(session, also_revoked=True)


def _require_this_machine(asked: Request) -> None:
    # A web page may point a name of its own at 127.0.0.1 and speak to us through a visitor's browser:
    # the name it uses gives it away. A proxy speaks for others, and says so. A Unix socket has no peer
    # address; file permissions guard it.
    if (
        not is_loopback(named_host(asked))
        or (asked.remote_addr and not is_loopback(asked.remote_addr))
        or any(header in asked.headers for header in PROXY_HEADERS)
    ):
        raise InvalidInput("host_forbidden", "without an API key, only this machine is served, as localhost")
