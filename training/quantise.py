"""Finds which convolutions of a bundle can be in eight bits, and writes `int8.safetensors` beside it.

    python -m training.quantise --bundle faces-mobilenet --chips utkface_chips.zip

Nothing is trained. What comes into the convolutions is measured on training chips. Each is then tried alone;
those that move the probabilities most stay in fp32, as many as it takes until the labels of other training
chips agree. How far they agree on the validation chips, by which nothing was chosen, goes into the manifest;
a worker takes int8 unasked only where that is enough (`worker.pipeline.choice.AGREES`). It runs on OpenVINO,
on the CPU.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from nightshift.words.errors import NightshiftError
from shared.bundles.manifest import INT8, MANIFEST, locate_bundle, sha256_of
from shared.settings import Settings
from training.answers import Pixels, answers_of, probabilities, resized
from training.chips import Chip, ChipArchive, sample
from training.metrics import Answers
from worker.pipeline.bundle import Bundle, Weights, load_bundle
from worker.pipeline.choice import AGREES
from worker.pipeline.classify import Classifier
from worker.pipeline.graph import with_incoming
from worker.pipeline.int8 import able, from_zero, write_int8
from worker.pipeline.runtime import EightBits, Incoming, openvino_core

Say = Callable[[str], None]

SEEN, TRIED, COMPARED = 300, 48, 1500
"""Training chips that what comes in is measured on, convolutions are ranked by, and labels compared on."""

WANTED = AGREES
"""Share of labels that must agree on training chips."""

CLOSE = 0.05
"""A label may change where the most probable one was ahead by no more than this."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far labels are those of fp32.

    Attributes:
        gender: share of chips, 0-1.
        age_group: likewise.
        largest_lead_lost: by how much a label that changed was ahead in fp32, at most, 0-1.
        probability_moved: mean over chips of the most that a probability of theirs moved, 0-1.
    """

    gender: float
    age_group: float
    largest_lead_lost: float
    probability_moved: float

    def __str__(self) -> str:
        return (
            f"gender {self.gender:.2%}, age group {self.age_group:.2%}, largest lead lost"
            f" {self.largest_lead_lost:.3f}, probabilities moved {self.probability_moved:.4f}"
        )


def agreement(full: Answers, narrow: Answers) -> Agreement:
    """Labels of the same chips in fp32 and in eight bits."""
    same, leads, moved = [], [0.0], []
    for one, other in ((full.gender, narrow.gender), (full.groups, narrow.groups)):
        kept = one.argmax(axis=1) == other.argmax(axis=1)
        best = np.sort(one, axis=1)
        leads.extend((best[:, -1] - best[:, -2])[~kept].tolist())
        same.append(float(kept.mean()))
        moved.append(np.abs(one - other).max(axis=1))
    return Agreement(same[0], same[1], max(leads), float(np.maximum(*moved).mean()))


def incoming(bundle: Bundle, chips: Sequence[Pixels]) -> EightBits:
    """What comes into each convolution that may be computed in eight bits.

    Args:
        bundle: of a known architecture.
        chips: uint8 [S, S, 3] each, at the size that the bundle takes.
    """
    names, spec = list(able(bundle.manifest.architecture)), bundle.manifest.input  # type: ignore[arg-type]
    assert isinstance(bundle.weights, Weights)  # noqa: S101 - whoever calls has asked for an architecture
    model = with_incoming(bundle.weights.to_logits(), (1, 3, spec.size, spec.size), names)
    request = openvino_core().compile_model(model, "CPU").create_infer_request()
    mean, std = (np.array(values, np.float32) * np.float32(255) for values in (spec.mean, spec.std))
    seen = []
    for chip in chips:
        request.infer([np.ascontiguousarray(((chip[None] - mean) / std).transpose(0, 3, 1, 2))])
        seen.append([request.get_output_tensor(n + 1).data.copy() for n in range(3 * len(names))])
    found = {}
    for name, lows, highs, means in zip(
        names, *(list(zip(*seen, strict=True))[n::3] for n in range(3)), strict=True
    ):
        ends = from_zero(float(min(lows)), float(max(highs)))
        found[name] = Incoming(*ends, np.mean(means, axis=0, dtype=np.float32))
    return found


class Chips:
    """Chips that a bundle has answered for in fp32.

    Args:
        bundle: as loaded.
        archive: where the pixels are.
        chips: which.
    """

    def __init__(self, bundle: Bundle, archive: ChipArchive, chips: Sequence[Chip]) -> None:
        self._bundle, self._archive, self._chips = bundle, archive, chips
        self._full = self._answers(Classifier(bundle, "fp32", "openvino"))

    def agreement(self, found: EightBits) -> Agreement:
        """Of their labels, where these convolutions are in eight bits."""
        narrow = Classifier(replace(self._bundle, int8=found), "int8", "openvino")
        return agreement(self._full, self._answers(narrow))

    def _answers(self, classifier: Classifier) -> Answers:
        return answers_of(classifier, *probabilities(classifier, self._archive, self._chips), self._chips)


def ranked(chips: Chips, found: EightBits) -> list[str]:
    """Names of the convolutions, first the one that alone in eight bits moves probabilities most."""
    moved = {name: chips.agreement({name: found[name]}).probability_moved for name in found}
    return sorted(moved, key=lambda name: -moved[name])


def fewest_in_full(chips: Chips, found: EightBits, ranking: Sequence[str], say: Say) -> EightBits | None:
    """All but the first of the ranking, as few of these as it takes for the labels to agree.

    Returns:
        None where more than half would stay in fp32.
    """
    steps = (0, 2, 4, 6, 8, *range(12, len(ranking), 6))
    for left_out in (step for step in steps if step <= len(ranking) // 2):
        chosen = {name: found[name] for name in found if name not in ranking[:left_out]}
        agrees = chips.agreement(chosen)
        say(f"{left_out} of {len(found)} in fp32: {agrees}")
        if min(agrees.gender, agrees.age_group) >= WANTED and agrees.largest_lead_lost <= CLOSE:
            return chosen
    return None


def write(folder: Path, chosen: EightBits, agrees: Agreement, chips: int) -> None:
    """`int8.safetensors`, and what came of it in the manifest."""
    write_int8(folder / INT8, chosen)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["int8"] = {
        "sha256": sha256_of(folder / INT8),
        "gender": round(agrees.gender, 4),
        "age_group": round(agrees.age_group, 4),
        "largest_lead_lost": round(agrees.largest_lead_lost, 4),
        "chips": chips,
        "comment": "labels of the validation chips that are fp32's; by how much one that is not was ahead",
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    load_bundle(folder)


def quantise(folder: Path, archive: ChipArchive, count: int | None, say: Say) -> Agreement | None:
    """Measure, choose, measure what was chosen, and write it.

    Args:
        folder: of the bundle.
        archive: UTKFace's chips.
        count: of validation chips; None: all.
        say: takes a line of progress.

    Returns:
        How far labels agree; None, and nothing is written, where too little could be in eight bits.
    """
    bundle = load_bundle(folder)
    side_px = bundle.manifest.input.size
    drawn = list(sample(archive.part("train"), SEEN + TRIED + COMPARED, seed=0))
    random.Random(0).shuffle(drawn)  # noqa: S311 - they come by age; each part is to have all of them
    found = incoming(bundle, [resized(archive.pixels(chip), side_px) for chip in drawn[:SEEN]])
    ranking = ranked(Chips(bundle, archive, drawn[SEEN : SEEN + TRIED]), found)
    say(f"most sensitive of {len(ranking)}: {', '.join(ranking[:8])}")
    chosen = fewest_in_full(Chips(bundle, archive, drawn[SEEN + TRIED :]), found, ranking, say)
    if chosen is None:
        return None
    held_back = sample(archive.part("validation"), count, seed=0)
    agrees = Chips(bundle, archive, held_back).agreement(chosen)
    write(folder, chosen, agrees, len(held_back))
    return agrees


def main(argv: Sequence[str] | None = None) -> int:
    """0 when it was written, 1 when too little could be in eight bits, 2 when it cannot be tried."""
    parser = argparse.ArgumentParser(prog="python -m training.quantise", description=__doc__.splitlines()[0])
    parser.add_argument("--chips", type=Path, required=True, help="zip of UTKFace's aligned chips")
    parser.add_argument(
        "--bundle", default=Settings().bundle, help="name or folder (default: the one in use)"
    )
    parser.add_argument("--count", type=int, help="only so many validation chips")
    given = parser.parse_args(argv)
    console = Console(stderr=True)

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False)

    try:
        folder = locate_bundle(given.bundle, Settings().weights_dir)
        found = quantise(folder, ChipArchive(given.chips), given.count, say)
    except NightshiftError as error:
        say(f"{error.code}: {error.message}")
        return 2
    if found is None:
        say("too little of it can be in eight bits: nothing was written")
        return 1
    say(f"{folder / INT8}: on validation chips {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
