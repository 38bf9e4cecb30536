"""MTCNN's three stages over photos of one size (Zhang et al. 2016), as facenet-pytorch computes them.

The same numbers, other scheduling: all photos, levels and candidates of a stage go together, and nothing
is looped over one by one.
"""

from __future__ import annotations

import math

import torch
from facenet_pytorch.models.utils.detect_face import batched_nms_numpy
from torch import Tensor
from torchvision.ops import batched_nms  # type: ignore[import-untyped]

from worker.pipeline.detection.area import PhotoStack
from worker.pipeline.detection.mtcnn import OUTPUT_SIDE, REFINE_SIDE, Networks
from worker.pipeline.runtime import Forward

THRESHOLDS = (0.6, 0.7, 0.7)
"""Least probabilities of the P-, R- and O-Net, as facenet-pytorch sets them."""

PYRAMID_FACTOR = 0.709
"""Ratio of neighbouring pyramid sizes, about the root of one half."""

WINDOW, STEP = 12, 2
"""Side of what the P-Net looks at and how far apart it looks, pixels of a pyramid level."""

AT_ONCE = 512
"""Most candidates in one call of a network, which bounds the memory of a crowd."""


def find_faces(photos: PhotoStack, min_face_px: int, networks: Networks) -> tuple[Tensor, Tensor, Tensor]:
    """Run the cascade.

    Args:
        photos: of one size.
        min_face_px: side of the smallest face to look for, pixels.
        networks: on the photos' device.

    Returns:
        Of which photo each face is, int64 [N]; box and confidence, float32 [N, 5], x1 y1 x2 y2 p; landmarks,
        float32 [N, 5, 2].
    """
    photo, boxes = _propose(photos, min_face_px, networks)
    photo, boxes = _refine(photos, photo, boxes, networks)
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


def _propose(photos: PhotoStack, min_face_px: int, networks: Networks) -> tuple[Tensor, Tensor]:
    parts = []
    levels = scales(photos.height, photos.width, min_face_px)
    for scale in levels:
        picture = photos.level(int(photos.height * scale + 1), int(photos.width * scale + 1))
        parts.append(_windows_over(networks.propose(picture), scale, THRESHOLDS[0]))
    if not parts:
        return torch.zeros(0, dtype=torch.int64), torch.zeros(0, 5)
    level = torch.cat([torch.full_like(part[0], index) for index, part in enumerate(parts)])
    photo, boxes, offsets = (torch.cat(columns) for columns in zip(*parts, strict=True))
    keep = batched_nms(boxes[:, :4], boxes[:, 4], photo * len(levels) + level, 0.5)
    keep = keep[_nms(boxes[keep], photo[keep], 0.7)]
    photo, boxes, offsets = photo[keep], boxes[keep], offsets[keep]
    size = (boxes[:, 2:4] - boxes[:, :2]).repeat(1, 2)
    return photo, _squares(torch.cat([boxes[:, :4] + offsets * size, boxes[:, 4:]], dim=1))


def _windows_over(answer: Tensor, scale: float, threshold: float) -> tuple[Tensor, Tensor, Tensor]:
    """Photo, box with probability, and offsets of the windows that may hold a face."""
    logits = answer[:, 0]
    photo, row, column = (logits >= _logit(threshold)).nonzero(as_tuple=True)
    corner = torch.stack([column, row], dim=1).float() * STEP
    box = torch.cat([((corner + 1) / scale).floor(), ((corner + WINDOW) / scale).floor()], dim=1)
    probability = logits[photo, row, column].sigmoid()[:, None]
    return photo, torch.cat([box, probability], dim=1), answer[photo, 1:5, row, column]


def _refine(photos: PhotoStack, photo: Tensor, boxes: Tensor, networks: Networks) -> tuple[Tensor, Tensor]:
    photo, boxes, answer = _look(photos, photo, boxes, networks.refine, REFINE_SIDE, THRESHOLDS[1])
    keep = _nms(boxes, photo, 0.7)
    photo, boxes, answer = photo[keep], boxes[keep], answer[keep]
    return photo, _squares(_moved(boxes, answer[:, 1:5]))


def _output(
    photos: PhotoStack, photo: Tensor, boxes: Tensor, networks: Networks
) -> tuple[Tensor, Tensor, Tensor]:
    photo, boxes, answer = _look(photos, photo, boxes, networks.output, OUTPUT_SIDE, THRESHOLDS[2])
    size = boxes[:, 2:4] - boxes[:, :2] + 1
    shares = answer[:, 5:].view(-1, 2, 5).transpose(1, 2)
    landmarks = size[:, None] * shares + boxes[:, None, :2] - 1
    boxes = _moved(boxes, answer[:, 1:5])
    keep = batched_nms_numpy(boxes[:, :4], boxes[:, 4], photo, 0.7, "Min")
    return photo[keep], boxes[keep], landmarks[keep]


def _look(
    photos: PhotoStack, photo: Tensor, boxes: Tensor, network: Forward, side: int, threshold: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Candidates that a network takes for faces: photo, box with the network's probability, its answer."""
    corners = boxes[:, :4].trunc().long()
    low = corners[:, :2].clamp(min=1) - 1
    high = torch.minimum(corners[:, 2:], corners.new_tensor([photos.width, photos.height]))
    inside = (high > low).all(dim=1)
    photo, boxes, corners = photo[inside], boxes[inside], torch.cat([low, high], dim=1)[inside]
    kept = []
    for start in range(0, len(photo), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        count = len(photo[part])
        # The last again and again, up to a count of which there are few.
        at = torch.arange(_rounded_up(count), device=photo.device).clamp(max=count - 1) + start
        answer = network(photos.windows(photo[at], corners[at], side))[:count]
        passed = answer[:, 0] > _logit(threshold)
        scored = torch.cat([boxes[part][passed, :4], answer[passed, :1].sigmoid()], dim=1)
        kept.append((photo[part][passed], scored, answer[passed]))
    if not kept:
        return photo, boxes, boxes.new_zeros(0, 15)
    return tuple(torch.cat(columns) for columns in zip(*kept, strict=True))  # type: ignore[return-value]


def _rounded_up(count: int) -> int:
    """To one of 44 counts: runtimes take milliseconds to prepare for each that is new to them."""
    unit = 4 if count <= 64 else 16
    return -(-count // unit) * unit


def _nms(boxes: Tensor, photo: Tensor, threshold: float) -> Tensor:
    return batched_nms(boxes[:, :4], boxes[:, 4], photo, threshold)  # type: ignore[no-any-return]


def _moved(boxes: Tensor, offsets: Tensor) -> Tensor:
    size = (boxes[:, 2:4] - boxes[:, :2] + 1).repeat(1, 2)
    return torch.cat([boxes[:, :4] + offsets * size, boxes[:, 4:]], dim=1)


def _squares(boxes: Tensor) -> Tensor:
    """Each box made a square about its middle, as large as its longer side."""
    size = boxes[:, 2:4] - boxes[:, :2]
    side = size.amax(dim=1, keepdim=True)
    corner = boxes[:, :2] + size * 0.5 - side * 0.5
    return torch.cat([corner, corner + side, boxes[:, 4:]], dim=1)


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))
