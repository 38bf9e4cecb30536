"""Makes a bundle of a training run: averaged weights, calibrated, in half precision.

    python -m training.export --run DIR --chips utkface_chips.zip --out weights/NAME

With --bundle instead of --run a bundle is calibrated anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from nightshift.words.analysis import AGE_GROUPS
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, NightshiftError
from shared.bundles.manifest import (
    FEATURES,
    FORMAT,
    MANIFEST,
    Architecture,
    CommercialUse,
    Manifest,
)
from training.answers import answers_of, probabilities
from training.augment import MEAN, STD
from training.calibration import AGE_GROUP_PRECISION, GENDER_PRECISION, Calibrated, calibrate, group_sums
from training.checkpoint import load_average
from training.chips import GENDERS, Chip, ChipArchive, sample
from training.error_codes import TrainingCode
from training.metrics import groups_of, headline
from training.recipe import BEFORE, read_recipe
from training.trainable import YEARS, load_trainable
from worker.pipeline.bundle import load_bundle, write_bundle
from worker.pipeline.classify import Classifier
from worker.pipeline.framing import UTKFACE

LICENCE = "trained on UTKFace: non-commercial research only"
NOT_COMMERCIAL = CommercialUse(allowed="no", reason=LICENCE)
_TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Weights before calibration: tensors named as in a bundle, and how they came about."""

    architecture: Architecture
    tensors: dict[str, Tensor]
    side_px: int
    training: dict[str, Any]
    licence: str = LICENCE
    commercial_use: CommercialUse = NOT_COMMERCIAL


def run_source(run: Path, side_px: int | None) -> Source:
    """The averaged weights of a run, at the size of its last epoch unless another is given.

    Raises:
        InvalidInput: `no_run`, `bad_recipe`, `no_checkpoint`, `bad_checkpoint`.
    """
    recipe = read_recipe(run)
    tensors, position = load_average(run)
    sides = list(recipe.sides())
    done = min(position.epoch, len(sides) - 1)
    if side_px is None:
        side_px = sides[max(position.epoch - 1, 0) if position.step == 0 else done]
    training: dict[str, Any] = {
        "data": "UTKFace aligned and cropped chips",
        "split": "int(sha1(file name), 16) % 20: 0 and 1 held back, 2 validation, the rest trains",
        "epochs": f"{position.epoch} of {recipe.epochs}" + (" and a part" if position.step else ""),
        "recipe": recipe.model_dump(exclude_none=True),
    }
    licence, use = LICENCE, NOT_COMMERCIAL
    if (run / BEFORE).is_file():
        training["before"] = json.loads((run / BEFORE).read_text(encoding="utf-8"))
        inherited = training["before"].get("licence", LICENCE)
        licence = inherited if LICENCE in inherited else f"{inherited}; {LICENCE}"
        use = _not_commercial(CommercialUse(**training["before"].pop("commercial_use", use.model_dump())))
    return Source(recipe.architecture, tensors, side_px, training, licence, use)


def bundle_source(folder: Path, side_px: int | None) -> Source:
    """The weights of a bundle.

    Raises:
        InvalidInput: `bad_source`.
        ModelUnavailable: it is none.
    """
    bundle = load_trainable(folder, TrainingCode.BAD_SOURCE)
    manifest = bundle.manifest
    tensors = {name: tensor.clone() for name, tensor in bundle.network.state_dict().items()}
    about = (manifest.model_extra or {}).get("training", {})
    side_px = side_px or manifest.input.size
    use = _not_commercial(manifest.commercial_use)
    return Source(bundle.network.architecture, tensors, side_px, about, manifest.licence, use)


def _not_commercial(before: CommercialUse) -> CommercialUse:
    """What was trained or calibrated here has seen UTKFace, whatever it had seen before."""
    return before if before.allowed == "no" else NOT_COMMERCIAL


def export(source: Source, name: str, archive: ChipArchive, out: Path, count: int | None = None) -> Manifest:
    """Calibrate on the validation chips, write the bundle, and measure what was written.

    Args:
        source: weights.
        name: of the bundle.
        archive: the chips.
        out: folder of the bundle.
        count: only so many validation chips.

    Raises:
        InvalidInput: see `ChipArchive`.
    """
    chips = sample(archive.part("validation"), count, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        write_weights(Path(folder), name, source)
        classifier = _classifier(Path(folder))
        gender, age = calibrated(classifier, *probabilities(classifier, archive, chips), chips)
    cooled = replace(source, tensors=_cooled(source.tensors, gender.temperature, age.temperature))
    write_weights(out, name, cooled, gender, age)
    classifier = _classifier(out)
    measured = headline(answers_of(classifier, *probabilities(classifier, archive, chips), chips))
    return write_weights(out, name, cooled, gender, age, {**measured, "chips": len(chips)})


def calibrated(
    classifier: Classifier, genders: NDArray[np.float32], years: NDArray[np.float32], chips: Sequence[Chip]
) -> tuple[Calibrated, Calibrated]:
    """Temperature and threshold of gender and of age group, by what a classifier answers for `chips`."""
    classes = classifier.bundle.manifest.heads.gender.classes
    true_gender = np.array([classes.index(GENDERS[chip.gender]) for chip in chips])
    true_group = groups_of(np.array([chip.age for chip in chips]))
    return (
        calibrate(_log(genders), true_gender, lambda values: values, GENDER_PRECISION),
        calibrate(_log(years), true_group, group_sums, AGE_GROUP_PRECISION),
    )


def _cooled(tensors: dict[str, Tensor], gender: float, age: float) -> dict[str, Tensor]:
    """The same network, its heads' logits divided by the temperatures: a service need not know of them."""
    cooled = dict(tensors)
    for head, temperature in (("gender", gender), ("age", age)):
        for part in ("weight", "bias"):
            cooled[f"{head}.{part}"] = tensors[f"{head}.{part}"] / temperature
    return cooled


def write_weights(
    out: Path,
    name: str,
    source: Source,
    gender: Calibrated | None = None,
    age: Calibrated | None = None,
    measured: Mapping[str, Any] = MappingProxyType({}),
) -> Manifest:
    """The bundle in half precision, with what calibration and measuring found once they were."""
    heads: dict[str, dict[str, Any]] = {
        "gender": {"classes": list(GENDERS)},
        "age": {
            "kind": "years",
            "bins": f"one a year, 0-{YEARS - 1}",
            "groups": [{"label": label, "low": low, "high": high} for label, low, high in AGE_GROUPS],
        },
    }
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "name": name,
        "architecture": source.architecture,
        "features": FEATURES[source.architecture],
        "input": {
            "size": source.side_px,
            "mean": MEAN,
            "std": STD,
            "colour": "RGB, 0-1 before mean and std",
            "resize": "bilinear, antialiased",
        },
        "heads": heads,
        "framing": UTKFACE.model_dump(),
        "training": source.training,
        "licence": source.licence,
        "commercial_use": source.commercial_use.model_dump(),
    }
    if gender and age:
        heads["gender"]["uncertain_below"] = gender.uncertain_below
        heads["age"]["uncertain_below"] = age.uncertain_below
        manifest["calibration"] = {
            "comment": "temperatures are folded into the heads; error: expected calibration error on the"
            " validation chips, after: each half under the other half's temperature; precision: share right"
            " of the labels that are not marked uncertain",
            "gender": asdict(gender),
            "age_group": asdict(age),
        }
    if measured:
        comment = "gender: accuracy; age8: accuracy over the eight groups; near: within one group; mae: years"
        manifest["metrics"] = {"validation": {**measured, "comment": comment}}
    half = {
        key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in source.tensors.items()
    }
    return write_bundle(out, manifest, half)


def _classifier(folder: Path) -> Classifier:
    return Classifier(load_bundle(folder, torch.device("cpu")), runtime="torch")


def _log(values: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(np.log(values.astype(np.float64) + _TINY))


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the bundle is written, 2 when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", type=Path, help="folder of a training run")
    source.add_argument("--bundle", type=Path, help="folder of a bundle to calibrate anew")
    parser.add_argument("--chips", type=Path, required=True, help="zip of UTKFace's aligned chips")
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle")
    parser.add_argument("--name", help="name in the manifest (default: the folder's)")
    parser.add_argument("--side", type=int, help="input size, pixels (default: the run's last)")
    parser.add_argument("--count", type=int, help="only so many validation chips")
    parser.add_argument("--replace", action="store_true", help="replace the bundle in the folder")
    given = parser.parse_args(argv)
    console = Console(stderr=True)
    try:
        if (given.out / MANIFEST).exists() and not given.replace:
            raise InvalidInput(
                Code.BUNDLE_EXISTS, f"{given.out} holds a bundle: add --replace, or choose another"
            )
        taken = run_source(given.run, given.side) if given.run else bundle_source(given.bundle, given.side)
        name = given.name or given.out.resolve().name
        manifest = export(taken, name, ChipArchive(given.chips), given.out, given.count)
    except NightshiftError as error:
        console.print(f"{error.code}: {error.message}", markup=False, highlight=False, soft_wrap=True)
        return 2
    print(f"{given.out}: bundle {manifest.name}, sha256 {manifest.sha256}")  # noqa: T201
    extra = manifest.model_extra or {}
    print(json.dumps({key: extra[key] for key in ("metrics", "calibration")}, indent=2))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
