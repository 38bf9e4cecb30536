"""A chart of 24 flat patches, whose sRGB values are known, and what decoding makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.pipeline.decoding.decode import DecodedPhoto

PATCHES: NDArray[np.int64] = np.array(
    [
        # The 18 colours of the usual colour-checker chart, in whole sRGB levels, and six greys.
        (115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177), (103, 189, 170),
        (214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108), (157, 188, 64), (224, 163, 46),
        (56, 61, 150), (70, 148, 73), (175, 54, 60), (231, 199, 31), (187, 86, 149), (60, 133, 161),
        (255, 255, 255), (200, 200, 200), (160, 160, 160), (122, 122, 122), (85, 85, 85), (0, 0, 0),
    ],
    np.int64,
)  # fmt: skip
"""int64 [24, 3], row by row: tests multiply them."""

Number = TypeVar("Number", bound=np.generic)
COLUMNS, ROWS, SIDE = 6, 4, 16
SIZE = (COLUMNS * SIDE, ROWS * SIDE)

STORED: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, 1),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: np.rot90(p, -1),
}
"""How an upright picture lies in a file of each orientation."""


def spread(values: NDArray[Number]) -> NDArray[Number]:
    """[24, ...] to the picture [64, 96, ...] in which each value fills its patch."""
    grid = values.reshape(ROWS, COLUMNS, *values.shape[1:])
    return np.repeat(np.repeat(grid, SIDE, axis=0), SIDE, axis=1)


def chart() -> Image.Image:
    """The chart in RGB, 96 x 64 pixels."""
    return Image.fromarray(spread(PATCHES).astype(np.uint8))


def luma() -> NDArray[np.int64]:
    """The patches' grey, [24], by the weights of JPEG and of Pillow's mode L (BT.601)."""
    grey: NDArray[np.int64] = np.rint(PATCHES @ np.array([0.299, 0.587, 0.114])).astype(np.int64)
    return grey


def grey(values: NDArray[Number]) -> NDArray[Number]:
    """[24] to [24, 3] of equal channels."""
    return np.repeat(values[:, None], 3, axis=1)


def read(photo: DecodedPhoto) -> NDArray[np.float64]:
    """Mean of the inner 8 x 8 pixels of each patch, [24, 3]; codecs may blur the patches' edges."""
    assert photo.pixels.shape == (SIZE[1], SIZE[0], 3)
    blocks = photo.pixels.reshape(ROWS, SIDE, COLUMNS, SIDE, 3)[:, 4:12, :, 4:12]
    means: NDArray[np.float64] = blocks.astype(np.float64).mean(axis=(1, 3)).reshape(-1, 3)
    return means


def assert_chart(
    photo: DecodedPhoto, tolerance: float, expected: NDArray[Any] = PATCHES, *, warned: bool = False
) -> None:
    """Every patch within `tolerance` levels in each channel; 0 compares every pixel.

    Args:
        photo: of the chart, unscaled.
        tolerance: of the codec, levels of 255.
        expected: [24, 3].
        warned: whether there should be warnings.
    """
    assert bool(photo.warnings) is warned, photo.warnings
    assert photo.pixels.dtype == np.uint8 and photo.pixels.flags.c_contiguous
    if tolerance == 0:
        np.testing.assert_array_equal(photo.pixels, spread(expected))
    else:
        np.testing.assert_allclose(read(photo), expected, atol=tolerance)


def inks() -> NDArray[np.int64]:
    """The patches in naive CMYK, [24, 4], about half of their darkness in K."""
    lightest = PATCHES.max(axis=1)
    black = (255 - lightest) // 2
    colour = np.rint(255 - PATCHES * 255 / (255 - black)[:, None])
    return np.column_stack([colour, black]).astype(np.int64)


def printed(amounts: NDArray[np.generic]) -> NDArray[np.float64]:
    """What CMYK without a profile means: each channel is what its ink and the black leave of the light."""
    left = 255 - amounts.astype(np.float64)
    return left[:, :3] * left[:, 3:] / 255


def on_white(values: NDArray[np.generic], alpha: NDArray[np.generic] | int) -> NDArray[np.float64]:
    """[24, C] with an opacity of `alpha`, 0-255, over white."""
    opacity = np.broadcast_to(np.asarray(alpha, np.float64).reshape(-1, 1), (len(values), 1)) / 255
    return 255 - (255 - values.astype(np.float64)) * opacity
