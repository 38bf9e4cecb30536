"""Batches of chips, the same however often a run is interrupted."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from training.augment import as_tensor, plain
from training.chips import Chip, ChipArchive
from training.losses import Targets
from training.teachers import Teachers
from training.trainable import YEARS


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Images float32 [N, 3, S, S], normalised, with their targets."""

    images: Tensor
    targets: Targets


class Epoch(Dataset[tuple[Tensor, int]]):
    """The augmented chips of one epoch: each is drawn from a seed of its own.

    Args:
        archive: where the pixels are.
        chips: what to show, in this order.
        augment: from a chip to the network's input.
        seeds: one for each chip.
    """

    def __init__(
        self,
        archive: ChipArchive,
        chips: Sequence[Chip],
        augment: Callable[[Tensor], Tensor],
        seeds: Sequence[int],
    ) -> None:
        self._archive = archive
        self._chips = chips
        self._seeds = seeds
        self._augment = augment

    def __len__(self) -> int:
        return len(self._chips)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seeds[index])
            return self._augment(as_tensor(self._archive.pixels(self._chips[index]))), index


def training_batches(
    archive: ChipArchive,
    chips: Sequence[Chip],
    teachers: Teachers | None,
    *,
    augment: Callable[[Tensor], Tensor],
    batch_size: int,
    seed: int,
    epoch: int,
    first: int,
    processes: int,
) -> Iterator[Batch]:
    """One epoch's batches from step `first` on. The order and the augmentation follow from seed and epoch.

    A last batch that is not full is left out: batch norm would see too few faces.
    """
    random = np.random.default_rng((seed, epoch))
    order = random.permutation(len(chips))
    seeds = random.integers(2**31, size=len(chips))
    whole = len(chips) // batch_size * batch_size
    rows = order[first * batch_size : whole]
    data = Epoch(archive, [chips[row] for row in rows], augment, [int(seeds[row]) for row in rows])
    loader = DataLoader(
        data,
        batch_size,
        num_workers=processes,
        prefetch_factor=4 if processes else None,
        worker_init_fn=_leave_signals_to_the_parent,
    )
    for images, indices in loader:
        yield Batch(images, _targets([chips[row] for row in rows[indices]], teachers, rows[indices]))


def plain_batches(
    archive: ChipArchive, chips: Sequence[Chip], side_px: int, batch_size: int = 32
) -> Iterator[Tensor]:
    """The chips as they are, normalised, float32 [n, 3, S, S], in order."""
    prepare = plain(side_px)
    for start in range(0, len(chips), batch_size):
        part = chips[start : start + batch_size]
        yield torch.stack([prepare(as_tensor(archive.pixels(chip))) for chip in part])


def _leave_signals_to_the_parent(_number: int) -> None:
    # Ctrl-C reaches the whole group: a child that ends would break the step that its parent still finishes.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _targets(chips: Sequence[Chip], teachers: Teachers | None, rows: NDArray[np.int64]) -> Targets:
    gender = torch.tensor([chip.gender for chip in chips])
    age = torch.tensor([float(min(chip.age, YEARS - 1)) for chip in chips])
    if teachers is None:
        return Targets(gender, age, None)
    descriptor, teacher_age, teacher_gender = (
        torch.from_numpy(values[rows]) for values in (teachers.descriptor, teachers.age, teachers.gender)
    )
    return Targets(gender, age, (descriptor, teacher_age, teacher_gender))
