"""What blur and size do: how often a bundle is sure and wrong of chips that are made worse step by step.

    python -m training.degraded --chips utkface_chips.zip --bundle weights/NAME

A confident wrong label is one that is not marked uncertain and is wrong: a gender, or an age group that is
off by more than one. Thresholds and limits are such that at every step there are fewer than `MOST_WRONG`.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.progress import Progress

from nightshift.words.analysis import Quality
from nightshift.words.errors import NightshiftError
from shared.bundles.limits import Limits
from shared.bundles.manifest import Heads, locate_bundle
from shared.settings import Settings
from training.answers import Pixels, answers_of
from training.chips import Chip, ChipArchive, sample
from training.metrics import Answers, Bools
from worker.pipeline.align import Matrix, crop, framing_points
from worker.pipeline.bundle import load_bundle
from worker.pipeline.classify import Classifier
from worker.pipeline.quality import doubts, quality_of

MOST_WRONG = 0.03
"""Share of all chips of a step that may have a confident wrong gender, and the same of age groups."""

_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Step:
    """One way in which chips are made worse.

    `blurred`: by a Gaussian of this standard deviation, a fraction of the chip's side. `small`: scaled down
    to this side, pixels, and up again as the pipeline does. `cut_off`: by this fraction of the side, at the
    left, right, top or bottom in turn. `dark`: this fraction of the light, in whole levels. `plain`: not at
    all.
    """

    kind: Literal["plain", "blurred", "small", "cut_off", "dark"]
    amount: float = 0

    def __str__(self) -> str:
        """For a table."""
        if self.kind == "plain":
            return "as they are"
        if self.kind == "small":
            return f"{self.amount:.0f} px large"
        percent = f"{self.amount * 100:g} %"
        return {
            "blurred": f"blurred, sigma {percent} of the side",
            "cut_off": f"{percent} cut off",
            "dark": f"{percent} of the light",
        }[self.kind]


STEPS = (
    Step("plain"),
    *(Step("blurred", sigma) for sigma in (0.005, 0.01, 0.015, 0.02, 0.03, 0.04)),
    *(Step("small", side) for side in (64, 48, 32, 24, 20, 16)),
    *(Step("cut_off", share) for share in (0.1, 0.2, 0.3)),
    *(Step("dark", share) for share in (0.3, 0.1)),
)


def made_worse(chip: Pixels, step: Step, index: int) -> tuple[Pixels, float, tuple[int, int]]:
    """A chip as a photo that shows it so.

    Args:
        chip: uint8 [S, S, 3].
        step: how.
        index: which chip it is; a fourth of them is cut off at each side.

    Returns:
        The photo, the side of the face's square in it, and the square's upper left corner, pixels.
    """
    side = len(chip)
    if step.kind == "blurred":
        picture = Image.fromarray(chip).filter(ImageFilter.GaussianBlur(step.amount * side))
        return np.asarray(picture), side, (0, 0)
    if step.kind == "small":
        size = (round(step.amount), round(step.amount))
        return np.asarray(Image.fromarray(chip).resize(size, Image.Resampling.BOX)), size[0], (0, 0)
    if step.kind == "dark":
        return (chip * step.amount).astype(np.uint8), side, (0, 0)
    gone = round(step.amount * side) if step.kind == "cut_off" else 0
    left, right, top, bottom = (gone if index % 4 == edge else 0 for edge in range(4))
    return np.ascontiguousarray(chip[top : side - bottom, left : side - right]), side, (-left, -top)


@dataclass(frozen=True, slots=True, eq=False)
class Degraded:
    """Answers for chips at one step, and how good they are to read."""

    step: Step
    answers: Answers
    qualities: tuple[Quality, ...]

    def marked(self, limits: Limits) -> Bools:
        """Which faces' labels are uncertain by their quality alone."""
        return np.array([bool(doubts(quality, limits)) for quality in self.qualities])


class StepScores(BaseModel):
    """Shares of all chips of a step, 0-1.

    Attributes:
        step: in words.
        gender: right, sure or not.
        near: age group right or one off, sure or not.
        marked: uncertain by their quality.
        plain_gender: not uncertain.
        plain_age_group: likewise.
        wrong_gender: not uncertain, and wrong.
        wrong_age_group: not uncertain, and off by more than one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str
    gender: float
    near: float
    marked: float
    plain_gender: float
    plain_age_group: float
    wrong_gender: float
    wrong_age_group: float


def degrade(
    classifier: Classifier,
    archive: ChipArchive,
    chips: Sequence[Chip],
    *,
    keep: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Degraded]:
    """Measure chips at every step.

    Args:
        classifier: of a bundle.
        archive: where the pixels are.
        chips: which.
        keep: folder of answers that were computed before and are kept there; none without.
        progress: called with the number of chips done.
    """
    return [_at(classifier, archive, chips, step, keep, progress) for step in STEPS]


def _at(
    classifier: Classifier,
    archive: ChipArchive,
    chips: Sequence[Chip],
    step: Step,
    keep: Path | None,
    progress: Callable[[int], None],
) -> Degraded:
    manifest = classifier.bundle.manifest
    side_px, points = manifest.input.size, framing_points(manifest.framing)
    known = _kept(keep, f"{manifest.sha256} {manifest.input!r} {step!r} {[chip.name for chip in chips]}")
    crops: list[Pixels] = []
    qualities, answered = [], []
    for index, chip in enumerate(chips):
        photo, side, corner = made_worse(archive.pixels(chip), step, index)
        scale = side_px / side
        matrix: Matrix = np.array([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]])
        image = crop(photo, matrix, side_px)
        qualities.append(quality_of(image, matrix, (photo.shape[1], photo.shape[0]), points * side + corner))
        crops.append(image)
        if len(crops) == _AT_ONCE or index + 1 == len(chips):
            if known is None or not known.is_file():
                answered.append(classifier(crops))
            progress(len(crops))
            crops = []
    if answered:
        gender, age = (np.concatenate(part) for part in zip(*answered, strict=True))
        if known is not None:
            known.parent.mkdir(parents=True, exist_ok=True)
            np.savez(known, gender=gender, age=age)
    else:
        gender, age = _read(known)
    return Degraded(step, answers_of(classifier, gender, age, chips), tuple(qualities))


def _kept(folder: Path | None, of_what: str) -> Path | None:
    return None if folder is None else folder / f"{hashlib.sha256(of_what.encode()).hexdigest()[:32]}.npz"


def _read(known: Path | None) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if known is None:
        raise ValueError("no chips")
    with np.load(known) as arrays:
        return arrays["gender"], arrays["age"]


def threshold_for_steps(
    found: Sequence[Degraded],
    limits: Limits,
    head: Literal["gender", "age_group"],
    at_least: float,
    uncertain_at: Collection[str] = (),
) -> float:
    """Lowest threshold, in steps of 0.01, that keeps a head's confident wrong labels under `MOST_WRONG`.

    Args:
        found: chips at every step.
        limits: of their quality.
        head: which.
        at_least: where to begin.
        uncertain_at: age groups at which no gender is shown plain.

    Returns:
        1 when none does.
    """
    wrongs = []
    for each in found:
        answers = each.answers
        wrong = ~answers.gender_right if head == "gender" else ~answers.group_near
        sure = answers.gender_sure(uncertain_at) if head == "gender" else answers.groups.max(axis=1)
        wrongs.append((sure, wrong & ~each.marked(limits)))
    for hundredths in range(round(at_least * 100), 101):
        if all(float((wrong & (sure >= hundredths / 100)).mean()) < MOST_WRONG for sure, wrong in wrongs):
            return hundredths / 100
    return 1.0


def step_scores(degraded: Degraded, limits: Limits, heads: Heads) -> StepScores:
    """What users would be shown of these faces under these limits and the thresholds of the heads."""
    answers, marked = degraded.answers, degraded.marked(limits)
    plain_gender = ~marked & (answers.gender_sure(heads.gender.uncertain_at) >= heads.gender.uncertain_below)
    plain_age = ~marked & (answers.groups.max(axis=1) >= heads.age.uncertain_below)
    shares = {
        "gender": answers.gender_right,
        "near": answers.group_near,
        "marked": marked,
        "plain_gender": plain_gender,
        "plain_age_group": plain_age,
        "wrong_gender": plain_gender & ~answers.gender_right,
        "wrong_age_group": plain_age & ~answers.group_near,
    }
    return StepScores(
        step=str(degraded.step), **{name: round(float(which.mean()), 4) for name, which in shares.items()}
    )


def steps_table(steps: Sequence[StepScores]) -> str:
    """The steps as Markdown."""
    heads = (
        "",
        "gender right",
        "age within one",
        "marked",
        "gender plain",
        "and wrong",
        "age plain",
        "and off by more than one",
    )
    lines = [heads, ("---",) * len(heads)]
    for step in steps:
        shares = [
            *(step.gender, step.near, step.marked),
            *(step.plain_gender, step.wrong_gender, step.plain_age_group, step.wrong_age_group),
        ]
        lines.append((step.step, *(f"{share * 100:.1f} %" for share in shares)))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(argv: Sequence[str] | None = None) -> int:
    """0 when every step keeps to `MOST_WRONG`, 1 when one does not, 2 when it cannot be measured."""
    parser = argparse.ArgumentParser(prog="python -m training.degraded", description=__doc__.splitlines()[0])
    parser.add_argument("--chips", type=Path, required=True, help="zip of UTKFace's aligned chips")
    parser.add_argument(
        "--bundle", default=Settings().bundle, help="name or folder (default: the one in use)"
    )
    parser.add_argument("--count", type=int, help="only so many chips, drawn once and for all")
    parser.add_argument("--keep", type=Path, help="folder where answers are kept for the next time")
    given = parser.parse_args(argv)
    console = Console(stderr=True)
    try:
        archive = ChipArchive(given.chips)
        chips = sample(archive.part("validation"), given.count, seed=0)
        bundle = load_bundle(locate_bundle(given.bundle, Settings().weights_dir))
        classifier = Classifier(bundle, runtime=bundle.runtimes[-1])
        with Progress(console=console) as bar:
            task = bar.add_task("chips made worse", total=len(STEPS) * len(chips))
            found = degrade(
                classifier, archive, chips, keep=given.keep, progress=lambda done: bar.advance(task, done)
            )
    except NightshiftError as error:
        console.print(f"{error.code}: {error.message}", markup=False, highlight=False, soft_wrap=True)
        return 2
    manifest = bundle.manifest
    steps = [step_scores(each, manifest.limits, manifest.heads) for each in found]
    print(steps_table(steps))  # noqa: T201
    return int(any(max(step.wrong_gender, step.wrong_age_group) >= MOST_WRONG for step in steps))


if __name__ == "__main__":
    sys.exit(main())
