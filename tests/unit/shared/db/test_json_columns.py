"""JSON columns hold whatever photos bring."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from shared.db import json_columns
from tests.support.queue_rows import face

VALUES = [
    None,
    {"a": [1, 2.5, True, None, "text"]},
    "é\u2028\x00</script>",
    1e-7,
    1e300,
    -0.1,
    12345678901234567890123,
    # Half a surrogate pair: a file's name that is not UTF-8.
    {"message": "broken\udcff.jpg is gone"},
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_is_written_is_read(value: object) -> None:
    assert json_columns.read(json_columns.written(value)) == value


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_either_library_reads_what_the_other_wrote(value: object) -> None:
    assert json_columns.read(json.dumps(value)) == value
    assert json.loads(json_columns.written(value)) == value


def test_dataclasses_are_written_as_their_fields() -> None:
    fields = json.loads(json.dumps(asdict(face())))  # JSON has no tuples
    assert json_columns.read(json_columns.written(face())) == fields
    assert json_columns.read(json_columns.written([face(), "\udcff"])) == [fields, "\udcff"]
