"""A bundle's answers for chips: fed to the network as they are, or found by the pipeline in photos."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nightshift.words.analysis import Analysis, Face
from nightshift.words.options import AnalysisOptions
from training.chips import GENDERS, Chip, ChipArchive
from training.metrics import Answers
from training.pasting import Pasted, paste_in_rows
from worker.pipeline.analyse import Pipeline
from worker.pipeline.classify import Classifier
from worker.pipeline.label import group_probabilities

Pixels = NDArray[np.uint8]
Progress = Callable[[int], None]

PHOTO_WIDTH_PX = 1600
SIDES_PX = (110.0, 400.0)
TILTS_DEG = 30.0
PHOTOS_AT_ONCE = 8
_CHIPS_AT_ONCE = 32


def resized(chip: Pixels, side_px: int) -> Pixels:
    """A chip at a network's input size, as manifests say: bilinear, antialiased."""
    return np.asarray(Image.fromarray(chip).resize((side_px, side_px), Image.Resampling.BILINEAR))


def probabilities(
    classifier: Classifier, archive: ChipArchive, chips: Sequence[Chip], progress: Progress = lambda _: None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the network says of the chips themselves, as `Classifier` answers it.

    Args:
        classifier: of a bundle.
        archive: where the pixels are.
        chips: which.
        progress: called with the number of chips done.
    """
    side_px = classifier.bundle.manifest.input.size
    genders, ages = [], []
    for start in range(0, len(chips), _CHIPS_AT_ONCE):
        part = chips[start : start + _CHIPS_AT_ONCE]
        gender, age = classifier([resized(archive.pixels(chip), side_px) for chip in part])
        genders.append(gender)
        ages.append(age)
        progress(len(part))
    return np.concatenate(genders), np.concatenate(ages)


def answers_of(
    classifier: Classifier, gender: NDArray[np.floating], age: NDArray[np.floating], chips: Sequence[Chip]
) -> Answers:
    """A classifier's probabilities, rows in the order of `chips`, with what is right."""
    heads = classifier.bundle.manifest.heads
    years = heads.age.kind == "years"
    return Answers(
        gender=gender[:, [heads.gender.classes.index(name) for name in GENDERS]].astype(np.float64),
        groups=np.stack([group_probabilities(a, g, heads.age) for g, a in zip(gender, age, strict=True)]),
        years=age.astype(np.float64) @ np.arange(age.shape[1]) if years else np.full(len(chips), np.nan),
        true_gender=np.array([chip.gender for chip in chips]),
        true_age=np.array([chip.age for chip in chips]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Through:
    """Chips that went through the pipeline.

    Attributes:
        answers: for the chips whose face was found, in the order of `found`.
        found: int64, indices of those chips.
        chips: how many were pasted.
        others: faces found where none was put.
        errors: photos that failed.
    """

    answers: Answers
    found: NDArray[np.int64]
    chips: int
    others: int
    errors: int


def through_pipeline(
    pipeline: Pipeline,
    archive: ChipArchive,
    chips: Sequence[Chip],
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> Through:
    """Paste the chips into photos, several to a photo, and send those through the whole pipeline.

    Sides are 110-400 px, evenly by their logarithm, tilts -30 to 30 degrees, evenly: of them about three in
    five are over the threshold and turned upright. A photo is a JPEG of quality 92.

    Args:
        pipeline: of a bundle.
        archive: where the pixels are.
        chips: which.
        seed: of sizes and tilts.
        progress: called with the number of chips done.
    """
    random = np.random.default_rng(seed)
    low, high = (math.log(side) for side in SIDES_PX)
    sides = np.exp(random.uniform(low, high, len(chips))).tolist()
    tilts = random.uniform(-TILTS_DEG, TILTS_DEG, len(chips)).tolist()
    photos = paste_in_rows([archive.pixels(chip) for chip in chips], sides, tilts, PHOTO_WIDTH_PX)
    options = AnalysisOptions()
    faces: dict[int, Face] = {}
    others = errors = 0
    for start in range(0, len(photos), PHOTOS_AT_ONCE):
        part = photos[start : start + PHOTOS_AT_ONCE]
        decoded = [pipeline.decode(_jpeg(pixels), options) for pixels, _ in part]
        for (_, placed), found in zip(part, pipeline.analyse(decoded, options), strict=True):
            if isinstance(found, Analysis):
                matched = dict(matches(placed, found.faces))
                others += len(found.faces) - len(matched)
                faces |= matched
            else:
                errors += 1
            progress(len(placed))
    rows = sorted(faces)
    return Through(
        answers=_answers_of_faces([faces[row] for row in rows], [chips[row] for row in rows]),
        found=np.array(rows, dtype=np.int64),
        chips=len(chips),
        others=others,
        errors=errors,
    )


def matches(placed: Sequence[Pasted], faces: Sequence[Face]) -> Iterator[tuple[int, Face]]:
    """Chips whose face was found where it was put, once, with that face."""
    for where in placed:
        near = [face for face in faces if _distance(face, where.x, where.y) < where.side_px / 4]
        if len(near) == 1:
            yield where.chip, near[0]


def _distance(face: Face, x: float, y: float) -> float:
    # The landmarks' middle is about the chip's; boxes are at times much larger than the face.
    marks = face.landmarks
    points = (marks.left_eye, marks.right_eye, marks.nose, marks.mouth_left, marks.mouth_right)
    return math.hypot(sum(p.x for p in points) / 5 - x, sum(p.y for p in points) / 5 - y)


def _answers_of_faces(faces: Sequence[Face], chips: Sequence[Chip]) -> Answers:
    return Answers(
        gender=np.array([[face.gender.probabilities[name] for name in GENDERS] for face in faces]).reshape(
            -1, 2
        ),
        groups=np.array([list(face.age_group.probabilities.values()) for face in faces]).reshape(-1, 8),
        years=np.array([np.nan if face.age_years is None else face.age_years for face in faces]),
        true_gender=np.array([chip.gender for chip in chips]),
        true_age=np.array([chip.age for chip in chips]),
    )


def _jpeg(pixels: Pixels) -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=92, subsampling=0)
    return data.getvalue()
