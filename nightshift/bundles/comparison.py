"""What two bundles say of the same photos, held against each other face by face."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nightshift.words.analysis import Box, Face
from nightshift.words.documents import Photo

SAME_FACE_IOU = 0.5
"""Boxes that overlap by so much are one face. Detection does not depend on the bundle: most overlap by 1."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A face to which the bundles give another gender or another age group."""

    custom_id: str
    a: Face
    b: Face


@dataclass(slots=True)
class Comparison:
    """Two bundles over the same photos; gender and age are apparent, and neither is the truth.

    Attributes:
        photos: compared: both succeeded.
        failed_a: photos that failed with the first bundle.
        failed_b: photos that failed with the second.
        failed_both: of these, those that failed with both.
        unpaired_photos: photos that one side does not know.
        faces: compared.
        unpaired_faces: faces that only one side has.
        gender_agrees: faces with one gender.
        age_group_agrees: faces with one age group.
        uncertain_genders: faces whose gender is uncertain, of each side.
        uncertain_age_groups: faces whose age group is uncertain, of each side.
        years_known: faces whose age in years both know.
        years_apart: sum of the absolute differences of these.
        differences: faces on which gender or age group differ, in the photos' order.
    """

    photos: int = 0
    failed_a: int = 0
    failed_b: int = 0
    failed_both: int = 0
    unpaired_photos: int = 0
    faces: int = 0
    unpaired_faces: int = 0
    gender_agrees: int = 0
    age_group_agrees: int = 0
    uncertain_genders: tuple[int, int] = (0, 0)
    uncertain_age_groups: tuple[int, int] = (0, 0)
    years_known: int = 0
    years_apart: float = 0.0
    differences: list[Difference] = field(default_factory=list)

    @property
    def mean_years_apart(self) -> float | None:
        """Mean absolute difference of the apparent ages, years; None where not both know any."""
        return self.years_apart / self.years_known if self.years_known else None


def compare(a: Iterable[Photo], b: Iterable[Photo]) -> Comparison:
    """Compare two results, photo by custom_id and face by box.

    Args:
        a: results with one bundle.
        b: results with the other; in memory is kept only what is not in the order of `a`.
    """
    found = Comparison()
    for one, other in _pairs(a, b):
        if one is None or other is None:
            found.unpaired_photos += 1
            continue
        found.failed_a += one.status == "failed"
        found.failed_b += other.status == "failed"
        found.failed_both += one.status == other.status == "failed"
        if not one.status == other.status == "succeeded":
            continue
        found.photos += 1
        pairs = pair_faces(one.faces, other.faces)
        found.unpaired_faces += len(one.faces) + len(other.faces) - 2 * len(pairs)
        for face, its_other in pairs:
            _add(found, one.custom_id, face, its_other)
    return found


def pair_faces(a: Iterable[Face], b: Iterable[Face]) -> list[tuple[Face, Face]]:
    """Faces whose boxes overlap by half or more, the closest pairs first taken; in the order of `a`."""
    others = list(b)
    overlaps = [
        (iou(face.box, other.box), face.index, other.index, face, other) for face in a for other in others
    ]
    taken_a: set[int] = set()
    taken_b: set[int] = set()
    pairs = []
    for overlap, index_a, index_b, face, other in sorted(overlaps, key=lambda each: (-each[0], *each[1:3])):
        if overlap >= SAME_FACE_IOU and index_a not in taken_a and index_b not in taken_b:
            taken_a.add(index_a)
            taken_b.add(index_b)
            pairs.append((face, other))
    return sorted(pairs, key=lambda pair: pair[0].index)


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0-1; 0 where they have no area."""
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    both = max(0.0, width) * max(0.0, height)
    either = _area(a) + _area(b) - both
    return both / either if either > 0 else 0.0


def _area(box: Box) -> float:
    return max(0.0, box.x2 - box.x1) * max(0.0, box.y2 - box.y1)


def _add(found: Comparison, custom_id: str, a: Face, b: Face) -> None:
    found.faces += 1
    same_gender = a.gender.value == b.gender.value
    same_group = a.age_group.label == b.age_group.label
    found.gender_agrees += same_gender
    found.age_group_agrees += same_group
    genders, groups = found.uncertain_genders, found.uncertain_age_groups
    found.uncertain_genders = (genders[0] + a.gender.uncertain, genders[1] + b.gender.uncertain)
    found.uncertain_age_groups = (groups[0] + a.age_group.uncertain, groups[1] + b.age_group.uncertain)
    if a.age_years is not None and b.age_years is not None:
        found.years_known += 1
        found.years_apart += abs(a.age_years - b.age_years)
    if not (same_gender and same_group):
        found.differences.append(Difference(custom_id, a, b))


def _pairs(a: Iterable[Photo], b: Iterable[Photo]) -> Iterator[tuple[Photo | None, Photo | None]]:
    rest = iter(b)
    waiting: dict[str, Photo] = {}
    for one in a:
        while one.custom_id not in waiting and (other := next(rest, None)) is not None:
            waiting[other.custom_id] = other
        yield one, waiting.pop(one.custom_id, None)
    for other in (*waiting.values(), *rest):
        yield None, other
