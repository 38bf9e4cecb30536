"""Bundles with random weights: the right tensors, no knowledge, always the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nightshift.words.analysis import AGE_GROUPS
from shared.bundles.manifest import FEATURES, FORMAT, Architecture, Manifest
from worker.pipeline.bundle import write_bundle
from worker.pipeline.framing import UTKFACE
from worker.pipeline.network import on_meta

V2S: Architecture = "efficientnet_v2_s"
GAIN: dict[Architecture, float] = {V2S: 1.0, "mobilenet_v1": 2.0}
"""Variance of a layer's weights times its fan-in: keeps activations near one through all blocks."""


def random_tensors(
    age_outputs: int = 101, *, dtype: torch.dtype = torch.float16, architecture: Architecture = V2S
) -> dict[str, Tensor]:
    """Every tensor of the network; scaled by fan-in, so that activations stay finite."""
    return {
        name: tensor.to(dtype) if tensor.is_floating_point() else tensor
        for name, tensor in _random_tensors(architecture, age_outputs)
    }


@cache
def _random_tensors(architecture: Architecture, age_outputs: int) -> tuple[tuple[str, Tensor], ...]:
    generator = torch.Generator().manual_seed(0)
    tensors: dict[str, Tensor] = {}
    for name, like in on_meta(architecture, age_outputs).state_dict().items():
        if not like.is_floating_point():
            tensors[name] = torch.zeros(like.shape, dtype=like.dtype)
        elif name.endswith("running_var") or (name.endswith("weight") and like.ndim == 1):
            tensors[name] = torch.ones(like.shape)
        elif like.ndim == 1:
            tensors[name] = torch.zeros(like.shape)
        else:
            tensors[name] = (
                torch.randn(like.shape, generator=generator) * (GAIN[architecture] / like[0].numel()) ** 0.5
            )
    return tuple(tensors.items())


def manifest(
    *,
    size: int = 64,
    age: dict[str, Any] | None = None,
    architecture: Architecture = V2S,
    classes: tuple[str, str] = ("female", "male"),
) -> dict[str, Any]:
    """A manifest without its files."""
    groups = [{"label": label, "low": low, "high": high} for label, low, high in AGE_GROUPS]
    return {
        "format": FORMAT,
        "name": f"random-{size}",
        "architecture": architecture,
        "features": FEATURES[architecture],
        "input": {"size": size, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
        "heads": {
            "gender": {"classes": classes},
            "age": {"groups": groups, **(age or {"kind": "years"})},
        },
        "framing": UTKFACE.model_dump(),
        "licence": "none: random numbers",
    }


def write_random_bundle(
    folder: Path,
    *,
    size: int = 64,
    architecture: Architecture = V2S,
    classes: tuple[str, str] = ("female", "male"),
) -> Manifest:
    """A bundle that loads, for crops of `size` px."""
    tensors = random_tensors(architecture=architecture)
    return write_bundle(folder, manifest(size=size, architecture=architecture, classes=classes), tensors)
