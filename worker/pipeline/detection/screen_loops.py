"""The P-Net's logits in 16-bit whole numbers, in loops that numba compiles.

AVX2 multiplies sixteen 16-bit numbers and adds them two by two where it multiplies eight floats. Two channels
lie in each 32-bit number, the even one low; eight neighbours of a row fill a register. Nothing as large as a
level is kept but the photo's sums: a row of each layer is made when the next one needs it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from worker.pipeline.kernels import inner, kernel

LANES = 8
"""32-bit numbers in a register."""

BLOCK = 2 * LANES
"""Neighbours in a row that are computed at once."""

UNITS = 64
"""Whole numbers a level of brightness: what goes into the networks is (mean - 127.5) times this."""

MOST = 32767
"""Largest whole number of a channel."""

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]


def _products(outputs: int, vectors: int) -> Any:
    """Makes the innermost loop: sums of products, for some outputs and registers of neighbours at once.

    Its arguments are addresses, and distances in bytes: of the numbers; of int64 [taps], where each tap's lie
    from there; how many taps; of the weights, int16 [taps, outputs, 2]; of where the sums go, int32; from one
    register of neighbours to the next; from one output's sums to the next.
    """

    @intrinsic
    def products(
        _: Any, numbers: Any, offsets: Any, count: Any, weights: Any, sums: Any, apart: Any, row: Any
    ) -> Any:
        return types.void(numbers, offsets, count, weights, sums, apart, row), _code(outputs, vectors)

    return products


def _code(outputs: int, vectors: int) -> Any:
    word, half, size = ir.IntType(32), ir.IntType(16), ir.IntType(64)
    words, halves = ir.VectorType(word, LANES), ir.VectorType(half, 2 * LANES)

    def generate(context: Any, to: Any, _: Any, arguments: Any) -> Any:
        numbers, offsets, count, weights, sums, apart, row = arguments

        def at(address: Any, distance: int | Any, kind: Any, align: int) -> Any:
            distance = ir.Constant(size, distance) if isinstance(distance, int) else distance
            return to.load(to.inttoptr(to.add(address, distance), kind.as_pointer()), align=align)

        multiply = cgutils.get_or_insert_function(
            to.module, ir.FunctionType(words, [halves, halves]), "llvm.x86.avx2.pmadd.wd"
        )
        nothing = ir.Constant(words, [0] * LANES)
        totals = [[cgutils.alloca_once_value(to, nothing) for _ in range(vectors)] for _ in range(outputs)]
        with cgutils.for_range(to, count) as loop:
            offset = at(offsets, to.mul(loop.index, ir.Constant(size, 8)), size, 8)
            place = to.add(numbers, offset)
            pairs = [at(place, to.mul(apart, ir.Constant(size, v)), halves, 4) for v in range(vectors)]
            of_tap = to.add(weights, to.mul(loop.index, ir.Constant(size, 4 * outputs)))
            for output, of_output in enumerate(totals):
                weight = to.insert_element(
                    ir.Constant(words, ir.Undefined), at(of_tap, 4 * output, word, 4), ir.Constant(word, 0)
                )
                weight = to.bitcast(to.shuffle_vector(weight, weight, nothing), halves)
                for pair, total in zip(pairs, of_output, strict=True):
                    to.store(to.add(to.load(total), to.call(multiply, [pair, weight])), total)
        for output, of_output in enumerate(totals):
            begin = to.add(sums, to.mul(row, ir.Constant(size, output)))
            for vector, total in enumerate(of_output):
                place = to.add(begin, ir.Constant(size, 4 * LANES * vector))
                to.store(to.load(total), to.inttoptr(place, words.as_pointer()), align=4)
        return context.get_dummy_value()

    return generate


_five_by_two, _four_by_two, _eight_by_one = _products(5, 2), _products(4, 2), _products(8, 1)


@inner
def _pair(even: np.int32, odd: np.int32) -> np.int32:
    return (even & np.int32(0xFFFF)) | (odd << np.int32(16))


@inner
def _rounded(value: np.float32) -> np.int32:
    # Above nought, where cutting off is rounding.
    return np.int32(value + np.float32(32768.5)) - np.int32(32768)


@inner
def _channel(total: np.int32, scale: np.float32, shift: np.float32, slope: np.float32) -> np.int32:
    """A sum of products through its bias and PReLU, as the whole number that the next layer takes."""
    value, zero, most = np.float32(total) * scale + shift, np.float32(0), np.float32(MOST)
    value = max(value, zero) + slope * min(value, zero)
    whole: np.int32 = _rounded(max(min(value, most), -most))
    return whole


@inner
def _of_first_layer(
    offsets: NDArray[np.int64], row: int, rows: int, down: int, kind: int, across: int
) -> None:
    """Where the first layer's 15 taps lie, in bytes: of each row three of red and green, then two of blue."""
    for y in range(3):
        begin = (row + y) % rows * down
        for x in range(3):
            offsets[5 * y + x] = begin + x * across
        offsets[5 * y + 3], offsets[5 * y + 4] = begin + kind, begin + kind + 2 * across


@inner
def _of_ring(offsets: NDArray[np.int64], row: int, pairs: int, down: int) -> None:
    """Where nine taps of each pair lie in three rows that are written in turn, from a given row on."""
    for y in range(3):
        for pair in range(pairs):
            for x in range(3):
                offsets[(y * pairs + pair) * 3 + x] = ((row + y) % 3 * pairs + pair) * down + 4 * x


@inner
def _logits(sums: Ints, last: Floats, bias: np.float32, count: int, logits: Floats) -> None:
    """The head's first output, of sums [channels, >= count]; `last` as `screen_level` has it."""
    zero = np.float32(0)
    for x in range(count):
        logits[x] = bias
    # Two at a time, for fewer ways to memory.
    for c in range(0, len(sums), 2):
        scale, shift, over, under = last[0, c], last[1, c], last[2, c], last[3, c]
        scale2, shift2, over2, under2 = last[0, c + 1], last[1, c + 1], last[2, c + 1], last[3, c + 1]
        one, other = sums[c], sums[c + 1]
        for x in range(count):
            a, b = np.float32(one[x]) * scale + shift, np.float32(other[x]) * scale2 + shift2
            a = over * max(a, zero) + under * min(a, zero)
            logits[x] += a + (over2 * max(b, zero) + under2 * min(b, zero))


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
        out[0, x] = _pair(_rounded(red), _rounded(green))
        out[1, x] = _rounded(blue)
    for x in range(width):
        out[1, x] = _pair(out[1, x], out[1, x + 1])


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
                even = _channel(max(max(a[y], a[z]), max(b[y], b[z])), scale, shift, slope)
                odd = _channel(max(max(e[y], e[z]), max(f[y], f[z])), scale2, shift2, slope2)
                row[x] = _pair(even, odd)
            continue
        # PReLU with a slope under nought falls, then rises: its greatest is at one end or the other.
        for x in range(width):
            y, z = 2 * np.uintp(x), 2 * np.uintp(x) + np.uintp(1)
            even = _channel(max(max(a[y], a[z]), max(b[y], b[z])), scale, shift, slope)
            even = max(even, _channel(min(min(a[y], a[z]), min(b[y], b[z])), scale, shift, slope))
            odd = _channel(max(max(e[y], e[z]), max(f[y], f[z])), scale2, shift2, slope2)
            odd = max(odd, _channel(min(min(e[y], e[z]), min(f[y], f[z])), scale2, shift2, slope2))
            row[x] = _pair(even, odd)


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
            _of_first_layer(of_pixels[turn, row], 2 * turn + row, 4, 8 * wide, 4 * wide, 4)
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
                    even = _channel(second_sums[c, n], scale[c], shift[c], slope[c])
                    odd = _channel(second_sums[d, n], scale[d], shift[d], slope[d])
                    out[pair, np.uintp(x + n)] = _pair(even, odd)
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
        _logits(third_sums, factors[2], np.float32(bias), pooled_width - 4, logits)
        for x in range(pooled_width - 4):
            if logits[x] >= threshold:
                places[found, 0], places[found, 1] = y - 4, x
                found += 1
    count[0] = found
