from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.results import Spread, ratios, read_results, spread, write_results
from nightshift.words.errors import InvalidInput
from tests.support.results_made import results


def test_spread() -> None:
    assert spread([3.0, 1.0, 2.0, 10.0]) == Spread(2.5, 1.0, 10.0)
    assert spread([4.0]) == Spread(4.0, 4.0, 4.0)
    with pytest.raises(ValueError, match="no"):
        spread([])


def test_ratios_are_of_the_same_round() -> None:
    assert ratios([6.0, 8.0], [1.0, 4.0]) == [6.0, 2.0]
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])


def test_results_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "new" / "performance-x.json"
    write_results(results(), path)

    assert read_results(path) == results()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "Invalid JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{}", "day: Field required"),
        (b"[]", "an object"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=says) as refusal:
        read_results(path)
    assert refusal.value.code == "bad_results"
    assert "odd.json" in refusal.value.message


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read_results(tmp_path / "none.json")


def test_unknown_fields_are_refused(tmp_path: Path) -> None:
    """So that nothing of a machine or of people's photos slips into a committed file."""
    document = json.loads(results().model_dump_json())
    document["machine"]["host"] = "somebody's"
    path = tmp_path / "more.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InvalidInput, match=r"machine\.host"):
        read_results(path)
