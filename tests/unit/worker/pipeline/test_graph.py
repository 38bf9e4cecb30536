"""What OpenVINO runs is what torch runs, and both are torchvision's networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.bundles.manifest import Architecture
from tests.support.generated_bundle import random_tensors
from tests.support.needs_torch import nn, torch
from worker.pipeline.architectures import classifier_shapes, features_of, to_logits
from worker.pipeline.detection.mtcnn import Networks, load_networks
from worker.pipeline.layers import COUNTER
from worker.pipeline.network import Network, filled_classifier
from worker.pipeline.runtime import Forward, compiled

Pair = tuple[Networks[Forward], Networks[Forward]]


@pytest.fixture(scope="module")
def networks() -> Pair:
    return load_networks("openvino"), load_networks("torch")


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
def test_mtcnn_is_the_same_network(networks: Pair, name: str, shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    one, other = (getattr(each, name)(images) for each in networks)
    assert one.shape == other.shape
    np.testing.assert_allclose(one, other, atol=2e-5, rtol=1e-4)


def trained(architecture: Architecture) -> dict[str, NDArray[Any]]:
    """As trained ones are: a line of its own for each channel."""
    draw, tensors = np.random.default_rng(1), random_tensors(66, dtype="float32", architecture=architecture)
    for name, values in tensors.items():
        if values.ndim == 1:
            low, high = (0.5, 1.5) if name.endswith(("weight", "var")) else (-0.2, 0.2)
            tensors[name] = draw.uniform(low, high, values.shape).astype(np.float32)
    return tensors


@pytest.mark.parametrize(
    ("architecture", "height", "width"),
    # The second of an odd size at several depths, where one side is padded more than the other.
    [("efficientnet_v2_s", 64, 64), ("mobilenet_v1", 72, 104)],
)
def test_a_classifier_is_the_same_network(architecture: Architecture, height: int, width: int) -> None:
    tensors = trained(architecture)
    images = np.random.default_rng(2).normal(0, 1, (3, 3, height, width)).astype(np.float32)
    network = to_logits(architecture, tensors)
    shape = (-1, 3, height, width)
    one = compiled(network, shape, runtime="openvino")(images).copy()
    other = compiled(network, shape, runtime="torch")(images)
    assert one.std() > 0.01
    np.testing.assert_allclose(one, other, atol=1e-4, rtol=1e-3)
    _, gender, age = filled_classifier(architecture, tensors)(torch.from_numpy(images))
    np.testing.assert_allclose(other, torch.cat([gender, age], dim=1).numpy(), atol=1e-5)


def test_efficientnet_is_torchvisions_by_name_and_by_number() -> None:
    from torchvision.models import efficientnet_v2_s  # type: ignore[import-untyped]

    theirs = efficientnet_v2_s(weights=None).eval()
    tensors = trained("efficientnet_v2_s")
    features = {n.removeprefix("features."): t for n, t in tensors.items() if n.startswith("features.")}
    theirs.features.load_state_dict({name: torch.from_numpy(values) for name, values in features.items()})
    images = torch.rand(2, 3, 64, 64)
    ours = filled_classifier("efficientnet_v2_s", tensors)
    with torch.no_grad():
        torch.testing.assert_close(ours(images)[0], theirs.features(images).mean(dim=(2, 3)))


def test_in_training_it_leaves_out_and_begins_as_torchvisions_does() -> None:
    from torchvision.models import efficientnet_v2_s
    from torchvision.ops import StochasticDepth  # type: ignore[import-untyped]

    ours, theirs = Network("efficientnet_v2_s", 66).features, efficientnet_v2_s(weights=None).features
    # Theirs has one, without a use, where nothing is added.
    left_out = [[m.p for m in net.modules() if isinstance(m, StochasticDepth)] for net in (ours, theirs)]
    kept = [block.use_res_connect for block in theirs.modules() if hasattr(block, "use_res_connect")]
    assert left_out[0] == pytest.approx([p for p, used in zip(left_out[1], kept, strict=True) if used])
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert float(one.detach().std()) == pytest.approx(float(other.detach().std()), rel=0.25, abs=1e-6)


def test_every_tensor_is_known_by_its_shape() -> None:
    for architecture in ("efficientnet_v2_s", "mobilenet_v1"):
        state = Network(architecture, 101).state_dict()
        found = {name: tuple(tensor.shape) for name, tensor in state.items()}
        assert found == dict(classifier_shapes(architecture, 101))
        counters = [name for name, tensor in state.items() if not tensor.is_floating_point()]
        assert all(name.endswith(COUNTER) for name in counters)


def test_a_network_is_data_that_can_be_compared() -> None:
    assert features_of("mobilenet_v1") == features_of("mobilenet_v1")
    assert not isinstance(features_of("mobilenet_v1"), nn.Module)
