"""The model card: its template filled with an evaluation's numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

from nightshift.bundles import package
from nightshift.words.analysis import AGE_GROUPS
from shared.bundles.manifest import read_manifest
from shared.settings import Settings
from training.chips import GENDERS
from training.degraded import MOST_WRONG, steps_table
from training.evaluation import AgeRanges, Calibration, Evaluation, Mistake, Scores, Share, ThroughPipeline

TEMPLATE = Path(__file__).with_name("model-card.template.md")
NETWORKS = {"faces-mobilenet": "a MobileNet (v1)", "utkface-v2s": "an EfficientNetV2-S"}
_YEARS_OF = {label: (low, high) for label, low, high in AGE_GROUPS}
_SCORES = ("gender", "age group", "within one", "years off")


def card(found: Evaluation, failures: str, training_plot: str | None) -> str:
    """The card as Markdown.

    Args:
        found: the measurements.
        failures: what a person saw in the mistakes, Markdown.
        training_plot: the picture of the training's log, relative to the card, if there is one.
    """
    by_race = sorted(found.by_race.items(), key=lambda item: item[1].gender.value or 0)
    worst, best = (f"{percent(scores.gender.value)} ({name})" for name, scores in (by_race[0], by_race[-1]))
    values = {
        "bundle": found.bundle,
        "network": NETWORKS.get(found.bundle, "a network"),
        "gender_right": percent(found.scores.gender.value),
        "age_right": percent(found.scores.age_group.value),
        "worst_gender": _worst({name: scores.gender for name, scores in found.by_age_group.items()}),
        "worst_age": _worst({name: scores.age_group for name, scores in found.by_age_group.items()}),
        "bundles": bundles_table(),
        "sha256": found.bundle_sha256,
        "input_px": str(found.input_px),
        "licence": found.licence,
        "chips": f"{found.chips:,}",
        "part": found.part,
        "precision": found.precision,
        "training": _training(found.training, training_plot),
        "scores": scores_table(found.scores),
        "gender_confusion": _gender_confusion(found),
        "by_gender": _by("by the gender label", found.by_gender),
        "by_age_group": _by("by the age label", found.by_age_group),
        "by_race": _by("by the race label", found.by_race),
        "race_worst": worst,
        "race_best": best,
        "gender_under_five": percent(found.by_age_group["0-4"].gender.value),
        "calibration": _calibration(found),
        "hard_ages": ", ".join(found.calibration.get("gender", {}).get("uncertain_at", ())) or "none",
        "held_out": _held_out(found.calibration),
        "age_plain": percent(found.age_group.certain.value),
        "age_ranges": _age_ranges(found.age_ranges),
        "steps": steps_table(found.steps) if found.steps else "Not measured.",
        "most_wrong": f"{MOST_WRONG * 100:g} %",
        "blurred": f"{found.limits.min_sharpness:g}",
        "small": f"{found.limits.min_size_px:g}",
        "dark": f"{found.limits.min_brightness:g}",
        "turned": f"{found.limits.max_yaw_deg:g}",
        "cut_off": percent(found.limits.max_cut_off),
        "pipeline": _pipeline(found.pipeline),
        "failures": failures,
        "mistakes": "\n".join(f"- {_mistake(mistake)}" for mistake in found.mistakes),
    }
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(values)


def bundles_table() -> str:
    """The bundles that come with the product and the one that is a command away, by their manifests."""
    shipped = [read_manifest(Settings().weights_dir / name) for name in NETWORKS]
    rows = [
        (manifest.name, manifest.input.size, manifest.commercial_use.allowed, manifest.model_extra or {})
        for manifest in shipped
    ]
    imported = {"metrics": {"validation": package.METRICS}, "calibration": package.CALIBRATION}
    rows.append((package.NAME, package.SIDE_PX, "yes", imported))
    heads = ("", "input", *_SCORES, "gender plain", "age plain", "commercial use")
    return _table(heads, (_bundle_row(*row) for row in rows))


def _bundle_row(name: str, side_px: int, allowed: str, said: Mapping[str, Any]) -> tuple[str, ...]:
    measured, chosen = said["metrics"]["validation"], said["calibration"]
    return (
        f"`{name}`",
        f"{side_px} px",
        *(percent(measured[score]) for score in ("gender", "age8", "near")),
        f"{measured['mae']:.2f}",
        *(percent(chosen[head]["certain"]) for head in ("gender", "age_group")),
        allowed,
    )


def _worst(right: Mapping[str, Share]) -> str:
    """The age, by the label, that is served worst, and how badly."""
    name = min(right, key=lambda each: right[each].value or 0)
    return f"{percent(right[name].value)} of those labelled {name}"


def percent(value: float | None) -> str:
    """`89.7 %`, or a dash."""
    return "-" if value is None else f"{value * 100:.1f} %"


def _share(share: Share | None) -> str:
    if share is None or share.value is None or share.low is None or share.high is None:
        return "-"
    return f"{percent(share.value)} ({share.low * 100:.1f}-{share.high * 100:.1f})"


def _years(share: Share) -> str:
    if share.value is None or share.low is None or share.high is None:
        return "-"
    return f"{share.value:.2f} ({share.low:.2f}-{share.high:.2f})"


def _points(share: Share) -> str:
    if share.value is None or share.low is None or share.high is None:
        return "-"
    return f"{share.value * 100:.1f} points ({share.low * 100:.1f} to {share.high * 100:.1f})"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(heads)]
    lines += [["---"] * len(lines[0]), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(scores: Scores) -> tuple[str, str, str, str]:
    return _share(scores.gender), _share(scores.age_group), _share(scores.near), _years(scores.years)


def scores_table(scores: Scores) -> str:
    """The four numbers beside what we aim at."""
    rows = [
        ("gender right", _share(scores.gender), "95 %"),
        ("age group right, of eight", _share(scores.age_group), "65 %"),
        ("age group right or the next one", _share(scores.near), "96 %"),
        ("mean age error, years", _years(scores.years), "under 4.6"),
    ]
    return _table(("", "measured", "our goal"), rows)


def _by(title: str, groups: Mapping[str, Scores]) -> str:
    rows = [(name, f"{scores.gender.faces:,}", *_cells(scores)) for name, scores in groups.items()]
    return _table((title, "faces", *_SCORES), rows)


def _gender_confusion(found: Evaluation) -> str:
    rows = [
        (f"labelled {name}", *(f"{count:,}" for count in counts))
        for name, counts in zip(GENDERS, found.gender_confusion, strict=True)
    ]
    return _table(("", *(f"answered {name}" for name in GENDERS)), rows)


def _training(training: Mapping[str, Any], plot: str | None) -> str:
    runs, paragraphs = [*_history(training)], []
    first = runs[0] if runs else {}
    if "from" in first:
        # What weights from before this room say of themselves.
        stage = f" ({first['stage']})" if "stage" in first else ""
        paragraphs.append(f"They began from {first['from']}{stage}.")
    recipes = [{**run["recipe"], "epochs done": run.get("epochs")} for run in runs if "recipe" in run]
    if recipes:
        names = list(dict.fromkeys(name for recipe in recipes for name in recipe))
        rows = [
            (name.replace("_", " "), *(_setting(recipe.get(name)) for recipe in recipes)) for name in names
        ]
        paragraphs.append(_table(("", *(f"run {number}" for number in range(1, len(recipes) + 1))), rows))
    if plot:
        paragraphs.append(f"![Loss and validation of the last run]({plot})")
    return "\n\n".join(paragraphs)


def _history(training: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """This training and those its weights come from, the first first."""
    if isinstance(before := training.get("before"), Mapping):
        yield from _history(before)
    yield training


def _setting(value: object) -> str:
    text = str(value)
    return "-" if value is None else f"`{text[:12]}`" if len(text) == 64 else f"`{text}`"


def _calibration(found: Evaluation) -> str:
    heads = (
        "",
        "error without",
        "with",
        "uncertain below",
        "shown plain",
        "of these right",
        "or one group off",
        "of the uncertain right",
        "or one group off",
    )
    return _table(
        heads,
        [
            _calibration_row("gender", found.gender, found.calibration.get("gender", {})),
            _calibration_row("age group", found.age_group, found.calibration.get("age_group", {})),
        ],
    )


def _calibration_row(name: str, found: Calibration, chosen: Mapping[str, float]) -> tuple[str, ...]:
    return (
        name,
        percent(chosen.get("error_before")),
        percent(chosen.get("error_after")),
        f"{found.uncertain_below:.2f}",
        percent(found.certain.value),
        _share(found.certain_right),
        _share(found.certain_near),
        _share(found.uncertain_right),
        _share(found.uncertain_near),
    )


def _held_out(calibration: Mapping[str, Any]) -> str:
    """How the thresholds do on chips that did not choose them."""
    gender, age = (calibration.get(head, {}).get("certain_right") for head in ("gender", "age_group"))
    return f"{percent(gender)} of the genders and {percent(age)} of the age groups"


def _age_ranges(found: AgeRanges) -> str:
    groups = [(str(number), f"{faces:,}") for number, faces in enumerate(found.groups, 1) if faces]
    return f"""The age by the label lies in this range for {_share(found.all)} of all faces, and for
{_share(found.uncertain)} of those whose group is uncertain. Their ranges are as wide as:

{_table(("groups", "faces"), groups)}"""


def _pipeline(found: ThroughPipeline | None) -> str:
    if found is None:
        return "Not measured."
    rows = [("as they are", *_cells(found.direct)), ("found in photos", *_cells(found.through))]
    where = f"{percent(found.found.value)} were found where they were, {found.others} faces elsewhere"
    return f"""Of {found.chips:,} faces
{where}; {found.errors} photos failed. The found ones:

{_table(("", *_SCORES), rows)}

Lost on the way (a negative number is a gain): gender {_points(found.lost_gender)}, age group
{_points(found.lost_age_group)}."""


def _mistake(mistake: Mistake) -> str:
    person = f"{mistake.race}, {mistake.gender}, {mistake.age} years old by the label"
    said = f"{mistake.head} {mistake.answered} at {percent(mistake.probability)}"
    if mistake.head == "age group":
        low, high = _YEARS_OF[mistake.answered]
        off = low - mistake.age if mistake.age < low else mistake.age - (high or mistake.age)
        said += f", {off} {'year' if off == 1 else 'years'} off"
    return f"{person}: {said}"
