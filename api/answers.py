"""Views as responses."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Response, request
from pydantic import BaseModel


def answer(view: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A view as JSON."""
    return Response(view.model_dump_json(), status, headers, content_type="application/json")


def answer_page(view: BaseModel, next_cursor: str | None) -> Response:
    """A page; its `Link` header leads to the next with the same filters."""
    return answer(view, headers=link_to(next_cursor))


def link_to(next_cursor: str | None) -> dict[str, str]:
    """The `Link` header to the next page, with the same filters; nothing where there is none."""
    if next_cursor is None:
        return {}
    arguments = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
    query = urlencode([*arguments, ("cursor", next_cursor)])
    return {"Link": f'<{request.path}?{query}>; rel="next"'}
