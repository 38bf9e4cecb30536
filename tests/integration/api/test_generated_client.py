"""What clients that are generated from the description make of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nightshift.words.new_job import NewJob
from tests.support.requirements import require
from tests.support.service import Service

GENERATOR = "openapi-python-client"


@pytest.fixture
def document(plain_service: Service) -> dict[str, Any]:
    return dict(plain_service.client.get("/openapi-3.1.json").json)


def bodies(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Schemas of what is sent: a client that is given no value sends the default."""
    for methods in document["paths"].values():
        for operation in methods.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                yield content["schema"]
    yield from document["components"]["schemas"].values()


def test_nothing_that_is_not_given_has_a_value_to_be_sent(document: dict[str, Any]) -> None:
    for schema in bodies(document):
        for name, field in schema.get("properties", {}).items():
            assert "default" not in field, (schema.get("title"), name)


def test_nor_has_a_parameter_but_for_how_much_is_listed(document: dict[str, Any]) -> None:
    """An order that was not asked for would contradict the cursor of a page in another."""
    found = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", []):
                found[(method, path, parameter["name"])] = parameter
    named = {key[2] for key, parameter in found.items() if "default" in parameter["schema"]}
    assert named == {"limit"}
    assert "default" not in {key for parameter in found.values() for key in parameter}
    sort = found["get", "/v1/jobs/{job_id}/photos", "sort"]
    assert sort["description"].endswith('Not given, it is `"added"`.')
    error = found["get", "/v1/session/oidc/callback", "error"]
    assert "Not given" not in error.get("description", "")


def test_the_description_says_the_defaults_instead(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert (
        "as the server is configured: `0.9`"
        in schemas["JobOptions"]["properties"]["min_confidence"]["description"]
    )
    assert "`0`" not in schemas["JobChange"]["properties"]["priority"]["description"]
    content = document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]
    assert "`0`" in content["application/json"]["schema"]["properties"]["priority"]["description"]
    form = content["multipart/form-data"]["schema"]["properties"]
    assert "`false`" in form["delete_originals"]["description"]
    # No null can be sent in a form, nor a list in one field but as JSON.
    assert not any("anyOf" in field for field in form.values())
    assert form["notify"]["type"] == "string"
    assert set(form) == {*NewJob.model_fields} - {"options"} | set(schemas["JobOptions"]["properties"]) | {
        "photos",
        "archive",
    }


def test_text_is_text_and_the_rest_binary(document: dict[str, Any]) -> None:
    described = {
        kind: content["schema"]
        for methods in document["paths"].values()
        for operation in methods.values()
        for response in operation["responses"].values()
        for kind, content in response.get("content", {}).items()
        if "json" not in kind
    }
    assert {"text/csv", "text/plain", "image/webp", "application/x-tar"} <= described.keys()
    for kind, schema in described.items():
        assert (schema.get("format") == "binary") is not kind.startswith("text/"), kind


def test_a_generated_client(
    document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = shutil.which(GENERATOR)
    require(generator is not None, f"{GENERATOR} is not installed", essential=False)
    source, made = tmp_path / "openapi.json", tmp_path / "made"
    source.write_text(json.dumps(document))
    subprocess.run(
        [str(generator), "generate", "--path", source, "--output-path", made], check=True, capture_output=True
    )
    monkeypatch.syspath_prepend(str(made))
    try:
        from nightshift_client import models  # type: ignore[import-not-found]
        from nightshift_client.api.results import (  # type: ignore[import-not-found]
            get_photos_csv as csv,
        )

        assert models.JobChange(label="x").to_dict() == {"label": "x"}
        assert models.JobOptions().to_dict() == {}
        assert models.MakeJobFilesBody(label="x").to_multipart() == [("label", (None, b"x", "text/plain"))]
        answer = SimpleNamespace(status_code=200, text="a,b")
        assert csv._parse_response(client=None, response=answer) == "a,b"
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "nightshift_client"]:
            del sys.modules[name]
