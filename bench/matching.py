"""Which faces of two contenders are the same, and whether their labels agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.protocol import Corners, FoundFace, Reading
from bench.results import Agreement

LEAST_IOU = 0.5

Photos = Sequence[Sequence[FoundFace]]


def iou(first: Corners, second: Corners) -> float:
    """Intersection over union of two boxes, 0-1; 0 where one has no area."""
    across = min(first[2], second[2]) - max(first[0], second[0])
    down = min(first[3], second[3]) - max(first[1], second[1])
    if across <= 0 or down <= 0:
        return 0.0
    common = across * down
    return common / (_area(first) + _area(second) - common)


def matched(first: Sequence[FoundFace], second: Sequence[FoundFace]) -> list[tuple[int, int]]:
    """Pairs of one photo's faces with an IoU over 0.5, each face once, the best pairs first."""
    overlaps = [
        (overlap, i, j)
        for i, one in enumerate(first)
        for j, other in enumerate(second)
        if (overlap := iou(one.box, other.box)) > LEAST_IOU
    ]
    pairs: list[tuple[int, int]] = []
    for _, i, j in sorted(overlaps, key=lambda entry: (-entry[0], entry[1:])):
        if all(i != a and j != b for a, b in pairs):
            pairs.append((i, j))
    return pairs


def count_faces(photos: Photos) -> int:
    """Faces of all photos."""
    return sum(len(faces) for faces in photos)


def count_matched(first: Photos, second: Photos) -> int:
    """Matched faces of all photos."""
    return sum(len(matched(a, b)) for a, b in zip(first, second, strict=True))


def agreement(photos: Photos, readings: Photos, *, crops: str) -> Agreement:
    """Compare labels with the plain network's readings of matched faces.

    Args:
        photos: with labels.
        readings: with readings; the same photos.
        crops: whose crops the readings are of.
    """
    pairs = list(_read_pairs(photos, readings))
    genders = [(face.gender == reading.gender, reading.gender_margin) for face, reading in pairs]
    ages = [(face.age_group == reading.age_group, reading.age_group_margin) for face, reading in pairs]
    return Agreement(
        crops=crops,
        faces=len(pairs),
        gender=sum(same for same, _ in genders),
        age_group=sum(same for same, _ in ages),
        both=sum(a and b for (a, _), (b, _) in zip(genders, ages, strict=True)),
        flip_margins=sorted(round(margin, 4) for same, margin in [*genders, *ages] if not same),
    )


def _read_pairs(photos: Photos, readings: Photos) -> Iterator[tuple[FoundFace, Reading]]:
    for faces, read in zip(photos, readings, strict=True):
        for i, j in matched(faces, read):
            reading = read[j].reading
            if reading is not None:
                yield faces[i], reading


def _area(box: Corners) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
