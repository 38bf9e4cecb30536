"""How sure a photo's labels are, in one number that photos are sorted by."""

from __future__ import annotations

from collections.abc import Iterable

from nightshift.words.analysis import AGE_GROUPS, Face

GENDERS = 2


def sureness(faces: Iterable[Face]) -> float | None:
    """Of the label that is least sure among these faces' genders and age groups; None without a face.

    1 is certain, 0 what guessing among the classes would be right by: half for a gender, an eighth for an age
    group. By their bare probabilities every age group would come before every gender.
    """
    return min(
        (
            _above_chance(probability, classes)
            for face in faces
            for probability, classes in (
                (face.gender.probability, GENDERS),
                (face.age_group.probability, len(AGE_GROUPS)),
            )
        ),
        default=None,
    )


def _above_chance(probability: float, classes: int) -> float:
    return (classes * probability - 1) / (classes - 1)
