from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from nightshift.words import health
from nightshift.words.health import GRAVE, Checks, complaint, readiness

WELL = {"workers": 1, "sweepers": 1}
BAD: list[tuple[str, object]] = [("workers", 0), ("sweepers", 0)]
for name, field in Checks.model_fields.items():
    if field.annotation is not int:
        literal = next(inner for inner in get_args(field.annotation) if get_args(inner))
        BAD += [(field.alias or name, state) for state in get_args(literal) if state != "ok"]


@pytest.mark.parametrize(("part", "state"), BAD)
def test_every_state_that_is_not_well_has_a_sentence_and_a_weight(part: str, state: object) -> None:
    assert complaint(part, state)
    status = readiness(Checks.model_validate({**WELL, part: state})).status
    assert status == ("unavailable" if part in GRAVE else "degraded")


def test_what_an_older_server_does_not_tell_is_not_wrong() -> None:
    assert readiness(Checks()).status == "ready"
    assert readiness(Checks(broker="down")).status == "degraded"


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_page_has_a_sentence_for_each_and_says_the_same_first(language: str) -> None:
    words = Path(health.__file__).parents[2] / "api" / "page" / "src" / "words" / f"{language}.ts"
    found = re.search(r"\n    wrong: \{\n(.*?)\n    \}", words.read_text("utf-8"), re.DOTALL)
    assert found
    said = re.findall(r'^      "([^"]*)": "', found[1], re.MULTILINE)
    assert said == [f"{part} {state}" for part, state in health._WRONG]
