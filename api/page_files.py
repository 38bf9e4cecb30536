"""`/` and what lies beside it: the page, as `make page` built it, under a policy that runs nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response

BUILT = Path(__file__).parent / "page" / "built"
FOLDER = "page-files"
"""Of its assets' addresses; each has a digest of its bytes in its name."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_FOR_EVER = "public, max-age=31536000, immutable"


def register(app: Flask) -> None:
    """Serve the page from memory: it is small, and what changes on the disk is another version's."""
    files = {path.name: path.read_bytes() for path in BUILT.iterdir()}
    front = files.pop("index.html")

    def page() -> Response:
        # Whoever has an old one would ask for assets that are not there any more.
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        return Response(front, content_type="text/html; charset=utf-8", headers=headers)

    app.add_url_rule("/", "page", page)
    for name, data in files.items():
        app.add_url_rule(f"/{FOLDER}/{name}", name.replace(".", "-"), _view_of(name, data))


def _view_of(name: str, data: bytes) -> Callable[[], Response]:
    def asset() -> Response:
        return Response(data, content_type=_TYPES[Path(name).suffix], headers={"Cache-Control": _FOR_EVER})

    return asset
