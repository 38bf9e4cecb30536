"""Non-maximum suppression: of boxes that overlap too much, the likeliest stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.pipeline.kernels import kernel

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


def keep_by_union(boxes: Floats, photo: Indices, threshold: float) -> Indices:
    """Photo by photo; overlap is intersection over union, of continuous corners (torchvision's).

    Args:
        boxes: float32 [N, 5], x1 y1 x2 y2 p.
        photo: int64 [N], of which photo each is.
        threshold: the most that boxes which stay may overlap.

    Returns:
        Indices of those that stay, the likeliest first.
    """
    return _keep(boxes, photo, threshold, by_smaller=False)


def keep_by_smaller(boxes: Floats, photo: Indices, threshold: float) -> Indices:
    """The same; overlap is intersection over the smaller box, of whole pixels (facenet-pytorch's "Min")."""
    return _keep(boxes, photo, threshold, by_smaller=True)


def _keep(boxes: Floats, photo: Indices, threshold: float, *, by_smaller: bool) -> Indices:
    order = np.argsort(-boxes[:, 4], kind="stable")
    kept = np.empty(len(order), np.bool_)
    _suppress(np.ascontiguousarray(boxes[order, :4]), photo[order], np.float32(threshold), by_smaller, kept)
    return order[kept]


@kernel
def _suppress(
    boxes: Floats, photo: Indices, threshold: np.float32, by_smaller: bool, kept: NDArray[np.bool_]
) -> None:
    """Sorted boxes [N, 4] to whether each stays, [N]."""
    count = len(boxes)
    edge = np.float32(1 if by_smaller else 0)
    nothing = np.float32(0)
    area = np.empty(count, np.float32)
    for i in range(count):
        area[i] = (boxes[i, 2] - boxes[i, 0] + edge) * (boxes[i, 3] - boxes[i, 1] + edge)
        kept[i] = True
    for i in range(count):
        if not kept[i]:
            continue
        for j in range(i + 1, count):
            if not kept[j] or photo[j] != photo[i]:
                continue
            across = min(boxes[i, 2], boxes[j, 2]) - max(boxes[i, 0], boxes[j, 0]) + edge
            down = min(boxes[i, 3], boxes[j, 3]) - max(boxes[i, 1], boxes[j, 1]) + edge
            if across <= nothing or down <= nothing:
                continue
            shared = across * down
            whole = min(area[i], area[j]) if by_smaller else area[i] + area[j] - shared
            if shared / whole > threshold:
                kept[j] = False
