"""Writes the model card from measurements, all of them made by one command:

    python -m training.card --chips utkface_chips.zip

`python -m training.card --check` only says whether the card fits the measurements beside it and the weights.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from docs.generated import WEIGHTS_PAGE, between
from nightshift.words.errors import InvalidInput, NightshiftError
from shared.bundles.manifest import locate_bundle, read_manifest
from shared.settings import REPOSITORY, Settings
from training.card_text import card, scores_table
from training.error_codes import TrainingCode
from training.evaluate import add_arguments, evaluate_bundle
from training.evaluation import GROUPS, Evaluation
from training.plot import PLOT, plot_confusion, plot_reliability, plot_run

DOCS = REPOSITORY / "docs"
CARD = "model-card.md"
EVALUATION = "model-card/evaluation.json"
FAILURES_SEEN = "model-card/failures-seen.md"
RELIABILITY, AGE_GROUPS, TRAINING = (
    f"model-card/{name}.svg" for name in ("reliability", "age-groups", "training")
)


def draw(found: Evaluation, docs: Path) -> None:
    """Draw the card's pictures."""
    heads = {"gender": found.gender.bins, "age group": found.age_group.bins}
    plot_reliability(docs / RELIABILITY, heads)
    plot_confusion(docs / AGE_GROUPS, GROUPS, found.age_group_confusion)


def read_evaluation(docs: Path) -> Evaluation:
    """The measurements that are on record.

    Raises:
        InvalidInput: `no_evaluation`.
    """
    path = docs / EVALUATION
    try:
        return Evaluation.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(TrainingCode.NO_EVALUATION, f"{path}: {error}") from error


def written(found: Evaluation, docs: Path) -> str:
    """The card's text, with what was seen in the failures of these very weights.

    Raises:
        InvalidInput: `failures_not_seen` when those notes are of other weights, or there are none.
    """
    path = docs / FAILURES_SEEN
    notes = path.read_text(encoding="utf-8") if path.is_file() else ""
    first, _, rest = notes.partition("\n")
    if found.bundle_sha256 not in first:
        raise InvalidInput(
            TrainingCode.FAILURES_NOT_SEEN,
            f"look at the mistakes of these weights, write down what you see in {path}, and name their sha256"
            f" {found.bundle_sha256} in its first line",
        )
    return card(found, rest.strip(), TRAINING if (docs / TRAINING).is_file() else None)


def page_with(found: Evaluation, readme: Path) -> str:
    """The page's text with these scores."""
    text = readme.read_text(encoding="utf-8")
    return between(text, "scores", scores_table(found.scores), "training/card.py")


def check(docs: Path, bundle: Path) -> None:
    """Make sure that card, docs/weights.md, measurements and weights belong together.

    Raises:
        InvalidInput: `card_stale`, or what `written` raises.
    """
    found = read_evaluation(docs)
    if read_manifest(bundle).sha256 != found.bundle_sha256:
        raise InvalidInput(
            TrainingCode.CARD_STALE, f"{docs / EVALUATION} measured other weights than those in {bundle}"
        )
    pages = {docs / CARD: written(found, docs)}
    if docs == DOCS:
        pages[WEIGHTS_PAGE] = page_with(found, WEIGHTS_PAGE)
    for page, text in pages.items():
        if page.read_text(encoding="utf-8") != text:
            raise InvalidInput(TrainingCode.CARD_STALE, f"{page} does not say what {EVALUATION} holds")


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the card is, or has been made, up to date; 2 when it is not and cannot be."""
    parser = argparse.ArgumentParser(prog="python -m training.card", description=__doc__.splitlines()[0])
    add_arguments(parser, required=False)
    parser.add_argument("--run", type=Path, help="folder of the training run, for the picture of its log")
    parser.add_argument("--check", action="store_true", help="only compare what is there")
    parser.add_argument(
        "--text-only", action="store_true", help="only the text, of the measurements on record"
    )
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of the card (default docs)")
    given = parser.parse_args(argv)
    console = Console(stderr=True)
    try:
        bundle = locate_bundle(given.bundle, Settings().weights_dir)
        if given.check:
            check(given.docs, bundle)
            return 0
        if given.text_only:
            found = read_evaluation(given.docs)
        else:
            if given.chips is None:
                raise InvalidInput(
                    TrainingCode.CHIPS_NOT_GIVEN, "say where the chips are: --chips utkface_chips.zip"
                )
            found = evaluate_bundle(bundle, given.chips, count=given.count, keep=given.keep, console=console)
            (given.docs / EVALUATION).parent.mkdir(parents=True, exist_ok=True)
            (given.docs / EVALUATION).write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
        draw(found, given.docs)
        if given.run:
            plot_run(given.run)
            shutil.copyfile(given.run / PLOT, given.docs / TRAINING)
        (given.docs / CARD).write_text(written(found, given.docs), encoding="utf-8")
        if given.docs == DOCS:
            WEIGHTS_PAGE.write_text(page_with(found, WEIGHTS_PAGE), encoding="utf-8")
    except NightshiftError as error:
        console.print(f"{error.code}: {error.message}", markup=False, highlight=False, soft_wrap=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
