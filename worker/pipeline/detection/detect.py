"""MTCNN on decoded photos: boxes, landmarks and confidences."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.pipeline.decoding.decode import DecodedPhoto
from worker.pipeline.detection.area import SummedPhotos
from worker.pipeline.detection.cascade import find_faces
from worker.pipeline.detection.mtcnn import load_networks
from worker.pipeline.detection.screen import screens_that_pay
from worker.pipeline.isolation import isolated
from worker.pipeline.runtime import CPU, RuntimeName, runtimes

PHOTOS_AT_ONCE_CUDA = 8

Found = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]
Find = Callable[[Sequence[NDArray[np.uint8]], int], Found]
"""Photos of one size and the least side of a face to what `cascade.find_faces` gives."""


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
        device: where they run, `cpu` or `cuda:N`.
        photos_at_once: most photos of equal size in one call; by default 8 on CUDA and 1 on the
            CPU, where a batch is no faster than its photos one by one.
        runtime: what the networks run on; by default the first that the device has.

    Raises:
        ModelUnavailable: `detector_unavailable` when its weights cannot be read; `runtime_unavailable` when
            there is nothing that they run on.
    """

    def __init__(
        self, device: str = CPU, photos_at_once: int | None = None, runtime: RuntimeName | None = None
    ) -> None:
        self.device = device
        self.photos_at_once = photos_at_once or (1 if device == CPU else PHOTOS_AT_ONCE_CUDA)
        self._find = _on_cpu(runtime or runtimes(device)[0]) if device == CPU else _on_device(device)

    def detect(
        self,
        photos: Sequence[DecodedPhoto],
        min_confidence: float,
        min_face_px: int,
        progress: Callable[[Collection[str]], None] = lambda _: None,
    ) -> list[PhotoDetections]:
        """Find the faces of each photo; a photo that raises does not disturb the others.

        Args:
            photos: of any sizes; only equal sizes share a call, because padding changes what the
                windows at the border see.
            min_confidence: faces under it are dropped, 0-1.
            min_face_px: faces whose longer side is under it are not looked for, and are dropped where
                they turn up all the same; pixels of `DecodedPhoto.pixels`.
            progress: called before each group of photos with their ids; what it raises passes through.

        Returns:
            One entry a photo, in order.
        """
        found: dict[int, PhotoDetections] = {}
        for group in equal_shape_groups([photo.pixels.shape for photo in photos], self.photos_at_once):
            progress([photos[index].id for index in group])
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
        of_photo, found, points = self._find(batch, min_face_px)
        return [
            _detections(found[of_photo == index], points[of_photo == index], min_confidence, min_face_px)
            for index in range(len(batch))
        ]


def _on_cpu(runtime: RuntimeName) -> Find:
    networks = load_networks(runtime)
    screens = screens_that_pay(networks)
    return lambda photos, min_face_px: find_faces(SummedPhotos(photos), min_face_px, networks, screens)


def _on_device(device: str) -> Find:
    from worker.pipeline.detection.cascade_torch import finder

    return finder(device)


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
