"""What networks run on: torch on any device, OpenVINO on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from functools import cache
from importlib.util import find_spec
from typing import Any, Literal

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

RuntimeName = Literal["torch", "openvino"]
Precision = Literal["fp32", "bf16", "fp16"]
Forward = Callable[[Tensor], Tensor]
"""float32 [N, C, H, W] on the device to the module's float32 output; the next call may overwrite it."""

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
_HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}


def runtimes(device: torch.device) -> tuple[RuntimeName, ...]:
    """What networks can run on there, the one that is fastest as a rule first."""
    if device.type == "cpu" and find_spec("openvino"):
        return "openvino", "torch"
    return ("torch",)


def on_device(array: NDArray[Any], device: torch.device) -> Tensor:
    """An array where the networks are; to CUDA through pinned memory, so that nobody waits for the copy."""
    tensor = torch.from_numpy(array)
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def compiled(
    module: nn.Module | Any,
    shape: tuple[int, ...],
    *,
    runtime: RuntimeName,
    device: torch.device,
    precision: Precision = "fp32",
) -> Forward:
    """A module made ready to run, in evaluation mode. It uses as many threads as torch is set to.

    Args:
        module: takes one tensor [N, C, H, W] and gives one; or an `openvino.Model` that does, for OpenVINO.
        shape: of the input, -1 where any length will do.
        runtime: `openvino` runs on the CPU only.
        device: where to.
        precision: number format of the layers that gain by it.
    """
    if runtime == "openvino":
        return _on_openvino(module, shape, precision)
    return _on_torch(module, device, precision)


def _on_torch(module: nn.Module, device: torch.device, precision: Precision) -> Forward:
    module = deepcopy(module).eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)

    def forward(images: Tensor) -> Tensor:
        half = precision != "fp32"
        with (
            torch.inference_mode(),
            torch.autocast(device.type, dtype=_DTYPES[precision]) if half else nullcontext(),
        ):
            images = images.contiguous(memory_format=torch.channels_last)
            return module(images).float()  # type: ignore[no-any-return]

    return forward


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


def _on_openvino(module: nn.Module | Any, shape: tuple[int, ...], precision: Precision) -> Forward:
    from worker.pipeline.graph import as_openvino

    model = openvino_core().compile_model(
        as_openvino(module.eval(), shape) if isinstance(module, nn.Module) else module,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "PERFORMANCE_HINT": "LATENCY",
            # Worker processes do not know of each other: all would take the same first cores.
            "ENABLE_CPU_PINNING": False,
        },
    )
    request = model.create_infer_request()

    def forward(images: Tensor) -> Tensor:
        request.infer([images.contiguous().numpy()], share_inputs=True)
        return torch.from_numpy(request.get_output_tensor(0).data)

    return forward
