"""What a comparison leaves: numbers for a person or a script, and the faces on which two bundles differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from nightshift.bundles.comparison import Comparison, Difference
from nightshift.exits import Exit
from nightshift.machine.whole_files import replacing
from nightshift.report import Report
from nightshift.screen import cell
from nightshift.words.analysis import Face
from nightshift.words.documents import NOTICE, BundleName
from nightshift.words.error_codes import Code
from nightshift.words.errors import NightshiftError
from shared.reads.table import csv_text

DIFFERENCES = "differences.csv"
_ANSWER = (
    *("gender", "gender_probability", "gender_uncertain"),
    *("age_group", "age_group_probability", "age_group_uncertain", "age_years"),
)
COLUMNS = (
    *("custom_id", "face_index", "x1", "y1", "x2", "y2"),
    *(f"{name}_{side}" for side in "ab" for name in _ANSWER),
)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two bundles.

    Attributes:
        folder: the bundle's.
        bundle: as its manifest says.
        label: its folder's name, with `-a` or `-b` where both have one name.
        report: of the run with it.
    """

    folder: Path
    bundle: BundleName
    label: str
    report: Report | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """An ended comparison.

    Attributes:
        a: first bundle.
        b: second bundle.
        comparison: what they say.
        differences: the file with the faces on which they differ.
        exit: the command's exit code: the worse one of the runs.
    """

    a: Side
    b: Side
    comparison: Comparison
    differences: Path
    exit: Exit

    def as_json(self) -> dict[str, Any]:
        """For a script."""
        found = self.comparison
        sides = {
            name: {
                "bundle": side.bundle.model_dump(),
                "label": side.label,
                "run": side.report and side.report.as_json(),
            }
            for name, side in (("a", self.a), ("b", self.b))
        }
        return {
            **sides,
            "exit_code": int(self.exit),
            "photos": found.photos,
            "failed": {"a": found.failed_a, "b": found.failed_b, "both": found.failed_both},
            "unpaired_photos": found.unpaired_photos,
            "faces": found.faces,
            "unpaired_faces": found.unpaired_faces,
            "gender_agrees": found.gender_agrees,
            "age_group_agrees": found.age_group_agrees,
            "years_known": found.years_known,
            "mean_years_apart": found.mean_years_apart,
            "uncertain_genders": dict(zip("ab", found.uncertain_genders, strict=True)),
            "uncertain_age_groups": dict(zip("ab", found.uncertain_age_groups, strict=True)),
            "differences": len(found.differences),
            "file": str(self.differences),
            "notice": NOTICE,
        }


def print_compared(compared: Compared, console: Console) -> None:
    """The comparison for a person."""
    found, a, b = compared.comparison, compared.a, compared.b
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("", a.label, b.label):
        table.add_column(cell(heading), overflow="fold")
    table.add_row("Weights", cell(a.bundle.sha256[:12]), cell(b.bundle.sha256[:12]))
    table.add_row("Failed photos", f"{found.failed_a:,}", f"{found.failed_b:,}")
    for what, numbers in (("gender", found.uncertain_genders), ("age group", found.uncertain_age_groups)):
        table.add_row(f"Uncertain {what}", *(_share(number, found.faces) for number in numbers))
    console.print(table, highlight=False)
    lines = Table.grid(padding=(0, 2))
    lines.add_column(style="bold", no_wrap=True)
    lines.add_column(overflow="fold")
    apart = found.mean_years_apart
    failed = f", {found.failed_both:,} failed with both" if found.failed_both else ""
    unpaired = f", {found.unpaired_faces:,} only with one" if found.unpaired_faces else ""
    lines.add_row("Photos", f"{found.photos:,} compared{failed}")
    lines.add_row("Faces", f"{found.faces:,} compared{unpaired}")
    lines.add_row("Same gender*", _share(found.gender_agrees, found.faces))
    lines.add_row("Same age group*", _share(found.age_group_agrees, found.faces))
    years = f"{apart:.1f} years apart on average" if apart is not None else "not known by both"
    lines.add_row("Age*", years)
    lines.add_row("Differences", cell(f"{len(found.differences):,}, in {compared.differences}"))
    console.print()
    console.print(lines, highlight=False)
    console.print(f"* {NOTICE}", style="dim", highlight=False)


def _share(number: int, of: int) -> str:
    return f"{number:,} of {of:,} ({number / of:.1%})" if of else "none"


def write_differences(file: Path, differences: Sequence[Difference]) -> None:
    """Write one row a face, the file whole or not at all.

    Raises:
        NightshiftError: `results_not_written`.
    """
    try:
        with replacing(file) as opened:
            opened.write(csv_text([COLUMNS]).encode())
            for difference in differences:
                opened.write(csv_text([_row(difference)]).encode())
    except OSError as error:
        raise NightshiftError(Code.RESULTS_NOT_WRITTEN, f"{file}: {error.strerror}") from error


def _row(difference: Difference) -> list[Any]:
    box = difference.a.box
    return [
        *(difference.custom_id, difference.a.index, box.x1, box.y1, box.x2, box.y2),
        *_answer(difference.a),
        *_answer(difference.b),
    ]


def _answer(face: Face) -> list[Any]:
    gender, age = face.gender, face.age_group
    return [
        *(gender.value, gender.probability, gender.uncertain),
        *(age.label, age.probability, age.uncertain, face.age_years),
    ]
