"""Probabilities that can be believed: one temperature a head, and thresholds for a stated precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nightshift.words.analysis import AGE_GROUPS
from training.metrics import Answers, Bools, Floats, calibration_error, share, threshold_for_precision

GENDER_PRECISION = 0.97
AGE_GROUP_PRECISION = 0.97
"""How often a label is right that is not marked uncertain; an age group, or the next one."""

GENDER_LEAST = 0.9
"""Where fewer of the plain genders of an apparent age are right, by more than chance, none is shown plain."""

AGE_GROUPS_OFF = 1
"""How many groups off counts as right where the age group's threshold is chosen."""

_TEMPERATURES = np.geomspace(0.25, 4, 401)
_TINY = 1e-12

ToClasses = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What was found for one head.

    Attributes:
        temperature: the logits are divided by it; 1 where another does not help the other half of the faces.
        error_before: expected calibration error without it.
        error_after: with it, each half of the faces under the temperature of the other half.
        uncertain_below: labels of this probability and over are right as often as `precision` says.
        precision: asked for.
        within: classes off that still count as right for it.
        certain: share of the labels of this probability and over.
        certain_right: share right of those, each half of the faces under the threshold of the other half.
        uncertain_at: age groups at which no label of this head is believed.
    """

    temperature: float
    error_before: float
    error_after: float
    uncertain_below: float
    precision: float
    within: int
    certain: float
    certain_right: float
    uncertain_at: tuple[str, ...] = ()

    def raised(self, uncertain_below: float, sure: Floats) -> Calibrated:
        """With another threshold.

        Args:
            uncertain_below: the threshold.
            sure: the labels' probabilities on the chips as they are, -1 of what is never shown plain.
        """
        certain = round(float((sure >= uncertain_below).mean()), 4)
        return replace(self, uncertain_below=uncertain_below, certain=certain)


def calibrate(
    log_probabilities: Floats,
    true: NDArray[np.int64],
    to_classes: ToClasses,
    precision: float,
    within: int = 0,
) -> Calibrated:
    """Choose the temperature of least negative log-likelihood (Guo et al. 2017, section 4.2).

    Args:
        log_probabilities: float64 [N, outputs] of the head, or its logits.
        true: index of the right class, int64 [N].
        to_classes: from the outputs' probabilities [N, outputs] to those of the classes [N, classes]:
            what is calibrated is the label that users see, and an age group is a sum over years.
        precision: of the labels that are not to be marked uncertain.
        within: classes off that count as right for `precision`.
    """
    temperature = _fit(log_probabilities, true, to_classes)
    before = to_classes(_softmax(log_probabilities))
    error_before = _error(before, true)
    crossed = np.empty_like(before)
    halves = np.arange(len(true)) % 2 == 0
    for half in (halves, ~halves):
        of_other = _fit(log_probabilities[~half], true[~half], to_classes)
        crossed[half] = to_classes(_softmax(log_probabilities[half] / of_other))
    error_after = _error(crossed, true)
    if error_after >= error_before:
        temperature, error_after = 1.0, error_before
    after = to_classes(_softmax(log_probabilities / temperature))
    found = Calibrated(
        temperature=round(float(temperature), 4),
        error_before=round(error_before, 4),
        error_after=round(error_after, 4),
        uncertain_below=1.0,
        precision=precision,
        within=within,
        certain=0.0,
        certain_right=0.0,
    )
    return _with_threshold(found, after.max(axis=1), np.abs(after.argmax(axis=1) - true) <= within)


def _with_threshold(found: Calibrated, sure: Floats, right: Bools) -> Calibrated:
    threshold = threshold_for_precision(sure, right, found.precision)
    held_out, halves = np.zeros(len(sure), bool), np.arange(len(sure)) % 2 == 0
    for half in (halves, ~halves):
        held_out[half] = sure[half] >= threshold_for_precision(sure[~half], right[~half], found.precision)
    certain_right = round(float(right[held_out].mean()), 4) if held_out.any() else 0.0
    return replace(found, certain_right=certain_right).raised(threshold, sure)


def sparing_hard_ages(found: Calibrated, answers: Answers) -> Calibrated:
    """A gender's calibration without the apparent ages at which it is little more than a guess.

    Args:
        found: with a threshold for faces of every age.
        answers: calibrated ones, for the faces that it was found with.

    Returns:
        With `uncertain_at`, the age groups where of the genders that would be shown plain fewer than
        `GENDER_LEAST` are right, by more than chance; and with a threshold for the other faces alone.
    """
    plain, apparent = answers.gender_sure() >= found.uncertain_below, answers.groups.argmax(axis=1)
    hard = tuple(
        label
        for index, (label, _, _) in enumerate(AGE_GROUPS)
        if share(answers.gender_right[plain & (apparent == index)]).high < GENDER_LEAST
    )
    if not hard:
        return found
    return _with_threshold(replace(found, uncertain_at=hard), answers.gender_sure(hard), answers.gender_right)


def group_sums(years: Floats) -> Floats:
    """Years' probabilities [N, years] to the age groups' [N, 8]."""
    return np.stack(
        [years[:, low : None if high is None else high + 1].sum(axis=1) for _, low, high in AGE_GROUPS],
        axis=1,
    )


def _fit(log_probabilities: Floats, true: NDArray[np.int64], to_classes: ToClasses) -> float:
    rows = np.arange(len(true))
    losses = [
        -np.log(to_classes(_softmax(log_probabilities / temperature))[rows, true] + _TINY).mean()
        for temperature in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def _error(probabilities: Floats, true: NDArray[np.int64]) -> float:
    return calibration_error(probabilities.max(axis=1), np.asarray(probabilities.argmax(axis=1) == true))


def _softmax(logits: Floats) -> Floats:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
