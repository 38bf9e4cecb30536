"""Tensors of safetensors files, by numpy alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from worker.pipeline.layers import COUNTER

_FLOATS = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A tensor as a file has it.

    Attributes:
        dtype: of its numbers: `float16`, `bfloat16`, `float32`, `float64`, or safetensors' word for another.
        values: float32 where it has floating numbers, else int64.
    """

    dtype: str
    values: NDArray[Any]

    @property
    def is_floating(self) -> bool:
        """Whether its numbers are floating."""
        return self.dtype in _FLOATS.values()


def read_tensors(path: Path) -> dict[str, Stored]:
    """All tensors of a file.

    Raises:
        ValueError: it is no safetensors file.
    """
    try:
        return {name: _stored(view) for name, view in deserialize(path.read_bytes())}  # type: ignore[no-untyped-call]
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"is not a safetensors file: {error}") from error


def check_tensors(
    found: Mapping[str, Stored], expected: Mapping[str, tuple[int, ...]], dtype: str
) -> dict[str, NDArray[Any]]:
    """The values of exactly the tensors that a network has.

    Args:
        found: of a file.
        expected: shapes by name.
        dtype: of all floating ones.

    Raises:
        ValueError: it names the first thing that is wrong.
    """
    missing, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing:
        raise ValueError(f"{len(missing)} tensors are missing, the first is {missing[0]}")
    if extra:
        raise ValueError(f"{len(extra)} tensors are not of this architecture, the first is {extra[0]}")
    for name, tensor in found.items():
        if tensor.values.shape != expected[name]:
            raise ValueError(f"{name} has shape {list(tensor.values.shape)}, not {list(expected[name])}")
        if name.endswith(COUNTER) and not tensor.is_floating:
            continue
        if tensor.dtype != dtype:
            raise ValueError(f"{name} is {tensor.dtype}, the manifest says {dtype}")
        if not np.isfinite(tensor.values).all():
            raise ValueError(f"{name} holds values that are not finite")
    return {name: tensor.values for name, tensor in found.items()}


def write_tensors(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Write a file. Not by safetensors' own writer: its files may be read by their owner alone."""
    path.write_bytes(save({name: np.asarray(values, order="C") for name, values in tensors.items()}))


def _stored(view: Mapping[str, Any]) -> Stored:
    kind, data, shape = view["dtype"], view["data"], view["shape"]
    if kind == "BF16":
        # The upper half of a float32.
        values = (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32)
    elif kind in _FLOATS:
        values = np.frombuffer(data, _FLOATS[kind]).astype(np.float32)
    elif kind == "I64":
        values = np.frombuffer(data, np.int64)
    else:
        # Of no network here; what it holds is of no matter.
        return Stored(kind, np.zeros(shape, np.int64))
    return Stored(_FLOATS.get(kind, "int64"), values.reshape(shape))
