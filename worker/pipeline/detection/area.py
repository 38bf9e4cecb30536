"""MTCNN's area resize: every output pixel is the mean of the whole input pixels it touches.

That is adaptive average pooling: output i of n over m inputs takes floor(i m / n) to ceil((i + 1) m / n).
What comes out is what the networks take: (mean - 127.5) / 128, float32, plane by plane.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.pipeline.kernels import inner, kernel

MIDDLE, UNIT = 127.5, 1 / 128


class SummedPhotos:
    """Photos of one size to cut pictures from: uint8 [H, W, 3] each.

    By sums over all pixels above and to the left: a mean reads four of them. Holds 12 bytes a pixel. The sums
    may wrap around; their differences are right all the same.

    Attributes:
        count: how many photos.
        height: of each, pixels.
        width: likewise.
        sums: uint32 [count, height + 1, 3 (width + 1)].

    Raises:
        TypeError: pixels of another type.
    """

    def __init__(self, photos: Sequence[NDArray[np.uint8]]) -> None:
        require_bytes(photos)
        self.count = len(photos)
        self.height, self.width = photos[0].shape[:2]
        self.sums = np.empty((self.count, self.height + 1, (self.width + 1) * 3), np.uint32)
        for sums, photo in zip(self.sums, photos, strict=True):
            _sum_up(np.ascontiguousarray(photo), sums)

    def level(self, height: int, width: int) -> NDArray[np.float32]:
        """All photos whole, resized: float32 [count, 3, height, width]."""
        out = np.empty((self.count, 3, height, width), np.float32)
        for sums, picture in zip(self.sums, out, strict=True):
            _resize(sums, 0, 0, self.width, self.height, picture)
        return out

    def level_windows(
        self,
        photo: NDArray[np.int64],
        corners: NDArray[np.int64],
        sizes: NDArray[np.int64],
        height: int,
        width: int,
    ) -> NDArray[np.float32]:
        """Parts of levels: the very numbers that `level` has there.

        Args:
            photo: int64 [N], of which photo.
            corners: int64 [N, 2], x and y of the first pixel.
            sizes: int64 [N, 2], height and width of the level, pixels.
            height: of the parts, pixels; all of them are inside.
            width: likewise.

        Returns:
            float32 [N, 3, height, width].
        """
        out = np.empty((len(photo), 3, height, width), np.float32)
        _cut_levels(self.sums, photo, corners, sizes, out)
        return out

    def windows(self, photo: NDArray[np.int64], corners: NDArray[np.int64], side: int) -> NDArray[np.float32]:
        """Squares resized from parts of photos.

        Args:
            photo: int64 [N], of which photo.
            corners: int64 [N, 4], x1 y1 x2 y2, half open, inside the photo, at least one pixel each way.
            side: of the squares, pixels.

        Returns:
            float32 [N, 3, side, side].
        """
        out = np.empty((len(photo), 3, side, side), np.float32)
        _resize_windows(self.sums, photo, corners, out)
        return out


def require_bytes(photos: Sequence[NDArray[np.uint8]]) -> None:
    """Make sure that pixels are bytes.

    Raises:
        TypeError: they are of another type.
    """
    if any(photo.dtype != np.uint8 for photo in photos):
        raise TypeError(f"pixels of {', '.join(sorted({str(photo.dtype) for photo in photos}))}, not uint8")


@kernel
def _sum_up(pixels: NDArray[np.uint8], sums: NDArray[np.uint32]) -> None:
    """Sums of uint8 [H, W, 3] above and to the left of each corner: uint32 [H + 1, 3 (W + 1)]."""
    height, width = pixels.shape[:2]
    for column in range(3 * width + 3):
        sums[0, column] = 0
    for y in range(height):
        red, green, blue = np.uint32(0), np.uint32(0), np.uint32(0)
        sums[y + 1, 0], sums[y + 1, 1], sums[y + 1, 2] = red, green, blue
        for x in range(width):
            red += pixels[y, x, 0]
            green += pixels[y, x, 1]
            blue += pixels[y, x, 2]
            sums[y + 1, 3 * x + 3] = red
            sums[y + 1, 3 * x + 4] = green
            sums[y + 1, 3 * x + 5] = blue
        for column in range(3 * width + 3):
            sums[y + 1, column] += sums[y, column]


@inner
def _resize_from(
    sums: NDArray[np.uint32],
    x1: int,
    y1: int,
    x2: int,
    y2: int,
    height: int,
    width: int,
    row: int,
    column: int,
    out: NDArray[np.float32],
) -> None:
    """Part of one photo, resized to height x width: float32 [3, h, w] of that, from a row and a column on."""
    rows, columns, here = y2 - y1, x2 - x1, out.shape[2]
    # Divided once a column, and unsigned: numba then need not ask whether an index counts from the end.
    left, right = np.empty(here, np.uintp), np.empty(here, np.uintp)
    across = np.empty(here, np.float32)
    for j in range(here):
        x = column + j
        first, last = x * columns // width, ((x + 1) * columns + width - 1) // width
        left[j], right[j], across[j] = 3 * (x1 + first), 3 * (x1 + last), last - first
    for i in range(out.shape[1]):
        y = row + i
        top, bottom = y1 + y * rows // height, y1 + ((y + 1) * rows + height - 1) // height
        above, below, down = sums[top], sums[bottom], np.float32(bottom - top)
        for c in range(3):
            for j in range(here):
                start, end = left[j] + np.uintp(c), right[j] + np.uintp(c)
                total = (below[end] - below[start]) - (above[end] - above[start])
                # Signed, for which there is an instruction: no part has the 8 megapixels that overflow it.
                mean = np.float32(np.int32(total)) / (across[j] * down)
                out[c, i, j] = (mean - np.float32(MIDDLE)) * np.float32(UNIT)


@kernel
def _resize(sums: NDArray[np.uint32], x1: int, y1: int, x2: int, y2: int, out: NDArray[np.float32]) -> None:
    """Part of one photo, by its sums, into float32 [3, h, w]."""
    _resize_from(sums, x1, y1, x2, y2, out.shape[1], out.shape[2], 0, 0, out)


@kernel
def _cut_levels(
    sums: NDArray[np.uint32],
    photo: NDArray[np.int64],
    corners: NDArray[np.int64],
    sizes: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    """Parts of levels: sums [P, H + 1, 3 (W + 1)], photo [N], corners and sizes [N, 2], out [N, 3, s, s]."""
    rows, columns = sums.shape[1] - 1, sums.shape[2] // 3 - 1
    for n in range(len(photo)):
        height, width, x, y = sizes[n, 0], sizes[n, 1], corners[n, 0], corners[n, 1]
        _resize_from(sums[photo[n]], 0, 0, columns, rows, height, width, y, x, out[n])


@kernel
def _resize_windows(
    sums: NDArray[np.uint32],
    photo: NDArray[np.int64],
    corners: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    """One `_resize` a window: sums [P, H + 1, 3 (W + 1)], photo [N], corners [N, 4], out [N, 3, s, s]."""
    for n in range(len(photo)):
        _resize(sums[photo[n]], corners[n, 0], corners[n, 1], corners[n, 2], corners[n, 3], out[n])
