"""Trains the classifier on UTKFace's chips.

    python -m training.train --chips utkface_chips.zip --out DIR

An interrupted run goes on with --resume. `python -m training.export` makes a bundle of a run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from nightshift.words.errors import InvalidInput, NightshiftError
from shared.bundles.manifest import FEATURES, Architecture
from training.checkpoint import STATE
from training.chips import ChipArchive
from training.error_codes import TrainingCode
from training.lessons import Teacher
from training.loop import Interrupted, TrainingRun, training_chips
from training.plot import plot_run
from training.recipe import BEFORE, RECIPE, Recipe, make_recipe, read_recipe
from training.teachers import read_teachers
from training.trainable import load_trainable
from worker.pipeline.bundle import Bundle

DEFAULT_STAGES = "64:4,96:4,128:3,192:2,256:1"


def prepare(arguments: argparse.Namespace) -> tuple[Recipe, TrainingRun]:
    """Check everything that was given, and make or find the run's folder.

    Raises:
        InvalidInput: see `ChipArchive`, `make_recipe`, `read_teachers`; `run_exists` when the folder
            holds a run and --resume is not given, `other_recipe` when it is and the settings differ.
        ModelUnavailable: the bundle to start from, or the one that teaches, is none.
    """
    folder: Path = arguments.out
    started = load_trainable(arguments.start, TrainingCode.BAD_START) if arguments.start else None
    start = {key: tensor.clone() for key, tensor in started.network.state_dict().items()} if started else None
    start_manifest = started.manifest if started else None
    teacher = Teacher(arguments.teacher) if arguments.teacher else None
    recipe = make_recipe(
        architecture=_architecture(arguments.architecture, started),
        stages=arguments.stages,
        steps=arguments.steps,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        head_rate=arguments.head_rate,
        ema_decay=arguments.ema_decay,
        teacher_weight=arguments.teacher_weight,
        mixed=arguments.mixed,
        augmentation=arguments.augmentation,
        seed=arguments.seed,
        train_chips=arguments.train_chips,
        start=start_manifest.sha256 if start_manifest else None,
        teacher=teacher.sha256 if teacher else None,
        teachers=arguments.teachers is not None,
    )
    archive = ChipArchive(arguments.chips)
    chips = training_chips(archive, recipe)
    if recipe.batch_size > len(chips):
        raise InvalidInput(
            TrainingCode.BAD_RECIPE, f"batch_size: {recipe.batch_size}, of {len(chips)} training chips"
        )
    teachers = read_teachers(arguments.teachers, chips) if arguments.teachers else None
    if (folder / RECIPE).exists():
        if not arguments.resume:
            raise InvalidInput(
                TrainingCode.RUN_EXISTS, f"{folder} holds a run: add --resume, or choose another folder"
            )
        if (earlier := read_recipe(folder)) != recipe:
            changed = [name for name, value in earlier if value != getattr(recipe, name)]
            raise InvalidInput(
                TrainingCode.OTHER_RECIPE, f"{folder} holds a run with another {', '.join(changed)}"
            )
    elif arguments.resume:
        raise InvalidInput(TrainingCode.NO_RUN, f"no training run in {folder}: {RECIPE} is not there")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECIPE).write_text(recipe.model_dump_json(indent=2) + "\n", encoding="utf-8")
    if start_manifest:
        before = {
            **(start_manifest.model_extra or {}).get("training", {}),
            "licence": start_manifest.licence,
            "commercial_use": start_manifest.commercial_use.model_dump(),
        }
        (folder / BEFORE).write_text(json.dumps(before, indent=2) + "\n", encoding="utf-8")
    run = TrainingRun(
        recipe,
        archive,
        teachers,
        folder,
        start=start,
        teacher=teacher,
        processes=arguments.processes,
        checkpoint_every_s=arguments.checkpoint_minutes * 60,
    )
    return recipe, run


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the run is complete, 2 when it cannot be, 130 when it was interrupted."""
    arguments = _parser().parse_args(argv)
    console = Console(stderr=True)
    try:
        recipe, run = prepare(arguments)
        with Progress(
            TextColumn("epoch {task.fields[epoch]}, {task.fields[side]} px, loss {task.fields[loss]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            transient=False,
        ) as bar:
            task = bar.add_task("", total=None, epoch=1, side=recipe.plan[0].side_px, loss="?")
            sides = list(recipe.sides())

            def show(done: int, total: int, numbers: dict[str, float]) -> None:
                epoch = min((done - 1) // run.steps_an_epoch, len(sides) - 1)
                bar.update(
                    task,
                    completed=done,
                    total=total,
                    epoch=epoch + 1,
                    side=sides[epoch],
                    loss=f"{numbers['loss']:.3f}",
                )

            run.run(show)
        plot_run(arguments.out)
    except Interrupted:
        console.print(f"interrupted; {arguments.out / STATE} is kept, --resume goes on")
        return 130
    except NightshiftError as error:
        console.print(f"{error.code}: {error.message}", markup=False, highlight=False, soft_wrap=True)
        return 2
    return 0


def _architecture(asked: Architecture | None, start: Bundle | None) -> Architecture:
    if start is None:
        return asked or "efficientnet_v2_s"
    has = start.network.architecture
    if asked not in (None, has):
        raise InvalidInput(TrainingCode.BAD_START, f"bundle {start.manifest.name} is a {has}, not a {asked}")
    return has


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__.splitlines()[0])
    fields = Recipe.model_fields
    parser.add_argument("--chips", type=Path, required=True, help="zip of UTKFace's aligned chips")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    parser.add_argument(
        "--architecture",
        choices=tuple(FEATURES),
        help="of the network (default: that of the bundle to start from, else efficientnet_v2_s)",
    )
    parser.add_argument(
        "--start", type=Path, help="folder of a bundle to start from instead of random weights"
    )
    parser.add_argument("--teacher", type=Path, help="folder of a bundle whose answers and maps to learn")
    parser.add_argument("--teachers", type=Path, help="npz of other networks' outputs for the chips")
    parser.add_argument(
        "--stages", default=DEFAULT_STAGES, help=f"{fields['stages'].description} (default %(default)s)"
    )
    for name, kind in (
        ("steps", int),
        ("batch_size", int),
        ("learning_rate", float),
        ("head_rate", float),
        ("ema_decay", float),
        ("teacher_weight", float),
        ("mixed", float),
        ("augmentation", float),
        ("seed", int),
        ("train_chips", int),
    ):
        text = f"{fields[name].description} (default {fields[name].default})"
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=fields[name].default, help=text)
    parser.add_argument("--processes", type=int, default=1, help="processes that prepare chips (default 1)")
    parser.add_argument(
        "--checkpoint-minutes", type=float, default=5, help="time between checkpoints (default 5)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
