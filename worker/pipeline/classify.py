"""Crops to probabilities of gender and age."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from worker.pipeline.bundle import Bundle
from worker.pipeline.network import Network
from worker.pipeline.onnx import to_logits
from worker.pipeline.runtime import Precision, RuntimeName, compiled, on_device

FACES_AT_ONCE = {"cpu": 8, "cuda": 64}
"""Faces in one forward pass; on the CPU more gain nothing and cost memory."""


class Classifier:
    """A bundle's network with its normalisation.

    Args:
        bundle: loaded weights.
        precision: number format of the features.
        runtime: what the network runs on; by default the first that the device has.

    Attributes:
        bundle: as given.
        precision: likewise.
        runtime: likewise.
        faces_at_once: most crops of one forward pass.
    """

    def __init__(
        self, bundle: Bundle, precision: Precision = "fp32", runtime: RuntimeName | None = None
    ) -> None:
        self.bundle = bundle
        self.precision = precision
        self.runtime = runtime or bundle.runtimes[0]
        self.faces_at_once = FACES_AT_ONCE[bundle.device.type]
        spec = bundle.manifest.input
        self._mean = torch.tensor(spec.mean, device=bundle.device) * 255
        self._std = torch.tensor(spec.std, device=bundle.device) * 255
        self._network = compiled(
            _to_logits(bundle.weights)
            if isinstance(bundle.weights, Network)
            else to_logits(bundle.weights, bundle.manifest),
            (-1, 3, spec.size, spec.size),
            runtime=self.runtime,
            device=bundle.device,
            precision=precision,
        )

    def __call__(
        self, crops: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Classify faces.

        Args:
            crops: uint8 [N, S, S, 3], RGB, S as the bundle's manifest says.

        Returns:
            Gender float32 [N, 2] in the order of the manifest's classes, each row summing to 1, and
            age float32 [N, bins]; a row sums to 1, or each half of it when the head is by gender.

        Raises:
            ValueError: crops of another size.
            ArithmeticError: the network answered something that is not finite.
        """
        genders, ages = [], []
        for start in range(0, len(crops), self.faces_at_once):
            gender, age = self._forward(np.asarray(crops[start : start + self.faces_at_once]))
            genders.append(gender)
            ages.append(age)
        if not genders:
            bins = self.bundle.weights.age_outputs
            return np.zeros((0, 2), np.float32), np.zeros((0, bins), np.float32)
        return np.concatenate(genders), np.concatenate(ages)

    def _forward(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        side = self.bundle.manifest.input.size
        if crops.ndim != 4 or crops.shape[1:] != (side, side, 3):
            raise ValueError(f"crops of shape {crops.shape[1:]}, not ({side}, {side}, 3)")
        with torch.inference_mode():
            images = on_device(crops, self.bundle.device).float()
            logits = self._network(((images - self._mean) / self._std).permute(0, 3, 1, 2))
            head = self.bundle.manifest.heads.age
            sets = 2 if head.kind == "groups" and head.by_gender else 1
            gender = logits[:, :2].softmax(dim=1)
            age = logits[:, 2:].view(len(logits), sets, -1).softmax(dim=2).flatten(1)
            if not (torch.isfinite(gender).all() and torch.isfinite(age).all()):
                raise ArithmeticError("the classifier's answer is not finite")
            return gender.cpu().numpy(), age.cpu().numpy()


def _to_logits(network: Network) -> nn.Module:
    """Normalised images to logits of gender and age, side by side."""
    head = nn.Linear(network.gender.in_features, network.gender.out_features + network.age.out_features)
    for name in ("weight", "bias"):
        joined = torch.cat([getattr(network.gender, name), getattr(network.age, name)])
        setattr(head, name, nn.Parameter(joined, requires_grad=False))
    return nn.Sequential(network.features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head).eval()
