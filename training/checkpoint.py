"""A run's state on disk, replaced whole or not at all: safetensors and JSON, no pickle."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from nightshift.machine.whole_files import put_in_place
from nightshift.words.errors import InvalidInput
from training.error_codes import TrainingCode

STATE = "checkpoint.safetensors"
_POSITION = "position"


@dataclass(frozen=True, slots=True)
class Position:
    """How far a run is: `step` steps of epoch `epoch` are done."""

    epoch: int = 0
    step: int = 0


def save_checkpoint(
    folder: Path, position: Position, student: nn.Module, average: nn.Module, optimizer: Optimizer
) -> None:
    """Replace the folder's checkpoint, durably."""
    tensors = {f"student.{name}": tensor for name, tensor in student.state_dict().items()}
    tensors |= {f"average.{name}": tensor for name, tensor in average.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
    new = folder / f"{STATE}.new"
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(contiguous, new, {_POSITION: json.dumps(asdict(position))})
    put_in_place(new, folder / STATE)


def load_checkpoint(
    folder: Path, student: nn.Module, average: nn.Module, optimizer: Optimizer
) -> Position | None:
    """Fill student, average and optimizer from the folder's checkpoint; None when it has none.

    Raises:
        InvalidInput: `bad_checkpoint`.
    """
    path = folder / STATE
    if not path.exists():
        return None
    try:
        tensors, position = load_file(path), read_position(path)
        student.load_state_dict(_part(tensors, "student."))
        average.load_state_dict(_part(tensors, "average."))
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _part(tensors, "optimizer.").items():
            index, _, key = name.partition(".")
            state.setdefault(int(index), {})[key] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise InvalidInput(TrainingCode.BAD_CHECKPOINT, f"{path}: {error}") from error
    return position


def load_average(folder: Path) -> tuple[dict[str, Tensor], Position]:
    """The averaged network's tensors, named as in a bundle, and how far the run was.

    Raises:
        InvalidInput: `no_checkpoint` or `bad_checkpoint`.
    """
    path = folder / STATE
    if not path.exists():
        raise InvalidInput(
            TrainingCode.NO_CHECKPOINT, f"no {STATE} in {folder}: the run has not come that far"
        )
    try:
        return _part(load_file(path), "average.module.network."), read_position(path)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(TrainingCode.BAD_CHECKPOINT, f"{path}: {error}") from error


def read_position(path: Path) -> Position:
    """The position in a checkpoint file; ValueError, KeyError or TypeError when there is none."""
    with safe_open(path, framework="pt") as file:
        return Position(**json.loads(file.metadata()[_POSITION]))


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
