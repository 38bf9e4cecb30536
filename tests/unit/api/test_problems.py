from __future__ import annotations

import json

import pytest

from api.problems import BY_FRAMEWORK, problem
from nightshift.words.error_codes import PROBLEM_CODES, Code


@pytest.mark.parametrize("code", sorted(PROBLEM_CODES))
def test_a_problem_has_its_codes_status(code: Code) -> None:
    answer = problem(code, "why")

    assert answer.status_code == code.status
    assert json.loads(answer.get_data()) == {
        "type": f"urn:nightshift:problem:{code.value}",
        "title": code.value.replace("_", " ").capitalize(),
        "status": code.status,
        "detail": "why",
        "code": code.value,
    }


def test_what_should_not_come_up_in_a_request_is_the_servers_fault() -> None:
    assert problem(Code.BAD_SETTING, "why").status_code == 500


def test_refusals_of_the_framework_speak_the_same_codes() -> None:
    assert {status: code.status for status, code in BY_FRAMEWORK.items()} == {s: s for s in BY_FRAMEWORK}
