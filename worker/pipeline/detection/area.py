"""MTCNN's area resize: every output pixel is the mean of the whole input pixels it touches.

That is adaptive average pooling: output i of n over m inputs takes floor(i m / n) to ceil((i + 1) m / n).
Both ways of it here give what the networks take: (mean - 127.5) / 128, float32, plane by plane.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate, pad

from worker.pipeline.runtime import on_device

MIDDLE, UNIT = 127.5, 1 / 128

Loop = Callable[..., None]


def kernel(loop: Loop) -> Loop:
    """Compile a loop over pixels, at its first call and kept for the next process where that can be.

    It runs without Python's lock.
    """
    compiled: Any
    try:
        compiled = numba.njit(cache=True, nogil=True)(loop)
    except RuntimeError:
        # No folder that can be written to: neither the package's own nor the user's cache.
        compiled = numba.njit(nogil=True)(loop)
    return compiled  # type: ignore[no-any-return]


class SummedPhotos:
    """Photos of one size to cut pictures from, on the CPU.

    By sums over all pixels above and to the left: a mean reads four of them. Holds 12 bytes a pixel. The sums
    may wrap around; their differences are right all the same.

    Attributes:
        count: how many photos.
        height: of each, pixels.
        width: likewise.
    """

    def __init__(self, photos: Sequence[NDArray[np.uint8]]) -> None:
        self.count = len(photos)
        self.height, self.width = photos[0].shape[:2]
        self._sums = np.empty((self.count, self.height + 1, (self.width + 1) * 3), np.uint32)
        for sums, photo in zip(self._sums, photos, strict=True):
            _sum_up(np.ascontiguousarray(photo), sums)

    def level(self, height: int, width: int) -> Tensor:
        """All photos whole, resized: float32 [count, 3, height, width]."""
        out = np.empty((self.count, 3, height, width), np.float32)
        for sums, picture in zip(self._sums, out, strict=True):
            _resize(sums, 0, 0, self.width, self.height, picture)
        return torch.from_numpy(out)

    def windows(self, photo: Tensor, corners: Tensor, side: int) -> Tensor:
        """Squares resized from parts of photos.

        Args:
            photo: int64 [N], of which photo.
            corners: int64 [N, 4], x1 y1 x2 y2, half open, inside the photo, at least one pixel each way.
            side: of the squares, pixels.

        Returns:
            float32 [N, 3, side, side].
        """
        out = np.empty((len(photo), 3, side, side), np.float32)
        _resize_windows(self._sums, photo.numpy(), corners.numpy(), out)
        return torch.from_numpy(out)


class TensorPhotos:
    """The same on any device, in torch alone: windows by sums over all pixels above and to the left.

    Holds 24 bytes a pixel. The sums may wrap around as above.
    """

    def __init__(self, photos: Sequence[NDArray[np.uint8]], device: torch.device) -> None:
        self.count = len(photos)
        self.height, self.width = photos[0].shape[:2]
        pixels = on_device(np.stack(photos), device)
        self._planes = pixels.permute(0, 3, 1, 2).float().contiguous()
        sums = pixels.cumsum(1, dtype=torch.int32).cumsum(2, dtype=torch.int32)
        self._sums = pad(sums, (0, 0, 1, 0, 1, 0))

    def level(self, height: int, width: int) -> Tensor:
        """See `SummedPhotos`."""
        means = interpolate(self._planes, size=(height, width), mode="area")
        return (means - MIDDLE) * UNIT

    def windows(self, photo: Tensor, corners: Tensor, side: int) -> Tensor:
        """See `SummedPhotos`."""
        left, right = _edges(corners[:, 0], corners[:, 2], side)
        top, bottom = _edges(corners[:, 1], corners[:, 3], side)
        at = photo[:, None, None]
        top, bottom, left, right = top[:, :, None], bottom[:, :, None], left[:, None], right[:, None]
        total = (
            self._sums[at, bottom, right]
            - self._sums[at, top, right]
            - self._sums[at, bottom, left]
            + self._sums[at, top, left]
        )
        pixels = ((bottom - top) * (right - left))[..., None]
        return ((total.float() / pixels - MIDDLE) * UNIT).permute(0, 3, 1, 2)


PhotoStack = SummedPhotos | TensorPhotos


def stack(photos: Sequence[NDArray[np.uint8]], device: torch.device) -> PhotoStack:
    """Photos, each uint8 [H, W, 3] and all of one size, in the way that is fast on their device.

    Raises:
        TypeError: pixels of another type.
    """
    if any(photo.dtype != np.uint8 for photo in photos):
        raise TypeError(f"pixels of {', '.join(sorted({str(photo.dtype) for photo in photos}))}, not uint8")
    return SummedPhotos(photos) if device.type == "cpu" else TensorPhotos(photos, device)


def _edges(low: Tensor, high: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Where the parts of a stretch begin and end, each int64 [N, side]."""
    part = torch.arange(side, device=low.device)
    length = (high - low)[:, None]
    first = low[:, None] + part * length // side
    last = low[:, None] + -(-(part + 1) * length // side)
    return first, last


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
