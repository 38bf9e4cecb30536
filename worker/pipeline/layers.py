"""Networks as data: kinds of layers, in their order, under the names that their numbers have in a file.

Both what OpenVINO runs (`graph.py`) and torch's modules (`network.py`) are made from it. Pictures are
[N, C, H, W]; a layer's tensors have torch's shapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

COUNTER = "num_batches_tracked"
"""The one tensor that is no floating number, and that only training reads."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """Square windows; `padding` on all four sides."""

    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    bias: bool = True


@dataclass(frozen=True, slots=True)
class BatchNorm:
    """Of each channel, by the mean and variance that training saw."""

    channels: int
    eps: float


@dataclass(frozen=True, slots=True)
class Linear:
    """[N, inputs] to [N, outputs]."""

    inputs: int
    outputs: int


@dataclass(frozen=True, slots=True)
class PRelu:
    """A slope of its own for each channel's negative values."""

    channels: int


@dataclass(frozen=True, slots=True)
class Activation:
    """Of each number by itself."""

    kind: Literal["relu6", "silu", "sigmoid"]


@dataclass(frozen=True, slots=True)
class MaxPool:
    """Square windows; the last of a row may reach past the end, where it begins before it."""

    kernel: int
    stride: int


@dataclass(frozen=True, slots=True)
class ZeroPad:
    """Zeros at the right and at the bottom."""

    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Mean:
    """Of each channel: [N, C, H, W] to [N, C, 1, 1]."""


@dataclass(frozen=True, slots=True)
class Flatten:
    """To [N, C H W]."""


@dataclass(frozen=True, slots=True)
class Excitation:
    """Squeeze and excitation (Hu et al. 2018): each channel times what two small layers say of all means."""

    channels: int
    squeezed: int

    @property
    def parts(self) -> tuple[tuple[str, Convolution], ...]:
        """The two, the first with SiLU behind it, the second with a sigmoid."""
        return (
            ("fc1", Convolution(self.channels, self.squeezed, 1)),
            ("fc2", Convolution(self.squeezed, self.channels, 1)),
        )


@dataclass(frozen=True, slots=True)
class Residual:
    """A block's answer added to what it was given; training leaves the answer out with a probability."""

    block: Chain
    left_out: float


@dataclass(frozen=True, slots=True)
class Block:
    """A block that only has a name of its own."""

    block: Chain


@dataclass(frozen=True, slots=True)
class Chain:
    """One after the other, each under its name."""

    parts: tuple[tuple[str, Layer], ...]


Layer = (
    Convolution
    | BatchNorm
    | Linear
    | PRelu
    | Activation
    | MaxPool
    | ZeroPad
    | Mean
    | Flatten
    | Excitation
    | Residual
    | Block
    | Chain
)


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """A network with its numbers.

    Attributes:
        layers: what it is made of.
        tensors: by the names that `shapes` gives; float32, but for counters.
    """

    layers: Layer
    tensors: Mapping[str, NDArray[Any]]


def numbered(*layers: Layer) -> Chain:
    """A chain whose parts are called 0, 1, 2 ..."""
    return Chain(tuple((str(index), layer) for index, layer in enumerate(layers)))


def shapes(layer: Layer, prefix: str = "") -> dict[str, tuple[int, ...]]:
    """Names and shapes of all tensors, in order."""
    return dict(_tensors(layer, prefix))


def _tensors(layer: Layer, prefix: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    match layer:
        case Convolution(inputs, outputs, kernel):
            yield f"{prefix}weight", (outputs, inputs // layer.groups, kernel, kernel)
            if layer.bias:
                yield f"{prefix}bias", (outputs,)
        case Linear(inputs, outputs):
            yield f"{prefix}weight", (outputs, inputs)
            yield f"{prefix}bias", (outputs,)
        case PRelu(channels):
            yield f"{prefix}weight", (channels,)
        case BatchNorm(channels):
            for name in ("weight", "bias", "running_mean", "running_var"):
                yield f"{prefix}{name}", (channels,)
            yield f"{prefix}{COUNTER}", ()
        case Residual(block) | Block(block):
            yield from _tensors(block, f"{prefix}block.")
        case Chain(parts) | Excitation(parts=parts):
            for name, part in parts:
                yield from _tensors(part, f"{prefix}{name}.")
