import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import metrics
from training.calibration import calibrate, group_sums, sparing_hard_ages


def test_wilsons_interval_is_scipys() -> None:
    # It takes longer to load than all other tests here together.
    from scipy import stats

    for right, faces in ((0, 5), (3, 7), (90, 100), (12, 12)):
        found = metrics.share(np.arange(faces) < right)
        interval = stats.binomtest(right, faces).proportion_ci(method="wilson")
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-6)
        assert found.value == pytest.approx(right / faces)


def test_the_bootstrap_of_a_mean_is_repeatable_and_about_right() -> None:
    values = np.random.default_rng(1).normal(5, 2, 400)
    found = metrics.mean(values)
    assert found == metrics.mean(values)
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)


def test_nothing_is_said_of_no_faces_and_of_unknown_years() -> None:
    assert math.isnan(metrics.share(np.array([], bool)).value)
    assert math.isnan(metrics.mean(np.array([1.0, math.nan])).value)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=80))
def test_reliability_counts_every_face_once(answers: list[tuple[float, bool]]) -> None:
    probability, right = np.array([p for p, _ in answers]), np.array([r for _, r in answers])
    bins = metrics.reliability(probability, right)
    assert sum(part.faces for part in bins) == len(answers)
    assert sum(part.faces * part.right for part in bins) == pytest.approx(right.sum())
    assert 0 <= metrics.calibration_error(probability, right) <= 1


def test_genders_of_an_age_at_which_they_are_guesses_are_spared() -> None:
    # Of 200 adults all are right but 4 unsure ones; of 100 small children, as sure as they, every other one.
    group = np.array([3] * 200 + [0] * 100)
    right = np.array([False] * 4 + [True] * 196 + [True, False] * 50)
    sure = np.array([0.6] * 4 + [0.9] * 296)
    true = np.zeros(300, int)
    gender = np.stack([np.where(right, sure, 1 - sure), np.where(right, 1 - sure, sure)], axis=1)
    answers = metrics.Answers(gender, np.eye(8)[group], np.zeros(300), true, np.array([25] * 200 + [2] * 100))
    found = replace(calibrate(np.log(gender), true, lambda values: values, 0.97), uncertain_below=0.7)
    spared = sparing_hard_ages(found, answers)
    assert (spared.uncertain_at, spared.uncertain_below) == (("0-4",), 0.0)
    assert spared.certain == pytest.approx(2 / 3, abs=1e-3)
    # Where they are right as often as the others, nothing changes.
    assert sparing_hard_ages(found, answers.where(right)) == found


def test_calibration_error_by_hand() -> None:
    probability, right = np.array([0.9, 0.9, 0.61, 0.61]), np.array([True, False, True, True])
    assert metrics.calibration_error(probability, right) == pytest.approx((2 * 0.4 + 2 * 0.39) / 4)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60), st.floats(0.5, 1))
def test_labels_over_the_threshold_are_as_often_right_as_asked(
    answers: list[tuple[float, bool]], precision: float
) -> None:
    probability, right = np.array([p for p, _ in answers]), np.array([r for _, r in answers])
    threshold = metrics.threshold_for_precision(probability, right, precision)
    kept = probability >= threshold
    if threshold < 1:
        assert right[kept].mean() >= precision


def test_confusion_has_a_row_for_each_label() -> None:
    table = metrics.confusion(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1]), 3)
    assert table.tolist() == [[1, 1, 0], [0, 1, 1], [0, 0, 0]]


def test_groups_of_ages() -> None:
    ages = np.array([0, 4, 5, 9, 10, 19, 20, 29, 30, 39, 40, 49, 50, 64, 65, 116])
    assert metrics.groups_of(ages).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]


def test_the_headline_counts_by_hand() -> None:
    groups = np.eye(8)[[3, 4, 0]]
    found = metrics.headline(
        metrics.Answers(
            gender=np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]),
            groups=groups,
            years=np.array([25.0, 35.0, 2.0]),
            true_gender=np.array([0, 1, 1]),
            true_age=np.array([25, 25, 80]),
        )
    )
    assert found == {"gender": 0.6667, "age8": 0.3333, "near": 0.6667, "mae": round((0 + 10 + 78) / 3, 4)}


@pytest.mark.parametrize("sharpened", [0.5, 2.0])
def test_a_temperature_is_found_again(sharpened: float) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (4000, 3))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    true = np.array([random.choice(3, p=row) for row in probabilities])
    found = calibrate(logits * sharpened, true, lambda values: values, 0.8)
    assert found.temperature == pytest.approx(sharpened, rel=0.1)
    assert found.error_after < found.error_before
    certain = probabilities.max(axis=1) >= found.uncertain_below
    assert (probabilities.argmax(axis=1) == true)[certain].mean() == pytest.approx(0.8, abs=0.03)


def test_a_threshold_holds_for_both_halves_of_the_faces() -> None:
    probability = np.tile([0.55, 0.65, 0.75, 0.85], (2, 50)).T.reshape(-1)
    right = np.ones(len(probability), bool)
    # Of every second face alone, those of 0.65 are wrong.
    right[1::2][probability[1::2] == 0.65] = False
    assert metrics.threshold_for_precision(probability, right, 0.85) == 0.66
    assert float(right.mean()) >= 0.85


def test_an_age_group_next_to_the_right_one_counts_for_its_threshold() -> None:
    sure = np.tile([0.6, 0.6, 0.9, 0.9], 50)
    near = np.where(sure == 0.9, 1, 3)  # groups off: one where it is sure, three elsewhere
    true = np.zeros(200, np.int64)
    probabilities = np.full((200, 4), 1e-6)
    probabilities[np.arange(200), near] = sure
    probabilities[np.arange(200), (near + 2) % 4] = 1 - sure
    strict, lenient = (
        calibrate(np.log(probabilities), true, lambda values: values, 0.97, within) for within in (0, 1)
    )
    assert strict.certain_right == strict.certain == 0
    assert (lenient.certain_right, lenient.certain) == (1.0, 0.5)


def test_group_sums_of_years() -> None:
    years = np.random.default_rng(0).dirichlet(np.ones(101), 3)
    groups = group_sums(years)
    assert groups.sum(axis=1) == pytest.approx(np.ones(3))
    assert groups[:, 7] == pytest.approx(years[:, 65:].sum(axis=1))
