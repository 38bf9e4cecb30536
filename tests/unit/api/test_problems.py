from __future__ import annotations

import re
from pathlib import Path

import pytest

import api
import shared
from api.problems import CODE_BY_STATUS, STATUS_BY_CLASS, STATUS_BY_CODE, status_of
from nightshift.words.errors import Conflict, InvalidInput, NightshiftError, NotFound, Transient


def test_every_kind_of_error_has_a_status() -> None:
    assert set(NightshiftError.__subclasses__()) < set(STATUS_BY_CLASS)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("bad_custom_id", ""), 422),
        (InvalidInput("digest_mismatch", ""), 400),
        (InvalidInput("unauthorized", ""), 401),
        (NotFound("job_not_found", ""), 404),
        (Conflict("job_sealed", ""), 409),
        (Transient("store_unavailable", ""), 503),
        (NightshiftError("other", ""), 500),
    ],
)
def test_statuses(error: NightshiftError, status: int) -> None:
    assert status_of(error) == status


def test_every_code_in_the_table_is_raised_somewhere() -> None:
    sources = [
        path.read_text(encoding="utf-8")
        for package in (api, shared)
        for path in Path(package.__path__[0]).rglob("*.py")
    ]
    raised = set(re.findall(r'(?:InvalidInput|NotFound|Conflict)\(\s*"(\w+)"', "\n".join(sources)))
    assert set(STATUS_BY_CODE) <= raised


def test_refusals_of_flask_speak_the_same_codes() -> None:
    for status, code in CODE_BY_STATUS.items():
        assert STATUS_BY_CODE.get(code, status) == status
