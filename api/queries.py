"""A query says what is known and says it once: nothing in it is passed over, mended or guessed at."""

from __future__ import annotations

import inspect
from collections import Counter
from functools import cache
from typing import Any, NoReturn, get_type_hints
from urllib.parse import parse_qsl, unquote_to_bytes

from flask import current_app, request
from pydantic import BaseModel, ValidationError

from api.context import context
from api.parameters import JobPath
from nightshift.words.body import refuse_fields
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from shared.queue.jobs import owned_state


def require_known_query() -> None:
    """Refuse what the view would not look at: misspelt, it was meant for something.

    So do `/healthz` and `/readyz`: an `exclude=` or a `verbose` that another service's probe knows would be
    passed over in silence, and whoever sets a probe up sees at once that it is refused.

    Raises:
        InvalidInput: `not_utf8`, `unknown_parameter`, `repeated_parameter`.
        NotFound: `job_not_found`.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or request.method == "OPTIONS":
        return
    _require_text(request.environ.get("PATH_INFO", "").encode("latin-1", "replace"), "path")
    names = Counter(_names(request.query_string))
    known = _known(view)
    if known is None:
        return
    if any(name not in known or times > 1 for name, times in names.items()):
        _require_job()
    for name, times in names.items():
        if name not in known:
            takes = f"takes {', '.join(sorted(known))}" if known else "takes none"
            message = f"no parameter is called {name!r}: {request.method} {request.url_rule} {takes}"
            raise InvalidInput(Code.UNKNOWN_PARAMETER, message, parameter=name, known=sorted(known))
        if times > 1 and not known[name]:
            raise InvalidInput(Code.REPEATED_PARAMETER, f"{name} is there {times} times", parameter=name)


def refuse_request(error: ValidationError) -> NoReturn:
    """Turn what a view's models found into an error that calls each field as it was sent.

    Raises:
        InvalidInput: `invalid_fields`.
    """
    query = _query_of(current_app.view_functions.get(request.endpoint or ""))
    refuse_fields(error, flat=query is not None and error.title == query.__name__)


def _require_job() -> None:
    """What is not there is not there, whatever is asked of it."""
    if job_id := (request.view_args or {}).get("job_id"):
        with context().database.read() as session:
            owned_state(session, context().owner, JobPath(job_id=job_id).job_id)


def _names(query: bytes) -> list[str]:
    for part in query.split(b"&"):
        _require_text(unquote_to_bytes(part.replace(b"+", b" ")), "query")
    return [name for name, _ in parse_qsl(query.decode(), keep_blank_values=True)]


def _require_text(data: bytes, where: str) -> None:
    """Made into some text, two names that are none could become one."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        shown = data[max(0, error.start - 20) : error.end].decode("utf-8", "backslashreplace")
        message = f"the {where} is not UTF-8, at {shown!r}: percent-encode the UTF-8 form of each name"
        raise InvalidInput(Code.NOT_UTF8, message) from error


@cache
def _known(view: Any) -> dict[str, bool] | None:
    """Parameters of a view by name, and whether each may come more than once; None where it takes any."""
    model = _query_of(view)
    if model is None:
        return {}
    if model.model_config.get("extra") == "allow":
        return None
    properties = model.model_json_schema(by_alias=True).get("properties", {})
    return {name: _is_list(schema) for name, schema in properties.items()}


def _query_of(view: Any) -> type[BaseModel] | None:
    """What a view reads its query with; None where it has none."""
    view = inspect.unwrap(view)
    # Flask's own views of files have names in their hints that are not there when they are looked up.
    if "query" not in getattr(view, "__annotations__", {}):
        return None
    model = get_type_hints(view)["query"]
    return model if issubclass(model, BaseModel) else None


def _is_list(schema: dict[str, Any]) -> bool:
    return "array" in {schema.get("type"), *(option.get("type") for option in schema.get("anyOf", ()))}
