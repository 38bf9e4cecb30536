"""Layers as an OpenVINO model.

OpenVINO's own converter traces a torch module, which takes longer than a worker should need to start, and
reports its use. The few kinds of layer that the pipeline's networks are made of need neither.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import openvino as ov  # type: ignore[import-untyped]
from numpy.typing import NDArray
from openvino import opset1 as first_ops
from openvino import opset14 as ops

from worker.pipeline.int8 import LEVELS, WEIGHT_LEVELS, rounded
from worker.pipeline.layers import (
    Activation,
    BatchNorm,
    Block,
    Chain,
    Convolution,
    Excitation,
    Filled,
    Flatten,
    Layer,
    Linear,
    MaxPool,
    Mean,
    PRelu,
    Residual,
    ZeroPad,
)
from worker.pipeline.runtime import EightBits, Incoming

Node = Any


def as_openvino(network: Filled, shape: tuple[int, ...], int8: EightBits | None = None) -> ov.Model:
    """Build the model.

    Args:
        network: its numbers are copied.
        shape: of the float32 input, [N, C, H, W], -1 where any length will do.
        int8: convolutions that are to be computed in eight bits; see `worker.pipeline.int8`.
    """
    images = ops.parameter(list(shape), np.float32, name="images")

    def convolve(layer: Convolution, tensors: _Tensors, x: Node) -> Node:
        incoming = int8.get(tensors.name) if int8 else None
        return (
            _convolution(layer, tensors, x) if incoming is None else _eight_bits(layer, tensors, x, incoming)
        )

    return ov.Model([_add(network.layers, _Tensors(network.tensors, convolve), images)], [images])


def with_incoming(network: Filled, shape: tuple[int, ...], names: Collection[str]) -> ov.Model:
    """The model as `as_openvino` makes it, with three further outputs for each convolution of `names`, in the
    order of the layers: the least and the greatest number that comes into it, float32 [], and the mean of
    each channel, float32 [inputs].
    """
    images = ops.parameter(list(shape), np.float32, name="images")
    seen: list[Node] = []

    def convolve(layer: Convolution, tensors: _Tensors, x: Node) -> Node:
        if tensors.name in names:
            all_axes, but_channels = np.arange(4), np.array([0, 2, 3])
            seen.append(ops.reduce_min(x, all_axes, False))
            seen.append(ops.reduce_max(x, all_axes, False))
            seen.append(ops.reduce_mean(x, but_channels, False))
        return _convolution(layer, tensors, x)

    answer = _add(network.layers, _Tensors(network.tensors, convolve), images)
    return ov.Model([answer, *seen], [images])


class _Tensors:
    """The tensors of the layer of a name, and how a convolution is added."""

    def __init__(
        self, tensors: Mapping[str, NDArray[Any]], convolve: Callable[..., Node], name: str = ""
    ) -> None:
        self._tensors, self.convolve, self.name = tensors, convolve, name

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return self._tensors[f"{self.name}.{name}"]

    def under(self, name: str) -> _Tensors:
        return _Tensors(self._tensors, self.convolve, f"{self.name}.{name}".removeprefix("."))


def _add(layer: Layer, tensors: _Tensors, x: Node) -> Node:
    match layer:
        case Chain(parts):
            for name, part in parts:
                x = _add(part, tensors.under(name), x)
            return x
        case Convolution():
            return tensors.convolve(layer, tensors, x)
        case BatchNorm(_, eps):
            # As the line it is in evaluation, which OpenVINO folds into the convolution before it.
            slope = tensors["weight"] / np.sqrt(tensors["running_var"] + np.float32(eps))
            shift = tensors["bias"] - tensors["running_mean"] * slope
            return ops.add(ops.multiply(x, _by_channel(slope)), _by_channel(shift))
        case Linear():
            product = ops.matmul(x, ops.constant(tensors["weight"]), False, True)
            return ops.add(product, ops.constant(tensors["bias"]))
        case PRelu():
            return ops.prelu(x, ops.constant(tensors["weight"]))
        case Residual(block):
            return ops.add(_add(block, tensors.under("block"), x), x)
        case Block(block):
            return _add(block, tensors.under("block"), x)
        case Excitation(parts=((first, squeeze), (second, excite))):
            scale = _add(Mean(), tensors, x)
            scale = ops.swish(_convolution(squeeze, tensors.under(first), scale))
            return ops.multiply(x, ops.sigmoid(_convolution(excite, tensors.under(second), scale)))
        case MaxPool(kernel, stride):
            # The first version: others also say where the greatest were, in a quarter of the R-Net's time.
            return first_ops.max_pool(x, [stride] * 2, [0, 0], [0, 0], [kernel] * 2, "ceil")
        case ZeroPad(right, bottom):
            end = np.array([0, 0, bottom, right])
            return ops.pad(x, np.zeros(4, np.int64), end, "constant", np.float32(0))
        case Activation("relu6"):
            return ops.clamp(x, 0.0, 6.0)
        case Activation("silu"):
            return ops.swish(x)
        case Activation():
            return ops.sigmoid(x)
        case Mean():
            return ops.reduce_mean(x, np.array([2, 3]), keep_dims=True)
        case Flatten():
            return ops.reshape(x, np.array([0, -1]), special_zero=True)


def _convolution(layer: Convolution, tensors: _Tensors, x: Node) -> Node:
    weight, padding = tensors["weight"], [layer.padding] * 2
    window = ([layer.stride] * 2, padding, padding, [1, 1])
    if layer.groups > 1:
        grouped = weight.reshape(layer.groups, -1, *weight.shape[1:])
        x = ops.group_convolution(x, ops.constant(grouped), *window)
    else:
        x = ops.convolution(x, ops.constant(weight), *window)
    return ops.add(x, _by_channel(tensors["bias"])) if layer.bias else x


def _eight_bits(layer: Convolution, tensors: _Tensors, x: Node, incoming: Incoming) -> Node:
    weight, padding = tensors["weight"], [layer.padding] * 2
    near, end = rounded(weight)
    ends = [ops.constant(-end), ops.constant(end)]
    low, high = np.float32(incoming.low), np.float32(incoming.high)
    x = ops.convolution(
        ops.fake_quantize(x, low, high, low, high, LEVELS),
        ops.fake_quantize(ops.constant(near), *ends, *ends, WEIGHT_LEVELS),
        [layer.stride] * 2,
        padding,
        padding,
        [1, 1],
    )
    moved = (weight - near).sum(axis=(2, 3)) @ incoming.means
    return ops.add(x, _by_channel(tensors["bias"] + moved if layer.bias else moved))


def _by_channel(values: NDArray[np.float32]) -> Node:
    return ops.constant(values.reshape(1, -1, 1, 1))
