"""Is the face good enough to say anything? Measured from its pixels and its five points.

What is under a bundle's limits (`shared.bundles.limits`) is a reason to call both labels uncertain.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from nightshift.words.analysis import Quality
from shared.bundles.limits import Limits
from worker.pipeline.align import Matrix

SIDE_PX = 64
"""Side to which a crop is scaled before it is measured, whatever the classifier reads: one scale for all."""

NOSE_BEFORE_EYES = 0.57
"""How far the tip of the nose stands before the plane of eyes and mouth, in distances of the eyes.

Of MediaPipe's canonical face: nose at z 7.48, that plane at its height at z 3.90, eyes 6.30 apart (cm).
"""

_LEAST_EYES = 1e-3
_GRID = (np.arange(32) + 0.5) / 32


def quality_of(
    image: NDArray[np.uint8], matrix: Matrix, photo_size: tuple[int, int], landmarks: ArrayLike
) -> Quality:
    """Measure a face.

    Args:
        image: uint8 [S, S, 3], the crop that the classifier reads.
        matrix: float64 [2, 3] from photo to crop, as `crop_transform` makes it.
        photo_size: width and height of the photo that was cropped, pixels.
        landmarks: [5, 2], pixels of the photo, in the detector's order.
    """
    grey = grey_of(image)
    linear = np.linalg.inv(matrix[:, :2]).astype(np.float64, copy=False)
    return Quality(
        sharpness=sharpness(grey),
        brightness=float(grey.mean()) / 255,
        size_px=len(image) * math.sqrt(abs(float(np.linalg.det(linear)))),
        yaw_deg=yaw_deg(landmarks),
        cut_off=cut_off(photo_size, linear, matrix[:, 2], len(image)),
    )


def grey_of(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Float64 [SIDE_PX, SIDE_PX], 0-255: the luma (ITU-R BT.601) of a crop of any side."""
    luma = Image.fromarray(image).convert("L")
    if luma.size != (SIDE_PX, SIDE_PX):
        luma = luma.resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)  # antialiased
    return np.asarray(luma, dtype=np.float64)


def doubts(quality: Quality, limits: Limits) -> tuple[str, ...]:
    """Why a face of this quality says too little: those of `DOUBTS` that hold, `close_call` never."""
    found = {
        "blurred": quality.sharpness < limits.min_sharpness,
        "small": quality.size_px < limits.min_size_px,
        "dark": quality.brightness < limits.min_brightness,
        "turned": abs(quality.yaw_deg) > limits.max_yaw_deg,
        "cut_off": quality.cut_off > limits.max_cut_off,
    }
    return tuple(reason for reason, holds in found.items() if holds)


def sharpness(grey: NDArray[np.float64]) -> float:
    """Energy of the Laplacian over that of the gradient: how much of what changes, changes abruptly.

    The Laplacian's variance (Pech-Pacheco et al. 2000) grows with a picture's contrast, too. Over the
    gradient's it does not: the ratio is the mean square of the spatial frequency, weighted by the gradient's
    power (for one dimension Hjorth 1970, the square of the first derivative's mobility).

    Args:
        grey: float64 [SIDE_PX, SIDE_PX], 0-255.

    Returns:
        0 of an even surface, about 1 of a sharp face, to 6 of noise.
    """
    middle = grey[1:-1, 1:-1]
    across, down = grey[1:-1, 2:] - middle, grey[2:, 1:-1] - middle
    laplacian = across + down - (middle - grey[1:-1, :-2]) - (middle - grey[:-2, 1:-1])
    gradient = float((across**2).mean() + (down**2).mean())
    # A grey level of 8 bits is rounded by up to a half: less is none.
    return float(laplacian.var()) / max(gradient, 1.0)


def yaw_deg(landmarks: ArrayLike) -> float:
    """How far a face is turned to the side, degrees, -90 to 90; positive towards the image's right.

    Under weak perspective the eyes' distance shrinks by the cosine, and the nose moves off the line from the
    eyes' middle to the mouth's by the sine (Gee and Cipolla 1994, section 3): their ratio is the tangent
    times `NOSE_BEFORE_EYES`.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    eyes = points[1] - points[0]
    apart = max(float(np.hypot(*eyes)), _LEAST_EYES)
    across = eyes / apart
    top, bottom = (points[0] + points[1]) / 2, (points[3] + points[4]) / 2
    axis = bottom - top
    length = float(axis @ axis)
    along = float((points[2] - top) @ axis) / length if length > 0 else 0.0
    off = float((points[2] - top - along * axis) @ across)
    return math.degrees(math.atan(off / (apart * NOSE_BEFORE_EYES)))


def cut_off(
    photo_size: tuple[int, int], linear: NDArray[np.float64], shift: NDArray[np.float64], side_px: int
) -> float:
    """Share of the crop that the photo does not have, 0-1, by a grid of points.

    Args:
        photo_size: width and height, pixels.
        linear: float64 [2, 2], from crop to photo.
        shift: float64 [2], where the photo's origin lies in the crop.
        side_px: of the crop.
    """
    width, height = photo_size
    across, down = (_GRID * side_px)[None, :] - shift[0], (_GRID * side_px)[:, None] - shift[1]
    x = linear[0, 0] * across + linear[0, 1] * down
    y = linear[1, 0] * across + linear[1, 1] * down
    return 1 - float(((x >= 0) & (x < width) & (y >= 0) & (y < height)).mean())
