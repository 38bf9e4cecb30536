"""Bundles with random weights: the right tensors, no knowledge, always the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightshift.words.analysis import AGE_GROUPS
from shared.bundles.manifest import FEATURES, FORMAT, Architecture, Manifest
from worker.pipeline.architectures import classifier_shapes
from worker.pipeline.bundle import write_bundle
from worker.pipeline.framing import UTKFACE
from worker.pipeline.layers import COUNTER

V2S: Architecture = "efficientnet_v2_s"
GAIN: dict[Architecture, float] = {V2S: 1.0, "mobilenet_v1": 2.0}
"""Variance of a layer's weights times its fan-in: keeps activations near one through all blocks."""


def random_tensors(
    age_outputs: int = 101, *, dtype: str = "float16", architecture: Architecture = V2S
) -> dict[str, NDArray[Any]]:
    """Every tensor of the network; scaled by fan-in, so that activations stay finite."""
    return {
        name: values.astype(dtype) if values.dtype.kind == "f" else values
        for name, values in _random_tensors(architecture, age_outputs)
    }


@cache
def _random_tensors(architecture: Architecture, age_outputs: int) -> tuple[tuple[str, NDArray[Any]], ...]:
    generator = np.random.default_rng(0)
    tensors: dict[str, NDArray[Any]] = {}
    for name, shape in classifier_shapes(architecture, age_outputs).items():
        if name.endswith(COUNTER):
            tensors[name] = np.zeros(shape, np.int64)
        elif name.endswith("running_var") or (name.endswith("weight") and len(shape) == 1):
            tensors[name] = np.ones(shape, np.float32)
        elif len(shape) == 1:
            tensors[name] = np.zeros(shape, np.float32)
        else:
            spread = (GAIN[architecture] / float(np.prod(shape[1:]))) ** 0.5
            tensors[name] = generator.standard_normal(shape, np.float32) * np.float32(spread)
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
