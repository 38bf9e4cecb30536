"""Layers as torch's modules: for CUDA, for training, and for a CPU that OpenVINO does not run on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.ops import SqueezeExcitation, StochasticDepth  # type: ignore[import-untyped]

from shared.bundles.manifest import FEATURES, Architecture
from worker.pipeline.architectures import features_of
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

Module = TypeVar("Module", bound=nn.Module)

_ACTIVATIONS = {"relu6": nn.ReLU6, "silu": nn.SiLU}


class Network(nn.Module):
    """A classifier: features, global average pooling, gender and age.

    Args:
        architecture: of the features.
        age_outputs: outputs of the age head.
    """

    def __init__(self, architecture: Architecture, age_outputs: int) -> None:
        super().__init__()
        self.architecture = architecture
        self.features = _chain(features_of(architecture))
        self.gender = nn.Linear(FEATURES[architecture], 2)
        self.age = nn.Linear(FEATURES[architecture], age_outputs)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features and logits.

        Args:
            images: float [N, 3, S, S], normalised.

        Returns:
            Features [N, 1280 or 1024], gender logits [N, 2] and age logits [N, age_outputs].
        """
        features = self.features(images).mean(dim=(2, 3))
        return features, self.gender(features), self.age(features)


def filled(network: Filled) -> nn.Module:
    """A module that holds a network's numbers, the same memory, in evaluation mode."""
    with torch.device("meta"):
        module = as_torch(network.layers)
    return _with_tensors(module, network.tensors)


def filled_classifier(architecture: Architecture, tensors: Mapping[str, NDArray[Any]]) -> Network:
    """The same of a whole bundle."""
    with torch.device("meta"):
        network = Network(architecture, len(tensors["age.bias"]))
    return _with_tensors(network, tensors)


def _with_tensors(module: Module, tensors: Mapping[str, NDArray[Any]]) -> Module:
    module.load_state_dict(
        {name: torch.from_numpy(tensors[name]) for name in module.state_dict()}, assign=True
    )
    return module.eval().requires_grad_(False)


def as_torch(layer: Layer) -> nn.Module:
    """The module. EfficientNet's convolutions begin as torchvision's, what else there is as torch has it."""
    match layer:
        case Chain():
            return _chain(layer)
        case Convolution():
            return _convolution(layer)
        case BatchNorm(channels, eps):
            return nn.BatchNorm2d(channels, eps=eps)
        case Linear(inputs, outputs):
            return nn.Linear(inputs, outputs)
        case PRelu(channels):
            return nn.PReLU(channels)
        case Residual(block, left_out):
            return _Residual(as_torch(block), left_out)
        case Block(block):
            return _Residual(as_torch(block), None)
        case Excitation(channels, squeezed):
            module: nn.Module = SqueezeExcitation(channels, squeezed, activation=nn.SiLU)
            return module.apply(_as_torchvision_begins)
        case MaxPool(kernel, stride):
            return nn.MaxPool2d(kernel, stride, ceil_mode=True)
        case ZeroPad(right, bottom):
            return nn.ZeroPad2d((0, right, 0, bottom))
        case Activation("sigmoid"):
            return nn.Sigmoid()
        case Activation(kind):
            return _ACTIVATIONS[kind](inplace=True)
        case Mean():
            return nn.AdaptiveAvgPool2d(1)
        case Flatten():
            return nn.Flatten()


class _Residual(nn.Module):
    """A block, and with a probability of leaving it out what it was given as well."""

    def __init__(self, block: nn.Module, left_out: float | None) -> None:
        super().__init__()
        self.block = block
        self._leave_out = None if left_out is None else StochasticDepth(left_out, "row")

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.block(x)
        return result if self._leave_out is None else self._leave_out(result) + x


def _convolution(layer: Convolution) -> nn.Conv2d:
    module = nn.Conv2d(
        *(layer.inputs, layer.outputs, layer.kernel, layer.stride, layer.padding),
        groups=layer.groups,
        bias=layer.bias,
    )
    return module if layer.bias else module.apply(_as_torchvision_begins)


def _chain(layer: Chain) -> nn.Sequential:
    return nn.Sequential(OrderedDict((name, as_torch(part)) for name, part in layer.parts))


def _as_torchvision_begins(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
