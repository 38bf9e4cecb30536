"""A bundle's card on a terminal; the texts of a manifest are a stranger's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from nightshift.exits import one_line
from nightshift.screen import bare_table, cell
from nightshift.words.model_card import Calibrated, Line, Measured, ModelCard
from nightshift.words.plain_text import counted, plain, plain_lines
from nightshift.words.thresholds import Thresholds

_NOT_SAID = {
    "licence": "what one may do with it",
    "commercial_use": "whether one may earn money with it",
    "metrics": "how good it is",
    "calibration": "how its probabilities were set",
    "training": "where it comes from",
    "thresholds": "where its labels become uncertain: as usual",
    "limits": "what quality a face must have: as usual",
}
_AGES = {"years": "in years", "groups": "in groups"}


def print_card(card: ModelCard, folder: Path, console: Console) -> None:
    """All that is known of a bundle.

    Args:
        card: what its manifest says.
        folder: where it lies.
        console: to print on.
    """
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", overflow="fold", no_wrap=True)
    table.add_column(overflow="fold")
    for what, text in _rows(card, folder):
        table.add_row(what, cell(text))
    console.print(table, highlight=False)
    if card.measured:
        console.print("\nHow good it is, by its manifest", style="bold")
        console.print(_measures(card.measured), highlight=False)
    for heading, lines in (
        ("How that was measured", card.remarks),
        ("Where it comes from", card.training),
        ("Notices", card.notices),
    ):
        if lines:
            console.print(f"\n{heading}", style="bold")
            _print_lines(lines, console)


def _rows(card: ModelCard, folder: Path) -> Iterator[tuple[str, str]]:
    yield "Bundle", plain(card.name) + (" (in use)" if card.in_use else "")
    yield "Folder", plain(folder)
    if card.error:
        yield "Broken", f"{one_line(card.error.message)} ({card.error.code})"
        return
    if card.manifest_name != card.name:
        yield "In results", plain(card.manifest_name)
    yield "sha256", card.sha256 or ""
    ages = _AGES.get(card.age_kind or "", card.age_kind)
    by_gender = ", read by the apparent gender" if card.age_by_gender else ""
    yield (
        "Network",
        f"{card.architecture}, {card.input_size} x {card.input_size} pixels; ages {ages}{by_gender}",
    )
    yield "Size", f"{card.size_bytes / 1e6:.1f} MB in {', '.join(file.name for file in card.files)}"
    if card.eight_bits:
        genders, ages = _share(card.eight_bits.gender), _share(card.eight_bits.age_group)
        kept = f"{genders} of genders and {ages} of age groups stay what they are"
        yield "Eight bits", f"{kept}{_of(card.eight_bits.faces)}"
    if card.thresholds:
        yield "Uncertain", _uncertain(card.thresholds, card.gender_uncertain_at)
    for head, chosen in (("gender", card.calibration.gender), ("age group", card.calibration.age_group)):
        if told := _calibrated(chosen):
            yield f"Calibration, {head}", told
    yield "Licence", one_line(card.licence or "")
    if use := card.commercial_use:
        yield "Commercial use", f"{use.allowed}: {one_line(use.reason)}"
    if card.not_said:
        yield "Not said", "; ".join(_NOT_SAID.get(part, part) for part in card.not_said)


def _uncertain(limits: Thresholds, at_ages: list[str]) -> str:
    ages = f"every gender at {', '.join(at_ages)}; " if at_ages else ""
    return (
        f"under {limits.gender:.2f} (gender), {limits.age_group:.2f} (age group); {ages}both of faces"
        f" under {limits.crop_size_px:g} px, under {limits.sharpness:g} sharpness,"
        f" under {limits.brightness:g} brightness, turned over {limits.yaw_deg:g} degrees,"
        f" cut off over {_share(limits.cut_off)}"
    )


def _calibrated(chosen: Calibrated) -> str:
    parts = []
    if chosen.certain is not None:
        right = "" if chosen.certain_right is None else f", of which right {_share(chosen.certain_right)}"
        parts.append(f"{_share(chosen.certain)} not uncertain{right}")
    if chosen.error_after is not None:
        parts.append(f"calibration error {_share(chosen.error_after)}")
    if chosen.temperature is not None:
        parts.append(f"temperature {chosen.temperature:g}")
    return "; ".join(parts)


def _measures(measured: Iterable[Measured]) -> Table:
    table = bare_table("FACES", "NUMBER", "GENDER", "AGE GROUP", "OR THE NEXT", "YEARS OFF")
    for each in measured:
        which = each.on if each.by is None else f"  {each.by} {each.group}"
        faces = "" if each.faces is None else f"{each.faces:,}"
        shares = (_share(each.gender), _share(each.age8), _share(each.near))
        years = "" if each.mae is None else f"{each.mae:.1f}"
        table.add_row(*map(cell, (which, faces, *shares, years)))
    return table


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _of(faces: int | None) -> str:
    return "" if faces is None else f", of {counted(faces, 'face')}"


def _print_lines(lines: Iterable[Line], console: Console) -> None:
    for line in lines:
        first, *more = plain_lines(line.text).split("\n")
        told = f"{plain(line.about)}: {first}" if line.about and not more else plain(line.about) or first
        console.print(f"  {told}", highlight=False, soft_wrap=True)
        for further in [first, *more] if more and line.about else more:
            console.print(f"    {further}", highlight=False, soft_wrap=True)
