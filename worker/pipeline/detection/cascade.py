"""MTCNN's three stages over photos of one size (Zhang et al. 2016), as facenet-pytorch computes them.

The same numbers, other scheduling: all photos, levels and candidates of a stage go together, and nothing
is looped over one by one. This is the CPU's way, from array to array; `cascade_torch.py` is CUDA's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from worker.pipeline.detection.area import SummedPhotos
from worker.pipeline.detection.mtcnn import OUTPUT_SIDE, REFINE_SIDE, Networks
from worker.pipeline.detection.screen import Screens
from worker.pipeline.detection.suppression import keep_by_smaller, keep_by_union
from worker.pipeline.runtime import Forward

THRESHOLDS = (0.6, 0.7, 0.7)
"""Least probabilities of the P-, R- and O-Net, as facenet-pytorch sets them."""

PYRAMID_FACTOR = 0.709
"""Ratio of neighbouring pyramid sizes, about the root of one half."""

WINDOW, STEP = 12, 2
"""Side of what the P-Net looks at and how far apart it looks, pixels of a pyramid level."""

PIXELS_AT_ONCE = 512 * WINDOW**2
"""Most pixels in one call of a network, 32 candidates of the O-Net: a runtime keeps what the largest took.

More in a call are no quicker; 512 candidates of the O-Net left 195 MB behind, 32 of them 25 MB.
"""

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


def find_faces(
    photos: SummedPhotos, min_face_px: int, networks: Networks[Forward], screens: Screens | None = None
) -> tuple[Indices, Floats, Floats]:
    """Run the cascade.

    Args:
        photos: of one size.
        min_face_px: side of the smallest face to look for, pixels.
        networks: on the CPU.
        screens: say at which windows the P- and R-Net need look; by default at all.

    Returns:
        Of which photo each face is, int64 [N]; box and confidence, float32 [N, 5], x1 y1 x2 y2 p; landmarks,
        float32 [N, 5, 2].
    """
    photo, boxes = _propose(photos, min_face_px, networks, screens)
    photo, boxes = _refine(photos, photo, boxes, networks, screens)
    return _output(photos, photo, boxes, networks)


def scales(height: int, width: int, min_face_px: int) -> list[float]:
    """Of the pyramid's levels: the first makes the smallest face as large as the P-Net's window."""
    first = WINDOW / min_face_px
    found: list[float] = []
    side = min(height, width) * first
    while side >= WINDOW:
        found.append(first * PYRAMID_FACTOR ** len(found))
        side *= PYRAMID_FACTOR
    return found


def logit(probability: float) -> float:
    """The inverse of the sigmoid."""
    return math.log(probability / (1 - probability))


def rounded_up(count: int) -> int:
    """To one of 44 counts: runtimes take milliseconds to prepare for each that is new to them."""
    unit = 4 if count <= 64 else 16
    return -(-count // unit) * unit


def _propose(
    photos: SummedPhotos, min_face_px: int, networks: Networks[Forward], screens: Screens | None = None
) -> tuple[Indices, Floats]:
    levels = scales(photos.height, photos.width, min_face_px)
    sizes = [(int(photos.height * scale + 1), int(photos.width * scale + 1)) for scale in levels]
    if screens is None:
        found = [_windows_over(networks.propose(photos.level(*size))) for size in sizes]
    else:
        found = _screened_windows(photos, sizes, networks.propose, screens)
    parts = []
    for scale, (photo, corner, answer) in zip(levels, found, strict=True):
        box = np.concatenate([np.floor((corner + 1) / scale), np.floor((corner + WINDOW) / scale)], axis=1)
        boxes = np.column_stack([box, _sigmoid(answer[:, 0])])
        keep = keep_by_union(boxes, photo, 0.5)
        parts.append((photo[keep], boxes[keep], answer[keep, 1:]))
    if not parts:
        return np.zeros(0, np.int64), np.zeros((0, 5), np.float32)
    photo, boxes, offsets = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    keep = keep_by_union(boxes, photo, 0.7)
    photo, boxes, offsets = photo[keep], boxes[keep], offsets[keep]
    return photo, _squares(_shifted(boxes, offsets, boxes[:, 2:4] - boxes[:, :2]))


def _windows_over(answer: Floats) -> tuple[Indices, Floats, Floats]:
    """Photo, x and y, and logit with offsets of the windows of a level that may hold a face."""
    photo, row, column = (answer[:, 0] >= logit(THRESHOLDS[0])).nonzero()
    corner = np.stack([column, row], axis=1).astype(np.float32) * STEP
    return photo, corner, answer[photo, :, row, column]


def _screened_windows(
    photos: SummedPhotos, sizes: Sequence[tuple[int, int]], network: Forward, screens: Screens
) -> list[tuple[Indices, Floats, Floats]]:
    """The same of the windows that the screen lets through, by level; those of all levels go together."""
    if not sizes:
        return []
    through = screens.windows(photos, sizes, logit(THRESHOLDS[0]))
    photo, row, column = (np.concatenate(columns) for columns in zip(*through, strict=True))
    level = np.repeat(np.arange(len(sizes)), [len(rows) for _, rows, _ in through])
    corner, size = np.stack([column, row], axis=1) * STEP, np.array(sizes)[level]
    # The last window of a level of odd height or width ends beyond it, and sees a row or a column less.
    seen = np.minimum(size - corner[:, ::-1], WINDOW)
    answer = np.zeros((len(photo), 5), np.float32)
    for height, width in np.unique(seen, axis=0):
        (which,) = (seen == (height, width)).all(axis=1).nonzero()
        answer[which] = _answers(
            network,
            partial(_cut, photos, photo[which], corner[which], size[which], (height, width)),
            len(which),
            height * width,
        )
    passed = answer[:, 0] >= logit(THRESHOLDS[0])
    photo, corner, answer, level = (
        photo[passed],
        corner[passed].astype(np.float32),
        answer[passed],
        level[passed],
    )
    ends = np.searchsorted(level, np.arange(len(sizes) + 1))
    return [(photo[a:b], corner[a:b], answer[a:b]) for a, b in pairwise(ends)]


def _cut(
    photos: SummedPhotos, photo: Indices, corner: Indices, size: Indices, seen: tuple[int, int], at: Indices
) -> Floats:
    return photos.level_windows(photo[at], corner[at], size[at], *seen)


def _refine(
    photos: SummedPhotos, photo: Indices, boxes: Floats, networks: Networks[Forward], screens: Screens | None
) -> tuple[Indices, Floats]:
    photo, boxes, corners = _inside(photos, photo, boxes)
    if screens is not None:
        through = screens.candidates(photos, photo, corners, logit(THRESHOLDS[1]))
        photo, boxes, corners = photo[through], boxes[through], corners[through]
    photo, boxes, answer = _look(photos, photo, boxes, corners, networks.refine, REFINE_SIDE, THRESHOLDS[1])
    keep = keep_by_union(boxes, photo, 0.7)
    photo, boxes, answer = photo[keep], boxes[keep], answer[keep]
    return photo, _squares(_moved(boxes, answer[:, 1:5]))


def _output(
    photos: SummedPhotos, photo: Indices, boxes: Floats, networks: Networks[Forward]
) -> tuple[Indices, Floats, Floats]:
    photo, boxes, corners = _inside(photos, photo, boxes)
    photo, boxes, answer = _look(photos, photo, boxes, corners, networks.output, OUTPUT_SIDE, THRESHOLDS[2])
    size = boxes[:, 2:4] - boxes[:, :2] + 1
    shares = answer[:, 5:].reshape(-1, 2, 5).transpose(0, 2, 1)
    landmarks = size[:, None] * shares + boxes[:, None, :2] - 1
    boxes = _moved(boxes, answer[:, 1:5])
    keep = keep_by_smaller(boxes, photo, 0.7)
    return photo[keep], boxes[keep], landmarks[keep]


def _inside(photos: SummedPhotos, photo: Indices, boxes: Floats) -> tuple[Indices, Floats, Indices]:
    """Of those that lie in their photo photo, box, and what of it is inside, half open."""
    corners = boxes[:, :4].astype(np.int64)
    low = np.maximum(corners[:, :2], 1) - 1
    high = np.minimum(corners[:, 2:], [photos.width, photos.height])
    inside = (high > low).all(axis=1)
    return photo[inside], boxes[inside], np.concatenate([low, high], axis=1)[inside]


def _look(
    photos: SummedPhotos,
    photo: Indices,
    boxes: Floats,
    corners: Indices,
    network: Forward,
    side: int,
    threshold: float,
) -> tuple[Indices, Floats, Floats]:
    """Candidates that a network takes for faces: photo, box with the network's probability, its answer."""
    answer = _answers(network, lambda at: photos.windows(photo[at], corners[at], side), len(photo), side**2)
    passed = answer[:, 0] > logit(threshold)
    answer = answer[passed]
    return photo[passed], np.column_stack([boxes[passed, :4], _sigmoid(answer[:, 0])]), answer


def _answers(network: Forward, pictures: Callable[[Indices], Floats], count: int, pixels: int) -> Floats:
    """A network's answers to so many pictures of so many pixels, [count, outputs]; made some at once."""
    found = [np.zeros((0, 15), np.float32)] if count == 0 else []
    at_once = max(1, PIXELS_AT_ONCE // pixels)
    for start in range(0, count, at_once):
        here = min(at_once, count - start)
        # The last again and again, up to a count of which there are few.
        at = np.minimum(np.arange(rounded_up(here)), here - 1) + start
        found.append(network(pictures(at))[:here].reshape(here, -1).copy())
    return np.concatenate(found)


def _moved(boxes: Floats, offsets: Floats) -> Floats:
    return _shifted(boxes, offsets, boxes[:, 2:4] - boxes[:, :2] + 1)


def _shifted(boxes: Floats, offsets: Floats, size: Floats) -> Floats:
    return np.column_stack([boxes[:, :4] + offsets * np.tile(size, 2), boxes[:, 4:]])


def _squares(boxes: Floats) -> Floats:
    """Each box made a square about its middle, as large as its longer side."""
    size = boxes[:, 2:4] - boxes[:, :2]
    side = size.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + size * np.float32(0.5) - side * np.float32(0.5)
    return np.column_stack([corner, corner + side, boxes[:, 4:]])


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)
