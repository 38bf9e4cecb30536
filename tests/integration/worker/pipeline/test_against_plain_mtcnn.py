"""Our scheduling of MTCNN finds what facenet-pytorch's own does, to a hundredth of a pixel."""

from __future__ import annotations

import facenet_pytorch
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.support import samples
from tests.support.reference_data import PHOTOS, needs_photos
from worker.pipeline.decoding.decode import decode
from worker.pipeline.detection.area import SummedPhotos, TensorPhotos
from worker.pipeline.detection.cascade import find_faces
from worker.pipeline.detection.mtcnn import Networks, load_networks
from worker.pipeline.runtime import runtimes

CPU = torch.device("cpu")
LEAST = 0.70
"""The O-Net's own threshold: everything that the cascade lets through is compared."""


@pytest.fixture(scope="module")
def plain() -> facenet_pytorch.MTCNN:
    return facenet_pytorch.MTCNN(keep_all=True, device="cpu")


@pytest.fixture(scope="module", params=runtimes(CPU))
def networks(request: pytest.FixtureRequest) -> Networks:
    return load_networks(CPU, request.param)


def assert_same_faces(plain: facenet_pytorch.MTCNN, networks: Networks, pixels: NDArray[np.uint8]) -> int:
    boxes, probabilities, points = plain.detect(pixels, landmarks=True)
    expected = [] if boxes is None else list(zip(boxes, probabilities, points, strict=True))
    for photos in (SummedPhotos([pixels]), TensorPhotos([pixels], CPU)):
        with torch.inference_mode():
            photo, found, landmarks = find_faces(photos, 20, networks)
        assert len(photo) == len(expected) and not photo.any()
        by_place = sorted(zip(found.numpy(), landmarks.numpy(), strict=True), key=lambda face: tuple(face[0]))
        for (box, marks), (wanted, probability, wanted_marks) in zip(
            by_place, sorted(expected, key=lambda face: tuple(face[0])), strict=True
        ):
            assert LEAST <= box[4] == pytest.approx(float(probability), abs=1e-4)
            np.testing.assert_allclose(box[:4], np.asarray(wanted, float), atol=0.01)
            np.testing.assert_allclose(marks, np.asarray(wanted_marks, float), atol=0.01)
    return len(expected)


def test_in_made_photos(plain: facenet_pytorch.MTCNN, networks: Networks) -> None:
    faces = 0
    for image in (
        samples.astronaut(),
        samples.astronaut(430, turn_deg=25),
        samples.several(2, 3),
        samples.several(3, 7, side_px=130),
        samples.no_face("coffee"),
    ):
        faces += assert_same_faces(plain, networks, np.asarray(image))
    assert faces >= 20


@needs_photos
def test_in_the_reference_photos(plain: facenet_pytorch.MTCNN, networks: Networks) -> None:
    faces = 0
    for path in sorted(PHOTOS.glob("*.jpg")):
        photo = decode(path.read_bytes(), height=1080, max_photo_pixels=10**9, max_working_pixels=8_300_000)
        faces += assert_same_faces(plain, networks, photo.pixels)
    assert faces >= 10
