"""The classifiers that are known here, as layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.bundles.manifest import FEATURES, AgeHead, Architecture
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
    Mean,
    Residual,
    ZeroPad,
    numbered,
    shapes,
)

_SILU = Activation("silu")
_V2S_STAGES = (
    # fused, expansion, stride, inputs, outputs, blocks
    (True, 1, 1, 24, 24, 2),
    (True, 4, 2, 24, 48, 4),
    (True, 4, 2, 48, 64, 4),
    (False, 4, 2, 64, 128, 6),
    (False, 6, 1, 128, 160, 9),
    (False, 6, 2, 160, 256, 15),
)
_LEFT_OUT = 0.2
"""Probability with which training leaves the last block out; that of the others grows up to it."""
_MOBILENET = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)
"""Channels and stride of each depthwise convolution with the pointwise one that follows it."""


def features_of(architecture: Architecture) -> Chain:
    """Float [N, 3, S, S], normalised, to maps [N, C, S / 32, S / 32]; C as `FEATURES` says."""
    return _FEATURES[architecture]()


@cache
def classifier_shapes(architecture: Architecture, age_outputs: int) -> Mapping[str, tuple[int, ...]]:
    """Names and shapes of the tensors of a bundle: features, and the two heads over their means."""
    width = FEATURES[architecture]
    return {
        **shapes(features_of(architecture), "features."),
        **shapes(Linear(width, 2), "gender."),
        **shapes(Linear(width, age_outputs), "age."),
    }


def to_logits(architecture: Architecture, tensors: Mapping[str, NDArray[Any]]) -> Filled:
    """Normalised pictures to logits of gender and age, side by side: float32 [N, 2 + age_outputs].

    Args:
        architecture: of the features.
        tensors: as `classifier_shapes` names them.
    """
    joined = {
        f"head.{part}": np.concatenate([tensors[f"gender.{part}"], tensors[f"age.{part}"]])
        for part in ("weight", "bias")
    }
    head = Linear(FEATURES[architecture], len(joined["head.bias"]))
    layers: tuple[tuple[str, Layer], ...] = (
        ("features", features_of(architecture)),
        ("mean", Mean()),
        ("flat", Flatten()),
        ("head", head),
    )
    return Filled(Chain(layers), {**tensors, **joined})


def min_age_outputs(head: AgeHead) -> int:
    """Fewest outputs of an age head: 66 years (the last group is open), or its groups exactly."""
    if head.kind == "years":
        return head.groups[-1].low + 1
    return len(head.groups) * (2 if head.by_gender else 1)


def mobilenet_convolutions() -> Iterator[Convolution]:
    """The 27 convolutions of a MobileNet in order.

    Those of stride 2 do not pad: TensorFlow, where such weights come from, pads them at the right and the
    bottom alone.
    """
    yield Convolution(3, 32, 3, stride=2)
    channels = 32
    for outputs, stride in _MOBILENET:
        yield Convolution(channels, channels, 3, stride, padding=2 - stride, groups=channels)
        yield Convolution(channels, outputs, 1)
        channels = outputs


def _mobilenet_v1() -> Chain:
    """MobileNet (Howard et al. 2017), its batch normalisations folded into the convolutions."""
    layers: list[tuple[str, Layer]] = []
    for number, convolution in enumerate(mobilenet_convolutions()):
        if convolution.stride == 2:
            layers.append((f"pad{number:02}", ZeroPad(right=1, bottom=1)))
        layers += [(f"conv{number:02}", convolution), (f"clip{number:02}", Activation("relu6"))]
    return Chain(tuple(layers))


def _efficientnet_v2_s() -> Chain:
    """EfficientNetV2-S (Tan & Le 2021), under torchvision's names."""
    stages: list[Layer] = [_normed(3, 24, 3, 2)]
    blocks, before = sum(stage[-1] for stage in _V2S_STAGES), 0
    for fused, expansion, stride, inputs, outputs, count in _V2S_STAGES:
        stages.append(
            numbered(
                *(
                    _mb_block(
                        fused,
                        expansion,
                        outputs if index else inputs,
                        outputs,
                        1 if index else stride,
                        _LEFT_OUT * (before + index) / blocks,
                    )
                    for index in range(count)
                )
            )
        )
        before += count
    return numbered(*stages, _normed(256, 1280, 1))


def _mb_block(
    fused: bool, expansion: int, inputs: int, outputs: int, stride: int, left_out: float
) -> Residual | Block:
    wide = inputs * expansion
    if not fused:
        block = numbered(
            _normed(inputs, wide, 1),
            _normed(wide, wide, 3, stride, groups=wide),
            Excitation(wide, inputs // 4),
            _normed(wide, outputs, 1, active=False),
        )
    elif expansion > 1:
        block = numbered(_normed(inputs, wide, 3, stride), _normed(wide, outputs, 1, active=False))
    else:
        block = numbered(_normed(inputs, outputs, 3, stride))
    return Residual(block, left_out) if stride == 1 and inputs == outputs else Block(block)


def _normed(
    inputs: int, outputs: int, kernel: int, stride: int = 1, *, groups: int = 1, active: bool = True
) -> Chain:
    convolution = Convolution(inputs, outputs, kernel, stride, kernel // 2, groups, bias=False)
    norm = BatchNorm(outputs, eps=1e-3)
    return numbered(convolution, norm, _SILU) if active else numbered(convolution, norm)


_FEATURES: dict[Architecture, Callable[[], Chain]] = {
    "efficientnet_v2_s": _efficientnet_v2_s,
    "mobilenet_v1": _mobilenet_v1,
}
