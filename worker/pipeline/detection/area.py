"""MTCNN's area resize: every output pixel is the mean of the whole input pixels it touches.

That is adaptive average pooling: output i of n over m inputs takes floor(i m / n) to ceil((i + 1) m / n).
What comes out is what the networks take: (mean - 127.5) / 128, float32, plane by plane.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.pipeline.kernels import kernel

MIDDLE, UNIT = 127.5, 1 / 128


class SummedPhotos:
    """Photos of one size to cut pictures from: uint8 [H, W, 3] each.

    By sums over all pixels above and to the left: a mean reads four of them. Holds 12 bytes a pixel. The sums
    may wrap around; their differences are right all the same.

    Attributes:
        count: how many photos.
        height: of each, pixels.
        width: likewise.

    Raises:
        TypeError: pixels of another type.
    """

    def __init__(self, photos: Sequence[NDArray[np.uint8]]) -> None:
        require_bytes(photos)
        self.count = len(photos)
        self.height, self.width = photos[0].shape[:2]
        self._sums = np.empty((self.count, self.height + 1, (self.width + 1) * 3), np.uint32)
        for sums, photo in zip(self._sums, photos, strict=True):
            _sum_up(np.ascontiguousarray(photo), sums)

    def level(self, height: int, width: int) -> NDArray[np.float32]:
        """All photos whole, resized: float32 [count, 3, height, width]."""
        out = np.empty((self.count, 3, height, width), np.float32)
        for sums, picture in zip(self._sums, out, strict=True):
            _resize(sums, 0, 0, self.width, self.height, picture)
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
        _resize_windows(self._sums, photo, corners, out)
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


@kernel
def _resize(sums: NDArray[np.uint32], x1: int, y1: int, x2: int, y2: int, out: NDArray[np.float32]) -> None:
    """Part of one photo, by its sums, into float32 [3, h, w]."""
    height, width = out.shape[1:]
    rows, columns = y2 - y1, x2 - x1
    # Divided once a column, and unsigned: numba then need not ask whether an index counts from the end.
    left, right = np.empty(width, np.uintp), np.empty(width, np.uintp)
    across = np.empty(width, np.float32)
    for j in range(width):
        first, last = j * columns // width, ((j + 1) * columns + width - 1) // width
        left[j], right[j], across[j] = 3 * (x1 + first), 3 * (x1 + last), last - first
    for i in range(height):
        top, bottom = y1 + i * rows // height, y1 + ((i + 1) * rows + height - 1) // height
        above, below, down = sums[top], sums[bottom], np.float32(bottom - top)
        for c in range(3):
            for j in range(width):
                start, end = left[j] + np.uintp(c), right[j] + np.uintp(c)
                total = (below[end] - below[start]) - (above[end] - above[start])
                # Signed, for which there is an instruction: no part has the 8 megapixels that overflow it.
                mean = np.float32(np.int32(total)) / (across[j] * down)
                out[c, i, j] = (mean - np.float32(MIDDLE)) * np.float32(UNIT)


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
