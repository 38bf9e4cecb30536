"""Products of pairs of 16-bit numbers, and what loops of them have in common.

AVX2 multiplies sixteen 16-bit numbers and adds them two by two where it multiplies eight floats; numba does
not find that instruction by itself. Two channels lie in each 32-bit number, the even one low; eight
neighbours of a row, or as many windows, fill a register.

What numba keeps of the loops that use this is thrown away when their modules change, not when this one does:
change both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from worker.pipeline.kernels import inner

LANES = 8
"""32-bit numbers in a register."""

UNITS = 64
"""Whole numbers a level of brightness: what goes into the networks is (mean - 127.5) times this."""

MOST = 32767
"""Largest whole number of a channel."""

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]


def products_of_pairs(outputs: int, vectors: int) -> Any:
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


@inner
def pair_of(even: np.int32, odd: np.int32) -> np.int32:
    """Two channels in one number."""
    return (even & np.int32(0xFFFF)) | (odd << np.int32(16))


@inner
def rounded(value: np.float32) -> np.int32:
    """To the next whole number, of what fits 16 bits."""
    # Above nought, where cutting off is rounding.
    return np.int32(value + np.float32(32768.5)) - np.int32(32768)


@inner
def channel(total: np.int32, scale: np.float32, shift: np.float32, slope: np.float32) -> np.int32:
    """A sum of products through its bias and PReLU, as the whole number that the next layer takes."""
    value, zero, most = np.float32(total) * scale + shift, np.float32(0), np.float32(MOST)
    value = max(value, zero) + slope * min(value, zero)
    whole: np.int32 = rounded(max(min(value, most), -most))
    return whole


@inner
def of_first_layer(
    offsets: NDArray[np.int64], row: int, rows: int, down: int, kind: int, across: int
) -> None:
    """Where the first layer's 15 taps lie, in bytes: of each row three of red and green, then two of blue."""
    for y in range(3):
        begin = (row + y) % rows * down
        for x in range(3):
            offsets[5 * y + x] = begin + x * across
        offsets[5 * y + 3], offsets[5 * y + 4] = begin + kind, begin + kind + 2 * across


@inner
def logits_of(sums: Ints, last: Floats, bias: np.float32, count: int, logits: Floats) -> None:
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
