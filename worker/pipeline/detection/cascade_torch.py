"""`cascade.py` in torch, for CUDA: what it says there holds here; only the last suppression is the CPU's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate, pad
from torchvision.ops import batched_nms  # type: ignore[import-untyped]

from worker.pipeline.detection.area import MIDDLE, UNIT, require_bytes
from worker.pipeline.detection.cascade import STEP, THRESHOLDS, WINDOW, logit, rounded_up, scales
from worker.pipeline.detection.mtcnn import OUTPUT_SIDE, REFINE_SIDE, Networks, made_ready
from worker.pipeline.detection.suppression import keep_by_smaller
from worker.pipeline.on_torch import OnTensors, compiled_for_tensors, on_device

AT_ONCE = 512
"""Most candidates in one call of a network, which bounds the memory of a crowd."""

OnDevice = Networks[OnTensors]
Arrays = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]


class TensorPhotos:
    """`SummedPhotos` on any device, in torch alone: windows by sums over all pixels above and to the left.

    Holds 24 bytes a pixel. The sums may wrap around as there.

    Raises:
        TypeError: pixels of another type than uint8.
    """

    def __init__(self, photos: Sequence[NDArray[np.uint8]], device: str) -> None:
        require_bytes(photos)
        self.count = len(photos)
        self.height, self.width = photos[0].shape[:2]
        pixels = on_device(np.stack(photos), device)
        self._planes = pixels.permute(0, 3, 1, 2).float().contiguous()
        sums = pixels.cumsum(1, dtype=torch.int32).cumsum(2, dtype=torch.int32)
        self._sums = pad(sums, (0, 0, 1, 0, 1, 0))

    def level(self, height: int, width: int) -> Tensor:
        """See `SummedPhotos`."""
        means = interpolate(self._planes, size=(height, width), mode="area")
        return (means - MIDDLE) * UNIT

    def windows(self, photo: Tensor, corners: Tensor, side: int) -> Tensor:
        """See `SummedPhotos`."""
        left, right = _edges(corners[:, 0], corners[:, 2], side)
        top, bottom = _edges(corners[:, 1], corners[:, 3], side)
        at = photo[:, None, None]
        top, bottom, left, right = top[:, :, None], bottom[:, :, None], left[:, None], right[:, None]
        total = (
            self._sums[at, bottom, right]
            - self._sums[at, top, right]
            - self._sums[at, bottom, left]
            + self._sums[at, top, left]
        )
        pixels = ((bottom - top) * (right - left))[..., None]
        return ((total.float() / pixels - MIDDLE) * UNIT).permute(0, 3, 1, 2)


def load_networks(device: str) -> OnDevice:
    """The detector there.

    Raises:
        ModelUnavailable: `detector_unavailable` when its weights cannot be read.
    """
    return made_ready(lambda network, _: compiled_for_tensors(network, device))


def finder(device: str) -> Callable[[Sequence[NDArray[np.uint8]], int], Arrays]:
    """From photos of one size and the least side of a face to what `cascade.find_faces` gives.

    Raises:
        ModelUnavailable: as `load_networks`.
    """
    networks = load_networks(device)

    def find(photos: Sequence[NDArray[np.uint8]], min_face_px: int) -> Arrays:
        with torch.inference_mode():
            photo, boxes, landmarks = find_faces(TensorPhotos(photos, device), min_face_px, networks)
        return photo.cpu().numpy(), boxes.cpu().numpy(), landmarks.cpu().numpy()

    return find


def find_faces(photos: TensorPhotos, min_face_px: int, networks: OnDevice) -> tuple[Tensor, Tensor, Tensor]:
    """See `cascade.find_faces`; the networks are on the photos' device, and so are the answers."""
    photo, boxes = _propose(photos, min_face_px, networks)
    photo, boxes = _refine(photos, photo, boxes, networks)
    return _output(photos, photo, boxes, networks)


def _propose(photos: TensorPhotos, min_face_px: int, networks: OnDevice) -> tuple[Tensor, Tensor]:
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
    photo, row, column = (logits >= logit(threshold)).nonzero(as_tuple=True)
    corner = torch.stack([column, row], dim=1).float() * STEP
    box = torch.cat([((corner + 1) / scale).floor(), ((corner + WINDOW) / scale).floor()], dim=1)
    probability = logits[photo, row, column].sigmoid()[:, None]
    return photo, torch.cat([box, probability], dim=1), answer[photo, 1:5, row, column]


def _refine(photos: TensorPhotos, photo: Tensor, boxes: Tensor, networks: OnDevice) -> tuple[Tensor, Tensor]:
    photo, boxes, answer = _look(photos, photo, boxes, networks.refine, REFINE_SIDE, THRESHOLDS[1])
    keep = _nms(boxes, photo, 0.7)
    photo, boxes, answer = photo[keep], boxes[keep], answer[keep]
    return photo, _squares(_moved(boxes, answer[:, 1:5]))


def _output(
    photos: TensorPhotos, photo: Tensor, boxes: Tensor, networks: OnDevice
) -> tuple[Tensor, Tensor, Tensor]:
    photo, boxes, answer = _look(photos, photo, boxes, networks.output, OUTPUT_SIDE, THRESHOLDS[2])
    size = boxes[:, 2:4] - boxes[:, :2] + 1
    shares = answer[:, 5:].view(-1, 2, 5).transpose(1, 2)
    landmarks = size[:, None] * shares + boxes[:, None, :2] - 1
    boxes = _moved(boxes, answer[:, 1:5])
    # Few are left by now, and torch has no suppression of this kind.
    keep = torch.from_numpy(keep_by_smaller(boxes.cpu().numpy(), photo.cpu().numpy(), 0.7)).to(photo.device)
    return photo[keep], boxes[keep], landmarks[keep]


def _look(
    photos: TensorPhotos, photo: Tensor, boxes: Tensor, network: OnTensors, side: int, threshold: float
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
        at = torch.arange(rounded_up(count), device=photo.device).clamp(max=count - 1) + start
        answer = network(photos.windows(photo[at], corners[at], side))[:count]
        passed = answer[:, 0] > logit(threshold)
        scored = torch.cat([boxes[part][passed, :4], answer[passed, :1].sigmoid()], dim=1)
        kept.append((photo[part][passed], scored, answer[passed]))
    if not kept:
        return photo, boxes, boxes.new_zeros(0, 15)
    return tuple(torch.cat(columns) for columns in zip(*kept, strict=True))  # type: ignore[return-value]


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


def _edges(low: Tensor, high: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Where the parts of a stretch begin and end, each int64 [N, side]."""
    part = torch.arange(side, device=low.device)
    length = (high - low)[:, None]
    first = low[:, None] + part * length // side
    last = low[:, None] + -(-(part + 1) * length // side)
    return first, last
