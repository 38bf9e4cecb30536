"""Which runtime and number format a worker uses: by setting, else the device's own and by a short timing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from shared.bundles.manifest import INT8
from worker.pipeline.bundle import Bundle
from worker.pipeline.classify import Classifier
from worker.pipeline.processor import features
from worker.pipeline.runtime import CPU, Precision, RuntimeName
from worker.pipeline.timing import least_time_s

Auto = Literal["auto"]

CROPS = 2
"""Faces of the timing: enough to tell, few enough not to be waited for."""

PAYS_FROM = 1.1
"""How much faster a narrower number format must be than fp32 to be worth its rounding."""

OFF_BY = 0.03
"""Most that a narrower format may move a probability of the crops that are tried."""

INT8_OFF_BY = 0.2
"""Likewise for int8: how far its labels agree was measured on faces; noise only shows that it runs."""

AGREES = 0.995
"""Share of labels that must be fp32's, of gender and of age group, for int8 to be chosen unasked."""


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
    name = able[0] if runtime == "auto" else runtime
    if precision == "int8":
        _require_eight_bits(bundle, name)
    formats = (precision,) if precision != "auto" else _formats(name, bundle)
    if len(formats) == 1:
        because = "nothing else to choose" if "auto" in (runtime, precision) else "set"
        return Classifier(bundle, formats[0], name), Choice(name, formats[0], because)
    trials = [_try(Classifier(bundle, fmt, name)) for fmt in formats]
    best = _best(trials)
    because = "; ".join(map(str, trials))
    return best.classifier, Choice(best.classifier.runtime, best.classifier.precision, because)


def native_precision(device: str) -> Precision | None:
    """The narrower number format that the device computes in itself, if it has one.

    bf16 on a CPU without it is emulated, and slower than fp32.
    """
    if device != CPU:
        from worker.pipeline.on_torch import narrow_on_cuda

        return narrow_on_cuda(device)
    return "bf16" if features() & {"avx512bf16", "amx-bf16", "bf16"} else None


def _formats(runtime: RuntimeName, bundle: Bundle) -> tuple[Precision, ...]:
    """Those worth a try: torch's narrow one on a CPU flips more toss-ups than one face in 200."""
    formats: list[Precision] = ["fp32"]
    narrow = native_precision(bundle.device) if bundle.device != CPU or runtime == "openvino" else None
    if narrow:
        formats.append(narrow)
    agrees = bundle.manifest.int8
    if agrees and min(agrees.gender, agrees.age_group) >= AGREES and _lacks(bundle, runtime) is None:
        formats.append("int8")
    return tuple(formats)


def _require_eight_bits(bundle: Bundle, runtime: RuntimeName) -> None:
    if lack := _lacks(bundle, runtime):
        raise ModelUnavailable(Code.RUNTIME_UNAVAILABLE, f"precision int8 was asked for; {lack}")


def _lacks(bundle: Bundle, runtime: RuntimeName) -> str | None:
    """Why it cannot be computed in eight bits."""
    if bundle.int8 is None:
        return f"the weights {bundle.manifest.name} have no {INT8} (python -m training.quantise makes one)"
    if runtime != "openvino":
        return f"{runtime} on {bundle.device} does not compute in it, only OpenVINO on the CPU"
    return None


def _try(classifier: Classifier) -> _Trial:
    side = classifier.bundle.manifest.input.size
    crops = np.random.default_rng(0).integers(0, 256, (CROPS, side, side, 3)).astype(np.uint8)
    answer = np.concatenate(classifier(crops), axis=1)  # the first call compiles
    seconds = least_time_s(lambda: classifier(crops), 3, classifier.bundle.device)
    return _Trial(classifier, seconds * 1000 / CROPS, answer)


def _off_by(trial: _Trial) -> float:
    return INT8_OFF_BY if trial.classifier.precision == "int8" else OFF_BY


def _best(trials: Sequence[_Trial]) -> _Trial:
    full = [trial for trial in trials if trial.classifier.precision == "fp32"]
    if not full:
        return min(trials, key=lambda trial: trial.ms_a_face)
    best = min(full, key=lambda trial: trial.ms_a_face)
    agreeing = [
        trial
        for trial in trials
        if trial not in full and float(np.abs(trial.answer - best.answer).max()) <= _off_by(trial)
    ]
    narrow = min(agreeing, key=lambda trial: trial.ms_a_face, default=best)
    return narrow if narrow.ms_a_face * PAYS_FROM <= best.ms_a_face else best
