"""A torch module as an OpenVINO model, layer by layer.

OpenVINO's own converter traces the module first, which takes longer than a worker should need to start,
and reports its use. The few kinds of layer that the pipeline's networks are made of need neither.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino as ov  # type: ignore[import-untyped]
from numpy.typing import NDArray
from openvino import opset1 as first_ops
from openvino import opset14 as ops
from torch import Tensor, nn
from torchvision.models.efficientnet import FusedMBConv, MBConv  # type: ignore[import-untyped]
from torchvision.ops import SqueezeExcitation  # type: ignore[import-untyped]

Node = Any


def as_openvino(module: nn.Module, shape: tuple[int, ...]) -> ov.Model:
    """Build the model.

    Args:
        module: in evaluation mode, on the CPU, float32; of the layers that `_LAYERS` lists. Its weights are
            copied.
        shape: of the float32 input, [N, C, H, W], -1 where any length will do.

    Raises:
        TypeError: a layer of another kind.
    """
    images = ops.parameter(list(shape), np.float32, name="images")
    return ov.Model([_add(module, images)], [images])


def _add(module: nn.Module, x: Node) -> Node:
    for kind, build in _LAYERS.items():
        if isinstance(module, kind):
            return build(module, x)
    raise TypeError(f"no OpenVINO layer for {type(module).__name__}")


def _sequence(module: nn.Sequential, x: Node) -> Node:
    for layer in module:
        x = _add(layer, x)
    return x


def _convolution(module: nn.Conv2d, x: Node) -> Node:
    weight = _array(module.weight)
    padding = [int(length) for length in module.padding]
    window = (list(module.stride), padding, padding, list(module.dilation))
    if module.groups > 1:
        grouped = weight.reshape(module.groups, -1, *weight.shape[1:])
        x = ops.group_convolution(x, ops.constant(grouped), *window)
    else:
        x = ops.convolution(x, ops.constant(weight), *window)
    return x if module.bias is None else ops.add(x, _by_channel(_array(module.bias)))


def _batch_norm(module: nn.BatchNorm2d, x: Node) -> Node:
    # As the line it is in evaluation, which OpenVINO folds into the convolution before it.
    buffers = dict(module.named_buffers())
    mean, variance = _array(buffers["running_mean"]), _array(buffers["running_var"])
    slope = _array(module.weight) / np.sqrt(variance + module.eps)
    return ops.add(ops.multiply(x, _by_channel(slope)), _by_channel(_array(module.bias) - mean * slope))


def _linear(module: nn.Linear, x: Node) -> Node:
    return ops.add(
        ops.matmul(x, ops.constant(_array(module.weight)), False, True), ops.constant(_array(module.bias))
    )


def _zero_pad(module: nn.ZeroPad2d, x: Node) -> Node:
    left, right, top, bottom = module.padding
    return ops.pad(x, np.array([0, 0, top, left]), np.array([0, 0, bottom, right]), "constant", np.float32(0))


def _max_pool(module: nn.MaxPool2d, x: Node) -> Node:
    kernel, stride = [_pair(length) for length in (module.kernel_size, module.stride)]
    # The first version: later ones also say where the greatest were, in a quarter of the R-Net's time.
    # Its rounding up is torch's, unless a window begins behind the end, as none does without padding.
    return first_ops.max_pool(x, stride, [0, 0], [0, 0], kernel, "ceil" if module.ceil_mode else "floor")


def _squeeze_excitation(module: SqueezeExcitation, x: Node) -> Node:
    scale = ops.reduce_mean(x, np.array([2, 3]), keep_dims=True)
    scale = _add(module.activation, _add(module.fc1, scale))
    return ops.multiply(x, _add(module.scale_activation, _add(module.fc2, scale)))


def _inverted_residual(module: FusedMBConv | MBConv, x: Node) -> Node:
    # Stochastic depth does nothing in evaluation.
    result = _add(module.block, x)
    return ops.add(result, x) if module.use_res_connect else result


def _by_channel(values: NDArray[np.float32]) -> Node:
    return ops.constant(values.reshape(1, -1, 1, 1))


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.detach().contiguous().numpy().astype(np.float32, copy=False)


def _pair(length: int | tuple[int, int]) -> list[int]:
    return [length, length] if isinstance(length, int) else list(length)


_LAYERS: dict[type[nn.Module], Callable[[Any, Node], Node]] = {
    nn.Sequential: _sequence,
    nn.Conv2d: _convolution,
    nn.BatchNorm2d: _batch_norm,
    nn.Linear: _linear,
    nn.PReLU: lambda module, x: ops.prelu(x, ops.constant(_array(module.weight))),
    nn.ReLU6: lambda _, x: ops.clamp(x, 0.0, 6.0),
    nn.SiLU: lambda _, x: ops.swish(x),
    nn.Sigmoid: lambda _, x: ops.sigmoid(x),
    nn.MaxPool2d: _max_pool,
    nn.ZeroPad2d: _zero_pad,
    nn.AdaptiveAvgPool2d: lambda _, x: ops.reduce_mean(x, np.array([2, 3]), keep_dims=True),
    nn.Flatten: lambda _, x: ops.reshape(x, np.array([0, -1]), special_zero=True),
    SqueezeExcitation: _squeeze_excitation,
    FusedMBConv: _inverted_residual,
    MBConv: _inverted_residual,
}
