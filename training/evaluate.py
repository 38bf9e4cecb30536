"""Measures a bundle on chips that it was not trained on, as they are and through the whole pipeline.

python -m training.evaluate --chips utkface_chips.zip --bundle weights/utkface-v2s
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from nightshift.words.errors import NightshiftError
from shared.bundles.manifest import locate_bundle
from shared.settings import Settings
from training.answers import answers_of, probabilities, through_pipeline
from training.chips import ChipArchive, Part, sample
from training.degraded import STEPS, degrade
from training.evaluation import Evaluation, Scores, Share, evaluate
from worker.pipeline.analyse import Pipeline
from worker.pipeline.bundle import load_bundle
from worker.pipeline.classify import Classifier


def evaluate_bundle(
    bundle: Path,
    chips: Path,
    *,
    part: Part = "validation",
    count: int | None = None,
    pipeline: bool = True,
    keep: Path | None = None,
    console: Console | None = None,
) -> Evaluation:
    """Measure a bundle.

    Args:
        bundle: its folder.
        chips: zip of UTKFace's aligned chips.
        part: of them.
        count: only so many, drawn once and for all.
        pipeline: whether they go through the pipeline as well, and are made worse step by step.
        keep: see `training.degraded.degrade`.
        console: for the progress, none without.

    Raises:
        InvalidInput: see `ChipArchive`.
        ModelUnavailable: see `load_bundle`.
    """
    archive = ChipArchive(chips)
    chosen = sample(archive.part(part), count, seed=0)
    loaded = load_bundle(bundle)
    # On torch where it can: a process that has run OpenVINO and then trains has been seen to crash.
    analyser = Pipeline(loaded, classifier=Classifier(loaded, runtime=loaded.runtimes[-1]))
    with Progress(console=console, disable=console is None) as bar:

        def stage(title: str) -> Callable[[int], None]:
            task = bar.add_task(title, total=len(chosen))
            return lambda done: bar.advance(task, done)

        classifier = analyser.classifier
        answered = probabilities(classifier, archive, chosen, stage("chips as they are"))
        direct = answers_of(classifier, *answered, chosen)
        through, degraded = None, []
        if pipeline:
            made_worse = bar.add_task("made worse", total=len(STEPS) * len(chosen))
            degraded = degrade(
                *(classifier, archive, chosen),
                keep=keep,
                progress=lambda done: bar.advance(made_worse, done),
            )
            through = through_pipeline(analyser, archive, chosen, progress=stage("through the pipeline"))
    return evaluate(
        analyser.bundle.manifest, analyser.classifier.precision, part, chosen, direct, through, degraded
    )


def table_of(found: Evaluation) -> Table:
    """The scores, a row for each group of faces, with their 95 % intervals."""
    table = Table(
        title=f"{found.bundle} ({found.bundle_sha256[:12]}), {found.part}", box=None, title_justify="left"
    )
    for heading in ("", "FACES", "GENDER", "AGE GROUP", "WITHIN ONE", "YEARS OFF"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    groups = {"all": found.scores, **found.by_gender, **found.by_age_group, **found.by_race}
    if found.pipeline:
        groups |= {"found, as they are": found.pipeline.direct, "found, through": found.pipeline.through}
    for name, scores in groups.items():
        table.add_row(name, f"{scores.gender.faces:,}", *cells(scores))
    return table


def cells(scores: Scores) -> tuple[str, str, str, str]:
    """The four numbers for a person, each with its interval."""
    return percent(scores.gender), percent(scores.age_group), percent(scores.near), number(scores.years)


def percent(share: Share) -> str:
    """`89.7 % (87.8-91.3)`, or a dash."""
    if share.value is None or share.low is None or share.high is None:
        return "-"
    return f"{share.value:.1%} ({share.low * 100:.1f}-{share.high * 100:.1f})".replace("%", " %")


def number(share: Share) -> str:
    """`6.66 (6.31-7.02)`, or a dash."""
    if share.value is None or share.low is None or share.high is None:
        return "-"
    return f"{share.value:.2f} ({share.low:.2f}-{share.high:.2f})"


def add_arguments(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """The arguments of everything that evaluates."""
    parser.add_argument("--chips", type=Path, required=required, help="zip of UTKFace's aligned chips")
    parser.add_argument(
        "--bundle", default=Settings().bundle, help="name or folder (default: the one in use)"
    )
    parser.add_argument("--count", type=int, help="only so many chips, drawn once and for all")
    parser.add_argument("--keep", type=Path, help="folder where answers are kept for the next time")


def main(argv: Sequence[str] | None = None) -> int:
    """0 when it was measured, 2 when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--part", choices=("validation", "test", "train"), default="validation")
    parser.add_argument("--no-pipeline", action="store_true", help="only the chips as they are")
    parser.add_argument("--json", action="store_true", help="print everything as one JSON object")
    given = parser.parse_args(argv)
    console = Console(stderr=True)
    try:
        found = evaluate_bundle(
            locate_bundle(given.bundle, Settings().weights_dir),
            given.chips,
            part=given.part,
            count=given.count,
            pipeline=not given.no_pipeline,
            keep=given.keep,
            console=console,
        )
    except NightshiftError as error:
        console.print(f"{error.code}: {error.message}", markup=False, highlight=False, soft_wrap=True)
        return 2
    if given.json:
        print(found.model_dump_json(indent=2))  # noqa: T201
    else:
        Console(width=None if sys.stdout.isatty() else 120).print(table_of(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
