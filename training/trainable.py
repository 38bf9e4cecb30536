"""Bundles whose weights training can read: as starts, as teachers, to be calibrated anew."""

from __future__ import annotations

from pathlib import Path

from nightshift.words.errors import InvalidInput
from shared.bundles.manifest import ONNX
from training.augment import MEAN, STD
from training.chips import GENDERS
from training.error_codes import TrainingCode
from worker.pipeline.bundle import Bundle, load_bundle

YEARS = 101
"""Bins of the age head: one a year, 0 to 100; who is older counts as 100."""


def load_trainable(folder: Path, code: TrainingCode) -> Bundle:
    """A bundle with the heads and the normalisation that training has; with others, weights say other things.

    Args:
        folder: of the bundle.
        code: of the error when they are others.

    Raises:
        InvalidInput: of that code.
        ModelUnavailable: it is no bundle.
    """
    bundle = load_bundle(folder)
    if bundle.manifest.architecture == ONNX:
        raise InvalidInput(code, f"{folder}: its networks are ONNX files, which only answer")
    heads, given = bundle.manifest.heads, bundle.manifest.input
    outputs = bundle.network.age.out_features
    if heads.age.kind != "years" or outputs != YEARS:
        raise InvalidInput(
            code, f"{folder}: its age head is not of {YEARS} years, but of {outputs} {heads.age.kind}"
        )
    if heads.gender.classes != GENDERS:
        raise InvalidInput(code, f"{folder}: its genders are not {' before '.join(GENDERS)}")
    if (given.mean, given.std) != (MEAN, STD):
        raise InvalidInput(code, f"{folder}: another normalisation than the training's")
    return bundle
