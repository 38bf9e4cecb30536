"""Headers that every answer has: what a browser may do with it, and who may keep it.

Photos, names and labels are strangers' work: whatever an answer holds, nothing in it runs, frames, is framed.
"""

from __future__ import annotations

import base64
import hashlib
import re

from flask import Flask, Response, g, request

NOTHING_RUNS = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
"""Content-Security-Policy of everything that is not a page of ours."""

_PAGE = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'{styles}; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Of `/docs`: scripts and styles that lie beside it, and those that stand in it as it was delivered."""

_OF_ITS_LOGO = ".logo_small_svg__cls-2{fill:#fff}.logo_small_svg__cls-3{fill:#85ea2d}"
"""The style that Swagger's own script adds."""

USUAL: dict[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": NOTHING_RUNS,
    "Cache-Control": "no-store",
}
"""For every answer, also those that the server below gives before there is an application."""

_OF_PICTURES = ("image/", "application/x-tar", "application/zip")
"""Types of answers of the API that show people."""

_INLINE = {name: re.compile(rf"<{name}>(.*?)</{name}>", re.DOTALL) for name in ("script", "style")}


def register(app: Flask) -> None:
    """Give every answer of `app` these headers; what a view has set itself stays."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    if request.method == "OPTIONS" and response.status_code == 200:
        # The framework's: `Allow`, and an empty page.
        response.status_code = 204
        response.headers.pop("Content-Type", None)
    if g.get("by_session") or _has_pictures(response):
        # A browser that others use afterwards must have kept nothing, pictures least of all.
        response.headers["Cache-Control"] = "no-store"
    if request.path.startswith("/v1/"):
        response.headers.setdefault("Cache-Control", "private, no-cache")
    if response.mimetype == "text/html" and not response.direct_passthrough:
        response.headers.setdefault("Content-Security-Policy", _policy_of_page(response))
    for name, value in USUAL.items():
        response.headers.setdefault(name, value)
    return response


def _has_pictures(response: Response) -> bool:
    return request.path.startswith("/v1/") and (response.mimetype or "").startswith(_OF_PICTURES)


def _policy_of_page(response: Response) -> str:
    html = response.get_data(as_text=True)
    scripts, styles = (pattern.findall(html) for pattern in _INLINE.values())
    return _PAGE.format(scripts=_digests(scripts), styles=_digests([*styles, _OF_ITS_LOGO]))


def _digests(texts: list[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return "".join(f" 'sha256-{digest}'" for digest in digests)
