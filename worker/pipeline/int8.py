"""Which convolutions of a bundle may be computed in eight bits, and what comes into them.

`int8.safetensors` beside the weights; `python -m training.quantise` makes it. The weights are rounded when
they are loaded, to seven bits: where a processor multiplies pairs of eight-bit numbers and adds both products
in sixteen bits, as AVX2 does, two products of 255 and 127 are more than these hold, and are cut off without a
word; with 63 in place of 127 every processor computes the same. By how much rounding moves an output in the
mean, given the means of what comes in, is taken back (bias correction: Nagel et al. 2019).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from shared.bundles.manifest import Architecture
from worker.pipeline.architectures import features_of
from worker.pipeline.layers import Block, Chain, Convolution, Layer, Residual
from worker.pipeline.runtime import EightBits, Incoming
from worker.pipeline.tensors import check_tensors, read_tensors, write_tensors

LEVELS = 256
"""Numbers that what comes into a convolution is rounded to."""
WEIGHT_STEPS, WEIGHT_LEVELS = 63, 255
"""The greatest weight in steps; and the numbers there would be to round to, which tell OpenVINO to compute in
eight bits."""

_RANGE, _MEANS = ".range", ".means"


def read_int8(path: Path, architecture: Architecture) -> EightBits:
    """Read the file and hold it against the architecture it is for.

    Args:
        path: of `int8.safetensors`.
        architecture: of the bundle.

    Raises:
        ModelUnavailable: `bundle_tensors`, naming the file and what is wrong with it.
    """
    try:
        return _checked(path, able(architecture), architecture)
    except ValueError as error:
        raise ModelUnavailable(Code.BUNDLE_TENSORS, f"{path}: {error}") from error


def write_int8(path: Path, found: EightBits) -> None:
    """Write the file: of each convolution `NAME.range` float32 [2] and `NAME.means` float32 [inputs]."""
    tensors: dict[str, NDArray[Any]] = {}
    for name, incoming in found.items():
        tensors[name + _RANGE] = np.array([incoming.low, incoming.high], np.float32)
        tensors[name + _MEANS] = incoming.means.astype(np.float32)
    write_tensors(path, tensors)


def able(architecture: Architecture) -> Mapping[str, Convolution]:
    """The convolutions that may be computed in eight bits, by name, in their order.

    Not those of one channel each, which wait for memory, nor the two small ones of an excitation.
    """
    return dict(_dense(features_of(architecture), "features"))


def from_zero(low: float, high: float) -> tuple[float, float]:
    """A measured range so that zero, with which pictures are padded, is one of the `LEVELS`."""
    low, high = min(low, 0.0), max(high, 0.0)
    step = (high - low) / (LEVELS - 1) or 1 / (LEVELS - 1)
    below = round(-low / step)
    return -below * step, (LEVELS - 1 - below) * step


def rounded(weight: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights as they are in seven bits, each output's in steps of its own.

    Args:
        weight: float32 [outputs, inputs, K, K].

    Returns:
        The rounded ones, and what eight bits would hold at most in these steps, [outputs, 1, 1, 1].
    """
    greatest = np.abs(weight).reshape(len(weight), -1).max(axis=1).reshape(-1, 1, 1, 1)
    step = np.maximum(greatest, np.float32(1e-8)) / np.float32(WEIGHT_STEPS)
    return np.round(weight / step) * step, step * np.float32(WEIGHT_LEVELS // 2)


def _checked(path: Path, convolutions: Mapping[str, Convolution], architecture: str) -> EightBits:
    stored = read_tensors(path)
    names = [name for name in convolutions if name + _RANGE in stored or name + _MEANS in stored]
    expected: dict[str, tuple[int, ...]] = {}
    for name in names:
        expected |= {name + _RANGE: (2,), name + _MEANS: (convolutions[name].inputs,)}
    values = check_tensors(stored, expected, "float32")
    if not names:
        raise ValueError(f"names no convolution of {architecture}")
    for name in names:
        low, high = values[name + _RANGE]
        if not low <= 0 < high:
            raise ValueError(f"{name}{_RANGE} must begin at or below 0 and end above it")
    return {name: _incoming(values[name + _RANGE], values[name + _MEANS]) for name in names}


def _incoming(ends: NDArray[np.float32], means: NDArray[np.float32]) -> Incoming:
    return Incoming(float(ends[0]), float(ends[1]), means)


def _dense(layer: Layer, name: str) -> Iterator[tuple[str, Convolution]]:
    match layer:
        case Chain(parts):
            for part, inner in parts:
                yield from _dense(inner, f"{name}.{part}")
        case Residual(block) | Block(block):
            yield from _dense(block, f"{name}.block")
        case Convolution(groups=1):
            yield name, layer
