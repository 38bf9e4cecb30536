"""Narrower numbers must not change what faces are called, but for toss-ups."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.bundles.manifest import locate_bundle
from shared.settings import Settings
from tests.integration.worker.pipeline.test_framing import resized
from tests.support.reference_data import needs_chips, validation_chips
from tests.support.requirements import require
from worker.pipeline.bundle import load_bundle
from worker.pipeline.choice import native_precision
from worker.pipeline.classify import Classifier
from worker.pipeline.label import group_probabilities

CPU = "cpu"
SHIPPED = ("faces-mobilenet", "utkface-v2s")
CHIPS = 1200
AGREEING = 0.995
TOSS_UP = 0.05
"""Most that the two likeliest may lie apart where a label differs."""


def differing(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Rows whose likeliest differs; the first must have been a toss-up."""
    flipped = one.argmax(axis=1) != other.argmax(axis=1)
    ordered = np.sort(one, axis=1)
    assert (ordered[flipped, -1] - ordered[flipped, -2] <= TOSS_UP).all()
    return np.asarray(flipped)


@needs_chips
@pytest.mark.parametrize("name", SHIPPED)
def test_nearly_all_labels_are_those_of_fp32(name: str) -> None:
    precision = native_precision(CPU)
    require(precision, "this processor has no bf16", essential=False)
    assert precision is not None
    bundle = load_bundle(locate_bundle(name, Settings().weights_dir), CPU)
    heads, side = bundle.manifest.heads, bundle.manifest.input.size
    crops = [resized(chip, side) for _, chip in validation_chips(CHIPS, seed=3)]
    genders, groups = [], []
    for number_format in ("fp32", precision):
        gender, age = Classifier(bundle, number_format, "openvino")(crops)
        genders.append(gender.astype(np.float64))
        groups.append(
            np.stack([group_probabilities(a, g, heads.age) for g, a in zip(gender, age, strict=True)])
        )
    flipped = differing(*genders) | differing(*groups)
    assert 1 - flipped.mean() >= AGREEING
