"""Makes a bundle of a training run: averaged weights, calibrated, in half precision.

    python -m training.export --run DIR --chips utkface_chips.zip --out weights/NAME

With --bundle instead of --run a bundle is calibrated anew, where it is:

    python -m training.export --bundle weights/NAME --chips utkface_chips.zip --replace
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from nightshift.words.analysis import AGE_GROUPS
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, NightshiftError
from shared.bundles.limits import Limits
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
from training.calibration import (
    AGE_GROUP_PRECISION,
    AGE_GROUPS_OFF,
    GENDER_PRECISION,
    Calibrated,
    calibrate,
    group_sums,
    sparing_hard_ages,
)
from training.checkpoint import load_average
from training.chips import GENDERS, RACES, Chip, ChipArchive, sample
from training.degraded import degrade, threshold_for_steps
from training.error_codes import TrainingCode
from training.metrics import groups_of, headline, headline_by
from training.recipe import BEFORE, read_recipe
from training.trainable import YEARS, load_trainable
from worker.pipeline.bundle import load_bundle, write_bundle
from worker.pipeline.classify import Classifier
from worker.pipeline.framing import UTKFACE

LICENCE = "trained on UTKFace: non-commercial research only"
NOT_COMMERCIAL = CommercialUse(allowed="no", reason=LICENCE)
_TINY = 1e-12
_SAME_TEMPERATURE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Weights before calibration: tensors named as in a bundle, and how they came about.

    `temperatures` are folded into the gender and the age head already.
    """

    architecture: Architecture
    tensors: dict[str, Tensor]
    side_px: int
    training: dict[str, Any]
    licence: str = LICENCE
    commercial_use: CommercialUse = NOT_COMMERCIAL
    temperatures: tuple[float, float] = (1.0, 1.0)
    limits: Limits = field(default_factory=Limits)


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
    extra = manifest.model_extra or {}
    about, calibration = extra.get("training", {}), extra.get("calibration", {})
    folded = tuple(float(calibration.get(head, {}).get("temperature", 1)) for head in ("gender", "age_group"))
    side_px = side_px or manifest.input.size
    return Source(
        *(bundle.network.architecture, tensors, side_px, about, manifest.licence),
        commercial_use=_not_commercial(manifest.commercial_use),
        temperatures=(folded[0], folded[1]),
        limits=manifest.limits,
    )


def _not_commercial(before: CommercialUse) -> CommercialUse:
    """What was trained or calibrated here has seen UTKFace, whatever it had seen before."""
    return before if before.allowed == "no" else NOT_COMMERCIAL


def export(
    source: Source,
    name: str,
    archive: ChipArchive,
    out: Path,
    count: int | None = None,
    keep: Path | None = None,
) -> Manifest:
    """Calibrate on the validation chips, write the bundle, and measure what was written.

    Temperatures and thresholds are chosen on the chips as they are; thresholds are then raised until chips
    that are blurred, small, cut off or dark give few enough confident wrong labels: see `training.degraded`.

    Args:
        source: weights.
        name: of the bundle.
        archive: the chips.
        out: folder of the bundle.
        count: only so many validation chips.
        keep: see `training.degraded.degrade`.

    Raises:
        InvalidInput: see `ChipArchive`.
    """
    chips = sample(archive.part("validation"), count, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        write_weights(Path(folder), name, source)
        classifier = _classifier(Path(folder))
        hot_gender, hot_age = source.temperatures
        answers = probabilities(classifier, archive, chips)
        gender, age = calibrated(classifier, *answers, chips, folded=source.temperatures)
    tensors = _cooled(source.tensors, gender.temperature / hot_gender, age.temperature / hot_age)
    cooled = replace(source, tensors=tensors)
    write_weights(out, name, cooled, gender, age)
    classifier = _classifier(out)
    found = degrade(classifier, archive, chips, keep=keep)
    limits, plain = source.limits, found[0].answers
    gender = sparing_hard_ages(gender, plain)
    gender = gender.raised(
        threshold_for_steps(found, limits, "gender", gender.uncertain_below, gender.uncertain_at),
        plain.gender_sure(gender.uncertain_at),
    )
    age = age.raised(
        threshold_for_steps(found, limits, "age_group", age.uncertain_below), plain.groups.max(axis=1)
    )
    final = answers_of(classifier, *probabilities(classifier, archive, chips), chips)
    races = np.array([chip.race for chip in chips])
    parts = {
        "gender": (GENDERS, final.true_gender),
        "age_group": ([label for label, _, _ in AGE_GROUPS], final.true_group),
        "race": (RACES, races),
    }
    measured = {**headline(final), "chips": len(chips), "by": headline_by(final, parts)}
    return write_weights(out, name, cooled, gender, age, measured)


def calibrated(
    classifier: Classifier,
    genders: NDArray[np.float32],
    years: NDArray[np.float32],
    chips: Sequence[Chip],
    folded: tuple[float, float] = (1.0, 1.0),
) -> tuple[Calibrated, Calibrated]:
    """Temperature and threshold of gender and of age group, by what a classifier answers for `chips`.

    Args:
        classifier: that answered.
        genders: its probabilities [N, 2].
        years: its probabilities [N, years].
        chips: N of them.
        folded: temperatures that the heads have in them already; those found are without them.
    """
    classes = classifier.bundle.manifest.heads.gender.classes
    true_gender = np.array([classes.index(GENDERS[chip.gender]) for chip in chips])
    true_group = groups_of(np.array([chip.age for chip in chips]))
    gender = calibrate(_log(genders) * folded[0], true_gender, lambda values: values, GENDER_PRECISION)
    age = calibrate(_log(years) * folded[1], true_group, group_sums, AGE_GROUP_PRECISION, AGE_GROUPS_OFF)
    return _unless_the_same(gender, folded[0]), _unless_the_same(age, folded[1])


def _unless_the_same(found: Calibrated, before: float) -> Calibrated:
    # The weights were rounded when the earlier one was folded in: so small a change is none.
    same = abs(math.log(found.temperature / before)) < _SAME_TEMPERATURE
    return replace(found, temperature=before) if same else found


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
        "limits": source.limits.model_dump(),
        "training": source.training,
        "licence": source.licence,
        "commercial_use": source.commercial_use.model_dump(),
    }
    if gender and age:
        heads["gender"] |= {"uncertain_below": gender.uncertain_below, "uncertain_at": gender.uncertain_at}
        heads["age"]["uncertain_below"] = age.uncertain_below
        manifest["calibration"] = {
            "comment": "temperatures are folded into the heads; error: expected calibration error on the"
            " validation chips, after: each half under the other half's temperature; precision: share right"
            " of the labels that are not marked uncertain, an age group or the next one (within 1);"
            " certain: share of those; certain_right: each half under the threshold of this precision that"
            " the other half chose; uncertain_below is raised where blurred, small, cut off or dark chips"
            " need it; uncertain_at: apparent ages where no gender is shown plain, since too few are right",
            "gender": asdict(gender),
            "age_group": asdict(age),
        }
    if measured:
        comment = (
            "gender: accuracy; age8: accuracy over the eight groups; near: within one group; mae: years;"
        )
        comment += " by: by the labels of the data set, in its words"
        manifest["metrics"] = {"validation": {**measured, "comment": comment}}
    half = {
        key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in source.tensors.items()
    }
    return write_bundle(out, manifest, {key: tensor.numpy() for key, tensor in half.items()})


def _classifier(folder: Path) -> Classifier:
    return Classifier(load_bundle(folder), runtime="torch")


def _log(values: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(np.log(values.astype(np.float64) + _TINY))


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the bundle is written, 2 when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", type=Path, help="folder of a training run")
    source.add_argument("--bundle", type=Path, help="folder of a bundle to calibrate anew")
    parser.add_argument("--chips", type=Path, required=True, help="zip of UTKFace's aligned chips")
    parser.add_argument("--out", type=Path, help="folder of the bundle (default: that of --bundle)")
    parser.add_argument("--name", help="name in the manifest (default: the folder's)")
    parser.add_argument("--side", type=int, help="input size, pixels (default: the run's last)")
    parser.add_argument("--count", type=int, help="only so many validation chips")
    parser.add_argument("--keep", type=Path, help="folder where answers are kept for the next time")
    parser.add_argument("--replace", action="store_true", help="replace the bundle in the folder")
    given = parser.parse_args(argv)
    console = Console(stderr=True)
    given.out = given.out or given.bundle
    if given.out is None:
        parser.error("--run needs --out")
    try:
        if (given.out / MANIFEST).exists() and not given.replace:
            raise InvalidInput(
                Code.BUNDLE_EXISTS, f"{given.out} holds a bundle: add --replace, or choose another"
            )
        taken = run_source(given.run, given.side) if given.run else bundle_source(given.bundle, given.side)
        name = given.name or given.out.resolve().name
        manifest = export(taken, name, ChipArchive(given.chips), given.out, given.count, given.keep)
    except NightshiftError as error:
        console.print(f"{error.code}: {error.message}", markup=False, highlight=False, soft_wrap=True)
        return 2
    print(f"{given.out}: bundle {manifest.name}, sha256 {manifest.sha256}")  # noqa: T201
    extra = manifest.model_extra or {}
    print(json.dumps({key: extra[key] for key in ("metrics", "calibration")}, indent=2))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
