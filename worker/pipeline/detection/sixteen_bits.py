"""Layers in 16-bit whole numbers, whose sums of products fit 32 bits whatever the photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.pipeline.detection.pairs import MOST, UNITS

Floats = NDArray[np.float64]
Pairs = NDArray[np.int64]

FULL = 2.0**31 - 2.0**20
"""What sums may come to at most; the rest is for what rounding adds."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """What the loops take.

    Attributes:
        weights: of each layer, int16 [blocks, taps, outputs at once, 2].
        factors: scale, shift and slope of each layer, float32 [3, channels]; of the last scale, shift, and
            the weight in the logit above and under nought, float32 [4, channels].
        bias: the logit's.
    """

    weights: tuple[NDArray[np.int16], ...]
    factors: tuple[NDArray[np.float32], ...]
    bias: np.float32


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A convolution with its PReLU.

    Attributes:
        weight: float64 [O, C, h, w].
        bias: float64 [O].
        slope: float64 [O].
        at_once: outputs that the innermost loop computes together.
    """

    weight: Floats
    bias: Floats
    slope: Floats
    at_once: int


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """What is known of the channels that go into a layer.

    Attributes:
        low: float64 [C], least value there can be.
        high: float64 [C], greatest.
        unit: float64 [C], whole numbers a unit.
        most: greatest whole number.
    """

    low: Floats
    high: Floats
    unit: Floats
    most: float


def network(layers: Sequence[Layer], head: Floats, bias: float) -> Network:
    """Layers of which the first sees three colours, and the head's first output, which is the logit."""
    given, weights, factors = of_pixels(), [], []
    for number, layer in enumerate(layers):
        numbers, unit = whole(layer.weight, given)
        by_taps = taps(numbers) if number else first_taps(numbers)
        weights.append(blocks(by_taps, layer.at_once))
        given = after(layer.weight, layer.bias, layer.slope, given)
        factors.append(np.stack([given.unit / unit, layer.bias * given.unit, layer.slope]))
    factors[-1] = np.stack([1 / unit, layer.bias, head, head * layer.slope])
    return Network(tuple(weights), tuple(each.astype(np.float32) for each in factors), np.float32(bias))


def of_pixels() -> Channels:
    """Three colours as the loops take them from a photo."""
    ends = np.full(3, 127.5 / 128)
    return Channels(-ends, ends, np.full(3, 128.0 * UNITS), 127.5 * UNITS)


def whole(weight: Floats, given: Channels) -> tuple[Pairs, Floats]:
    """A layer's weights [O, C, ...] as whole numbers, and how many of them each output's sums have a unit."""
    of_whole = weight / given.unit.reshape(1, -1, *[1] * (weight.ndim - 2))
    rest = tuple(range(1, weight.ndim))
    unit = np.minimum(
        MOST / np.abs(of_whole).max(axis=rest), FULL / (given.most * np.abs(of_whole).sum(axis=rest))
    )
    return np.rint(of_whole * unit.reshape(-1, *[1] * (weight.ndim - 1))).astype(np.int64), unit


def after(weight: Floats, bias: Floats, slope: Floats, given: Channels) -> Channels:
    """What comes out of a convolution and its PReLU: no photo's values lie outside."""
    rest = tuple(range(2, weight.ndim))
    middle = bias + weight.sum(axis=rest) @ ((given.high + given.low) / 2)
    reach = np.abs(weight).sum(axis=rest) @ ((given.high - given.low) / 2)
    ends = np.stack([_bent(middle - reach, slope), _bent(middle + reach, slope)])
    low, high = np.minimum(ends.min(axis=0), 0), np.maximum(ends.max(axis=0), 0)
    return Channels(low, high, MOST / np.maximum(-low, high), MOST)


def _bent(values: Floats, slope: Floats) -> Floats:
    return np.where(values < 0, values * slope, values)


def first_taps(weight: Pairs) -> Pairs:
    """A 3 x 3 convolution of three colours, int [O, 3, 3, 3], by taps: int [15, O, 2].

    A row's are red with green at each of three columns, blue of the first with that of the second column, and
    blue of the third.
    """
    taps = []
    for y in range(3):
        taps += [weight[:, :2, y, x] for x in range(3)]
        taps += [
            weight[:, 2, y, :2],
            np.stack([weight[:, 2, y, 2], np.zeros_like(weight[:, 2, y, 2])], axis=1),
        ]
    return np.stack(taps)


def taps(weight: Pairs) -> Pairs:
    """A convolution of an even number of channels, int [O, C, h, w], by taps: int [h * C / 2 * w, O, 2]."""
    outputs, channels, height, width = weight.shape
    paired = weight.reshape(outputs, channels // 2, 2, height, width)
    return paired.transpose(3, 1, 4, 0, 2).reshape(-1, outputs, 2)


def blocks(by_taps: Pairs, at_once: int) -> NDArray[np.int16]:
    """Taps, int [T, O, 2], for so many outputs at once: int16 [O / at_once, T, at_once, 2]."""
    count, outputs, _ = by_taps.shape
    shape = (count, outputs // at_once, at_once, 2)
    return np.ascontiguousarray(by_taps.reshape(shape).transpose(1, 0, 2, 3).astype(np.int16))
