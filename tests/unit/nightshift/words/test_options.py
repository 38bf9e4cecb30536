from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from nightshift.words.options import AnalysisOptions, JobOptions

OTHER_VALUES: dict[str, Any] = {
    "min_confidence": 0.5,
    "min_face_px": 40,
    "height": 720,
    "tilt_threshold_deg": 0.0,
}


def test_equal_options_have_equal_fingerprints() -> None:
    written = AnalysisOptions.model_validate_json('{"height": 1080, "min_confidence": 0.9}')

    assert written.fingerprint("") == AnalysisOptions().fingerprint("")
    assert AnalysisOptions(min_confidence=1).fingerprint("") == AnalysisOptions(
        min_confidence=1.0
    ).fingerprint("")


@pytest.mark.parametrize("name", list(AnalysisOptions.model_fields))
def test_every_analysis_option_changes_the_fingerprint(name: str) -> None:
    changed = AnalysisOptions(**{name: OTHER_VALUES[name]})

    assert changed.fingerprint("") != AnalysisOptions().fingerprint("")


def test_weights_that_are_read_otherwise_change_the_fingerprint() -> None:
    assert AnalysisOptions().fingerprint("one framing") != AnalysisOptions().fingerprint("another")


def test_reuse_does_not_decide_what_may_be_reused() -> None:
    assert JobOptions(reuse=False).analysis().fingerprint("") == JobOptions().analysis().fingerprint("")


def test_the_analysis_part_keeps_the_values() -> None:
    assert JobOptions(**OTHER_VALUES, reuse=False).analysis() == AnalysisOptions(**OTHER_VALUES)


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_confidence": -0.1},
        {"min_confidence": 1.1},
        {"min_face_px": 11},
        {"height": 0},
        {"tilt_threshold_deg": 181},
        {"min_confidence": float("nan")},
        {"sharpen": True},
    ],
)
def test_wrong_options_are_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        JobOptions(**wrong)

    assert [error["loc"] for error in caught.value.errors()] == [(name,) for name in wrong]
