"""Where text stands for a number, a truth or a time, it is written in one way: for every field there is."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from api import parameters
from api.parameters import PageQuery, PauseQuery
from api.sent_bodies import NewKey
from nightshift.words.errors import InvalidInput
from nightshift.words.new_job import NewJob
from nightshift.words.options import JobOptions

NO_INTEGERS = (
    "1_0", "1.0", " 10", "10 ", "10\n", "+10", "--10", "1e1", "0x10", "", "ten", "null", "true",
    "\u0661\u0660", "\uff11\uff10", "\u0967\u0966",
)  # fmt: skip
NO_NUMBERS = (
    "nan", "NaN", "inf", "-Infinity", "0x1", ".5", "5.", "1_0.5", "+0.5", " 0.5", "0.5 ", "0,5", "1e",
    "\u0660.\u0665", "", "null", "true",
)  # fmt: skip
NO_TRUTHS = ("1", "0", "yes", "on", "t", "y", " true", "", "null")
NO_TIMES = (
    "1900000000", "1900000000.5", "2031-05-01", "2031-05-01T22:00:00", "2031-05-01 22:00:00Z",
    "2031-05-01T22:00Z", "2031-05-01T22:00:00+0200", " 2031-05-01T22:00:00Z",
    "\u0662031-05-01T22:00:00Z", "P1D",
)  # fmt: skip
WRONG = {"integer": NO_INTEGERS, "number": NO_NUMBERS, "boolean": NO_TRUTHS, "date-time": NO_TIMES}
QUERIES = [
    model
    for name, model in inspect.getmembers(parameters, inspect.isclass)
    if name.endswith(("Query", "Path", "Header")) and issubclass(model, BaseModel)
]


def kinds(model: type[BaseModel]) -> list[tuple[str, str]]:
    """Fields that are no text, with their kind in the schema."""
    found = []
    for name, schema in model.model_json_schema()["properties"].items():
        for option in schema.get("anyOf", [schema]):
            kind = option.get("format", option.get("type"))
            found += [(name, kind)] if kind in WRONG else []
    return found


def fields_of_queries() -> list[tuple[type[BaseModel], str, str]]:
    return [(model, name, kind) for model in QUERIES for name, kind in kinds(model)]


def test_there_are_such_fields() -> None:
    assert {(model.__name__, name) for model, name, _ in fields_of_queries()} >= {
        ("JobsQuery", "limit"),
        ("PhotosQuery", "limit"),
        ("PauseQuery", "until"),
    }
    assert {kind for model in (NewJob, JobOptions) for _, kind in kinds(model)} == {
        "integer",
        "number",
        "boolean",
    }


@pytest.mark.parametrize(("model", "field", "kind"), fields_of_queries())
def test_of_a_query(model: type[BaseModel], field: str, kind: str) -> None:
    for text in WRONG[kind]:
        if field == "boxes" and text in ("0", "1"):
            continue  # in an address of a picture it is what people write
        with pytest.raises(ValidationError) as refused:
            model.model_validate({field: text})
        assert (field,) in [error["loc"] for error in refused.value.errors()], text


@pytest.mark.parametrize(("field", "kind"), kinds(NewJob) + kinds(JobOptions))
def test_of_a_form(field: str, kind: str) -> None:
    for text in WRONG[kind]:
        with pytest.raises(InvalidInput) as refused:
            NewJob.of_form({field: text})
        assert refused.value.code == "invalid_fields", text


@pytest.mark.parametrize("wrong", [1900000000, 1900000000.5, True, *NO_TIMES])
def test_a_time_in_json(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        NewKey.model_validate({"name": "n", "scopes": ["read"], "expires_at": wrong})


def test_what_is_meant_is_taken() -> None:
    assert [PageQuery.model_validate({"limit": text}).limit for text in ("10", "010", "1000")] == [
        10,
        10,
        1000,
    ]
    for text in ("2031-05-01T22:00:00Z", "2031-05-02t00:00:00.0+02:00"):
        until = PauseQuery.model_validate({"until": text}).until
        assert until is not None
        assert until.isoformat() == "2031-05-01T22:00:00+00:00"
    wanted = NewJob.of_form(
        {"priority": "-3", "max_failure_rate": "1e-05", "height": "720", "reuse": "false", "label": " 1_0 "}
    )
    assert (wanted.priority, wanted.max_failure_rate, wanted.label) == (-3, 1e-05, " 1_0 ")
    assert wanted.options.model_dump(exclude_unset=True) == {"height": 720, "reuse": False}


@pytest.mark.parametrize(("text", "meant"), [("True", True), ("FALSE", False), ("true", True)])
def test_truths_are_taken_in_capitals_as_well(text: str, meant: bool) -> None:
    assert NewJob.of_form({"delete_originals": text}).options.delete_originals is meant


def test_what_is_wrong_in_a_form_is_named_as_it_was_sent() -> None:
    with pytest.raises(InvalidInput) as refused:
        NewJob.of_form({"delete_originals": "perhaps", "priority": "high"})
    assert refused.value.details["errors"] == [
        {"field": "priority", "message": "must be written in plain digits, such as 10"},
        {"field": "delete_originals", "message": "must be `true` or `false`"},
    ]
    assert "options" not in str(refused.value)


def test_json_has_numbers_of_its_own() -> None:
    assert NewJob.model_validate({"priority": 5.0, "max_failure_rate": 1}).priority == 5
    for wrong in ({"priority": "5"}, {"max_failure_rate": "0.5"}, {"options": {"reuse": "true"}}):
        with pytest.raises(ValidationError):
            NewJob.model_validate(wrong)


def test_the_description_says_the_bounds() -> None:
    """A check before the number itself hides them from the schema, if it comes in the wrong place."""
    options = TypeAdapter(JobOptions).json_schema()["properties"]
    assert (options["height"]["minimum"], options["height"]["maximum"]) == (64, 4320)
    assert (options["min_confidence"]["minimum"], options["min_confidence"]["maximum"]) == (0, 1)
    job = NewJob.model_json_schema()["properties"]
    assert job["priority"]["maximum"] == 1000
    assert job["max_failure_rate"]["anyOf"][0]["maximum"] == 1
