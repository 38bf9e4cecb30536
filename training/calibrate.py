"""Measures the temperatures and thresholds of a bundle that is not calibrated by `training.export`.

    python -m training.calibrate --bundle cydral-cc0 --chips utkface_chips.zip

Prints them as JSON. A temperature is one more on top of those the bundle has: 1 where these are right. That
of the age stops where more would cost the expected age: flat years pull the old and the young to the middle.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from nightshift.words.errors import NightshiftError
from shared.bundles.manifest import locate_bundle
from shared.settings import Settings
from training.answers import answers_of, probabilities
from training.calibration import Calibrated, group_sums, sparing_hard_ages
from training.chips import ChipArchive, sample
from training.evaluate import add_arguments
from training.export import calibrated
from training.metrics import calibration_error, groups_of, threshold_for_precision
from worker.pipeline.bundle import load_bundle
from worker.pipeline.classify import Classifier

STEPS = 101


def keeping_years(found: Calibrated, years: NDArray[np.float64], ages: NDArray[np.int64]) -> Calibrated:
    """A calibration of the age whose temperature costs nothing of the expected age.

    Args:
        found: that of greatest likelihood.
        years: probabilities [N, years] without it.
        ages: the right ones, int64 [N].

    Returns:
        The one nearest to it, from 1 on, under which the mean error in years is not greater than without.
    """

    def error_years(temperature: float) -> float:
        return float(np.abs(cooled(years, temperature) @ np.arange(years.shape[1]) - ages).mean())

    # From the wanted one back to 1, which always fits.
    steps = np.geomspace(found.temperature, 1, STEPS)
    temperature = round(next(float(step) for step in steps if error_years(step) <= error_years(1)), 4)
    groups = group_sums(cooled(years, temperature))
    sure, away = groups.max(axis=1), np.abs(groups.argmax(axis=1) - groups_of(ages))
    threshold = threshold_for_precision(sure, away <= found.within, found.precision)
    error_after = round(calibration_error(sure, away == 0), 4)
    return replace(found, temperature=temperature, error_after=error_after).raised(threshold, sure)


def cooled(probabilities: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """Rows [N, classes] as they would be with their logits divided by a temperature."""
    powers = probabilities.astype(np.float64) ** (1 / temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def main(argv: Sequence[str] | None = None) -> int:
    """0 when it was measured, 2 when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m training.calibrate", description=__doc__.splitlines()[0])
    add_arguments(parser)
    given = parser.parse_args(argv)
    try:
        bundle = load_bundle(locate_bundle(given.bundle, Settings().weights_dir))
        archive = ChipArchive(given.chips)
        chips = sample(archive.part("validation"), given.count, seed=0)
        classifier = Classifier(bundle, runtime=bundle.runtimes[-1])
        genders, years = probabilities(classifier, archive, chips)
        gender, age = calibrated(classifier, genders, years, chips)
        age = keeping_years(age, years.astype(np.float64), np.array([chip.age for chip in chips]))
        cool_genders, cool_years = cooled(genders, gender.temperature), cooled(years, age.temperature)
        gender = sparing_hard_ages(gender, answers_of(classifier, cool_genders, cool_years, chips))
    except NightshiftError as error:
        Console(stderr=True).print(f"{error.code}: {error.message}", markup=False, highlight=False)
        return 2
    print(json.dumps({"gender": asdict(gender), "age_group": asdict(age)}, indent=2))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
