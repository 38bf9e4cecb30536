"""Labels from probabilities written by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from nightshift.words.analysis import AGE_GROUPS
from shared.bundles.manifest import AgeGroupSpec, AgeHead, GenderHead
from worker.pipeline.label import age_labels, gender_label, group_probabilities

GROUPS = tuple(AgeGroupSpec(label=label, low=low, high=high) for label, low, high in AGE_GROUPS)
EITHER = np.array([0.5, 0.5], np.float32)


def years(**at: float) -> NDArray[np.float32]:
    outputs = np.zeros(101, np.float32)
    for name, probability in at.items():
        outputs[int(name.removeprefix("y"))] = probability
    return outputs


def head(kind: str = "years", **others: object) -> AgeHead:
    return AgeHead.model_validate({"kind": kind, "groups": GROUPS, **others})


@pytest.mark.parametrize("classes", [("male", "female"), ("female", "male")])
def test_gender_follows_the_manifests_order(classes: tuple[str, str]) -> None:
    label = gender_label(np.array([0.2, 0.8], np.float32), GenderHead(classes=classes, uncertain_below=0.75))
    assert label.value == classes[1]
    assert label.probabilities == pytest.approx({classes[0]: 0.2, classes[1]: 0.8})
    assert not label.uncertain


@pytest.mark.parametrize(("probability", "uncertain"), [(0.75, False), (0.7499, True), (0.9, False)])
def test_a_label_under_its_threshold_is_uncertain(probability: float, uncertain: bool) -> None:
    gender = GenderHead(classes=("female", "male"), uncertain_below=0.75)
    assert gender_label(np.array([probability, 1 - probability], np.float32), gender).uncertain is uncertain


def test_what_is_the_matter_with_the_face_makes_both_labels_uncertain() -> None:
    gender = GenderHead(classes=("female", "male"), uncertain_below=0.75)
    certain, close = (np.array([share, 1 - share], np.float32) for share in (0.99, 0.6))
    assert gender_label(certain, gender).uncertain_because == ()
    assert gender_label(close, gender).uncertain_because == ("close_call",)
    assert gender_label(certain, gender, ("blurred",)).uncertain_because == ("blurred",)
    assert gender_label(certain, gender, ("blurred",)).uncertain
    assert gender_label(close, gender, ("small",)).uncertain_because == ("small", "close_call")
    age, _ = age_labels(years(y20=1), EITHER, head(), ("turned",))
    assert (age.uncertain, age.uncertain_because) == (True, ("turned",))


def test_where_gender_cannot_be_told_at_an_age_no_probability_makes_it_certain() -> None:
    gender = GenderHead(classes=("female", "male"), uncertain_below=0.75, uncertain_at=("0-4", "5-9"))
    certain, close = (np.array([share, 1 - share], np.float32) for share in (0.99, 0.6))
    assert gender_label(certain, gender, age_group="0-4").uncertain_because == ("age",)
    assert gender_label(close, gender, ("small",), "5-9").uncertain_because == ("small", "age", "close_call")
    assert not gender_label(certain, gender, age_group="10-19").uncertain


def test_an_age_group_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"uncertain_at must name age groups: 0-4, 5-9"):
        GenderHead(classes=("female", "male"), uncertain_at=("0-5",))


def test_a_groups_probability_is_the_sum_over_its_years_and_the_last_is_open() -> None:
    outputs = years(y4=0.1, y5=0.2, y64=0.05, y65=0.15, y100=0.5)
    sums = group_probabilities(outputs, EITHER, head())
    np.testing.assert_allclose(sums, [0.1, 0.2, 0, 0, 0, 0, 0.05, 0.65], atol=1e-6)


def test_every_year_belongs_to_exactly_one_group() -> None:
    for year in range(101):
        outputs = np.zeros(101, np.float32)
        outputs[year] = 1
        sums = group_probabilities(outputs, EITHER, head())
        assert sums.sum() == 1
        group = GROUPS[int(sums.argmax())]
        assert group.low <= year and (group.high is None or year <= group.high)


def test_age_is_the_expectation_and_the_group_the_likeliest() -> None:
    group, age = age_labels(years(y20=0.6, y70=0.4), EITHER, head(uncertain_below=0.7))
    assert (group.label, group.low, group.high) == ("20-29", 20, 29)
    assert group.probability == pytest.approx(0.6)
    assert group.uncertain
    assert age == pytest.approx(40.0)
    assert sum(group.probabilities.values()) == pytest.approx(1)


def test_groups_know_no_age() -> None:
    group, age = age_labels(np.eye(8, dtype=np.float32)[7], EITHER, head("groups"))
    assert (group.label, group.high, age) == ("65+", None, None)


@pytest.mark.parametrize(("gender", "expected"), [([0.9, 0.1], "0-4"), ([0.1, 0.9], "50-64")])
def test_a_head_by_gender_is_read_for_the_likelier_gender(gender: list[float], expected: str) -> None:
    outputs = np.concatenate([np.eye(8, dtype=np.float32)[0], np.eye(8, dtype=np.float32)[6]])
    group, _ = age_labels(outputs, np.array(gender, np.float32), head("groups", by_gender=True))
    assert group.label == expected
    assert sum(group.probabilities.values()) == pytest.approx(1)
