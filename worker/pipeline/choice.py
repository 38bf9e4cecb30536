"""Which runtime and number format a worker uses: by setting, else by a short timing when it starts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from worker.pipeline.bundle import Bundle
from worker.pipeline.classify import Classifier
from worker.pipeline.runtime import Precision, RuntimeName

Auto = Literal["auto"]

CROPS = 2
"""Faces of the timing: enough to tell, few enough not to be waited for."""

PAYS_FROM = 1.1
"""How much faster a narrower number format must be than fp32 to be worth its rounding."""

OFF_BY = 0.03
"""Most that a narrower format may move a probability of the crops that are tried."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen.

    Attributes:
        runtime: what the networks run on.
        precision: number format of the classifier's features.
        because: what decided, for the log and `/v1/workers`.
    """

    runtime: RuntimeName
    precision: Precision
    because: str


@dataclass(frozen=True, slots=True)
class _Trial:
    classifier: Classifier
    ms_a_face: float
    answer: NDArray[np.float32]

    def __str__(self) -> str:
        return f"{self.classifier.runtime} {self.classifier.precision} {self.ms_a_face:.1f} ms a face"


def choose(
    bundle: Bundle, runtime: RuntimeName | Auto = "auto", precision: Precision | Auto = "auto"
) -> tuple[Classifier, Choice]:
    """The classifier to use.

    Args:
        bundle: on the device.
        runtime: `auto` or a `RuntimeName`.
        precision: `auto` or a `Precision`.

    Raises:
        ModelUnavailable: `runtime_unavailable` for what the device or this installation does not have.
    """
    able = bundle.runtimes
    if runtime != "auto" and runtime not in able:
        raise ModelUnavailable(
            Code.RUNTIME_UNAVAILABLE,
            f"runtime {runtime} was asked for; for {bundle.manifest.name} {bundle.device} has"
            f" {', '.join(able)}",
        )
    narrow = native_precision(bundle.device)
    formats: Sequence[Precision] = ("fp32", narrow) if narrow else ("fp32",)
    if precision != "auto":
        formats = (precision,)
    candidates = [
        (name, fmt)
        for name in able
        if runtime in ("auto", name)
        for fmt in formats
        if precision != "auto" or fmt == "fp32" or _keeps_labels(name, bundle.device)
    ]
    if len(candidates) == 1:
        ((name, fmt),) = candidates
        choice = Choice(name, fmt, "set" if "auto" not in (runtime, precision) else "nothing else to choose")
        return Classifier(bundle, fmt, name), choice
    trials = [_try(Classifier(bundle, fmt, name)) for name, fmt in candidates]
    best = _best(trials)
    because = "; ".join(map(str, trials))
    return best.classifier, Choice(best.classifier.runtime, best.classifier.precision, because)


def native_precision(device: torch.device) -> Precision | None:
    """The narrower number format that the device computes in itself, if it has one.

    bf16 on a CPU without it is emulated, and slower than fp32.
    """
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp16"
    able = torch.cpu.get_capabilities()
    return "bf16" if any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16")) else None


def _keeps_labels(runtime: RuntimeName, device: torch.device) -> bool:
    """Whether a narrower format is offered: torch's on a CPU flips more toss-ups than one face in 200."""
    return device.type == "cuda" or runtime == "openvino"


def _try(classifier: Classifier) -> _Trial:
    side = classifier.bundle.manifest.input.size
    crops = np.random.default_rng(0).integers(0, 256, (CROPS, side, side, 3)).astype(np.uint8)
    answer = np.concatenate(classifier(crops), axis=1)  # the first call compiles
    times = []
    for _ in range(2):
        started = time.perf_counter()
        classifier(crops)
        times.append(time.perf_counter() - started)
    return _Trial(classifier, min(times) * 1000 / CROPS, answer)


def _best(trials: Sequence[_Trial]) -> _Trial:
    full = [trial for trial in trials if trial.classifier.precision == "fp32"]
    if not full:
        return min(trials, key=lambda trial: trial.ms_a_face)
    best = min(full, key=lambda trial: trial.ms_a_face)
    agreeing = [
        trial
        for trial in trials
        if trial not in full and float(np.abs(trial.answer - best.answer).max()) <= OFF_BY
    ]
    narrow = min(agreeing, key=lambda trial: trial.ms_a_face, default=best)
    return narrow if narrow.ms_a_face * PAYS_FROM <= best.ms_a_face else best
