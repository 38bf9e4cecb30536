"""One training run: from a recipe to a checkpoint, through any number of interruptions."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from nightshift.words.analysis import AGE_GROUPS
from training.augment import augmentation
from training.batches import Batch, plain_batches, training_batches
from training.checkpoint import Position, load_checkpoint, save_checkpoint
from training.chips import Chip, ChipArchive, sample
from training.lessons import Projections, Teacher, lesson_losses, mixture
from training.log import Log
from training.losses import Outputs, Student, losses
from training.metrics import Answers, headline
from training.recipe import Recipe
from training.teachers import Teachers
from training.trainable import YEARS
from worker.pipeline.choice import native_precision
from worker.pipeline.network import Network

_WARM_UP = 0.05
Progress = Callable[[int, int, dict[str, float]], None]


class Interrupted(Exception):
    """The run was asked to end; its checkpoint is on disk."""


class TrainingRun:
    """Trains.

    Args:
        recipe: what to do.
        archive: the chips.
        teachers: rows for exactly the recipe's training chips, or None.
        teacher: a network that shows what it sees, or None.
        folder: where checkpoint and log go; exists.
        start: tensors of the bundle to start from, None for random weights.
        processes: that decode and augment beside this one; 0 does it here.
        checkpoint_every_s: how much work an interruption may cost.

    Attributes:
        steps_an_epoch: how many there are.
    """

    def __init__(
        self,
        recipe: Recipe,
        archive: ChipArchive,
        teachers: Teachers | None,
        folder: Path,
        *,
        start: dict[str, Tensor] | None = None,
        teacher: Teacher | None = None,
        processes: int = 1,
        checkpoint_every_s: float = 300,
    ) -> None:
        self._recipe = recipe
        self._archive = archive
        self._chips = training_chips(archive, recipe)
        few = None if recipe.train_chips is None else max(recipe.train_chips // 4, 1)
        self._validation = sample(archive.part("validation"), few, recipe.seed)
        self._teachers = teachers
        self._folder = folder
        self._processes = processes
        self._checkpoint_every_s = checkpoint_every_s
        self._log = Log(folder)
        torch.manual_seed(recipe.seed)
        network = Network(recipe.architecture, YEARS)
        if start is not None:
            network.load_state_dict(start)
        self._teacher = teacher
        projections = Projections(network, teacher.channels) if teacher else None
        self._student = Student(network, projections=projections).to(memory_format=torch.channels_last)
        averaging = get_ema_multi_avg_fn(recipe.ema_decay)  # type: ignore[no-untyped-call]
        self._average = AveragedModel(self._student, multi_avg_fn=averaging, use_buffers=True)
        self._optimizer = AdamW(_parameter_groups(self._student, recipe), recipe.learning_rate)
        self._bf16 = native_precision("cpu") == "bf16"
        self.steps_an_epoch = max(1, len(self._chips) // recipe.batch_size)
        self._total = min(
            self.steps_an_epoch * recipe.epochs, recipe.steps or self.steps_an_epoch * recipe.epochs
        )

    def run(self, progress: Progress = lambda *_: None) -> None:
        """Train to the end, from the folder's checkpoint if there is one.

        Args:
            progress: called after each step with steps done, steps in all and the latest numbers.

        Raises:
            Interrupted: SIGINT or SIGTERM came.
            InvalidInput: an unreadable chip or checkpoint.
        """
        position = load_checkpoint(self._folder, self._student, self._average, self._optimizer)
        position = position or Position()
        saved_at = time.monotonic()
        with _asked_to_end() as asked:
            for epoch, side_px in enumerate(self._recipe.sides()):
                if epoch < position.epoch:
                    continue
                first = position.step if epoch == position.epoch else 0
                left = self._total - epoch * self.steps_an_epoch - first
                if left <= 0:
                    return
                for step, batch in enumerate(islice(self._batches(epoch, side_px, first), left), first):
                    numbers = self._step(epoch * self.steps_an_epoch + step, batch, side_px)
                    progress(epoch * self.steps_an_epoch + step + 1, self._total, numbers)
                    self._note(epoch, step, side_px, numbers)
                    if asked() or time.monotonic() - saved_at > self._checkpoint_every_s:
                        self._save(Position(epoch, step + 1))
                        saved_at = time.monotonic()
                    if asked():
                        raise Interrupted
                self._log.write("validation", epoch=epoch, side=side_px, **headline(self.validate(side_px)))
                done = first + min(left, self.steps_an_epoch - first)
                self._save(Position(epoch + 1) if done == self.steps_an_epoch else Position(epoch, done))

    def validate(self, side_px: int) -> Answers:
        """What the averaged weights say of the validation chips."""
        self._average.eval()
        gender, age = [], []
        with torch.inference_mode():
            for images in plain_batches(self._archive, self._validation, side_px):
                outputs: Outputs = self._average(images.to(memory_format=torch.channels_last))
                gender.append(outputs.gender.softmax(dim=1))
                age.append(outputs.age.softmax(dim=1))
        years = torch.cat(age).numpy().astype(np.float64)
        return Answers(
            gender=torch.cat(gender).numpy().astype(np.float64),
            groups=np.stack(
                [
                    years[:, low : None if high is None else high + 1].sum(axis=1)
                    for _, low, high in AGE_GROUPS
                ],
                axis=1,
            ),
            years=years @ np.arange(YEARS),
            true_gender=np.array([chip.gender for chip in self._validation]),
            true_age=np.array([chip.age for chip in self._validation]),
        )

    def _batches(self, epoch: int, side_px: int, first: int) -> Iterator[Batch]:
        return training_batches(
            self._archive,
            self._chips,
            self._teachers,
            augment=augmentation(
                self._teacher.side_px if self._teacher else side_px, self._recipe.augmentation
            ),
            batch_size=min(self._recipe.batch_size, len(self._chips)),
            seed=self._recipe.seed,
            epoch=epoch,
            first=first,
            processes=self._processes,
        )

    def _step(self, number: int, batch: Batch, side_px: int) -> dict[str, float]:
        torch.manual_seed(self._recipe.seed + number)  # dropout and stochastic depth, on resuming too
        rate = self._recipe.learning_rate * schedule(number / self._total)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        self._student.train()
        terms = self._terms(batch, side_px)
        total = torch.stack(list(terms.values())).sum()
        self._optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._student.parameters(), 5.0)
        self._optimizer.step()
        self._average.update_parameters(self._student)
        return {"loss": total.item(), **{name: term.item() for name, term in terms.items()}, "rate": rate}

    def _terms(self, batch: Batch, side_px: int) -> dict[str, Tensor]:
        """The terms of a batch's loss: by its labels, and by a teacher that sees the same pictures larger."""
        images = batch.images.to(memory_format=torch.channels_last)
        labelled, lesson = len(images), None
        if self._teacher:
            labelled -= int(self._recipe.mixed * labelled)
            images = torch.cat([images[:labelled], mixture(images)[labelled:]])
            lesson = self._teacher(images)
            images = functional.interpolate(images, side_px, mode="bilinear", antialias=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            outputs: Outputs = self._student(images)
        # Of a mixture only the teacher can say what it shows.
        weight = self._recipe.teacher_weight
        terms = losses(outputs.first(labelled), batch.targets.first(labelled), weight)
        if lesson:
            terms |= lesson_losses(outputs.gender, outputs.age, outputs.maps, lesson, weight)
        return terms

    def _save(self, position: Position) -> None:
        save_checkpoint(self._folder, position, self._student, self._average, self._optimizer)

    def _note(self, epoch: int, step: int, side_px: int, numbers: dict[str, float]) -> None:
        rounded = {name: float(f"{value:.5g}") for name, value in numbers.items()}
        self._log.write("step", epoch=epoch, step=step, side=side_px, at=round(time.time(), 1), **rounded)


def training_chips(archive: ChipArchive, recipe: Recipe) -> tuple[Chip, ...]:
    """The chips a recipe trains on."""
    return sample(archive.part("train"), recipe.train_chips, recipe.seed)


def schedule(done: float) -> float:
    """Factor of the learning rate when this share of the steps is done: a rise, then half a cosine to 0."""
    if done < _WARM_UP:
        return max(done / _WARM_UP, 0.01)
    return 0.5 * (1 + math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP)))


def _parameter_groups(student: Student, recipe: Recipe) -> list[dict[str, object]]:
    """Matrices and kernels decay; biases and batch norm do not. The heads have a rate of their own."""
    features = list(student.network.features.parameters())
    known = {id(parameter) for parameter in features}
    heads = [parameter for parameter in student.parameters() if id(parameter) not in known]
    return [
        {"params": [p for p in part if (p.ndim > 1) == decays], "weight_decay": decay, "factor": factor}
        for part, factor in ((features, 1.0), (heads, recipe.head_rate))
        for decays, decay in ((True, recipe.weight_decay), (False, 0.0))
    ]


@contextmanager
def _asked_to_end() -> Iterator[Callable[[], bool]]:
    """Whether SIGINT or SIGTERM came, so that a step is never left half done."""
    came: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
