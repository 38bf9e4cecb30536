"""The P-Net's logits in 16-bit whole numbers, over levels of a photo.

Nothing as large as a level is kept but the photo's sums: a row of each layer is made when the next needs it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.pipeline.detection.pairs import (
    LANES,
    UNITS,
    Floats,
    Ints,
    channel,
    logits_of,
    of_first_layer,
    pair_of,
    products_of_pairs,
    rounded,
)
from worker.pipeline.kernels import inner, kernel

BLOCK = 2 * LANES
"""Neighbours in a row that are computed at once."""

_five_by_two, _four_by_two = products_of_pairs(5, 2), products_of_pairs(4, 2)


@inner
def _of_ring(offsets: NDArray[np.int64], row: int, pairs: int, down: int) -> None:
    """Where nine taps of each pair lie in three rows that are written in turn, from a given row on."""
    for y in range(3):
        for pair in range(pairs):
            for x in range(3):
                offsets[(y * pairs + pair) * 3 + x] = ((row + y) % 3 * pairs + pair) * down + 4 * x


@inner
def _level_row(
    sums: NDArray[np.uint32],
    y: int,
    height: int,
    left: NDArray[np.uintp],
    right: NDArray[np.uintp],
    share: Floats,
    between: NDArray[np.uint32],
    out: Ints,
) -> None:
    """Row y of a level, by the photo's sums: out [2, > width], red with green and blue with the next blue."""
    rows, width = len(sums) - 1, len(left)
    top, bottom = y * rows // height, ((y + 1) * rows + height - 1) // height
    above, below, down = sums[top], sums[bottom], np.float32(1) / np.float32(bottom - top)
    for x in range(len(between)):
        between[x] = below[x] - above[x]
    middle = np.float32(-127.5 * UNITS)
    for x in range(width):
        start, end, scale = left[x], right[x], share[x] * down
        red = np.float32(np.int32(between[end] - between[start])) * scale + middle
        green = (
            np.float32(np.int32(between[end + np.uintp(1)] - between[start + np.uintp(1)])) * scale + middle
        )
        blue = (
            np.float32(np.int32(between[end + np.uintp(2)] - between[start + np.uintp(2)])) * scale + middle
        )
        out[0, x] = pair_of(rounded(red), rounded(green))
        out[1, x] = rounded(blue)
    for x in range(width):
        out[1, x] = pair_of(out[1, x], out[1, x + 1])


@inner
def _pooled_row(one: Ints, other: Ints, factors: Floats, width: int, out: Ints) -> None:
    """Two rows of the first layer's sums [channels, 2 width], pooled by twos: out [pairs, >= width]."""
    for pair in range(len(out)):
        c, d = 2 * pair, 2 * pair + 1
        scale, shift, slope = factors[0, c], factors[1, c], factors[2, c]
        scale2, shift2, slope2 = factors[0, d], factors[1, d], factors[2, d]
        a, b, e, f, row = one[c], other[c], one[d], other[d], out[pair]
        if slope >= 0 and slope2 >= 0:
            for x in range(width):
                y, z = 2 * np.uintp(x), 2 * np.uintp(x) + np.uintp(1)
                even = channel(max(max(a[y], a[z]), max(b[y], b[z])), scale, shift, slope)
                odd = channel(max(max(e[y], e[z]), max(f[y], f[z])), scale2, shift2, slope2)
                row[x] = pair_of(even, odd)
            continue
        # PReLU with a slope under nought falls, then rises: its greatest is at one end or the other.
        for x in range(width):
            y, z = 2 * np.uintp(x), 2 * np.uintp(x) + np.uintp(1)
            even = channel(max(max(a[y], a[z]), max(b[y], b[z])), scale, shift, slope)
            even = max(even, channel(min(min(a[y], a[z]), min(b[y], b[z])), scale, shift, slope))
            odd = channel(max(max(e[y], e[z]), max(f[y], f[z])), scale2, shift2, slope2)
            odd = max(odd, channel(min(min(e[y], e[z]), min(f[y], f[z])), scale2, shift2, slope2))
            row[x] = pair_of(even, odd)


@kernel
def screen_level(
    sums: NDArray[np.uint32],
    height: int,
    width: int,
    begin: int,
    end: int,
    weights: tuple[NDArray[np.int16], ...],
    factors: tuple[Floats, ...],
    bias: float,
    threshold: float,
    places: Ints,
    count: NDArray[np.int64],
) -> None:
    """The P-Net's windows over one level whose logit may reach a threshold.

    Args:
        sums: uint32 [H + 1, 3 (W + 1)], the photo's.
        height: the level's, pixels; 12 at least.
        width: likewise.
        begin: first row of windows to look at.
        end: the row after the last.
        weights: of the three layers, int16 [blocks, taps, outputs, 2].
        factors: scale, shift and slope of the first two, float32 [3, channels]; scale, shift and the head's
            weight above and under nought of the third, float32 [4, channels].
        bias: the head's.
        threshold: what a window's logit must reach.
        places: int32 [windows, 2], for row and column of each.
        count: int64 [1], for how many there are.
    """
    columns = sums.shape[1] // 3 - 1
    left, right, share = np.empty(width, np.uintp), np.empty(width, np.uintp), np.empty(width, np.float32)
    for x in range(width):
        low, high = x * columns // width, ((x + 1) * columns + width - 1) // width
        left[x], right[x], share[x] = 3 * low, 3 * high, np.float32(UNITS) / np.float32(high - low)
    pooled_width = (width - 1) // 2
    # An odd number of cache lines a row: rows that lie a power of two apart would push each other out.
    wide, narrow = (width // 32 + 1) * 32 + 16, (pooled_width // 32 + 1) * 32 + 16
    between = np.empty(sums.shape[1], np.uint32)
    pixels = np.zeros((4, 2, wide), np.int32)
    first_sums = np.empty((2, 10, wide), np.int32)
    first = np.zeros((3, 5, narrow), np.int32)
    second_sums = np.empty((16, BLOCK), np.int32)
    second = np.zeros((3, 8, narrow), np.int32)
    third_sums = np.empty((32, narrow), np.int32)
    logits = np.empty(narrow, np.float32)
    of_pixels = np.empty((2, 2, 15), np.int64)
    of_first, of_second = np.empty((3, 45), np.int64), np.empty((3, 72), np.int64)
    for turn in range(2):
        for row in range(2):
            of_first_layer(of_pixels[turn, row], 2 * turn + row, 4, 8 * wide, 4 * wide, 4)
    for turn in range(3):
        _of_ring(of_first[turn], turn, 5, 4 * narrow)
        _of_ring(of_second[turn], turn, 8, 4 * narrow)
    found = 0
    for row in range(2 * begin, 2 * begin + 2):
        _level_row(sums, row, height, left, right, share, between, pixels[row % 4])
    for y in range(begin, end + 4):
        for row in range(2 * y + 2, min(2 * y + 4, height)):
            _level_row(sums, row, height, left, right, share, between, pixels[row % 4])
        rows = min(2, height - 2 - 2 * y)
        for row in range(rows):
            for x in range(0, width - 2, BLOCK):
                for block in range(2):
                    _five_by_two(
                        pixels.ctypes.data + 4 * x,
                        of_pixels[y % 2, row].ctypes.data,
                        15,
                        weights[0][block].ctypes.data,
                        first_sums[row, 5 * block].ctypes.data + 4 * x,
                        4 * LANES,
                        4 * wide,
                    )
            # The last window of the pool may reach over the edge; what is there twice changes nothing.
            for c in range(10):
                first_sums[row, c, width - 2] = first_sums[row, c, width - 3]
        _pooled_row(first_sums[0], first_sums[rows - 1], factors[0], pooled_width, first[y % 3])
        if y < begin + 2:
            continue
        turn, out = (y - 2) % 3, second[(y - 2) % 3]
        scale, shift, slope = factors[1][0], factors[1][1], factors[1][2]
        for x in range(0, pooled_width - 2, BLOCK):
            for block in range(4):
                _four_by_two(
                    first.ctypes.data + 4 * x,
                    of_first[turn].ctypes.data,
                    45,
                    weights[1][block].ctypes.data,
                    second_sums[4 * block].ctypes.data,
                    4 * LANES,
                    4 * BLOCK,
                )
            for pair in range(8):
                c, d = 2 * pair, 2 * pair + 1
                for n in range(BLOCK):
                    even = channel(second_sums[c, n], scale[c], shift[c], slope[c])
                    odd = channel(second_sums[d, n], scale[d], shift[d], slope[d])
                    out[pair, np.uintp(x + n)] = pair_of(even, odd)
        if y < begin + 4:
            continue
        turn = (y - 4) % 3
        for x in range(0, pooled_width - 4, BLOCK):
            for block in range(8):
                _four_by_two(
                    second.ctypes.data + 4 * x,
                    of_second[turn].ctypes.data,
                    72,
                    weights[2][block].ctypes.data,
                    third_sums[4 * block].ctypes.data + 4 * x,
                    4 * LANES,
                    4 * narrow,
                )
        logits_of(third_sums, factors[2], np.float32(bias), pooled_width - 4, logits)
        for x in range(pooled_width - 4):
            if logits[x] >= threshold:
                places[found, 0], places[found, 1] = y - 4, x
                found += 1
    count[0] = found
