"""How much of a face there is to read, of pictures and points made for it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from nightshift.words.analysis import Quality
from shared.bundles.limits import Limits
from worker.pipeline.align import crop
from worker.pipeline.quality import NOSE_BEFORE_EYES, doubts, grey_of, quality_of, sharpness, yaw_deg

GOOD = Quality(sharpness=1.0, brightness=0.5, size_px=100.0, yaw_deg=0.0, cut_off=0.0)
FRONTAL = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, 0.55, NOSE_BEFORE_EYES], [-0.4, 1, 0], [0.4, 1, 0]])
"""Eyes, nose, corners of the mouth: x, y and how far before the face's plane, in distances of the eyes."""


def texture(side: int = 400) -> Image.Image:
    """Something with details of every size, as faces have."""
    random = np.random.default_rng(0)
    layers = [
        np.asarray(
            Image.fromarray(random.normal(0, 1, (cells, cells)).astype(np.float32)).resize((side, side))
        )
        * (1 / cells)
        for cells in (4, 8, 16, 32, 64, 128)
    ]
    levels = np.sum(layers, axis=0)
    levels = 128 + 40 * (levels - levels.mean()) / levels.std()
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8)).convert("RGB")


def cropped(image: Image.Image, side_px: int) -> NDArray[np.uint8]:
    scale = side_px / image.width
    return crop(np.asarray(image), np.array([[scale, 0, 0], [0, scale, 0]]), side_px)


def sharpness_of(image: Image.Image, side_px: int = 160) -> float:
    return sharpness(grey_of(cropped(image, side_px)))


def test_sharpness_falls_with_every_step_of_blur() -> None:
    sigmas = (0, 2, 4, 6, 8, 12)
    found = [sharpness_of(texture().filter(ImageFilter.GaussianBlur(sigma))) for sigma in sigmas]
    assert found == sorted(found, reverse=True)
    assert found[0] > 3 * found[-1]


def test_what_was_enlarged_from_few_pixels_is_not_sharp() -> None:
    small = texture().resize((20, 20), Image.Resampling.BOX)
    assert sharpness_of(small) < Limits().min_sharpness < sharpness_of(texture())
    assert sharpness_of(small.resize((400, 400), Image.Resampling.BICUBIC)) < Limits().min_sharpness


@pytest.mark.parametrize(("sigma", "off_by"), [(0, 0.2), (4, 0.1), (8, 0.08)])
def test_sharpness_is_the_same_whatever_the_bundle_reads(sigma: float, off_by: float) -> None:
    # Closest where the limit is; a sharp face stays a sharp one.
    image = texture().filter(ImageFilter.GaussianBlur(sigma))
    expected = sharpness_of(image, 128)
    for side_px in (160, 224, 384):
        assert sharpness_of(image, side_px) == pytest.approx(expected, rel=off_by)


def test_sharpness_does_not_depend_on_contrast_and_light() -> None:
    levels = np.asarray(texture().convert("L"), dtype=np.float64)
    grey = grey_of(cropped(texture(), 160))
    assert levels.std() > 10
    assert sharpness(grey * 0.4 + 20) == pytest.approx(sharpness(grey))
    assert sharpness(np.full((64, 64), 90.0)) == 0


@pytest.mark.parametrize("yaw", [-75, -40, -10, 0, 25, 60])
@pytest.mark.parametrize("roll", [0, 30])
def test_yaw_is_found_again_whatever_the_tilt(yaw: float, roll: float) -> None:
    turn, tilt = math.radians(yaw), math.radians(roll)
    x = FRONTAL[:, 0] * math.cos(turn) + FRONTAL[:, 2] * math.sin(turn)
    flat = np.stack([x, FRONTAL[:, 1]], axis=1) * 50
    rotation = np.array([[math.cos(tilt), -math.sin(tilt)], [math.sin(tilt), math.cos(tilt)]])
    found = yaw_deg(flat @ rotation.T + 300)
    assert found == pytest.approx(yaw, abs=1e-6)


@pytest.mark.parametrize("points", [np.zeros((5, 2)), FRONTAL[:, :2] * 0 + 7, np.eye(5, 2)])
def test_points_that_are_no_face_have_some_yaw(points: NDArray[np.float64]) -> None:
    assert -90 <= yaw_deg(points) <= 90


@pytest.mark.parametrize(
    ("left", "top", "outside"), [(0, 0, 0), (-50, 0, 0.5), (50, 50, 0), (150, 0, 0.5), (-50, -50, 0.75)]
)
def test_size_light_and_what_is_cut_off(left: int, top: int, outside: float) -> None:
    pixels = np.full((200, 200, 3), 51, np.uint8)
    scale = 160 / 100
    matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    image = crop(pixels, matrix, 160)
    found = quality_of(image, matrix, (200, 200), FRONTAL[:, :2] * 30 + (left + 50, top + 30))
    assert found.size_px == pytest.approx(100)
    assert found.brightness == pytest.approx(0.2)
    assert found.cut_off == pytest.approx(outside)


@pytest.mark.parametrize(
    ("worse", "reason"),
    [
        ({"sharpness": 0.1}, "blurred"),
        ({"size_px": 20.0}, "small"),
        ({"brightness": 0.02}, "dark"),
        ({"yaw_deg": 80.0}, "turned"),
        ({"yaw_deg": -80.0}, "turned"),
        ({"cut_off": 0.6}, "cut_off"),
    ],
)
def test_each_limit_has_its_reason(worse: dict[str, float], reason: str) -> None:
    values = {name: getattr(GOOD, name) for name in Quality.__slots__}
    assert doubts(GOOD, Limits()) == ()
    assert doubts(Quality(**values | worse), Limits()) == (reason,)
    lenient = Limits(min_sharpness=0, min_size_px=0, min_brightness=0, max_yaw_deg=90, max_cut_off=1)
    assert doubts(Quality(**values | worse), lenient) == ()
