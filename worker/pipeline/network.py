"""The classifier's network: EfficientNetV2-S features under two linear heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models import efficientnet_v2_s  # type: ignore[import-untyped]

from shared.bundles import AgeHead

FEATURES = 1280


class Network(nn.Module):
    """EfficientNetV2-S (Tan & Le 2021, torchvision's layout), global average pooling, gender and age.

    Args:
        age_outputs: outputs of the age head.
    """

    def __init__(self, age_outputs: int) -> None:
        super().__init__()
        self.features: nn.Module = efficientnet_v2_s(weights=None).features
        self.gender = nn.Linear(FEATURES, 2)
        self.age = nn.Linear(FEATURES, age_outputs)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features and logits.

        Args:
            images: float [N, 3, S, S], normalised.

        Returns:
            Features [N, 1280], gender logits [N, 2] and age logits [N, age_outputs].
        """
        features = self.features(images).mean(dim=(2, 3))
        return features, self.gender(features), self.age(features)


def on_meta(age_outputs: int) -> Network:
    """The network with shapes but without memory or initialisation, to be filled from a bundle."""
    with torch.device("meta"):
        return Network(age_outputs).eval().requires_grad_(False)


def min_age_outputs(head: AgeHead) -> int:
    """Fewest outputs of an age head: 66 years (the last group is open), or its groups exactly."""
    if head.kind == "years":
        return head.groups[-1].low + 1
    return len(head.groups) * (2 if head.by_gender else 1)
