"""Command: load a bundle as a worker would, and have it classify a few made crops.

    python -m worker.check_bundle weights/utkface-v2s

Prints one JSON object: what was examined, or `error` with its `code` and `message`. `nightshift models`
starts it as a process of its own, since the command's own never loads the pipeline.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable, NightshiftError
from worker.pipeline.bundle import load_bundle
from worker.pipeline.classify import Classifier
from worker.pipeline.label import group_probabilities

OFF_BY = 1e-3
"""How far from 1 probabilities may add up: fp32 and bf16 round."""


def check_bundle(folder: Path) -> dict[str, Any]:
    """Load a bundle on the CPU and classify made crops.

    Returns:
        `tensors`, `age_outputs` and `crops`: how many were examined.

    Raises:
        ModelUnavailable: as `load_bundle`; `bundle_tensors` also when an answer is no probability.
    """
    classifier = Classifier(load_bundle(folder))
    manifest = classifier.bundle.manifest
    crops = made_crops(manifest.input.size)
    try:
        genders, ages = classifier(crops)
    except ArithmeticError as error:
        raise ModelUnavailable(Code.BUNDLE_TENSORS, f"{folder}: for a made crop, {error}") from error
    for gender, age in zip(genders, ages, strict=True):
        groups = group_probabilities(age, gender, manifest.heads.age)
        for what, probabilities in (("gender", gender), ("age group", groups)):
            total = float(probabilities.sum())
            if not abs(total - 1) <= OFF_BY:
                raise ModelUnavailable(
                    Code.BUNDLE_TENSORS,
                    f"{folder}: {what} probabilities of a made crop add up to {total:.4f}",
                )
    weights = classifier.bundle.weights
    return {
        "tensors": weights.tensor_count,
        "age_outputs": weights.age_outputs,
        "crops": len(crops),
    }


def made_crops(side_px: int) -> NDArray[np.uint8]:
    """Uint8 [4, S, S, 3]: black, white, a ramp and noise, the extremes of what a crop may hold."""
    ramp = np.broadcast_to(np.linspace(0, 255, side_px)[:, None, None], (side_px, side_px, 3))
    noise = np.random.default_rng(0).integers(0, 256, (side_px, side_px, 3))
    black = np.zeros((side_px, side_px, 3))
    return np.stack([black, black + 255, ramp, noise]).astype(np.uint8)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 when the bundle can be used, 2 when it cannot."""
    parser = argparse.ArgumentParser(
        prog="python -m worker.check_bundle", description=__doc__.splitlines()[0]
    )
    parser.add_argument("folder", type=Path, help="holds manifest.json and the weights")
    try:
        print(json.dumps(check_bundle(parser.parse_args(argv).folder)))  # noqa: T201
    except NightshiftError as error:
        print(json.dumps({"error": {"code": error.code, "message": error.message}}))  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
