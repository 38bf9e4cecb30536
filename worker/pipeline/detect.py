"""MTCNN on decoded photos: boxes, landmarks and confidences."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import facenet_pytorch
import numpy as np
import torch
from facenet_pytorch.models.utils.detect_face import detect_face
from numpy.typing import NDArray

from shared.errors import ModelUnavailable
from worker.pipeline.decode import DecodedPhoto
from worker.pipeline.isolation import isolated

THRESHOLDS = (0.6, 0.7, 0.7)
"""Least scores of the P-, R- and O-Net (Zhang et al. 2016, as facenet-pytorch sets them)."""

PYRAMID_FACTOR = 0.709
"""Ratio of neighbouring pyramid sizes, about the root of one half."""

PHOTOS_AT_ONCE_CUDA = 8


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One face, in the coordinates of `DecodedPhoto.pixels`.

    Attributes:
        box: float32 [4], x1 y1 x2 y2, pixels; may reach past the photo's edges.
        landmarks: float32 [5, 2], x y of left eye, right eye, nose, mouth left, mouth right;
            left is the image's left.
        confidence: O-Net's face probability, 0-1.
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    confidence: float

    @property
    def area(self) -> float:
        """Square pixels of the box."""
        return float((self.box[2] - self.box[0]) * (self.box[3] - self.box[1]))


@dataclass(frozen=True, slots=True)
class PhotoDetections:
    """What detection says of one photo.

    Attributes:
        faces: largest box first; empty when there was none or detection failed.
        error: what detecting in this photo alone raised, or None.
        elapsed_ms: the photo's share of its batch's time, milliseconds.
    """

    faces: tuple[Detection, ...]
    error: Exception | None
    elapsed_ms: float


class Detector:
    """Holds the three networks on one device.

    Args:
        device: where they run.
        photos_at_once: most photos of equal size in one call; by default 8 on CUDA and 1 on the
            CPU, where a batch is slower than its photos one by one.

    Raises:
        ModelUnavailable: `detector_unavailable` when the packaged weights cannot be read.
    """

    def __init__(self, device: torch.device, photos_at_once: int | None = None) -> None:
        self.device = device
        self.photos_at_once = photos_at_once or (PHOTOS_AT_ONCE_CUDA if device.type == "cuda" else 1)
        self._pnet = _load(facenet_pytorch.PNet(pretrained=False), "pnet.pt", device)
        self._rnet = _load(facenet_pytorch.RNet(pretrained=False), "rnet.pt", device)
        self._onet = _load(facenet_pytorch.ONet(pretrained=False), "onet.pt", device)

    def detect(
        self,
        photos: Sequence[DecodedPhoto],
        min_confidence: float,
        min_face_px: int,
        progress: Callable[[Collection[int]], None] = lambda _: None,
    ) -> list[PhotoDetections]:
        """Find the faces of each photo; a photo that raises does not disturb the others.

        Args:
            photos: of any sizes; only equal sizes share a call, because padding changes what the
                windows at the border see.
            min_confidence: faces under it are dropped, 0-1.
            min_face_px: faces whose longer side is under it are not looked for, and are dropped where
                they turn up all the same; pixels of `DecodedPhoto.pixels`.
            progress: called before each group of photos with their indices; what it raises passes through.

        Returns:
            One entry a photo, in order.
        """
        found: dict[int, PhotoDetections] = {}
        for group in equal_shape_groups([photo.pixels.shape for photo in photos], self.photos_at_once):
            progress(group)
            started = time.perf_counter()
            answers = isolated(
                lambda pixels: self._detect_equal(pixels, min_confidence, min_face_px),
                [photos[index].pixels for index in group],
            )
            share_ms = (time.perf_counter() - started) * 1000 / len(group)
            for index, answer in zip(group, answers, strict=True):
                if isinstance(answer, Exception):
                    found[index] = PhotoDetections((), answer, share_ms)
                else:
                    found[index] = PhotoDetections(answer, None, share_ms)
        return [found[index] for index in range(len(photos))]

    def _detect_equal(
        self, batch: Sequence[NDArray[np.uint8]], min_confidence: float, min_face_px: int
    ) -> list[tuple[Detection, ...]]:
        if min(batch[0].shape[:2]) * (12.0 / min_face_px) < 12:
            return [()] * len(
                batch
            )  # not one window fits; the cascade would raise instead of finding nothing
        with torch.inference_mode():
            stacked = torch.as_tensor(np.stack(batch), device=self.device)
            boxes, points = detect_face(
                stacked,
                min_face_px,
                self._pnet,
                self._rnet,
                self._onet,
                THRESHOLDS,
                PYRAMID_FACTOR,
                self.device,
            )
        return [
            _detections(
                # Under numpy 2 the cascade answers arrays of dtype object.
                np.asarray(photo_boxes, dtype=np.float32).reshape(-1, 5),
                np.asarray(photo_points, dtype=np.float32).reshape(-1, 5, 2),
                min_confidence,
                min_face_px,
            )
            for photo_boxes, photo_points in zip(boxes, points, strict=True)
        ]


def equal_shape_groups(shapes: Sequence[tuple[int, ...]], most: int) -> list[list[int]]:
    """Indices grouped by equal shape, at most `most` to a group, each group in order."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for index, shape in enumerate(shapes):
        by_shape.setdefault(shape, []).append(index)
    return [
        indices[start : start + most]
        for indices in by_shape.values()
        for start in range(0, len(indices), most)
    ]


def _detections(
    boxes: NDArray[np.float32], points: NDArray[np.float32], min_confidence: float, min_face_px: int
) -> tuple[Detection, ...]:
    faces = [
        Detection(box[:4].copy(), landmarks.copy(), float(box[4]))
        for box, landmarks in zip(boxes, points, strict=True)
        # The cascade's later networks may shrink a window to a face under the least size.
        if box[4] >= min_confidence and np.isfinite(box).all() and (box[2:4] - box[:2]).max() >= min_face_px
    ]
    return tuple(sorted(faces, key=lambda face: face.area, reverse=True))


def _load(network: torch.nn.Module, name: str, device: torch.device) -> torch.nn.Module:
    # Not by the package's own loader: it leaves the choice of unpickling to torch's default.
    path = Path(facenet_pytorch.__file__).parent / "data" / name
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:
        raise ModelUnavailable("detector_unavailable", f"{path}: {error}") from error
    return network.eval().requires_grad_(False).to(device)
