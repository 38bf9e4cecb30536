"""Face geometry: from five landmarks to a crop framed as the classifier was trained on.

Coordinates are continuous pixels: the first pixel covers 0 to 1, its middle is at 0.5.
A transform is a 2x3 float64 matrix M that takes a photo's point p to the crop's point M @ [p, 1].
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from shared.bundles.manifest import Framing
from worker.pipeline.framing import UTKFACE_BOX

Matrix = NDArray[np.float64]


def framing_points(framing: Framing) -> NDArray[np.float64]:
    """A manifest's framing as float64 [5, 2], fractions of the crop's side, in the detector's order."""
    return np.array(
        [framing.left_eye, framing.right_eye, framing.nose, framing.mouth_left, framing.mouth_right],
        dtype=np.float64,
    )


def roll_deg(landmarks: ArrayLike) -> float:
    """Angle of the line from the first eye to the second, degrees, -180 to 180.

    Args:
        landmarks: [5, 2]; the first row is the eye on the image's left, the second that on its right.

    Returns:
        Positive when the eye on the image's right is lower, 0 when both eyes are one point.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    dx, dy = points[1] - points[0]
    return math.degrees(math.atan2(dy, dx))


def crop_transform(
    landmarks: ArrayLike, framing: ArrayLike, side_px: int, tilt_threshold_deg: float
) -> tuple[Matrix, bool]:
    """The transform that frames a face.

    The rotation is given: minus the roll when that is over the threshold, else none. Scale s and
    shift t are then the least-squares fit of the landmarks p to the framing points q,
    min over s, t of sum |s R p + t - q|^2. With p~ = R (p - mean p) and q~ = q - mean q:
    s = sum p~.q~ / sum |p~|^2 and t = mean q - s R mean p
    (Umeyama 1991, IEEE PAMI 13(4), eqs. 41-42, with R known instead of estimated).

    Args:
        landmarks: [5, 2], pixels of the photo.
        framing: [5, 2], fractions of the crop's side.
        side_px: side of the crop, pixels.
        tilt_threshold_deg: largest roll, either way, that is left alone.

    Returns:
        float64 [2, 3] from photo to crop, and whether the face is rotated.

    Raises:
        ValueError: the landmarks are not finite or all one point, so they have no size.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    targets = np.asarray(framing, dtype=np.float64) * side_px
    if not has_extent(points):
        raise ValueError("the landmarks are one point or not finite")
    roll = roll_deg(points)
    aligned = abs(roll) > tilt_threshold_deg
    angle = -math.radians(roll) if aligned else 0.0
    rotation = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    spread = (points - points.mean(axis=0)) @ rotation.T
    target_spread = targets - targets.mean(axis=0)
    scale = float((spread * target_spread).sum() / (spread**2).sum())
    widest = math.sqrt(float((target_spread**2).sum() / (spread**2).sum()))
    if scale < widest / 4:
        # An upside-down face under a high threshold: the fit would mirror or vanish. Keep its size.
        scale = widest
    shift = targets.mean(axis=0) - scale * rotation @ points.mean(axis=0)
    return np.hstack([scale * rotation, shift[:, None]]), aligned


def has_extent(landmarks: NDArray[np.float64]) -> bool:
    """True when the landmarks are finite and lie at least half a pixel apart in the mean."""
    if not np.isfinite(landmarks).all():
        return False
    return float(((landmarks - landmarks.mean(axis=0)) ** 2).sum()) >= 0.25 * len(landmarks)


def landmarks_in_box(box: ArrayLike, framing: ArrayLike) -> NDArray[np.float64]:
    """Where the landmarks of an upright face lie by its box alone, for a face whose own are of no use.

    Args:
        box: [4], x1 y1 x2 y2 of MTCNN, pixels.
        framing: [5, 2], fractions of the crop's side.

    Returns:
        float64 [5, 2], pixels of the photo.
    """
    x1, y1, x2, y2 = np.asarray(box, dtype=np.float64)
    left, top, right, bottom = UTKFACE_BOX
    side = max((x2 - x1) / (right - left), (y2 - y1) / (bottom - top), 1.0)
    origin = np.array([(x1 + x2) / 2, (y1 + y2) / 2]) - side * np.array(
        [(left + right) / 2, (top + bottom) / 2]
    )
    return np.asarray(origin + np.asarray(framing, dtype=np.float64) * side)


def crop(pixels: NDArray[np.uint8], matrix: Matrix, side_px: int) -> NDArray[np.uint8]:
    """Cut a face out of a photo, resampled once; outside the photo its edge goes on.

    When shrinking 2x or more the region is first reduced by an integer box filter: a bilinear
    step alone reads four pixels and would skip the others.

    Args:
        pixels: uint8 [H, W, 3].
        matrix: float64 [2, 3] from photo to crop.
        side_px: side of the crop, pixels.

    Returns:
        uint8 [side_px, side_px, 3], C-contiguous.
    """
    height, width = pixels.shape[:2]
    linear = np.linalg.inv(matrix[:, :2])
    origin = -linear @ matrix[:, 2]
    corners = np.array([[0, 0], [side_px, 0], [0, side_px], [side_px, side_px]]) @ linear.T + origin
    factor = max(1, int(math.sqrt(abs(float(np.linalg.det(linear))))))
    margin = 2 * factor  # bilinear reads a pixel beyond the outermost middle
    low_x, low_y = np.floor(corners.min(axis=0) - margin).astype(int).tolist()
    high_x, high_y = np.ceil(corners.max(axis=0) + margin).astype(int).tolist()
    # The part of it that the photo has, at least one pixel of it.
    x0, x1 = _overlap(low_x, high_x, width)
    y0, y1 = _overlap(low_y, high_y, height)
    region = Image.fromarray(np.ascontiguousarray(pixels[y0:y1, x0:x1]))
    if factor > 1:
        region = region.reduce(factor)
    missing = (x0 - low_x, y0 - low_y, high_x - x1, high_y - y1)
    left, top, right, bottom = (-(-max(0, gap) // factor) for gap in missing)
    if left or top or right or bottom:
        # After reducing, so that a face at the edge costs no more than one in the middle.
        padding = ((top, bottom), (left, right), (0, 0))
        region = Image.fromarray(np.pad(np.asarray(region), padding, mode="edge"))
    corner = np.array([x0 - left * factor, y0 - top * factor])
    linear, origin = linear / factor, (origin - corner) / factor
    coefficients = (*linear[0], origin[0], *linear[1], origin[1])
    size = (side_px, side_px)
    return np.array(
        region.transform(size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR),
        dtype=np.uint8,
    )


def _overlap(low: int, high: int, length: int) -> tuple[int, int]:
    start = min(max(low, 0), length - 1)
    return start, min(max(high, start + 1), length)
