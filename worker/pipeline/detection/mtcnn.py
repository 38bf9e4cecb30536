"""MTCNN's three networks as layers, each giving one tensor.

Their first output is the difference of the two logits: the face's probability is its sigmoid, which is
what the softmax of two comes to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from shared.bundles.detector import DETECTOR
from worker.pipeline.detection.weights import read_detector
from worker.pipeline.layers import Chain, Convolution, Filled, Flatten, Layer, Linear, MaxPool, PRelu
from worker.pipeline.runtime import Forward, RuntimeName, compiled

REFINE_SIDE, OUTPUT_SIDE = 24, 48

PROPOSE = Chain(
    (
        ("conv1", Convolution(3, 10, 3)),
        ("prelu1", PRelu(10)),
        ("pool1", MaxPool(2, 2)),
        ("conv2", Convolution(10, 16, 3)),
        ("prelu2", PRelu(16)),
        ("conv3", Convolution(16, 32, 3)),
        ("prelu3", PRelu(32)),
        ("head", Convolution(32, 5, 1)),
    )
)
REFINE = Chain(
    (
        ("conv1", Convolution(3, 28, 3)),
        ("prelu1", PRelu(28)),
        ("pool1", MaxPool(3, 2)),
        ("conv2", Convolution(28, 48, 3)),
        ("prelu2", PRelu(48)),
        ("pool2", MaxPool(3, 2)),
        ("conv3", Convolution(48, 64, 2)),
        ("prelu3", PRelu(64)),
        ("flat", Flatten()),
        ("dense4", Linear(576, 128)),
        ("prelu4", PRelu(128)),
        ("head", Linear(128, 5)),
    )
)
OUTPUT = Chain(
    (
        ("conv1", Convolution(3, 32, 3)),
        ("prelu1", PRelu(32)),
        ("pool1", MaxPool(3, 2)),
        ("conv2", Convolution(32, 64, 3)),
        ("prelu2", PRelu(64)),
        ("pool2", MaxPool(3, 2)),
        ("conv3", Convolution(64, 64, 3)),
        ("prelu3", PRelu(64)),
        ("pool3", MaxPool(2, 2)),
        ("conv4", Convolution(64, 128, 2)),
        ("prelu4", PRelu(128)),
        ("flat", Flatten()),
        ("dense5", Linear(1152, 256)),
        ("prelu5", PRelu(256)),
        ("head", Linear(256, 15)),
    )
)
ALL: Layer = Chain((("propose", PROPOSE), ("refine", REFINE), ("output", OUTPUT)))
"""For the names of all tensors; they do not follow each other."""

Ready = TypeVar("Ready")


@dataclass(frozen=True, slots=True)
class Networks(Generic[Ready]):
    """Ready to run. All take float32 as `worker.pipeline.detection.area` gives it.

    Attributes:
        propose: [N, 3, H, W] to [N, 5, h, w]: logit and four offsets of each 12 x 12 window, two apart.
        refine: [N, 3, 24, 24] to [N, 5]: logit and four offsets.
        output: [N, 3, 48, 48] to [N, 15]: logit, four offsets, five x and five y of landmarks.
    """

    propose: Ready
    refine: Ready
    output: Ready


def load_networks(runtime: RuntimeName, folder: Path = DETECTOR) -> Networks[Forward]:
    """The detector on the CPU.

    Raises:
        ModelUnavailable: `detector_unavailable` when its weights cannot be read.
    """
    return made_ready(lambda network, shape: compiled(network, shape, runtime=runtime), folder)


def made_ready(ready: Callable[[Filled, tuple[int, ...]], Ready], folder: Path = DETECTOR) -> Networks[Ready]:
    """The detector on whatever it is made ready for.

    Args:
        ready: of a network and the shape of its input, -1 where any length will do.
        folder: of its weights.

    Raises:
        ModelUnavailable: `detector_unavailable` when they cannot be read.
    """
    tensors = read_detector(folder, ALL)

    def each(name: str, layers: Layer, side: int) -> Ready:
        own = {key.removeprefix(f"{name}."): t for key, t in tensors.items() if key.startswith(f"{name}.")}
        return ready(Filled(layers, own), (-1, 3, side, side))

    return Networks(
        each("propose", PROPOSE, -1), each("refine", REFINE, REFINE_SIDE), each("output", OUTPUT, OUTPUT_SIDE)
    )
