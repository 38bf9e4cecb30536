"""What the OpenAPI document says beyond what the views' types say."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Any

from flask_openapi import APIBlueprint, Info, SecurityScheme, Tag
from flask_openapi.types import ResponseDict

from api.problems import MEDIA_TYPE
from nightshift.words.documents import NOTICE
from nightshift.words.new_job import NewJob
from nightshift.words.options import JobOptions

INFO = Info(
    title="Nightshift",
    version="1",
    description=(
        "Photo batches: every face found, straightened and given an apparent gender and age group.\n\n"
        f"{NOTICE}\n\n"
        "Left and right are sides of the image, not of the person: the left eye is the one on the image's "
        "left. Boxes are float pixels from the top left of the upright photo at its full size. Times are "
        "RFC 3339, UTC. Errors are `application/problem+json` (RFC 9457)."
    ),
)

BEARER = "apiKey"
SECURITY_SCHEMES: dict[str, SecurityScheme | dict[str, Any]] = {
    BEARER: SecurityScheme(
        type="http",
        scheme="bearer",
        description="A key of `/v1/keys`, or the root key: NIGHTSHIFT_API_KEY, or the file `api_key` in the"
        " server's home. `read` lets one look, `submit` make and steer jobs, too; `in_place` register files"
        " of the server's machine; `operator` see everybody's jobs from outside, workers and metrics;"
        " `metrics` these alone; `admin` all that, and keys.",
    )
}
SECURITY: list[dict[str, list[str]]] = [{BEARER: []}]

JOBS_TAG = Tag(name="jobs", description="Photos submitted together.")
PHOTOS_TAG = Tag(name="photos", description="The files of a job.")
RESULTS_TAG = Tag(name="results", description="What was found.")
KEYS_TAG = Tag(name="keys", description="Who may use the service.")
SESSION_TAG = Tag(name="session", description="Signing in to the page, by cookie.")
WEBHOOKS_TAG = Tag(name="webhooks", description="Word of jobs, sent to where one says.")
AUDIT_TAG = Tag(name="audit", description="Who did what, when.")
WORKERS_TAG = Tag(name="workers", description="The processes that do the work.")
MODELS_TAG = Tag(name="models", description="The weights that photos are analysed with.")
HEALTH_TAG = Tag(name="health", description="The service itself.")

PHOTO_BODY: dict[str, Any] = {
    "description": "The file's bytes, as any type but a form.",
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


_BY_DEFAULT = "Not given, it is {default}."
_AS_CONFIGURED = "Not given, it is as the server is configured: {default} if nobody chose otherwise."
_SENTENCES = {"JobOptions": _AS_CONFIGURED, "JobChange": "", "ReceiverChange": ""}
"""How a schema's fields say their defaults; what a change does not name has none: it stays as it is."""


def _say_defaults(schema: dict[str, Any], sentence: str) -> None:
    """Turn fields' `default` into words.

    Clients made from the description send each that it has, and so would override what the server is
    configured with, or what a job was given.
    """
    for field in schema.get("properties", {}).values():
        _say_default(field, field, sentence)


def _say_default(field: dict[str, Any], schema: dict[str, Any], sentence: str) -> None:
    """The same of one field, or parameter, whose description stands beside its schema."""
    default = schema.pop("default", None)
    if default not in (None, "") and sentence:
        said = sentence.format(default=f"`{json.dumps(default)}`")
        field["description"] = f"{field.get('description', '')} {said}".strip()


_SENT_ALL_THE_SAME = frozenset({"limit"})
"""Parameters whose default says nothing else than none at all would, whatever else is asked."""


def _say_defaults_of_parameters(parameters: list[dict[str, Any]]) -> None:
    """A client that is made from the description sends those, too: an order with a cursor of another one."""
    for parameter in parameters:
        if parameter["name"] not in _SENT_ALL_THE_SAME:
            _say_default(parameter, parameter["schema"], _BY_DEFAULT)


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """The same field where there is no null to send, in a form."""
    kinds = [kind for kind in field.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return field
    return {**kinds[0], **{name: value for name, value in field.items() if name != "anyOf"}}


def _new_job() -> dict[str, Any]:
    """Both bodies of `POST /v1/jobs`."""
    template = "#/components/schemas/{model}"
    schema = NewJob.model_json_schema(ref_template=template)
    schema.pop("$defs", None)
    metadata = schema["properties"]["metadata"]
    metadata.pop("additionalProperties", None)
    _say_defaults(schema, _BY_DEFAULT)
    chosen = JobOptions.model_json_schema()
    _say_defaults(chosen, _AS_CONFIGURED)
    fields = {
        name: _without_null(value)
        for name, value in (schema["properties"] | chosen["properties"]).items()
        if name != "options"
    }
    # In a form, one field of JSON; a list would be sent as several.
    fields["notify"] = {
        "type": "string",
        "contentMediaType": "application/json",
        "description": f"As JSON, as in the other body. {fields['notify']['description']}",
    }
    file = {"type": "string", "format": "binary"}
    form = {
        "type": "object",
        "properties": {
            **fields,
            "photos": {"type": "array", "items": file, "description": "Photos; or an archive."},
            "archive": {**file, "description": "One zip, tar or tar.gz file with photos."},
        },
        "additionalProperties": False,
    }
    return {
        "required": True,
        "content": {"multipart/form-data": {"schema": form}, "application/json": {"schema": schema}},
    }


NEW_JOB: dict[str, Any] = _new_job()

_REASONS = {
    400: "The body or its digest is damaged, or a name is not UTF-8",
    401: "The API key is missing, wrong or expired",
    403: "This caller may not, or not with this key",
    404: "No such thing",
    406: "No such form of results",
    408: "The body came too slowly",
    409: "The job's state forbids it, the name is taken, or the key is in use",
    412: "It was changed since it had the ETag that `If-Match` names",
    413: "Too large",
    415: "Not the type of body that is expected",
    422: "A value is wrong; `errors` names each field. Or a parameter is not known, or there twice",
    429: "Too many requests with this key, or wrong keys from this address; see Retry-After",
    503: "The database or the store is out of reach",
    507: "The disk is nearly full, or the owner holds as much as an owner may",
}


def media(*types: str) -> dict[str, Any]:
    """A response of text, or of bytes, of which `format: binary` says that they are none."""
    text, other = {"type": "string"}, {"type": "string", "format": "binary"}
    return {"content": {name: {"schema": text if name.startswith("text/") else other} for name in types}}


RESULTS: dict[str, Any] = {
    "description": "The results so far",
    "content": {
        "application/x-ndjson": {"itemSchema": {"$ref": "#/components/schemas/Photo"}},
        "application/jsonl": {"itemSchema": {"$ref": "#/components/schemas/Photo"}},
        "text/csv": {"schema": {"type": "string"}},
    },
}


def answers(good: ResponseDict, *problems: int) -> ResponseDict:
    """Responses of an operation: the good ones, these problems, and those that every one may have."""
    described: ResponseDict = {**good}
    for status in sorted({*problems, 401, 403, 429, 503}):
        described[status] = _problem(status)
    return described


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": _REASONS[status], "content": {MEDIA_TYPE: {"schema": schema}}}


_ATTRIBUTES = re.compile(r"\n\s*Attributes:\s*\n", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.+(?:\n {5,}.+)*)", re.MULTILINE)


def blueprint_of(name: str, tag: Tag, prefix: str = "", *, needs_key: bool = True) -> APIBlueprint:
    """A part of the API.

    Args:
        name: its own.
        tag: what its operations stand under.
        prefix: what their paths begin with.
        needs_key: as the description says; who is let in is for `api.auth`.
    """
    return APIBlueprint(
        name,
        __name__,
        url_prefix=prefix or None,
        abp_tags=[tag],
        abp_security=SECURITY if needs_key else None,
        operation_id_callback=_operation_id,
    )


def _operation_id(*, name: str, path: str, method: str) -> str:  # noqa: ARG001 - flask-openapi's signature
    """The view's own name."""
    return name


def polish(document: dict[str, Any]) -> None:
    """Mend, in place, what flask-openapi makes of docstrings.

    What stands under `Attributes:` goes to the fields themselves; line ends of views' docstrings,
    which it turns into HTML, are line ends again; defaults are words.
    """
    for called, schema in document["components"]["schemas"].items():
        _say_defaults(schema, _SENTENCES.get(called, _BY_DEFAULT))
        about, *attributes = _ATTRIBUTES.split(schema.get("description", ""), maxsplit=1)
        if attributes:
            schema["description"] = about.strip()
        for name, text in _ATTRIBUTE.findall("".join(attributes)):
            if name in schema["properties"]:
                schema["properties"][name].setdefault("description", " ".join(text.split()))
    for methods in document["paths"].values():
        for operation in methods.values():
            _say_defaults_of_parameters(operation.get("parameters", []))
            # A query can be wrong wherever there is one.
            for status in (400, 422):
                operation["responses"][str(status)] = _problem(status)
            operation["description"] = operation.get("description", "").replace("<br/>", "\n").strip()


def as_3_1(document: dict[str, Any]) -> dict[str, Any]:
    """The description as OpenAPI 3.1, for generators that know nothing newer; the given one stays."""
    older = deepcopy(document)
    older["openapi"] = "3.1.0"
    for methods in older["paths"].values():
        for operation in methods.values():
            for response in operation["responses"].values():
                for content in response.get("content", {}).values():
                    # Of 3.2: one line of a stream.
                    content.pop("itemSchema", None)
    return older
