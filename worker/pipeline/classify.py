"""Crops to probabilities of gender and age."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.pipeline.bundle import Bundle

FACES_AT_ONCE = {"cpu": 8, "cuda": 64}
"""Faces in one forward pass; on the CPU more gain nothing and cost memory."""


def choose_precision(device: torch.device) -> str:
    """`bf16`, `fp16` or `fp32`: the fastest that the device computes natively.

    bf16 on a CPU without AVX512-BF16 or AMX is emulated and slower than fp32.
    """
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp16"
    able = torch.cpu.get_capabilities()
    return "bf16" if able.get("avx512_bf16") or able.get("amx_bf16") else "fp32"


class Classifier:
    """A bundle's network with its normalisation.

    Args:
        bundle: loaded weights.
        precision: `fp32`, `bf16` or `fp16`; by default what `choose_precision` says.

    Attributes:
        bundle: as given.
        precision: number format that the features are computed in.
        faces_at_once: most crops of one forward pass.
    """

    def __init__(self, bundle: Bundle, precision: str | None = None) -> None:
        self.bundle = bundle
        self.precision = precision or choose_precision(bundle.device)
        self.faces_at_once = FACES_AT_ONCE[bundle.device.type]
        spec = bundle.manifest.input
        self._mean = torch.tensor(spec.mean, device=bundle.device).view(1, 3, 1, 1) * 255
        self._std = torch.tensor(spec.std, device=bundle.device).view(1, 3, 1, 1) * 255

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
            bins = int(self.bundle.network.age.out_features)
            return np.zeros((0, 2), np.float32), np.zeros((0, bins), np.float32)
        return np.concatenate(genders), np.concatenate(ages)

    def _forward(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        side = self.bundle.manifest.input.size
        if crops.ndim != 4 or crops.shape[1:] != (side, side, 3):
            raise ValueError(f"crops of shape {crops.shape[1:]}, not ({side}, {side}, 3)")
        with torch.inference_mode(), self._autocast():
            _, gender, age = self.bundle.network(self._normalised(crops))
        head = self.bundle.manifest.heads.age
        sets = 2 if head.kind == "groups" and head.by_gender else 1
        gender = gender.float().softmax(dim=1)
        age = age.float().unflatten(1, (sets, -1)).softmax(dim=2).flatten(1)
        if not (torch.isfinite(gender).all() and torch.isfinite(age).all()):
            raise ArithmeticError("the classifier's answer is not finite")
        return gender.cpu().numpy(), age.cpu().numpy()

    def _normalised(self, crops: NDArray[np.uint8]) -> Tensor:
        # [N, S, S, 3] permuted is channels_last already, which is what the network wants on a CPU.
        images = torch.as_tensor(crops, device=self.bundle.device).permute(0, 3, 1, 2).float()
        return (images - self._mean) / self._std

    def _autocast(self) -> torch.autocast | nullcontext[None]:
        if self.precision == "fp32":
            return nullcontext()
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float16
        return torch.autocast(self.bundle.device.type, dtype=dtype)
