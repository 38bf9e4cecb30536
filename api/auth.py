"""Who calls, and whether they may. Everything but health and documentation needs a key."""

from __future__ import annotations

from typing import NoReturn
from urllib.parse import urlsplit

from flask import Request, g, request

from api.context import Context, context
from api.proxies import forwarded_host
from nightshift.machine.loopback import is_loopback
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.scopes import Scope
from shared.operations.keys import Caller
from shared.reads.jobs import Viewer
from shared.settings import Settings

PREFIX = "/v1/"
SESSION_PATH = "/v1/session"
"""Where one signs in, with a key in the body."""
SIGNING_IN = frozenset({SESSION_PATH, f"{SESSION_PATH}/oidc", f"{SESSION_PATH}/oidc/callback"})
_PROXY_HEADERS = (
    "Forwarded",
    "Via",
    "X-Real-IP",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    *(f"X-Forwarded-{what}" for what in ("For", "Host", "Proto", "Port", "Server")),
)
"""What proxies set: of any of them no client on this machine has use."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_CHANGED_BY_ADMINS = frozenset(
    {
        *("/v1/webhooks", "/v1/webhooks/secrets"),
        *("/v1/webhooks/receivers", "/v1/webhooks/receivers/<receiver_id>"),
    }
)

_SEEN_FROM_OUTSIDE = frozenset(
    {
        *("/v1/overview", "/v1/expiring", "/v1/jobs", "/v1/jobs/<job_id>"),
        *("/v1/models", "/v1/models/<name>"),
    }
)
"""Where an operator may look, too: everybody's, or nobody's."""


def names_this_machine(request: Request) -> bool:
    """Whether the Host header names loopback.

    A web page may point a name of its own at 127.0.0.1 and read our answers through a visitor's browser:
    the name it uses gives it away.
    """
    try:
        return is_loopback(urlsplit(f"//{request.headers.get('Host', '')}").hostname)
    except ValueError:
        return False


def is_of_this_machine(request: Request) -> bool:
    """Whether a process of this machine asks for itself: no proxy for others, no page that was led here."""
    is_near = is_loopback(request.remote_addr) and names_this_machine(request)
    return is_near and not any(header in request.headers for header in _PROXY_HEADERS)


def needed_scopes(request: Request) -> tuple[Scope, ...]:
    """Any one of these lets a request pass, and where there are none, no key is needed: this is the rule."""
    if request.path in {"/metrics", "/v1/load"}:
        return (Scope.METRICS, Scope.OPERATOR)
    if not request.path.startswith(PREFIX):
        return ()
    if request.path in SIGNING_IN:
        return ()
    if request.path.startswith("/v1/keys"):
        return (Scope.ADMIN,)
    if request.path.startswith(("/v1/workers", "/v1/history")):
        return (Scope.OPERATOR,)
    route = request.url_rule.rule if request.url_rule else ""
    if route == "/v1/jobs/<job_id>/photos/in-place":
        return (Scope.IN_PLACE,)
    if route in _CHANGED_BY_ADMINS and request.method not in SAFE_METHODS:
        return (Scope.ADMIN,)
    if request.method not in SAFE_METHODS:
        return (Scope.SUBMIT,)
    if route in _SEEN_FROM_OUTSIDE:
        return (Scope.READ, Scope.SUBMIT, Scope.OPERATOR)
    return (Scope.READ, Scope.SUBMIT)


def guard() -> None:
    """Refuse a request that may not be made, and remember who makes it.

    Raises:
        InvalidInput: `foreign_origin`, `host_forbidden`, `unauthorized`, `key_expired`, `rate_limited`,
            `scope_missing`, `in_place_forbidden`.
    """
    service = context()
    _refuse_other_sites(request)
    needed = needed_scopes(request)
    if not needed:
        _refuse_other_hosts(service.settings, request)
        return
    caller = g.caller = _caller(service, request)
    service.rate_limits.count(caller)
    if caller.key_id:
        service.last_use.note(caller.key_id)
    if any(caller.may(scope) for scope in needed):
        return
    if Scope.IN_PLACE in needed:
        raise in_place_forbidden()
    names = " or ".join(needed)
    raise InvalidInput(Code.SCOPE_MISSING, f"this needs a key with the scope {names}", scope=needed[0])


def whose_jobs(named: str | None) -> str | None:
    """Whose jobs a caller lists: their own, or the named owner's; for operators everybody's (None).

    Raises:
        InvalidInput: `scope_missing`, when they name another owner.
    """
    caller: Caller = g.caller
    if named is None:
        return None if Scope.OPERATOR in caller.scopes else caller.owner
    if named != caller.owner and Scope.OPERATOR not in caller.scopes:
        raise InvalidInput(
            Code.SCOPE_MISSING, "this needs a key with the scope operator", scope=Scope.OPERATOR
        )
    return named


def whose_audit(named: str | None) -> str | None:
    """Whose audit a caller lists: their own, or the named owner's; for admins everybody's (None).

    Raises:
        InvalidInput: `scope_missing`, when they name another owner.
    """
    caller: Caller = g.caller
    if caller.may(Scope.ADMIN):
        return named
    if named not in (None, caller.owner):
        raise InvalidInput(Code.SCOPE_MISSING, "this needs a key with the scope admin", scope=Scope.ADMIN)
    return caller.owner


def viewer() -> Viewer:
    """From where a caller looks at jobs; admins, too, see everybody's only with the scope for it."""
    caller: Caller = g.caller
    inside = caller.may(Scope.READ) or caller.may(Scope.SUBMIT)
    return Viewer(caller.owner if inside else "", Scope.OPERATOR in caller.scopes)


def in_place_forbidden() -> InvalidInput:
    """One answer, whatever is missing: it must not tell which files there are."""
    return InvalidInput(
        Code.IN_PLACE_FORBIDDEN,
        "files are registered in place from the server's own machine, as localhost, with a key that has the"
        " scope in_place, and under NIGHTSHIFT_IN_PLACE_ROOTS; never those of the service itself",
    )


def refuse_key(service: Context, request: Request) -> NoReturn:
    """Say that there is no such key; only after the look, or others' guesses would lock a right one out.

    Raises:
        InvalidInput: `unauthorized`, `rate_limited`.
    """
    service.rate_limits.count_guess(request.remote_addr)
    raise InvalidInput(Code.UNAUTHORIZED, "there is no such key, or it was revoked")


def _caller(service: Context, request: Request) -> Caller:
    if "Authorization" not in request.headers and (signed_in := service.sessions.find(request)):
        g.by_session = True
        return signed_in[0]
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    sent = token.strip() if scheme.lower() == "bearer" else ""
    # WSGI hands header bytes over as latin-1.
    caller = service.known_keys.find(sent.encode("latin-1", "replace")) if sent else None
    if caller is not None:
        return caller
    _refuse_other_hosts(service.settings, request)
    if sent:
        refuse_key(service, request)
    raise InvalidInput(Code.UNAUTHORIZED, "this needs the header `Authorization: Bearer <api key>`")


def _refuse_other_hosts(settings: Settings, request: Request) -> None:
    """Without a key, a service on loopback answers to loopback's names alone, and to that of its public URL.

    Browsers always name one, and do not speak to Unix sockets.
    """
    if not is_loopback(settings.host) or not request.remote_addr or "Host" not in request.headers:
        return
    if not names_this_machine(request) and not _is_public(settings, request.headers["Host"]):
        raise InvalidInput(Code.HOST_FORBIDDEN, "without a key, this service is spoken to as localhost")


def _is_public(settings: Settings, host: str) -> bool:
    return bool(settings.public_url) and urlsplit(settings.public_url).netloc == host.lower()


def _refuse_other_sites(request: Request) -> None:
    """Forms and scripts of other sites may send here, though they cannot read the answer; browsers say so."""
    if request.method in SAFE_METHODS:
        return
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "none").lower()
    if site not in {"none", "same-origin"} or (origin is not None and not _is_own(origin, request)):
        raise InvalidInput(Code.FOREIGN_ORIGIN, "this request was made by a page of another site")


def _is_own(origin: str, request: Request) -> bool:
    """Whether an origin names us as we, or our proxy, were asked, or as the settings do."""
    try:
        named = urlsplit(origin).netloc.lower()
    except ValueError:
        return False
    own = {request.headers.get("Host", "").lower(), forwarded_host(request)}
    return bool(named) and (named in own or _is_public(context().settings, named))
