"""Crops to probabilities of gender and age."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from worker.pipeline.bundle import Bundle, Weights
from worker.pipeline.onnx import to_logits
from worker.pipeline.runtime import CPU, Precision, RuntimeName, compiled

FACES_AT_ONCE_CPU, FACES_AT_ONCE_CUDA = 4, 64
"""Faces in one forward pass; on the CPU more gain nothing and keep memory, 10 MB a face at 224 px."""

Logits = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Crops [N, S, S, 3] to logits of gender and age, side by side."""


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
        self.faces_at_once = FACES_AT_ONCE_CPU if bundle.device == CPU else FACES_AT_ONCE_CUDA
        self._logits = _logits(bundle, self.runtime, precision)

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
        logits = self._logits(crops)
        head = self.bundle.manifest.heads.age
        sets = 2 if head.kind == "groups" and head.by_gender else 1
        gender = _softmax(logits[:, :2])
        age = _softmax(logits[:, 2:].reshape(len(logits), sets, -1)).reshape(len(logits), -1)
        if not (np.isfinite(gender).all() and np.isfinite(age).all()):
            raise ArithmeticError("the classifier's answer is not finite")
        return gender, age


def _logits(bundle: Bundle, runtime: RuntimeName, precision: Precision) -> Logits:
    spec, weights = bundle.manifest.input, bundle.weights
    if runtime == "torch" and isinstance(weights, Weights):
        from worker.pipeline.on_torch import reader_of_crops

        return reader_of_crops(weights.to_logits(), spec, bundle.device, precision)
    network = weights.to_logits() if isinstance(weights, Weights) else to_logits(weights, bundle.manifest)
    shape = (-1, 3, spec.size, spec.size)
    forward = compiled(network, shape, runtime=runtime, precision=precision, int8=bundle.int8)
    mean, std = (np.array(values, np.float32) * np.float32(255) for values in (spec.mean, spec.std))
    return lambda crops: forward(((crops.astype(np.float32) - mean) / std).transpose(0, 3, 1, 2))


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over the last axis."""
    with np.errstate(invalid="ignore"):  # what is not finite is for the caller to see
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
