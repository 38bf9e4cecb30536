"""The fused first layers are the layers."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from worker.pipeline.stem import Stem


@given(
    count=st.integers(1, 2), height=st.integers(4, 40), width=st.integers(4, 40), channels=st.integers(1, 11)
)
@settings(max_examples=40, deadline=None)
def test_it_is_convolution_activation_and_pooling(count: int, height: int, width: int, channels: int) -> None:
    torch.manual_seed(height * width)
    convolution, activation = nn.Conv2d(3, channels, 3), nn.PReLU(channels)
    nn.init.uniform_(activation.weight, -0.5, 1.5)  # slopes under zero and over one, too
    images = torch.rand(count, height, width, 3) * 2 - 1
    with torch.no_grad():
        expected = nn.MaxPool2d(2, 2, ceil_mode=True)(activation(convolution(images.permute(0, 3, 1, 2))))
    found = Stem(convolution, activation)(images)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_planes_and_channels_last_are_the_same_pictures() -> None:
    stem = Stem(nn.Conv2d(3, 10, 3), nn.PReLU(10))
    images = torch.rand(2, 13, 17, 3)
    planes = images.permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
    assert torch.equal(stem(images), stem(planes))


def test_a_convolution_without_bias_is_refused() -> None:
    with pytest.raises(ValueError, match="bias"):
        Stem(nn.Conv2d(3, 10, 3, bias=False), nn.PReLU(10))
