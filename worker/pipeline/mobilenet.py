"""MobileNet (Howard et al. 2017), its batch normalisations folded into the convolutions."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))
"""Channels and stride of each depthwise convolution with the pointwise one that follows it."""


def convolutions() -> Iterator[nn.Conv2d]:
    """The 27 of them in order.

    Those of stride 2 do not pad: TensorFlow, where such weights come from, pads them at the right and the
    bottom alone.
    """
    yield nn.Conv2d(3, 32, 3, stride=2)
    channels = 32
    for outputs, stride in _BLOCKS:
        yield nn.Conv2d(channels, channels, 3, stride, padding=2 - stride, groups=channels)
        yield nn.Conv2d(channels, outputs, 1)
        channels = outputs


def mobilenet_v1() -> nn.Sequential:
    """The features: float [N, 3, S, S], normalised, to [N, 1024, S / 32, S / 32]."""
    layers = nn.Sequential()
    for number, convolution in enumerate(convolutions()):
        if convolution.stride == (2, 2):
            layers.add_module(f"pad{number:02}", nn.ZeroPad2d((0, 1, 0, 1)))
        layers.add_module(f"conv{number:02}", convolution)
        layers.add_module(f"clip{number:02}", nn.ReLU6(inplace=True))
    return layers
