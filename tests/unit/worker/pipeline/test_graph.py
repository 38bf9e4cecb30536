"""What OpenVINO runs is what torch runs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.support.generated_bundle import random_tensors
from worker.pipeline.detection.mtcnn import Networks, load_networks
from worker.pipeline.graph import as_openvino
from worker.pipeline.network import Network
from worker.pipeline.runtime import compiled, runtimes

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def networks() -> tuple[Networks, Networks]:
    return load_networks(CPU, "openvino"), load_networks(CPU, "torch")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("propose", (1, 3, 12, 12)),
        ("propose", (2, 3, 13, 40)),
        ("propose", (1, 3, 61, 44)),
        ("refine", (1, 3, 24, 24)),
        ("refine", (7, 3, 24, 24)),
        ("output", (3, 3, 48, 48)),
    ],
)
def test_mtcnn_is_the_same_network(
    networks: tuple[Networks, Networks], name: str, shape: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    images = torch.rand(shape) * 2 - 1
    one, other = (getattr(each, name)(images) for each in networks)
    assert one.shape == other.shape
    torch.testing.assert_close(one, other, atol=2e-5, rtol=1e-4)


def test_the_classifiers_features_are_the_same() -> None:
    torch.manual_seed(0)
    network = Network("efficientnet_v2_s", 66).eval().requires_grad_(False)
    for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm2d)):
        # As trained ones are: a line of its own for each channel.
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.2, 0.2)
        torch.manual_seed(int(norm.num_features))
        assert norm.running_mean is not None and norm.running_var is not None
        norm.running_mean.uniform_(-0.2, 0.2)
        norm.running_var.uniform_(0.5, 1.5)
    module = nn.Sequential(network.features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), network.age)
    images = torch.rand(3, 3, 64, 64)
    one, other = (
        compiled(module, (-1, 3, 64, 64), runtime=name, device=CPU)(images) for name in runtimes(CPU)
    )
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def test_a_mobilenets_features_are_the_same() -> None:
    torch.manual_seed(0)
    network = Network("mobilenet_v1", 66).eval().requires_grad_(False)
    network.load_state_dict(random_tensors(66, dtype=torch.float32, architecture="mobilenet_v1"))
    for convolution in (module for module in network.modules() if isinstance(module, nn.Conv2d)):
        assert convolution.bias is not None
        nn.init.uniform_(convolution.bias, -0.2, 0.2)
    module = nn.Sequential(network.features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), network.age)
    # Of an odd size at several depths, where one side is padded more than the other.
    images = torch.randn(3, 3, 72, 104)
    one, other = (
        compiled(module, (-1, 3, 72, 104), runtime=name, device=CPU)(images) for name in runtimes(CPU)
    )
    assert one.std() > 0.01
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def test_a_layer_of_another_kind_is_named() -> None:
    with pytest.raises(TypeError, match="GELU"):
        as_openvino(nn.Sequential(nn.GELU()), (-1, 3, 4, 4))
