"""The classifier's network written plainly: fp32, eager, no tricks. What faster ways are measured against.

EfficientNet is not that of `worker.pipeline`, so that nothing done there changes what it is compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import efficientnet_v2_s  # type: ignore[import-untyped]

from bench.error_codes import BenchCode
from bench.protocol import Reading
from nightshift.words.errors import InvalidInput
from shared.bundles.manifest import FEATURES, TENSORS, Architecture, Manifest, read_manifest
from worker.pipeline.architectures import features_of
from worker.pipeline.network import as_torch


class PlainNetwork(nn.Module):
    """The features of an architecture, global average pooling, a linear head for gender and one for age.

    Args:
        architecture: torchvision's EfficientNetV2-S, or MobileNet.
        age_outputs: of the age head.
    """

    def __init__(self, architecture: Architecture, age_outputs: int) -> None:
        super().__init__()
        v2s = architecture == "efficientnet_v2_s"
        self.features: nn.Module = (
            efficientnet_v2_s(weights=None).features if v2s else as_torch(features_of(architecture))
        )
        self.gender = nn.Linear(FEATURES[architecture], 2)
        self.age = nn.Linear(FEATURES[architecture], age_outputs)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of gender [N, 2] and age [N, age_outputs] for float images [N, 3, S, S]."""
        features = self.features(images).mean(dim=(2, 3))
        return self.gender(features), self.age(features)


def plain_architecture(manifest: Manifest) -> Architecture:
    """Of the network written plainly.

    Raises:
        InvalidInput: `no_plain_network` for ONNX networks.
    """
    if manifest.architecture == "onnx":
        raise InvalidInput(BenchCode.NO_PLAIN_NETWORK, f"{manifest.name} is made of ONNX networks")
    return manifest.architecture


class PlainReader:
    """A bundle's weights in the plain network.

    Args:
        folder: of the bundle.

    Attributes:
        manifest: the bundle's.
    """

    def __init__(self, folder: Path) -> None:
        self.manifest: Manifest = read_manifest(folder)
        tensors = load_file(folder / TENSORS)
        outputs = int(tensors["age.bias"].shape[0])
        self.network = PlainNetwork(plain_architecture(self.manifest), outputs)
        self.network.load_state_dict(
            {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
        )
        self.network.eval().requires_grad_(False)
        self._mean = torch.tensor(self.manifest.input.mean).view(1, 3, 1, 1)
        self._std = torch.tensor(self.manifest.input.std).view(1, 3, 1, 1)

    def probabilities(self, crop: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Gender [2] and age [bins] of one crop, uint8 [S, S, 3]; S may be any."""
        with torch.no_grad():
            image = torch.from_numpy(crop).permute(2, 0, 1).unsqueeze(0).float() / 255
            gender, age = self.network((image - self._mean) / self._std)
            head = self.manifest.heads.age
            sets = 2 if head.kind == "groups" and head.by_gender else 1
            age = age[0].unflatten(0, (sets, -1)).softmax(dim=1).flatten()
            return gender[0].softmax(dim=0).numpy(), age.numpy()

    def read(self, crop: NDArray[np.uint8]) -> Reading:
        """Labels of one crop of the bundle's size, and how close the runners-up were."""
        # Here, because importing it sets how threads wait, which is not the plain flow's own choice.
        from worker.pipeline.label import age_labels, gender_label

        gender, age = self.probabilities(crop)
        heads = self.manifest.heads
        said_gender, (said_age, _) = (
            gender_label(gender, heads.gender),
            age_labels(age, gender, heads.age)[:2],
        )
        return Reading(
            said_gender.value,
            margin(list(said_gender.probabilities.values())),
            said_age.label,
            margin(list(said_age.probabilities.values())),
        )


def margin(probabilities: Sequence[float]) -> float:
    """How far the most probable class is ahead of the next."""
    first, second = sorted(probabilities, reverse=True)[:2]
    return first - second
