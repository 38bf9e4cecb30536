"""The R-Net's logits in 16-bit whole numbers, eight windows at a time."""

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

SIDE = 24
"""Of the windows, pixels."""

_four_by_two, _eight_by_one = products_of_pairs(4, 2), products_of_pairs(8, 1)


@inner
def _window(sums: NDArray[np.uint32], corners: NDArray[np.int64], lane: int, out: Ints) -> None:
    """Part of a photo, resized to 24 x 24, into a lane of out [24, 24, 2, lanes]; see `propose_loops`."""
    columns, rows = corners[2] - corners[0], corners[3] - corners[1]
    left, right, share = np.empty(SIDE, np.uintp), np.empty(SIDE, np.uintp), np.empty(SIDE, np.float32)
    for x in range(SIDE):
        low, high = x * columns // SIDE, ((x + 1) * columns + SIDE - 1) // SIDE
        left[x], right[x] = 3 * (corners[0] + low), 3 * (corners[0] + high)
        share[x] = np.float32(UNITS) / np.float32(high - low)
    middle, one, two = np.float32(-127.5 * UNITS), np.uintp(1), np.uintp(2)
    blue = np.empty(SIDE + 1, np.int32)
    blue[SIDE] = 0
    for y in range(SIDE):
        first, last = corners[1] + y * rows // SIDE, corners[1] + ((y + 1) * rows + SIDE - 1) // SIDE
        above, below, down = sums[first], sums[last], np.float32(1) / np.float32(last - first)
        for x in range(SIDE):
            start, end, scale = left[x], right[x], share[x] * down
            a = np.int32((below[end] - below[start]) - (above[end] - above[start]))
            b = np.int32((below[end + one] - below[start + one]) - (above[end + one] - above[start + one]))
            c = np.int32((below[end + two] - below[start + two]) - (above[end + two] - above[start + two]))
            red, green = rounded(np.float32(a) * scale + middle), rounded(np.float32(b) * scale + middle)
            out[y, x, 0, lane] = pair_of(red, green)
            blue[x] = rounded(np.float32(c) * scale + middle)
        for x in range(SIDE):
            out[y, x, 1, lane] = pair_of(blue[x], blue[x + 1])


@inner
def _of_square(offsets: NDArray[np.int64], side: int, pairs: int, columns: int) -> None:
    """Where the taps of a square lie, in bytes, among pixels [rows * columns, pairs, lanes]."""
    for y in range(side):
        for pair in range(pairs):
            for x in range(side):
                offsets[(y * pairs + pair) * side + x] = ((y * columns + x) * pairs + pair) * 4 * LANES


@inner
def _pooled_by_threes(one: Ints, two: Ints, three: Ints, factors: Floats, room: Ints, out: Ints) -> None:
    """Three rows of sums [channels, columns * lanes], pooled by threes two apart: out [x, pairs, lanes].

    `room` is for a row's ends, and two channels: [3, (columns + 2) * lanes].
    """
    ends, even, odd = room[0], room[1], room[2]
    for pair in range(out.shape[1]):
        _channel_of_threes((one, two, three), factors, 2 * pair, ends, even)
        _channel_of_threes((one, two, three), factors, 2 * pair + 1, ends, odd)
        for x in range(len(out)):
            for n in range(LANES):
                m = np.uintp(2 * LANES * x + n)
                out[x, pair, n] = pair_of(even[m], odd[m])


@inner
def _channel_of_threes(
    rows: tuple[Ints, Ints, Ints], factors: Floats, number: int, room: Ints, out: Ints
) -> None:
    """One channel of `_pooled_by_threes`, at every column: out [columns * lanes]."""
    one, two, three = rows[0][number], rows[1][number], rows[2][number]
    scale, shift, slope = factors[0, number], factors[1, number], factors[2, number]
    count, end, near, far = len(one), np.uintp(len(one)), np.uintp(LANES), np.uintp(2 * LANES)
    for n in range(count):
        room[n] = max(max(one[n], two[n]), three[n])
    # The last window of the pool may reach over the edge; what is there twice changes nothing.
    for n in range(LANES):
        room[end + np.uintp(n)] = room[end + np.uintp(n) - near]
    for n in range(count - LANES):
        m = np.uintp(n)
        out[m] = channel(max(max(room[m], room[m + near]), room[m + far]), scale, shift, slope)
    if slope >= 0:
        return
    # A falling PReLU has its greatest where the sums are least: see `propose_loops`.
    for n in range(count):
        room[n] = min(min(one[n], two[n]), three[n])
    for n in range(LANES):
        room[end + np.uintp(n)] = room[end + np.uintp(n) - near]
    for n in range(count - LANES):
        m = np.uintp(n)
        low = channel(min(min(room[m], room[m + near]), room[m + far]), scale, shift, slope)
        out[m] = max(out[m], low)


@kernel
def screen_windows(
    sums: NDArray[np.uint32],
    photo: NDArray[np.int64],
    corners: NDArray[np.int64],
    weights: tuple[NDArray[np.int16], ...],
    factors: tuple[Floats, ...],
    bias: float,
    logits: Floats,
) -> None:
    """The R-Net's logits of parts of photos.

    Args:
        sums: uint32 [P, H + 1, 3 (W + 1)], the photos'.
        photo: int64 [N], of which photo.
        corners: int64 [N, 4], x1 y1 x2 y2, half open, inside the photo.
        weights: of the four layers, int16 [blocks, taps, outputs, 2].
        factors: scale, shift and slope of the first three, float32 [3, channels]; scale, shift and the head's
            weight above and under nought of the fourth, float32 [4, channels].
        bias: the head's.
        logits: float32 [N], for what comes out.
    """
    pixels = np.zeros((SIDE, SIDE, 2, LANES), np.int32)
    first_sums, first = np.empty((3, 28, 22 * LANES), np.int32), np.empty((11, 11, 14, LANES), np.int32)
    second_sums, second = np.empty((3, 48, 9 * LANES), np.int32), np.empty((4, 4, 24, LANES), np.int32)
    third_sums, third = np.empty((64, 9 * LANES), np.int32), np.empty((9, 32, LANES), np.int32)
    fourth_sums, answer = np.empty((128, LANES), np.int32), np.empty(LANES, np.float32)
    room = np.empty((3, 24 * LANES), np.int32)
    of_pixels, of_first = np.empty(15, np.int64), np.empty(126, np.int64)
    of_second, of_third = np.empty(96, np.int64), np.empty(288, np.int64)
    register = 4 * LANES
    of_first_layer(of_pixels, 0, SIDE, 2 * SIDE * register, register, 2 * register)
    _of_square(of_first, 3, 14, 11)
    _of_square(of_second, 2, 24, 4)
    _of_square(of_third, 3, 32, 3)
    for start in range(0, len(photo), LANES):
        for lane in range(LANES):
            n = min(start + lane, len(photo) - 1)
            _window(sums[photo[n]], corners[n], lane, pixels)
        for y in range(11):
            for row in range(0 if y == 0 else 2 * y + 1, min(2 * y + 3, 22)):
                for block in range(7):
                    for x in range(0, 22, 2):
                        _four_by_two(
                            pixels.ctypes.data + (SIDE * row + x) * 2 * register,
                            of_pixels.ctypes.data,
                            15,
                            weights[0][block].ctypes.data,
                            first_sums[row % 3, 4 * block].ctypes.data + x * register,
                            2 * register,
                            22 * register,
                        )
            last = min(2 * y + 2, 21)
            one, two, three = first_sums[2 * y % 3], first_sums[(2 * y + 1) % 3], first_sums[last % 3]
            _pooled_by_threes(one, two, three, factors[0], room, first[y])
        for y in range(4):
            for row in range(0 if y == 0 else 2 * y + 1, 2 * y + 3):
                for block in range(6):
                    for x in range(9):
                        _eight_by_one(
                            first[row, x].ctypes.data,
                            of_first.ctypes.data,
                            126,
                            weights[1][block].ctypes.data,
                            second_sums[row % 3, 8 * block].ctypes.data + x * register,
                            register,
                            9 * register,
                        )
            one, two, three = (
                second_sums[2 * y % 3],
                second_sums[(2 * y + 1) % 3],
                second_sums[(2 * y + 2) % 3],
            )
            _pooled_by_threes(one, two, three, factors[1], room, second[y])
        for block in range(8):
            for x in range(9):
                _eight_by_one(
                    second[x // 3, x % 3].ctypes.data,
                    of_second.ctypes.data,
                    96,
                    weights[2][block].ctypes.data,
                    third_sums[8 * block].ctypes.data + x * register,
                    register,
                    9 * register,
                )
        scale, shift, slope = factors[2][0], factors[2][1], factors[2][2]
        for pair in range(32):
            c, d = 2 * pair, 2 * pair + 1
            for x in range(9):
                for n in range(LANES):
                    m = np.uintp(LANES * x + n)
                    even = channel(third_sums[c, m], scale[c], shift[c], slope[c])
                    third[x, pair, n] = pair_of(even, channel(third_sums[d, m], scale[d], shift[d], slope[d]))
        for block in range(16):
            _eight_by_one(
                third.ctypes.data,
                of_third.ctypes.data,
                288,
                weights[3][block].ctypes.data,
                fourth_sums[8 * block].ctypes.data,
                register,
                register,
            )
        logits_of(fourth_sums, factors[3], np.float32(bias), LANES, answer)
        for lane in range(min(LANES, len(photo) - start)):
            logits[start + lane] = answer[lane]
