"""Chips made worse, and thresholds that hold for them, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from nightshift.words.analysis import AGE_GROUPS, Quality
from shared.bundles.limits import Limits
from shared.bundles.manifest import Heads
from tests.support import needs_torch as _needs_torch  # noqa: F401
from training.degraded import MOST_WRONG, STEPS, Degraded, Step, made_worse, step_scores, threshold_for_steps
from training.metrics import Answers

CHIP = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype(np.uint8)
SHARP, BLURRED = (Quality(sharpness, 0.5, 100.0, 0.0, 0.0) for sharpness in (1.0, 0.1))


def heads(**of_gender: object) -> Heads:
    gender = {"classes": ["male", "female"], "uncertain_below": 0.8, **of_gender}
    groups = [{"label": label, "low": low, "high": high} for label, low, high in AGE_GROUPS]
    age = {"kind": "years", "groups": groups, "uncertain_below": 0.6}
    return Heads.model_validate({"gender": gender, "age": age})


def degraded(sure: list[float], wrong: list[bool], qualities: list[Quality]) -> Degraded:
    """Faces of 25 years, all male; a wrong one is called female of 65 and over."""
    count = len(sure)
    gender, groups = np.zeros((count, 2)), np.zeros((count, 8))
    for row, (probability, is_wrong) in enumerate(zip(sure, wrong, strict=True)):
        gender[row, [int(is_wrong), 1 - int(is_wrong)]] = probability, 1 - probability
        groups[row, 7 if is_wrong else 3] = probability
    answers = Answers(gender, groups, np.full(count, 25.0), np.zeros(count, int), np.full(count, 25))
    return Degraded(Step("plain"), answers, tuple(qualities))


def test_a_chip_is_cut_off_at_each_side_in_turn() -> None:
    corners = [made_worse(CHIP, Step("cut_off", 0.1), index) for index in range(4)]
    assert [photo.shape[:2] for photo, _, _ in corners] == [(200, 180), (200, 180), (180, 200), (180, 200)]
    assert [corner for _, _, corner in corners] == [(-20, 0), (0, 0), (0, -20), (0, 0)]
    assert {side for _, side, _ in corners} == {200}


def test_a_small_chip_has_few_pixels_and_a_blurred_one_as_many_as_before() -> None:
    photo, side, _ = made_worse(CHIP, Step("small", 24), 0)
    assert (photo.shape, side) == ((24, 24, 3), 24)
    photo, side, _ = made_worse(CHIP, Step("blurred", 0.02), 0)
    assert (photo.shape, side) == (CHIP.shape, 200)
    assert photo.std() < CHIP.std()
    assert (made_worse(CHIP, Step("plain"), 0)[0] == CHIP).all()


def test_steps_have_names_of_their_own() -> None:
    assert len({str(step) for step in STEPS}) == len(STEPS)


def test_a_step_counts_what_is_shown_plain_and_wrong() -> None:
    found = degraded([0.9, 0.9, 0.9, 0.55], [False, True, True, True], [SHARP, SHARP, BLURRED, SHARP])
    scores = step_scores(found, Limits(), heads())
    assert (scores.gender, scores.near, scores.marked) == (0.25, 0.25, 0.25)
    assert (scores.plain_gender, scores.wrong_gender) == (0.5, 0.25)
    assert (scores.plain_age_group, scores.wrong_age_group) == (0.5, 0.25)
    # The one that is called 65 and over, and is sharp, is not plain any more.
    scores = step_scores(found, Limits(), heads(uncertain_at=["65+"]))
    assert (scores.plain_gender, scores.wrong_gender, scores.plain_age_group) == (0.25, 0, 0.5)


@pytest.mark.parametrize("head", ["gender", "age_group"])
def test_a_threshold_is_raised_until_few_are_wrong_at_the_worst_step(head: str) -> None:
    fine = degraded([0.9] * 100, [False] * 100, [SHARP] * 100)
    # At 0.7 four of a hundred are wrong, at 0.8 two, and some are marked anyway.
    sure = [0.75] * 2 + [0.85] * 2 + [0.99] * 96
    worse = degraded(sure, [True] * 4 + [False] * 96, [SHARP] * 100)
    assert 0.02 < MOST_WRONG < 0.04
    assert threshold_for_steps([fine, worse], Limits(), head, 0.6) == 0.76  # type: ignore[arg-type]
    assert threshold_for_steps([fine], Limits(), head, 0.6) == 0.6  # type: ignore[arg-type]
    assert threshold_for_steps([worse], Limits(), "gender", 0.6, ["65+"]) == 0.6
    marked = degraded(sure, [True] * 4 + [False] * 96, [BLURRED] * 100)
    assert threshold_for_steps([marked], Limits(), head, 0.6) == 0.6  # type: ignore[arg-type]
