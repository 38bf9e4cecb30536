"""Which device the networks run on."""

from __future__ import annotations

import sys
from pathlib import Path

from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from worker.pipeline.runtime import CPU, has_torch

_SIGNS = ("dev/nvidia0", "dev/nvidiactl", "dev/dxg", "dev/kfd")
"""What Linux shows of a GPU that torch may run on: NVIDIA's, under WSL, AMD's."""


def choose_device(name: str) -> str:
    """The device of the setting `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        ModelUnavailable: `device_unavailable` for CUDA where there is none, or no torch to use it.
    """
    if name == CPU or (name == "auto" and not (has_torch() and _may_have_gpu())):
        return CPU
    if not has_torch():
        said = 'torch is not installed: make run GPU=1, or pip install -c constraints.txt ".[gpu]"'
        raise ModelUnavailable(
            Code.DEVICE_UNAVAILABLE, f"device {name} was asked for, which needs torch, and {said}"
        )
    from worker.pipeline.on_torch import cuda_devices

    count = cuda_devices()
    if name == "auto":
        return "cuda:0" if count else CPU
    index = int(name.partition(":")[2] or 0)
    if index >= count:
        raise ModelUnavailable(
            Code.DEVICE_UNAVAILABLE, f"device {name} was asked for, but {count} CUDA devices can be used"
        )
    return f"cuda:{index}"


def _may_have_gpu(root: Path = Path("/")) -> bool:
    """Whether it is worth loading torch to ask: that takes seconds, and hundreds of megabytes."""
    return not sys.platform.startswith("linux") or any((root / sign).exists() for sign in _SIGNS)
