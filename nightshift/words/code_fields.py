"""Fields of answers that hold an error code: their schema lists those there are.

The schema alone: who reads what a newer version has written meets codes that it does not know.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue

from nightshift.words.error_codes import JOB_ERROR_CODES, PHOTO_ERROR_CODES, PROBLEM_CODES, Code


def _one_of(codes: frozenset[Code]) -> dict[str, JsonValue]:
    return {"enum": [*sorted(codes)]}


PhotoErrorCode = Annotated[str, Field(json_schema_extra=_one_of(PHOTO_ERROR_CODES))]
JobErrorCode = Annotated[str, Field(json_schema_extra=_one_of(JOB_ERROR_CODES))]
ProblemCode = Annotated[str, Field(json_schema_extra=_one_of(PROBLEM_CODES))]
