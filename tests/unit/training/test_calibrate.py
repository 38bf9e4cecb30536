"""Calibrating what is not exported here: flatter probabilities, and an expected age no worse for it."""

from __future__ import annotations

import numpy as np

from tests.support import needs_torch as _needs_torch  # noqa: F401
from training.calibrate import keeping_years
from training.calibration import Calibrated

FOUND = Calibrated(
    temperature=4.0,
    error_before=0.3,
    error_after=0.05,
    uncertain_below=0.5,
    precision=0.97,
    within=1,
    certain=0.8,
    certain_right=0.97,
)


def years_around(ages: np.ndarray, width: float) -> np.ndarray:
    """Probabilities [N, 81] around the ages: the old and the young lean against the ends."""
    distances = (np.arange(81) - ages[:, None]) / width
    weights = np.exp(-0.5 * distances**2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def test_it_stops_where_flatter_years_cost_the_expected_age() -> None:
    ages = np.arange(81).repeat(3)
    years = years_around(ages, 2.0)

    def error(temperature: float) -> float:
        flat = years ** (1 / temperature)
        return float(np.abs(flat / flat.sum(axis=1, keepdims=True) @ np.arange(81) - ages).mean())

    found = keeping_years(FOUND, years, ages)
    assert error(FOUND.temperature) > error(1)
    assert found.temperature == 1


def test_where_flatter_costs_nothing_it_is_taken_as_found() -> None:
    ages = np.full(60, 50)
    # Too old by twenty years, and pulled down by flatter ones.
    assert keeping_years(FOUND, years_around(ages + 20, 4.0), ages).temperature == 4.0


def test_between_them_it_is_the_greatest_that_costs_nothing() -> None:
    # Too old by two years: flatter ones are pulled down to the truth, then past it.
    ages = np.full(60, 68)
    found = keeping_years(FOUND, years_around(ages + 2, 6.0), ages)
    assert 1.2 < found.temperature < 3.8
    assert found.error_after != FOUND.error_after
