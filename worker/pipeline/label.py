"""From the classifier's probabilities to apparent gender, age group and age."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nightshift.words.analysis import AgeGroup, Gender
from shared.bundles.manifest import AgeHead, GenderHead


def gender_label(
    probabilities: NDArray[np.float32], head: GenderHead, doubts: tuple[str, ...] = (), age_group: str = ""
) -> Gender:
    """The most probable class.

    Args:
        probabilities: float32 [2], summing to 1, in the order of `head.classes`.
        head: classes and the threshold under which the label is uncertain.
        doubts: why it is uncertain anyway.
        age_group: the face's, a label; nothing is doubted for its age without.
    """
    best = int(np.argmax(probabilities))
    probability = float(probabilities[best])
    if age_group in head.uncertain_at:
        doubts = (*doubts, "age")
    because = _because(doubts, probability, head.uncertain_below)
    return Gender(
        value=head.classes[best],
        probability=probability,
        probabilities={name: float(p) for name, p in zip(head.classes, probabilities, strict=True)},
        uncertain=bool(because),
        uncertain_because=because,
    )


def age_labels(
    outputs: NDArray[np.float32],
    gender_probabilities: NDArray[np.float32],
    head: AgeHead,
    doubts: tuple[str, ...] = (),
) -> tuple[AgeGroup, float | None]:
    """The most probable age group, and the expected age where the head knows years.

    Args:
        outputs: float32 [bins], the age head's probabilities; one set of groups for each gender class
            after another when `head.by_gender`.
        gender_probabilities: float32 [2]; chooses the set of a head by gender.
        head: kind, groups and the threshold under which the label is uncertain.
        doubts: why it is uncertain anyway.

    Returns:
        The group, and the expectation of the years' distribution in years (None for kind `groups`).
    """
    by_group = group_probabilities(outputs, gender_probabilities, head)
    best = int(np.argmax(by_group))
    group, probability = head.groups[best], float(by_group[best])
    because = _because(doubts, probability, head.uncertain_below)
    label = AgeGroup(
        label=group.label,
        low=group.low,
        high=group.high,
        probability=probability,
        probabilities={each.label: float(p) for each, p in zip(head.groups, by_group, strict=True)},
        uncertain=bool(because),
        uncertain_because=because,
    )
    if head.kind == "groups":
        return label, None
    # Rothe et al. 2018 (DEX), section 3.3: the expectation is a better regressor than the mode.
    return label, float(np.asarray(outputs, dtype=np.float64) @ np.arange(len(outputs)))


def _because(doubts: tuple[str, ...], probability: float, threshold: float) -> tuple[str, ...]:
    return (*doubts, "close_call") if probability < threshold else doubts


def group_probabilities(
    outputs: NDArray[np.floating], gender_probabilities: NDArray[np.floating], head: AgeHead
) -> NDArray[np.float64]:
    """Float64 [8]: one probability a group, the sum over its years or the set of the likelier gender."""
    values = np.asarray(outputs, dtype=np.float64)
    if head.kind == "years":
        return np.array(
            [values[g.low : None if g.high is None else g.high + 1].sum() for g in head.groups],
            dtype=np.float64,
        )
    if not head.by_gender:
        return values
    start = int(np.argmax(gender_probabilities)) * len(head.groups)
    return values[start : start + len(head.groups)]
