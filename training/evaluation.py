"""Everything that is measured of a bundle, as one JSON document."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from nightshift.words.analysis import AGE_GROUPS, AgeGroup, AgeRange, age_range
from shared.bundles.limits import Limits
from shared.bundles.manifest import AgeHead, GenderHead, Manifest
from training import metrics
from training.answers import Through
from training.chips import GENDERS, RACES, Chip
from training.degraded import Degraded, StepScores, step_scores
from training.metrics import Answers, Bools, Estimate

GROUPS = tuple(label for label, _, _ in AGE_GROUPS)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Share(_Part):
    """A share or a mean in its 95 % interval; None where it cannot be said."""

    value: float | None
    low: float | None
    high: float | None
    faces: int


class Scores(_Part):
    """Gender right, age group right, right or next to it, and mean error in years."""

    gender: Share
    age_group: Share
    near: Share
    years: Share


class Calibration(_Part):
    """How far a head's probabilities can be believed.

    Attributes:
        error: expected calibration error, 15 bins.
        bins: of the reliability diagram: faces, mean probability, share right.
        uncertain_below: the manifest's threshold.
        certain: share of the labels that are not marked uncertain.
        certain_right: how many of those are right.
        uncertain_right: how many of the others are.
        certain_near: how many of those are right or one group off; None of genders.
        uncertain_near: how many of the others are.
    """

    error: float
    bins: list[dict[str, float]]
    uncertain_below: float
    certain: Share
    certain_right: Share
    uncertain_right: Share
    certain_near: Share | None
    uncertain_near: Share | None


class AgeRanges(_Part):
    """How often the age by the label lies in the range of ages that is answered.

    Attributes:
        all: of all faces.
        uncertain: of those whose age group is uncertain, which are shown the range.
        groups: faces whose age group is uncertain by the number of groups in their range, from 1 up.
    """

    all: Share
    uncertain: Share
    groups: list[int]


class ThroughPipeline(_Part):
    """The same chips in photos, and what is lost on the way.

    Attributes:
        chips: how many were pasted.
        found: how many of them were found where they were.
        others: faces found elsewhere.
        errors: photos that failed.
        direct: scores of the found chips, fed to the network as they are.
        through: their scores through the pipeline.
        lost_gender: share right lost on the way; negative is a gain.
        lost_age_group: the same of the age group.
    """

    chips: int
    found: Share
    others: int
    errors: int
    direct: Scores
    through: Scores
    lost_gender: Share
    lost_age_group: Share


class Mistake(_Part):
    """A wrong label of high probability, without the picture."""

    head: str
    labelled: str
    answered: str
    probability: float
    age: int
    gender: str
    race: str


class Evaluation(_Part):
    """What was measured of a bundle. Numbers are shares of one, and years."""

    bundle: str
    bundle_sha256: str
    input_px: int
    licence: str
    training: dict[str, Any]
    calibration: dict[str, Any]
    part: str
    chips: int
    precision: str
    scores: Scores
    by_gender: dict[str, Scores]
    by_age_group: dict[str, Scores]
    by_race: dict[str, Scores]
    gender: Calibration
    age_group: Calibration
    age_ranges: AgeRanges
    gender_confusion: list[list[int]]
    age_group_confusion: list[list[int]]
    mistakes: list[Mistake]
    limits: Limits
    steps: list[StepScores]
    pipeline: ThroughPipeline | None


def evaluate(
    manifest: Manifest,
    precision: str,
    part: str,
    chips: Sequence[Chip],
    direct: Answers,
    through: Through | None,
    degraded: Sequence[Degraded] = (),
) -> Evaluation:
    """Measure.

    Args:
        manifest: of the bundle.
        precision: the numbers' format it ran in.
        part: which chips these are.
        chips: in the order of `direct`.
        direct: answers for the chips as they are.
        through: answers for the same chips through the pipeline.
        degraded: answers for the same chips made worse step by step.
    """
    heads, extra = manifest.heads, manifest.model_extra or {}
    races = np.array([chip.race for chip in chips])
    return Evaluation(
        bundle=manifest.name,
        bundle_sha256=manifest.sha256,
        input_px=manifest.input.size,
        licence=manifest.licence,
        training=extra.get("training", {}),
        calibration=extra.get("calibration", {}),
        part=part,
        chips=len(chips),
        precision=precision,
        scores=scores(direct),
        by_gender=_by(direct, GENDERS, direct.true_gender),
        by_age_group=_by(direct, GROUPS, direct.true_group),
        by_race=_by(direct, RACES, races),
        gender=_gender_calibration(direct, heads.gender),
        age_group=_age_group_calibration(direct, heads.age),
        age_ranges=_age_ranges(direct, heads.age.uncertain_below),
        gender_confusion=metrics.confusion(
            direct.gender.argmax(axis=1), direct.true_gender, len(GENDERS)
        ).tolist(),
        age_group_confusion=metrics.confusion(
            direct.groups.argmax(axis=1), direct.true_group, len(GROUPS)
        ).tolist(),
        mistakes=[*_mistakes(direct, chips)],
        limits=manifest.limits,
        steps=[step_scores(each, manifest.limits, heads) for each in degraded],
        pipeline=None if through is None else _through(direct, through),
    )


def scores(answers: Answers) -> Scores:
    """The four numbers with their intervals."""
    return Scores(
        gender=_share(metrics.share(answers.gender_right)),
        age_group=_share(metrics.share(answers.group_right)),
        near=_share(metrics.share(answers.group_near)),
        years=_share(metrics.mean(answers.error_years)),
    )


def _by(answers: Answers, names: Sequence[str], index: NDArray[np.int64]) -> dict[str, Scores]:
    return {name: scores(answers.where(index == number)) for number, name in enumerate(names)}


def _gender_calibration(answers: Answers, head: GenderHead) -> Calibration:
    sure = answers.gender_sure(head.uncertain_at)
    return _calibration(answers.gender.max(axis=1), answers.gender_right, head.uncertain_below, sure)


def _age_group_calibration(answers: Answers, head: AgeHead) -> Calibration:
    sure = answers.groups.max(axis=1)
    return _calibration(sure, answers.group_right, head.uncertain_below, sure, answers.group_near)


def _calibration(
    probability: metrics.Floats,
    right: Bools,
    threshold: float,
    sure: metrics.Floats,
    near: Bools | None = None,
) -> Calibration:
    """How far `probability` can be believed; `sure` is the same, but for what is never shown plain."""
    certain = sure >= threshold
    return Calibration(
        error=round(metrics.calibration_error(probability, right), 4),
        bins=[
            {"faces": part.faces, "probability": round(part.probability, 4), "right": round(part.right, 4)}
            for part in metrics.reliability(probability, right)
        ],
        uncertain_below=threshold,
        certain=_share(metrics.share(certain)),
        certain_right=_share(metrics.share(right[certain])),
        uncertain_right=_share(metrics.share(right[~certain])),
        certain_near=None if near is None else _share(metrics.share(near[certain])),
        uncertain_near=None if near is None else _share(metrics.share(near[~certain])),
    )


def _age_ranges(answers: Answers, threshold: float) -> AgeRanges:
    ranges = [_age_range(row) for row in answers.groups]
    holds = np.array(
        [
            shown.low <= age <= (age if shown.high is None else shown.high)
            for shown, age in zip(ranges, answers.true_age.tolist(), strict=True)
        ],
        dtype=bool,
    )
    lows, highs = ([group[place] for group in AGE_GROUPS] for place in (1, 2))
    wide = np.array([highs.index(shown.high) - lows.index(shown.low) + 1 for shown in ranges])
    uncertain = answers.groups.max(axis=1) < threshold
    return AgeRanges(
        all=_share(metrics.share(holds)),
        uncertain=_share(metrics.share(holds[uncertain])),
        groups=np.bincount(wide[uncertain], minlength=len(GROUPS) + 1)[1:].tolist(),
    )


def _age_range(probabilities: metrics.Floats) -> AgeRange:
    label, low, high = AGE_GROUPS[int(probabilities.argmax())]
    shares = dict(zip(GROUPS, probabilities.tolist(), strict=True))
    return age_range(AgeGroup(label, low, high, shares[label], shares, uncertain=False))


def _through(direct: Answers, through: Through) -> ThroughPipeline:
    chosen = np.zeros(len(direct), bool)
    chosen[through.found] = True
    same = direct.where(chosen)
    return ThroughPipeline(
        chips=through.chips,
        found=_share(metrics.share(chosen)),
        others=through.others,
        errors=through.errors,
        direct=scores(same),
        through=scores(through.answers),
        lost_gender=_lost(same.gender_right, through.answers.gender_right),
        lost_age_group=_lost(same.group_right, through.answers.group_right),
    )


def _lost(direct: Bools, through: Bools) -> Share:
    return _share(metrics.mean(direct.astype(np.float64) - through.astype(np.float64)))


def _mistakes(answers: Answers, chips: Sequence[Chip], count: int = 8) -> Iterable[Mistake]:
    """The wrong labels of the highest probability, of each head."""
    for head, names, probabilities, true in (
        ("gender", GENDERS, answers.gender, answers.true_gender),
        ("age group", GROUPS, answers.groups, answers.true_group),
    ):
        answered, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
        wrong = np.flatnonzero(answered != true)
        for row in wrong[np.argsort(-sure[wrong], kind="stable")][:count]:
            chip = chips[row]
            yield Mistake(
                head=head,
                labelled=names[true[row]],
                answered=names[answered[row]],
                probability=round(float(sure[row]), 3),
                age=chip.age,
                gender=GENDERS[chip.gender],
                race=RACES[chip.race],
            )


def _share(estimate: Estimate) -> Share:
    def known(value: float) -> float | None:
        return None if math.isnan(value) else round(value, 4)

    return Share(
        value=known(estimate.value), low=known(estimate.low), high=known(estimate.high), faces=estimate.faces
    )
