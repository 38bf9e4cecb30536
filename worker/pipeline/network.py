"""The classifier's network: the features of one of the architectures under two linear heads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torchvision.models import efficientnet_v2_s  # type: ignore[import-untyped]

from shared.bundles.manifest import FEATURES, AgeHead, Architecture
from worker.pipeline.mobilenet import mobilenet_v1

_FEATURES: dict[Architecture, Callable[[], nn.Sequential]] = {
    "efficientnet_v2_s": lambda: efficientnet_v2_s(weights=None).features,
    "mobilenet_v1": mobilenet_v1,
}


class Network(nn.Module):
    """Features, global average pooling, gender and age.

    Args:
        architecture: of the features: EfficientNetV2-S (Tan & Le 2021, torchvision's layout) or MobileNet
            (Howard et al. 2017).
        age_outputs: outputs of the age head.
    """

    def __init__(self, architecture: Architecture, age_outputs: int) -> None:
        super().__init__()
        self.architecture = architecture
        self.features: nn.Sequential = _FEATURES[architecture]()
        self.gender = nn.Linear(FEATURES[architecture], 2)
        self.age = nn.Linear(FEATURES[architecture], age_outputs)

    @property
    def age_outputs(self) -> int:
        """Outputs of the age head."""
        return self.age.out_features

    @property
    def tensor_count(self) -> int:
        """How many tensors it has."""
        return len(self.state_dict())

    def let_go(self) -> None:
        """Give its memory back; what was compiled of it has its own."""
        self.to_empty(device="meta")

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features and logits.

        Args:
            images: float [N, 3, S, S], normalised.

        Returns:
            Features [N, 1280 or 1024], gender logits [N, 2] and age logits [N, age_outputs].
        """
        features = self.features(images).mean(dim=(2, 3))
        return features, self.gender(features), self.age(features)


class _Unfilled(TorchFunctionMode):
    """Draws no weights: for tensors without memory torch would load its compiler to do it."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return args[0] if func is Tensor.normal_ else func(*args, **(kwargs or {}))


def on_meta(architecture: Architecture, age_outputs: int) -> Network:
    """The network with shapes but without memory or initialisation, to be filled from a bundle."""
    with torch.device("meta"), _Unfilled():
        return Network(architecture, age_outputs).eval().requires_grad_(False)


def min_age_outputs(head: AgeHead) -> int:
    """Fewest outputs of an age head: 66 years (the last group is open), or its groups exactly."""
    if head.kind == "years":
        return head.groups[-1].low + 1
    return len(head.groups) * (2 if head.by_gender else 1)
