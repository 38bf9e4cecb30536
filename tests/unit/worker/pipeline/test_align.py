"""Roll, framing and cropping on points and pixels whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from worker.pipeline.align import crop, crop_transform, framing_points, has_extent, landmarks_in_box, roll_deg
from worker.pipeline.framing import UTKFACE, UTKFACE_BOX

FRAMING = framing_points(UTKFACE)
LEVEL = np.array([[40, 50], [80, 50], [60, 75], [44, 95], [76, 95]], dtype=np.float64)
"""A face whose eyes are exactly level."""

Points = NDArray[np.float64]


def turned(points: Points, angle_deg: float) -> Points:
    """Clockwise as seen, since y points down."""
    angle = math.radians(angle_deg)
    rotation = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return np.asarray(points @ rotation.T)


def through(matrix: Points, points: Points) -> Points:
    return points @ matrix[:, :2].T + matrix[:, 2]


def angle_of(matrix: Points) -> float:
    return math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))


@pytest.mark.parametrize("angle", [-170.0, -90.0, -11.25, -1.0, 0.0, 30.0, 90.0, 179.0])
def test_roll_is_the_clockwise_turn_of_the_eyes(angle: float) -> None:
    assert roll_deg(turned(LEVEL, angle)) == pytest.approx(angle, abs=1e-9)


def test_roll_is_positive_when_the_eye_on_the_images_right_is_lower() -> None:
    lower_right = LEVEL.copy()
    lower_right[1, 1] += 10
    assert roll_deg(lower_right) > 0


@pytest.mark.parametrize(
    ("roll", "expected"), [(11.24, False), (-11.24, False), (11.26, True), (-11.26, True), (0.0, False)]
)
def test_only_a_roll_over_the_threshold_is_turned_upright(roll: float, expected: bool) -> None:
    matrix, aligned = crop_transform(turned(LEVEL, roll), FRAMING, 96, 11.25)
    assert aligned is expected
    assert angle_of(matrix) == pytest.approx(-roll if expected else 0.0, abs=1e-9)


def test_a_roll_of_just_the_threshold_is_left_alone() -> None:
    points = LEVEL.copy()
    points[1] = points[0] + [40, 40]
    assert crop_transform(points, FRAMING, 96, roll_deg(points))[1] is False


similarities = st.tuples(
    st.floats(0.1, 20), st.floats(-179, 179), st.floats(-3000, 3000), st.floats(-3000, 3000)
)


@settings(deadline=None)
@given(similarities, st.integers(32, 512))
def test_a_face_that_is_the_framing_moved_comes_back_to_the_framing(
    similarity: tuple[float, float, float, float], side: int
) -> None:
    scale, angle, dx, dy = similarity
    level = FRAMING.copy()
    level[:2, 1] = 0.21  # the framing's own eyes are half a degree off level
    photo = turned(level, angle) * scale * 100 + [dx, dy]
    matrix, _ = crop_transform(photo, level, side, 0.0)
    np.testing.assert_allclose(through(matrix, photo), level * side, atol=1e-5 * side)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(-40, 40), st.floats(-40, 40)), min_size=5, max_size=5),
    st.floats(-170, 170),
    st.floats(0.98, 1.02),
    st.floats(-2, 2),
    st.floats(-2, 2),
)
def test_no_other_scale_or_shift_fits_better(
    noise: list[tuple[float, float]], angle: float, scale: float, dx: float, dy: float
) -> None:
    points = turned(FRAMING * 300, angle) + np.array(noise)
    matrix, _ = crop_transform(points, FRAMING, 96, 11.25)
    target = FRAMING * 96

    def residual(candidate: Points) -> float:
        return float(((through(candidate, points) - target) ** 2).sum())

    other = matrix.copy()
    other[:, :2] *= scale
    middle = points.mean(axis=0)
    # Keep the middle where it was, so that scaling is tried apart from shifting.
    other[:, 2] += matrix[:, :2] @ middle - other[:, :2] @ middle + [dx, dy]
    if abs(angle) > 60 and abs(roll_deg(points)) <= 11.25:
        return  # the noise levelled the eyes of a face on its side: sized, not fitted
    assert residual(matrix) <= residual(other) + 1e-6


def test_an_upside_down_face_that_may_not_be_turned_keeps_its_size_and_is_not_mirrored() -> None:
    matrix, aligned = crop_transform(turned(LEVEL, 180), FRAMING, 96, 180)
    assert not aligned
    assert matrix[0, 0] > 0
    assert np.linalg.det(matrix[:, :2]) > 0


@pytest.mark.parametrize("points", [np.full((5, 2), 7.0), np.full((5, 2), np.nan)])
def test_landmarks_without_extent_are_refused(points: Points) -> None:
    assert not has_extent(points)
    with pytest.raises(ValueError, match="one point or not finite"):
        crop_transform(points, FRAMING, 96, 11.25)


def test_landmarks_by_the_box_undo_the_box_of_a_chip() -> None:
    side, corner = 200.0, np.array([30.0, 400.0])
    box = np.array(UTKFACE_BOX) * side + np.tile(corner, 2)
    np.testing.assert_allclose(landmarks_in_box(box, FRAMING), FRAMING * side + corner, atol=1e-9)


def test_landmarks_by_an_empty_box_still_have_extent() -> None:
    assert not np.isnan(landmarks_in_box([5, 5, 5, 5], FRAMING)).any()


def at(scale: float, x: float, y: float) -> Points:
    """Crop whose top left corner is the photo's (x, y)."""
    return np.array([[scale, 0, -scale * x], [0, scale, -scale * y]])


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_an_unscaled_crop_is_the_photos_own_pixels() -> None:
    photo = noise(90, 120)
    np.testing.assert_array_equal(crop(photo, at(1, 31, 17), 40), photo[17:57, 31:71])


@pytest.mark.parametrize("factor", [2, 3, 7])
def test_shrinking_by_a_whole_number_is_the_mean_of_its_pixels(factor: int) -> None:
    photo = noise(40 * factor, 40 * factor)
    inner = crop(photo, at(1 / factor, 4 * factor, 4 * factor), 32).astype(int)
    blocks = photo.reshape(40, factor, 40, factor, 3).mean(axis=(1, 3))[4:36, 4:36]
    # The box filter's grid may lie elsewhere than the crop's; its means may not differ in kind.
    assert abs(inner.mean() - blocks.mean()) < 1.5
    assert inner.std() < 1.15 * blocks.std()


def test_shrinking_a_fine_pattern_gives_its_mean_and_no_moire() -> None:
    photo = np.zeros((400, 400, 3), np.uint8)
    photo[:, ::2] = 255
    shrunk = crop(photo, at(1 / 4.3, 0, 0), 90)
    assert np.abs(shrunk.astype(int) - 127).max() <= 40
    assert shrunk.std() < 20


def test_outside_the_photo_its_edge_goes_on() -> None:
    photo = np.full((50, 60, 3), (200, 30, 90), np.uint8)
    for matrix in (at(1, -300, -300), at(0.1, -400, -400), at(5, 55, 45), at(1, 1000, 10)):
        np.testing.assert_array_equal(crop(photo, matrix, 64), np.full((64, 64, 3), (200, 30, 90), np.uint8))


def test_a_face_at_the_corner_shows_the_photo_where_it_has_pixels() -> None:
    photo = noise(80, 80)
    cut = crop(photo, at(1, -10, -20), 64)
    np.testing.assert_array_equal(cut[20:, 10:], photo[:44, :54])
    np.testing.assert_array_equal(cut[:20, 10:], np.broadcast_to(photo[0, :54], (20, 54, 3)))


def test_a_crop_far_larger_than_the_photo_costs_no_more_than_its_size() -> None:
    assert crop(noise(30, 30), at(1e-4, -1e5, -1e5), 96).shape == (96, 96, 3)


@pytest.mark.parametrize("angle", [0.0, 20.0, -75.0, 160.0])
@pytest.mark.parametrize("face_px", [60.0, 500.0])
def test_what_lies_at_a_landmark_comes_to_lie_at_its_framing(angle: float, face_px: float) -> None:
    points = turned((FRAMING - 0.5) * face_px, angle) + np.array([450, 430])
    photo = np.zeros((900, 900, 3), np.uint8)
    radius = face_px / 25
    rows, columns = np.mgrid[:900, :900] + 0.5
    for x, y in points:
        photo[np.hypot(columns - x, rows - y) < radius] = 255
    matrix, _ = crop_transform(points, FRAMING, 96, 11.25)
    cut = crop(photo, matrix, 96)[..., 0].astype(float)
    y96, x96 = np.mgrid[:96, :96] + 0.5
    for u, v in FRAMING * 96:
        near = cut * (np.hypot(x96 - u, y96 - v) < 10)
        assert near.sum() > 0
        assert abs((near * x96).sum() / near.sum() - u) < 1.0
        assert abs((near * y96).sum() / near.sum() - v) < 1.0
