"""One face as the domain tells it: in the coordinates of the upright photo at full size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nightshift.words.analysis import Box, Face, Landmarks, Point, Quality
from shared.bundles.limits import Limits
from shared.bundles.manifest import Heads
from worker.pipeline.decoding.decode import DecodedPhoto
from worker.pipeline.detection.detect import Detection
from worker.pipeline.label import age_labels, gender_label
from worker.pipeline.quality import doubts


def face_of(
    detection: Detection,
    photo: DecodedPhoto,
    heads: Heads,
    limits: Limits,
    *,
    index: int,
    roll: float,
    aligned: bool,
    gender: NDArray[np.float32],
    age: NDArray[np.float32],
    quality: Quality,
) -> Face:
    """Put together what the stages found.

    Args:
        detection: in the coordinates of `photo.pixels`.
        photo: tells the full size; each axis has its own ratio, since both sizes are whole pixels.
        heads: classes and thresholds.
        limits: of the quality under which both labels are uncertain.
        index: rank by size.
        roll: degrees.
        aligned: whether the crop was rotated.
        gender: float32 [2], probabilities.
        age: float32 [bins], probabilities.
        quality: of the face.
    """
    rows, columns = photo.pixels.shape[:2]
    ratio = np.array([photo.width / columns, photo.height / rows])
    x1, y1, x2, y2 = (detection.box.astype(np.float64) * np.tile(ratio, 2)).tolist()
    points = [Point(x, y) for x, y in (detection.landmarks.astype(np.float64) * ratio).tolist()]
    because = doubts(quality, limits)
    age_group, age_years = age_labels(age, gender, heads.age, because)
    return Face(
        index=index,
        box=Box(x1, y1, x2, y2),
        box_norm=Box(x1 / photo.width, y1 / photo.height, x2 / photo.width, y2 / photo.height),
        confidence=detection.confidence,
        landmarks=Landmarks(*points),
        roll_deg=roll,
        aligned=aligned,
        size_px=max(x2 - x1, y2 - y1),
        gender=gender_label(gender, heads.gender, because, age_group.label),
        age_group=age_group,
        age_years=age_years,
        quality=quality,
    )
