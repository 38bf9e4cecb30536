from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from nightshift.words.error_codes import JOB_ERROR_CODES, PHOTO_ERROR_CODES, PROBLEM_CODES
from tests.support.service import Service

UNDESCRIBED = {"/openapi.json", "/openapi-3.1.json", "/docs", "/"}


@pytest.fixture
def document(plain_service: Service) -> dict[str, Any]:
    answer = plain_service.client.get("/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json)


def test_the_document_has_every_route_and_no_other(plain_service: Service, document: dict[str, Any]) -> None:
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method)
        for rule in plain_service.app.url_map.iter_rules()
        for method in rule.methods or ()
        if method not in {"HEAD", "OPTIONS"}
        and rule.rule not in UNDESCRIBED
        and not rule.rule.startswith(("/docs/", "/static/", "/page-files/"))
    }
    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert served == described
    assert ("/v1/jobs/{job_id}/photos", "PUT") in described


def test_what_is_wrong_in_a_list_of_a_query_is_called_as_it_was_sent(
    plain_service: Service, document: dict[str, Any]
) -> None:
    """Once, however often it is there."""
    lists = [
        (path, method, parameter["name"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query" and "array" in str(parameter["schema"])
    ]
    assert {name for _, _, name in lists} == {"age_group", "code", "photo"}
    job_id = plain_service.open_job()
    for path, method, name in lists:
        url = f"{path.replace('{job_id}', job_id)}?{name}=no&{name}=nor+this"
        answer = plain_service.client.open(url, method=method.upper())
        if name == "photo":
            assert answer.json["code"] == "photo_not_found"
            continue
        (error,) = answer.json["errors"]
        assert error["field"] == name
        assert answer.json["detail"].startswith(f"{name}: must be one of ")


def test_it_is_there_for_generators_of_3_1(plain_service: Service, document: dict[str, Any]) -> None:
    older = dict(plain_service.client.get("/openapi-3.1.json").json)
    assert (older["openapi"], document["openapi"][:3]) == ("3.1.0", "3.2")
    OpenAPIV31SpecValidator(older).validate()
    assert "itemSchema" not in str(older)
    assert older["paths"].keys() == document["paths"].keys()
    assert older["components"] == document["components"]
    assert plain_service.client.get("/openapi.json").json == document


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(document)))
    assert references <= set(document["components"]["schemas"])
    assert {"Job", "Photo", "Face", "Problem", "Summary"} <= references


def test_operations_are_described(document: dict[str, Any]) -> None:
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"]
            assert "<br/>" not in operation["description"]
            if path.startswith("/v1"):
                assert {"401", "422", "503"} <= set(operation["responses"])
                assert {"apiKey": []} in operation["security"]
                good = [answer for status, answer in operation["responses"].items() if status[0] == "2"]
                assert all(answer["content"] for answer in good)
            for parameter in operation.get("parameters", ()):
                assert parameter["description"]
    assert document["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


def test_headers_that_views_read_are_parameters(document: dict[str, Any]) -> None:
    described = {
        (operation["operationId"], parameter["name"])
        for methods in document["paths"].values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "header"
    }
    assert described == {
        ("change_job", "If-Match"),
        ("get_job", "Prefer"),
        ("get_job", "If-None-Match"),
        ("change_receiver", "If-Match"),
        ("put_photo", "Content-Digest"),
        ("make_job", "Idempotency-Key"),
    }


def test_it_says_how_gender_age_and_left_are_meant(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert "apparent" in document["info"]["description"]
    assert "image's left" in document["info"]["description"]
    assert "Apparent" in schemas["Gender"]["description"]
    assert "Apparent" in schemas["AgeGroup"]["description"]
    assert "apparent" in schemas["Face"]["properties"]["gender"]["description"]
    assert "apparent" in schemas["Face"]["properties"]["age_years"]["description"]
    assert "left_eye" in schemas["Landmarks"]["description"]
    assert "image's left" in schemas["Landmarks"]["description"]
    assert "degrees" in schemas["Face"]["properties"]["roll_deg"]["description"]
    for name in ("Job", "Photo", "Face"):
        assert "Attributes:" not in schemas[name]["description"]


def test_the_pages_load_nothing_from_elsewhere(plain_service: Service) -> None:
    client = plain_service.client
    page = client.get("/docs", follow_redirects=True)
    assert page.status_code == 200
    for path in ("/docs", "/docs/"):
        assert urljoin(path, client.get(path).headers["Location"]) == "/docs/swagger"
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    for path in loaded:
        assert "//" not in path
        assert client.get(f"/docs/{path}").status_code == 200
    assert '"validatorUrl": null' in page.text
    assert '"../openapi.json"' in page.text


def test_codes_are_listed_where_they_stand(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    listed = {
        name: schemas[name]["properties"]["code"]["enum"] for name in ("Problem", "PhotoError", "JobError")
    }

    assert listed == {
        "Problem": sorted(PROBLEM_CODES),
        "PhotoError": sorted(PHOTO_ERROR_CODES),
        "JobError": sorted(JOB_ERROR_CODES),
    }
