import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightshift.words.analysis import AGE_GROUPS
from tests.support.needs_torch import torch
from training.loop import schedule
from training.losses import (
    Outputs,
    Targets,
    group_log_probabilities,
    group_of,
    losses,
    soft_years,
)
from training.trainable import YEARS


@given(st.integers(0, 100))
def test_soft_years_are_a_distribution_with_its_top_at_the_age(age: int) -> None:
    row = soft_years(torch.tensor([float(age)]))[0]
    assert row.sum().item() == pytest.approx(1, abs=1e-5)
    assert int(row.argmax()) == age
    assert row.min() >= 0


@given(st.integers(0, 100))
def test_every_year_is_in_its_group(age: int) -> None:
    index = int(group_of(torch.tensor([float(age)])))
    _, low, high = AGE_GROUPS[index]
    assert low <= age and (high is None or age <= high)


def test_group_probabilities_are_sums_over_years() -> None:
    logits = torch.randn(4, YEARS, generator=torch.Generator().manual_seed(0)) * 3
    years = logits.softmax(dim=1)
    groups = group_log_probabilities(logits).exp()
    assert torch.allclose(groups.sum(dim=1), torch.ones(4), atol=1e-5)
    assert torch.allclose(groups[:, 6], years[:, 50:65].sum(dim=1), atol=1e-6)


def answers(gender: float, age: int, descriptor: torch.Tensor) -> Outputs:
    logits = torch.full((1, YEARS), -12.0)
    logits[0, age] = 12.0
    return Outputs(torch.tensor([[-gender, gender]]), logits, descriptor)


@pytest.fixture
def targets() -> Targets:
    teachers = torch.zeros(1, 128), torch.zeros(1, 81), torch.tensor([[0.1, 0.9]])
    teachers[0][0, 0] = 1
    teachers[1][0, 30] = 1
    return Targets(torch.tensor([1]), torch.tensor([30.0]), teachers)


def test_every_term_is_least_where_the_answer_is_right(targets: Targets) -> None:
    assert targets.teachers is not None
    right = losses(answers(1.1, 30, targets.teachers[0]), targets, 1.0)
    wrong = losses(answers(-1.1, 60, -targets.teachers[0]), targets, 1.0)
    assert right.keys() == wrong.keys()
    assert all(right[name] < wrong[name] for name in right), (right, wrong)
    assert right["teacher_descriptor"].item() == pytest.approx(0, abs=1e-6)


def test_without_teachers_their_terms_are_left_out(targets: Targets) -> None:
    output = answers(1.0, 30, torch.ones(1, 128))
    plain = losses(output, Targets(targets.gender, targets.age, None), 1.0)
    assert not any(name.startswith("teacher") for name in plain)
    assert losses(output, targets, 0.0).keys() == plain.keys()


def test_who_is_over_eighty_fits_the_teachers_last_year(targets: Targets) -> None:
    assert targets.teachers is not None
    targets.teachers[1].zero_()[0, 80] = 1
    near, far = (
        losses(answers(1.0, age, targets.teachers[0]), targets, 1.0)["teacher_age"] for age in (95, 70)
    )
    assert near < 0.01 < far


def test_the_rate_rises_and_falls_to_nothing() -> None:
    rates = [schedule(done) for done in np.linspace(0, 1, 101)]
    top = int(np.argmax(rates))
    assert rates[top] == pytest.approx(1)
    assert rates[:top] == sorted(rates[:top]) and rates[top:] == sorted(rates[top:], reverse=True)
    assert 0 < rates[0] < 0.05 and rates[-1] == pytest.approx(0)
