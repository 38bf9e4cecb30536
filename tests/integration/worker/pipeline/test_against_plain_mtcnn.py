"""Our ways through MTCNN find what facenet-pytorch's own does, to a hundredth of a pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support import needs_torch as _needs_torch  # noqa: F401
from tests.support import samples
from tests.support.reference_data import PHOTOS, needs_photos
from tests.support.requirements import require
from worker.pipeline.decoding.decode import decode
from worker.pipeline.detection.area import SummedPhotos
from worker.pipeline.detection.cascade import find_faces
from worker.pipeline.detection.cascade_torch import finder
from worker.pipeline.detection.detect import Find
from worker.pipeline.detection.mtcnn import load_networks
from worker.pipeline.detection.screen import can_screen, load_screens

if TYPE_CHECKING:
    import facenet_pytorch

LEAST = 0.70
"""The O-Net's own threshold: everything that the cascade lets through is compared."""


@pytest.fixture(scope="module")
def plain() -> facenet_pytorch.MTCNN:
    import facenet_pytorch

    return facenet_pytorch.MTCNN(keep_all=True, device="cpu")


@pytest.fixture(scope="module", params=["openvino", "torch", "openvino, screened", "all in torch"])
def find(request: pytest.FixtureRequest) -> Find:
    """The CPU's way on either runtime and behind a screen, and CUDA's, which runs on a CPU as well."""
    if request.param == "all in torch":
        return finder("cpu")
    screened = request.param == "openvino, screened"
    require(not screened or can_screen(), "the processor has no AVX2", essential=False)
    networks = load_networks("openvino" if screened else request.param)
    screens = load_screens() if screened else None
    return lambda photos, min_face_px: find_faces(SummedPhotos(photos), min_face_px, networks, screens)


def assert_same_faces(plain: facenet_pytorch.MTCNN, find: Find, pixels: NDArray[np.uint8]) -> int:
    boxes, probabilities, points = plain.detect(pixels, landmarks=True)
    expected = [] if boxes is None else list(zip(boxes, probabilities, points, strict=True))
    photo, found, landmarks = find([pixels], 20)
    assert len(photo) == len(expected) and not photo.any()
    assert found.dtype == landmarks.dtype == np.dtype(np.float32)
    by_place = sorted(zip(found, landmarks, strict=True), key=lambda face: tuple(face[0]))
    for (box, marks), (wanted, probability, wanted_marks) in zip(
        by_place, sorted(expected, key=lambda face: tuple(face[0])), strict=True
    ):
        assert LEAST <= box[4] == pytest.approx(float(probability), abs=1e-4)
        np.testing.assert_allclose(box[:4], np.asarray(wanted, float), atol=0.01)
        np.testing.assert_allclose(marks, np.asarray(wanted_marks, float), atol=0.01)
    return len(expected)


def test_in_made_photos(plain: facenet_pytorch.MTCNN, find: Find) -> None:
    faces = 0
    for image in (
        samples.astronaut(),
        samples.astronaut(430, turn_deg=25),
        samples.several(2, 3),
        samples.several(3, 7, side_px=130),
        samples.no_face("coffee"),
    ):
        faces += assert_same_faces(plain, find, np.asarray(image))
    assert faces >= 20


@needs_photos
def test_in_the_reference_photos(plain: facenet_pytorch.MTCNN, find: Find) -> None:
    faces = 0
    for path in sorted(PHOTOS.glob("*.jpg")):
        photo = decode(path.read_bytes(), height=1080, max_photo_pixels=10**9, max_working_pixels=8_300_000)
        faces += assert_same_faces(plain, find, photo.pixels)
    assert faces >= 10
