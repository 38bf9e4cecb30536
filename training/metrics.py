"""How good answers are: accuracies with their intervals, errors in years, calibration."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightshift.words.analysis import AGE_GROUPS

Z95 = 1.959964
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a bundle says of N faces, and what is right.

    Attributes:
        gender: float64 [N, 2], probabilities of male and female.
        groups: float64 [N, 8], probabilities of the age groups.
        years: float64 [N], expected age in years; NaN when the bundle knows no years.
        true_gender: int64 [N], 0 male, 1 female.
        true_age: int64 [N], years.
    """

    gender: Floats
    groups: Floats
    years: Floats
    true_gender: NDArray[np.int64]
    true_age: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.true_age)

    def where(self, chosen: Bools) -> Answers:
        """Only those faces."""
        return Answers(
            self.gender[chosen],
            self.groups[chosen],
            self.years[chosen],
            self.true_gender[chosen],
            self.true_age[chosen],
        )

    @property
    def true_group(self) -> NDArray[np.int64]:
        """Index of the right age group."""
        return groups_of(self.true_age)

    @property
    def gender_right(self) -> Bools:
        """Whether the likelier gender is the label."""
        return np.asarray(self.gender.argmax(axis=1) == self.true_gender)

    def gender_sure(self, uncertain_at: Collection[str] = ()) -> Floats:
        """Probability of the likelier gender; -1 where the likeliest age group is of these: never plain."""
        never = [index for index, (label, _, _) in enumerate(AGE_GROUPS) if label in uncertain_at]
        return np.where(np.isin(self.groups.argmax(axis=1), never), -1.0, self.gender.max(axis=1))

    @property
    def group_right(self) -> Bools:
        """Whether the likeliest age group is the right one."""
        return np.asarray(self.groups.argmax(axis=1) == self.true_group)

    @property
    def group_near(self) -> Bools:
        """Whether the likeliest age group is the right one or next to it."""
        return np.asarray(np.abs(self.groups.argmax(axis=1) - self.true_group) <= 1)

    @property
    def error_years(self) -> Floats:
        """Absolute error of the expected age."""
        return np.asarray(np.abs(self.years - self.true_age))


def groups_of(ages: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index of the age group of each age."""
    starts = [low for _, low, _ in AGE_GROUPS]
    return np.searchsorted(starts, ages, side="right") - 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share or a mean, with its 95 % interval and the number of faces."""

    value: float
    low: float
    high: float
    faces: int


def share(right: Bools) -> Estimate:
    """Share of True with Wilson's score interval (Wilson 1927)."""
    n = len(right)
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    p = float(right.mean())
    middle = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    reach = Z95 / (1 + Z95**2 / n) * math.sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2))
    return Estimate(p, max(0.0, middle - reach), min(1.0, middle + reach), n)


def mean(values: Floats, draws: int = 2000) -> Estimate:
    """Mean with the percentile interval of a bootstrap of a fixed seed (Efron 1979)."""
    n = len(values)
    if n == 0 or np.isnan(values).any():
        return Estimate(math.nan, math.nan, math.nan, n)
    random = np.random.default_rng(0)
    means = [float(values[random.integers(n, size=n)].mean()) for _ in range(draws)]
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(float(values.mean()), float(low), float(high), n)


@dataclass(frozen=True, slots=True)
class Bin:
    """Faces whose label has a probability within a range: how sure it was, how often it was right."""

    faces: int
    probability: float
    right: float


def reliability(probability: Floats, right: Bools, bins: int = 15) -> list[Bin]:
    """Equally wide bins of the label's probability; empty ones are left out."""
    index = np.minimum((probability * bins).astype(int), bins - 1)
    return [
        Bin(int(inside.sum()), float(probability[inside].mean()), float(right[inside].mean()))
        for inside in (index == number for number in range(bins))
        if inside.any()
    ]


def calibration_error(probability: Floats, right: Bools, bins: int = 15) -> float:
    """Expected calibration error: mean gap between probability and accuracy, weighted by faces
    (Guo et al. 2017, "On calibration of modern neural networks", eq. 3).
    """
    parts = reliability(probability, right, bins)
    total = sum(part.faces for part in parts)
    return sum(part.faces * abs(part.probability - part.right) for part in parts) / total if total else 0.0


def threshold_for_precision(probability: Floats, right: Bools, precision: float) -> float:
    """Lowest threshold at or over which labels are right at least this often, in steps of 0.01.

    It holds for every second face and for the others: of one half alone, a threshold is now and then too low.

    Returns:
        0 when all labels together are that good, and 1 when no threshold reaches it.
    """
    for step in range(101):
        kept = probability >= step / 100
        halves = [right[half::2][kept[half::2]] for half in (0, 1)]
        if kept.any() and all(float(half.mean()) >= precision for half in halves if len(half)):
            return step / 100
    return 1.0


def confusion(answered: NDArray[np.int64], true: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Counts, int64 [classes, classes]: a row for each true class, a column for each answer."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (true, answered), 1)
    return table


def headline_by(
    answers: Answers, parts: Mapping[str, tuple[Sequence[str], NDArray[np.int64]]]
) -> dict[str, dict[str, dict[str, float]]]:
    """The same numbers for parts of the faces, and how many there are of each.

    Args:
        answers: of N faces.
        parts: what they are parted by, with the names of the parts and, int64 [N], which each is of.
    """
    return {
        by: {
            name: {**headline(answers.where(index == number)), "chips": int((index == number).sum())}
            for number, name in enumerate(names)
            if (index == number).any()
        }
        for by, (names, index) in parts.items()
    }


def headline(answers: Answers) -> dict[str, float]:
    """The four numbers of a manifest."""
    measures: dict[str, Callable[[], float]] = {
        "gender": lambda: float(answers.gender_right.mean()),
        "age8": lambda: float(answers.group_right.mean()),
        "near": lambda: float(answers.group_near.mean()),
        "mae": lambda: float(answers.error_years.mean()),
    }
    return {name: round(measure(), 4) for name, measure in measures.items()}
