"""The flow written plainly, as one would without a thought of speed: what the speed-up is counted from.

Photo by photo: Pillow opens it, turns it upright and scales it down to 1080 rows; facenet-pytorch's MTCNN at
its defaults finds faces; those it is 90 % sure of are cut out by their box, resized to 384 pixels and
read one by one by EfficientNetV2-S in fp32, whatever weights are under test. Torch has its default number of
threads.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from facenet_pytorch import MTCNN
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bench.enlarged_bundle import ORIGINAL
from bench.plain_network import PlainReader
from bench.protocol import Corners, FoundFace, Pass, Setup

HEIGHT = 1080
MIN_CONFIDENCE = 0.90
CROP = 384
"""Pixels; the original model's."""

TILT_THRESHOLD_DEG = 11.25


def open_upright(path: Path) -> tuple[Image.Image, tuple[int, int]]:
    """The photo upright, in RGB, at most 1080 rows, and its full size."""
    with Image.open(path) as file:
        image = ImageOps.exif_transpose(file).convert("RGB")
    size = image.size
    if image.height > HEIGHT:
        width = max(1, round(image.width * HEIGHT / image.height))
        image = image.resize((width, HEIGHT), Image.Resampling.BILINEAR)
    return image, size


def find_faces(mtcnn: MTCNN, image: Image.Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes float32 [N, 4] and landmarks [N, 5, 2] of the faces it is sure of, pixels of `image`."""
    boxes, confidences, points = mtcnn.detect(image, landmarks=True)
    if boxes is None:
        return np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32)
    # Under numpy 2 it answers arrays of dtype object.
    sure = np.asarray(confidences, dtype=np.float32) >= MIN_CONFIDENCE
    return np.asarray(boxes, dtype=np.float32)[sure], np.asarray(points, dtype=np.float32)[sure]


class PlainFlow:
    """See the module; `read` reads the faces with the bundle under test at its own size instead."""

    def __init__(self, setup: Setup) -> None:
        self._mtcnn = MTCNN(keep_all=True, device="cpu")
        self._original = PlainReader(ORIGINAL)
        self._reader = PlainReader(setup.bundle)
        self.about: Mapping[str, str] = {
            "threads": str(torch.get_num_threads()),
            "precision": "fp32",
            "input": f"{CROP} px",
            "facenet-pytorch": version("facenet-pytorch"),
        }

    def warm_up(self, photos: Sequence[Path]) -> None:
        """One pass over a few photos."""
        self.run(photos)

    def run(self, photos: Sequence[Path]) -> Pass:
        """One timed pass."""
        stages = dict.fromkeys(("decode", "detect", "classify"), 0.0)
        found = []
        started = time.perf_counter()
        for path in photos:
            begun = time.perf_counter()
            image, size = open_upright(path)
            decoded = time.perf_counter()
            boxes, _ = find_faces(self._mtcnn, image)
            detected = time.perf_counter()
            for box in boxes:
                self._original.probabilities(_cut_out(image, box))
            classified = time.perf_counter()
            stages["decode"] += decoded - begun
            stages["detect"] += detected - decoded
            stages["classify"] += classified - detected
            found.append(tuple(FoundFace(box) for box in _at_full_size(boxes, image, size)))
        return Pass(tuple(found), time.perf_counter() - started, stages)

    def read(self, photos: Sequence[Path]) -> Pass:
        """Readings of crops framed as the bundle wants them, by plain MTCNN's landmarks."""
        from worker.pipeline.align import crop, crop_transform, framing_points

        manifest = self._reader.manifest
        framing, side = framing_points(manifest.framing), manifest.input.size
        found = []
        for path in photos:
            image, size = open_upright(path)
            boxes, points = find_faces(self._mtcnn, image)
            faces = []
            for box, landmarks in zip(_at_full_size(boxes, image, size), points, strict=True):
                matrix, _ = crop_transform(landmarks, framing, side, TILT_THRESHOLD_DEG)
                reading = self._reader.read(crop(np.asarray(image), matrix, side))
                faces.append(FoundFace(box, reading.gender, reading.age_group, reading))
            found.append(tuple(faces))
        return Pass(tuple(found))


def _cut_out(image: Image.Image, box: NDArray[np.float32]) -> NDArray[np.uint8]:
    left, top, right, bottom = (round(float(value)) for value in box)
    left, top = max(0, left), max(0, top)
    part = image.crop(
        (left, top, max(left + 1, min(right, image.width)), max(top + 1, min(bottom, image.height)))
    )
    return np.array(part.resize((CROP, CROP), Image.Resampling.BILINEAR))


def _at_full_size(boxes: NDArray[np.float32], image: Image.Image, size: tuple[int, int]) -> list[Corners]:
    across, down = size[0] / image.width, size[1] / image.height
    return [
        (x1 * across, y1 * down, x2 * across, y2 * down) for x1, y1, x2, y2 in boxes.astype(float).tolist()
    ]
