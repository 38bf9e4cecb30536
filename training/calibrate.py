"""Measures the temperatures and thresholds of a bundle that is not calibrated by `training.export`.

    python -m training.calibrate --bundle cydral-cc0 --chips utkface_chips.zip

Prints them as JSON. A temperature is one more on top of those the bundle has: 1 where these are right.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from rich.console import Console

from nightshift.words.errors import NightshiftError
from shared.bundles.manifest import locate_bundle
from shared.settings import Settings
from training.answers import probabilities
from training.chips import ChipArchive, sample
from training.evaluate import add_arguments
from training.export import calibrated
from worker.pipeline.bundle import load_bundle
from worker.pipeline.classify import Classifier


def main(argv: Sequence[str] | None = None) -> int:
    """0 when it was measured, 2 when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m training.calibrate", description=__doc__.splitlines()[0])
    add_arguments(parser)
    given = parser.parse_args(argv)
    try:
        bundle = load_bundle(locate_bundle(given.bundle, Settings().weights_dir), torch.device("cpu"))
        archive = ChipArchive(given.chips)
        chips = sample(archive.part("validation"), given.count, seed=0)
        classifier = Classifier(bundle, runtime=bundle.runtimes[-1])
        gender, age = calibrated(classifier, *probabilities(classifier, archive, chips), chips)
    except NightshiftError as error:
        Console(stderr=True).print(f"{error.code}: {error.message}", markup=False, highlight=False)
        return 2
    print(json.dumps({"gender": asdict(gender), "age_group": asdict(age)}, indent=2))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
