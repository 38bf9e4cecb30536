"""Networks on torch: on CUDA, and on a CPU for which there is nothing faster."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.bundles.manifest import InputSpec
from worker.pipeline.layers import Filled
from worker.pipeline.network import filled
from worker.pipeline.runtime import CPU, Forward, Precision, threads

OnTensors = Callable[[Tensor], Tensor]
"""float32 [N, C, H, W] on the device to the network's float32 output, there."""

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def compiled_for_tensors(network: Filled, device: str, precision: Precision = "fp32") -> OnTensors:
    """A network made ready to run where its input is."""
    if device == CPU:
        torch.set_num_threads(threads())
    module = filled(network).to(device).to(memory_format=torch.channels_last)
    kind = torch.device(device).type

    def forward(images: Tensor) -> Tensor:
        half = precision != "fp32"
        with (
            torch.inference_mode(),
            torch.autocast(kind, dtype=_DTYPES[precision]) if half else nullcontext(),
        ):
            images = images.contiguous(memory_format=torch.channels_last)
            return module(images).float()  # type: ignore[no-any-return]

    return forward


def compiled_for_arrays(network: Filled, precision: Precision = "fp32") -> Forward:
    """The same on the CPU, from array to array."""
    forward = compiled_for_tensors(network, CPU, precision)
    return lambda images: forward(torch.from_numpy(np.ascontiguousarray(images))).numpy()


def reader_of_crops(
    network: Filled, spec: InputSpec, device: str, precision: Precision
) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """From crops, uint8 [N, S, S, 3], to logits, by way of a device that normalises them itself."""
    forward = compiled_for_tensors(network, device, precision)
    mean = torch.tensor(spec.mean, device=device) * 255
    std = torch.tensor(spec.std, device=device) * 255

    def logits(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            images = on_device(crops, device).float()
            found: Any = forward(((images - mean) / std).permute(0, 3, 1, 2))
            return found.cpu().numpy()  # type: ignore[no-any-return]

    return logits


def on_device(array: NDArray[Any], device: str) -> Tensor:
    """An array where the networks are; to CUDA through pinned memory, so that nobody waits for the copy."""
    tensor = torch.from_numpy(array)
    if device != CPU:
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor


def cuda_devices() -> int:
    """How many there are."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def narrow_on_cuda(device: str) -> Precision:
    """The narrower number format that a CUDA device computes in itself."""
    return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp16"
