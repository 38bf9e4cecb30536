"""What networks run on: OpenVINO on the CPU, torch on CUDA and wherever OpenVINO does not run.

torch is imported only where something runs on it.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nightshift.machine.allowance import allowance
from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from worker.pipeline.layers import Filled

RuntimeName = Literal["torch", "openvino"]
Precision = Literal["fp32", "bf16", "fp16", "int8"]


@dataclass(frozen=True, slots=True, eq=False)
class Incoming:
    """What comes into a convolution, as was seen.

    Attributes:
        low: the least number, at most 0.
        high: the greatest.
        means: of each channel, float32 [inputs].
    """

    low: float
    high: float
    means: NDArray[np.float32]


EightBits = Mapping[str, Incoming]
"""The convolutions that are to be computed in eight bits, by name."""
Forward = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""float32 [N, C, H, W] to the network's float32 output; the next call may overwrite it."""

CPU = "cpu"
"""The device; others are `cuda:N`."""

_HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16", "int8": "f32"}
_threads = 0


def use_threads(count: int) -> None:
    """Have networks that are compiled from now on run on so many threads of this process."""
    global _threads
    _threads = count


def threads() -> int:
    """How many; those that this process may use, as long as nobody said."""
    return _threads or allowance().cores


def runtimes(device: str) -> tuple[RuntimeName, ...]:
    """What networks can run on there, the one that is fastest as a rule first.

    Raises:
        ModelUnavailable: `runtime_unavailable` when there is nothing; it says what to install.
    """
    able: list[RuntimeName] = []
    if device == CPU and openvino_lacks() is None:
        able.append("openvino")
    if has_torch():
        able.append("torch")
    if able:
        return tuple(able)
    lack = f"{openvino_lacks()}, and torch" if device == CPU else "torch"
    raise ModelUnavailable(
        Code.RUNTIME_UNAVAILABLE,
        f'nothing to run networks on: {lack} is not installed (pip install -c constraints.txt "torch"'
        ' "torchvision", or ".[gpu]" for a GPU)',
    )


def has_torch() -> bool:
    """Whether it is installed."""
    return find_spec("torch") is not None


@cache
def openvino_lacks() -> str | None:
    """Why OpenVINO does not run here; None where it does."""
    if find_spec("openvino") is None:
        return "OpenVINO is not installed"
    try:
        openvino_core().get_property("CPU", "FULL_DEVICE_NAME")
    except (ImportError, OSError, RuntimeError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        return f"OpenVINO does not run on this processor ({platform.machine()}: {said.strip()})"
    return None


def compiled(
    network: Filled | Any,
    shape: tuple[int, ...],
    *,
    runtime: RuntimeName,
    precision: Precision = "fp32",
    int8: EightBits | None = None,
) -> Forward:
    """A network made ready to run on the CPU, on `threads()`.

    Args:
        network: takes one array [N, C, H, W] and gives one; or an `openvino.Model` that does, for OpenVINO.
        shape: of the input, -1 where any length will do.
        runtime: what to run it on.
        precision: number format of the layers that gain by it; what is not int8 in int8 is fp32.
        int8: which convolutions are, by OpenVINO alone.
    """
    if runtime == "openvino":
        return _on_openvino(network, shape, precision, int8 if precision == "int8" else None)
    # Here and not above: it takes seconds and hundreds of megabytes.
    from worker.pipeline.on_torch import compiled_for_arrays

    return compiled_for_arrays(network, precision)


@cache
def openvino_core() -> Any:
    """The process's only one, never given up.

    Each gives its thread a signal stack and, when it goes, frees that and puts back the one before. The
    second of two that go in the order they came puts back what the first has freed, and the next signal is
    the process's end.
    """
    # Where it is not installed, torch does all.
    import openvino  # type: ignore[import-untyped]

    return openvino.Core()


def _on_openvino(
    network: Filled | Any, shape: tuple[int, ...], precision: Precision, int8: EightBits | None
) -> Forward:
    from worker.pipeline.graph import as_openvino

    model = openvino_core().compile_model(
        as_openvino(network, shape, int8) if isinstance(network, Filled) else network,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": threads(),
            "PERFORMANCE_HINT": "LATENCY",
            # Worker processes do not know of each other: all would take the same first cores.
            "ENABLE_CPU_PINNING": False,
        },
    )
    request = model.create_infer_request()

    def forward(images: NDArray[np.float32]) -> NDArray[np.float32]:
        request.infer([np.ascontiguousarray(images)], share_inputs=True)
        return request.get_output_tensor(0).data  # type: ignore[no-any-return]

    return forward
