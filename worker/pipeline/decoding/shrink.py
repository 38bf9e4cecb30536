"""Scaling down: bilinear with antialiasing, the filter under which MTCNN shows the fewest phantoms."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.pipeline.kernels import inner, kernel

_BITS, _FIELD = 13, 21
"""Of a weight, and of the sums of weighted levels, of which three go into one number: 255 << 13 has 21."""
_HALF = (1 << 12) * (1 | 1 << _FIELD | 1 << 2 * _FIELD)
_LEVELS = 255 * (1 | 1 << _FIELD | 1 << 2 * _FIELD)


def shrink(image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]) -> Image.Image:
    """A picture of 8 bits a channel, scaled to another size.

    Args:
        image: mode L, LA, RGB, RGBA or CMYK.
        size: width and height of the result, pixels.
        box: the part of the picture to scale, x1 y1 x2 y2, pixels.
    """
    if image.mode == "RGB" and box == (0, 0, *image.size):
        return Image.fromarray(shrink_pixels(np.asarray(image), size))
    return image.resize(size, Image.Resampling.BILINEAR, box=box)


def shrink_pixels(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The same, and all but the same levels, in a third of Pillow's time; some differ by one.

    Args:
        pixels: uint8 [H, W, 3], C-contiguous.
        size: width and height of the result, pixels.

    Returns:
        uint8 [height, width, 3], C-contiguous.
    """
    if size == pixels.shape[1::-1]:
        return pixels
    height, width = pixels.shape[:2]
    out = np.empty((size[1], size[0], 3), np.uint8)
    rows = _writable(pixels).reshape(height, 3 * width)
    _resample(rows, *_weights(height, size[1]), *_weights(width, size[0]), out.reshape(size[1], -1))
    return out


def _weights(length: int, parts: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """For each part of a stretch the first of the pixels it is made of, and their weights [parts, taps].

    A triangle over the part and its neighbours, as Pillow has it; 1 is 1 << _BITS, to which each row adds up.
    """
    step = length / parts
    reach = max(step, 1.0)
    middle = (np.arange(parts) + 0.5) * step
    first = np.maximum((middle - reach + 0.5).astype(np.int64), 0)
    last = np.minimum((middle + reach + 0.5).astype(np.int64), length)
    pixel = first[:, None] + np.arange(math.ceil(reach) * 2 + 1)
    weights = np.maximum(1 - np.abs((pixel - middle[:, None] + 0.5) / reach), 0)
    weights[pixel >= last[:, None]] = 0
    weights = weights[:, : int((last - first).max())]
    rounded = np.rint(weights / weights.sum(axis=1, keepdims=True) * (1 << _BITS)).astype(np.int64)
    # The greatest takes what rounding left over: an even surface stays what it is.
    rounded[np.arange(parts), rounded.argmax(axis=1)] += (1 << _BITS) - rounded.sum(axis=1)
    return first, rounded.astype(np.uint64)


@kernel
def _resample(
    pixels: NDArray[np.uint8],
    first_rows: NDArray[np.int64],
    row_weights: NDArray[np.uint64],
    first_columns: NDArray[np.int64],
    column_weights: NDArray[np.uint64],
    out: NDArray[np.uint8],
) -> None:
    """Rows [H, 3 W] to [h, 3 w]: each across, rounded to levels as Pillow does, then those down.

    Holds as many rows that are scaled across as one of the result is made of.
    """
    taps, width = row_weights.shape[1], len(first_columns)
    # Zeros behind the end, which weights of zero read.
    packed = np.zeros(pixels.shape[1] // 3 + column_weights.shape[1], np.uint64)
    scaled = np.empty((taps, width), np.uint64)
    total = np.empty(width, np.uint64)
    done = 0
    for y in range(len(out)):
        start = first_rows[y]
        done = max(done, start)
        while done < min(len(pixels), start + taps):
            _pack(pixels[done], packed)
            _across(packed, first_columns, column_weights, scaled[done % taps])
            done += 1
        total[:] = np.uint64(_HALF)
        for tap in range(taps):
            weight = row_weights[y, tap]
            if weight:
                row = scaled[(start + tap) % taps]
                for x in range(width):
                    total[np.uintp(x)] += weight * row[np.uintp(x)]
        _unpack(total, out[y])


@inner
def _pack(row: NDArray[np.uint8], packed: NDArray[np.uint64]) -> None:
    """Three levels in each number."""
    for x in range(len(row) // 3):
        # Unsigned: numba then need not ask whether an index counts from the end.
        at = np.uintp(3) * np.uintp(x)
        green, blue = np.uint64(row[at + np.uintp(1)]), np.uint64(row[at + np.uintp(2)])
        packed[np.uintp(x)] = row[at] | green << np.uint64(_FIELD) | blue << np.uint64(2 * _FIELD)


@inner
def _across(packed: Any, first: NDArray[np.int64], weights: NDArray[np.uint64], out: Any) -> None:
    """Means of packed levels, in the same form."""
    for x in range(len(first)):
        total, own, start = np.uint64(_HALF), weights[np.uintp(x)], np.uintp(first[np.uintp(x)])
        for tap in range(len(own)):
            total += own[np.uintp(tap)] * packed[start + np.uintp(tap)]
        out[np.uintp(x)] = total >> np.uint64(_BITS) & np.uint64(_LEVELS)


@inner
def _unpack(total: NDArray[np.uint64], row: Any) -> None:
    for x in range(len(total)):
        at, levels = np.uintp(3) * np.uintp(x), total[np.uintp(x)] >> np.uint64(_BITS)
        row[at] = np.uint8(levels)
        row[at + np.uintp(1)] = np.uint8(levels >> np.uint64(_FIELD))
        row[at + np.uintp(2)] = np.uint8(levels >> np.uint64(2 * _FIELD))


def _writable(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same memory; numba would compile the loops again for arrays that are not to be written to."""
    said = pixels.__array_interface__
    return np.asarray(
        SimpleNamespace(__array_interface__={**said, "data": (said["data"][0], False)}, owner=pixels)
    )
