"""What a run of the benchmark keeps from the processor."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

ISA = "ONEDNN_MAX_CPU_ISA"
"""Read by OpenVINO's and torch's oneDNN when they are loaded."""

WITHOUT_BF16 = "without-bf16"
_ISA_WITHOUT_BF16 = "AVX512_CORE_VNNI"


@dataclass(frozen=True, slots=True)
class Mode:
    """See the module.

    Attributes:
        says: for the document, empty where nothing is kept.
        environment: of the contenders, and of what measures the floors.
    """

    says: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


MODES = {
    "": Mode(),
    # The precision is what OpenVINO's INFERENCE_PRECISION_HINT becomes.
    WITHOUT_BF16: Mode(
        f"bf16 is switched off ({ISA}={_ISA_WITHOUT_BF16}, inference precision fp32)",
        {ISA: _ISA_WITHOUT_BF16, "NIGHTSHIFT_PRECISION": "fp32"},
    ),
}


def bf16_is_switched_off(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the mode of this process leaves oneDNN no bf16."""
    return environment.get(ISA) == _ISA_WITHOUT_BF16
